// Signs are the few characters that carry meaning beside words. Each has an
// ASCII twin for LANG=C, TERM=dumb and serial lines.

package tui

// Signs is one set of signs. Every one but Ellipsis and Arrow is one cell wide.
type Signs struct {
	OK, No, Pending     string // rules of a checklist
	Full, Empty         string // meters and bars
	Here, Mark, Bullet  string // this one; the marked row; an item
	Crumb, Sep, Rule    string // breadcrumb, between keys, horizontal rule
	Bar                 string // vertical rule
	Ellipsis, Arrow     string
	Mask                rune   // one character of a secret
	Left, Right         string // around a choice that left and right change
	Up, Down            string // there is more above, below
	TopLeft, TopRight   string // corners of dialogs
	BaseLeft, BaseRight string
	On, Off             string // a toggle
	Blank               string // an empty cell of a field
	Spinner             []string
}

// unicodeSigns are found in every font that terminals use by default.
func unicodeSigns() Signs {
	return Signs{
		OK: "✓", No: "✗", Pending: "·",
		Full: "▰", Empty: "▱",
		Here: "●", Mark: "▸", Bullet: "•",
		Crumb: "›", Sep: "·", Rule: "─", Bar: "│",
		Ellipsis: "…", Arrow: "→",
		Mask: '•',
		Left: "‹", Right: "›", Up: "↑", Down: "↓",
		TopLeft: "┌", TopRight: "┐", BaseLeft: "└", BaseRight: "┘",
		On: "●", Off: "○",
		Blank:   " ",
		Spinner: []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"},
	}
}

// asciiSigns are the twins.
func asciiSigns() Signs {
	return Signs{
		OK: "+", No: "x", Pending: ".",
		Full: "#", Empty: "-",
		Here: "*", Mark: ">", Bullet: "*",
		Crumb: ">", Sep: "|", Rule: "-", Bar: "|",
		Ellipsis: "...", Arrow: "->",
		Mask: '*',
		Left: "<", Right: ">", Up: "^", Down: "v",
		TopLeft: "+", TopRight: "+", BaseLeft: "+", BaseRight: "+",
		On: "*", Off: "o",
		Blank:   "_",
		Spinner: []string{"|", "/", "-", "\\"},
	}
}
