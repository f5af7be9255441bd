package tui_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"postern/tui"
	"postern/tui/tuitest"
)

// longestURI is as long as a URI for an authenticator app ever is: 106 bytes.
const longestURI = "otpauth://totp/Twelve-chars:ada%40lantern.test?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Twelve-chars"

// enrolment is a screen with a QR code, and words beside it where there is room.
type enrolment struct {
	page
	s      *tui.Session
	text   string
	room   int // cells for the code; 0 is all
	invert bool
}

func (e *enrolment) Tall() bool { return true }

func (e *enrolment) View() string {
	w := e.w
	if e.room > 0 {
		w = min(w, e.room)
	}
	drawn, ok := tui.QR(e.s.Theme, e.s.Caps, e.text, w, e.h, e.invert)
	if !ok {
		return "No room for a code"
	}
	words := wrapTo("Scan this with your app, or type the key that stands under it.", e.w-lipgloss.Width(drawn)-1)
	return lipgloss.JoinHorizontal(lipgloss.Top, drawn, " ", e.s.Theme.Text.Render(words))
}

func wrapTo(s string, w int) string {
	if w < 6 {
		return ""
	}
	return ansi.Wrap(s, w, "")
}

// terminals are the kinds that can show a code.
func terminals() map[string]tuitest.Option {
	return map[string]tuitest.Option{
		"16 colours": tuitest.Env("TERM=xterm"), "256 colours": tuitest.Env(), "true colour": tuitest.Env("COLORTERM=truecolor"),
	}
}

// TestQRCodesCanBeScanned reads what a terminal of 80x24 shows, as a phone
// does, in every theme and width, on dark and on light terminals.
func TestQRCodesCanBeScanned(t *testing.T) {
	if len(longestURI) != 106 {
		t.Fatal(len(longestURI))
	}
	for kind, opt := range terminals() {
		for _, name := range tui.ThemeNames() {
			t.Run(fmt.Sprintf("%s/%s", kind, name), func(t *testing.T) {
				t.Parallel()
				s := tuitest.NewSession(t, opt)
				s.Theme = tui.NewTheme(name, s.Caps)
				e := &enrolment{s: s, text: longestURI}
				v := tuitest.Open(t, s, e)
				if e.w != 76 || e.h != 20 {
					t.Fatalf("the body has %dx%d", e.w, e.h)
				}
				for e.room = 39; e.room <= 76; e.room++ {
					if got, err := v.QR(); err != nil || got != longestURI {
						t.Fatalf("%d cells wide: %q, %v\n%s", e.room, got, err, v.Text())
					}
				}
				e.invert, e.room = true, 0
				if got, err := v.InvertedQR(); err != nil || got != longestURI {
					t.Errorf("inverted: %q, %v", got, err)
				}
			})
		}
	}
}

// TestQRCodesCanBeScannedOverAWire reads the code from another's terminal.
func TestQRCodesCanBeScannedOverAWire(t *testing.T) {
	s := tuitest.NewSession(t)
	v := tuitest.Open(t, s, &enrolment{s: s, text: longestURI})
	sent := strings.ReplaceAll(v.Router().View().Content, "\n", "\r\n")
	w := tuitest.NewWire(t, io.Discard, strings.NewReader(sent), 80, 24)
	w.WaitFor("Scan this")
	<-w.Closed()
	if got, err := w.QR(); err != nil || got != longestURI {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := tuitest.NewWire(t, io.Discard, strings.NewReader("nothing"), 80, 24).QR(); err == nil {
		t.Error("a code was read where there is none")
	}
}

func TestQRCodesAreBlackOnWhiteInEveryTheme(t *testing.T) {
	for kind, opt := range terminals() {
		for _, name := range tui.ThemeNames() {
			for _, invert := range []bool{false, true} {
				s := tuitest.NewSession(t, opt)
				s.Theme = tui.NewTheme(name, s.Caps)
				v := tuitest.Open(t, s, &enrolment{s: s, text: longestURI, invert: invert})
				black, white := v.Cell(2, 2).Fg, v.Cell(2, 2).Bg // the corner of the quiet zone
				if invert {
					black, white = white, black
				}
				if none(black) || none(white) || luminance(black) > 0 || luminance(white) < 0.99 {
					t.Errorf("%s, %s, inverted %v: %v on %v", kind, name, invert, black, white)
				}
				if c, ok := black.(ansi.BasicColor); kind == "16 colours" && (!ok || c != ansi.Black) {
					t.Errorf("black is %#v", black)
				}
				if c, ok := white.(ansi.BasicColor); kind == "16 colours" && (!ok || c != ansi.BrightWhite) {
					t.Errorf("white is %#v", white)
				}
			}
		}
	}
}

func TestTerminalsThatCannotShowQRCodes(t *testing.T) {
	good := tui.Caps{Profile: colorprofile.ANSI, UTF8: true}
	for what, change := range map[string]func(*tui.Caps){
		"NO_COLOR":       func(c *tui.Caps) { c.Profile = colorprofile.ASCII },
		"no terminal":    func(c *tui.Caps) { c.Profile = colorprofile.NoTTY },
		"unknown colour": func(c *tui.Caps) { c.Profile = colorprofile.Unknown },
		"no UTF-8":       func(c *tui.Caps) { c.UTF8 = false },
		"dumb":           func(c *tui.Caps) { c.Dumb = true },
		"line by line":   func(c *tui.Caps) { c.Lines = true },
	} {
		caps := good
		change(&caps)
		if drawn, ok := tui.QR(tui.NewTheme(tui.ThemeDark, caps), caps, longestURI, 200, 200, false); ok || drawn != "" {
			t.Errorf("%s: drawn", what)
		}
	}
	if _, ok := tui.QR(tui.NewTheme(tui.ThemeDark, good), good, longestURI, 200, 200, false); !ok {
		t.Error("16 colours and UTF-8 are not enough")
	}
	// The names that people have for these.
	for _, opts := range [][]tuitest.Option{{tuitest.NoColor()}, {tuitest.Dumb()}, {tuitest.Env("LC_ALL=C")}} {
		s := tuitest.NewSession(t, opts...)
		tuitest.Open(t, s, &enrolment{s: s, text: longestURI}).Contains("No room for a code")
	}
}

func TestTheQuietZoneIsAsWideAsThereIsRoomFor(t *testing.T) {
	caps := tui.Caps{Profile: colorprofile.ANSI256, UTF8: true}
	theme := tui.NewTheme(tui.ThemeAuto, caps)
	if w, h := tui.QRSize(longestURI); w != 39 || h != 20 {
		t.Errorf("the longest URI needs %dx%d", w, h)
	}
	for _, tt := range []struct{ width, height, left, right, above, below int }{
		{39, 20, 1, 1, 2, 1}, // what 80x24 has room for
		{40, 21, 1, 2, 2, 3},
		{41, 22, 2, 2, 4, 3},
		{44, 23, 3, 4, 4, 5},
		{45, 24, 4, 4, 4, 5},
		{200, 200, 4, 4, 4, 5},
	} {
		drawn, ok := tui.QR(theme, caps, longestURI, tt.width, tt.height, false)
		if !ok {
			t.Errorf("%dx%d: not drawn", tt.width, tt.height)
			continue
		}
		left, right, above, below := quiet(strings.Split(ansi.Strip(drawn), "\n"))
		if got := [4]int{left, right, above, below}; got != [4]int{tt.left, tt.right, tt.above, tt.below} {
			t.Errorf("%dx%d: left, right, above, below %v", tt.width, tt.height, got)
		}
	}
}

// quiet counts the modules of white around a code. Its first row and its first
// column begin with the black of a finder pattern, and so do the others' ends.
func quiet(lines []string) (left, right, above, below int) {
	for above = 0; strings.TrimSpace(lines[above/2]) == ""; above += 2 {
	}
	first := lines[above/2]
	left = len(first) - len(strings.TrimLeft(first, " "))
	right = len(first) - len(strings.TrimRight(first, " "))
	last := len(lines) - 1
	for ; strings.TrimSpace(lines[last]) == ""; last-- {
		below += 2
	}
	if !strings.ContainsAny(lines[last], "█▄") {
		below++ // the lower half of the last row
	}
	return left, right, above, below
}

// modes draws texts of every kind that a code keeps in a way of its own.
func modes() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[0-9]{0,300}`),
		rapid.StringMatching(`[A-Z0-9 $%*+./:-]{0,200}`),
		rapid.StringN(0, 100, -1),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 3100), func(b []byte) string { return string(b) }),
	)
}

func TestQRCodesNeverExceedTheirRoom(t *testing.T) {
	caps := tui.Caps{Profile: colorprofile.ANSI256, UTF8: true}
	theme := tui.NewTheme(tui.ThemeDark, caps)
	side := rapid.IntRange(-1, 200)
	rapid.Check(t, func(t *rapid.T) {
		text, w, h := modes().Draw(t, "text"), side.Draw(t, "width"), side.Draw(t, "height")
		fitsQR(t.Fatalf, theme, caps, text, w, h)
	})
}

func FuzzQR(f *testing.F) {
	f.Add(longestURI, 76, 20)
	f.Add("0123456789", 23, 12)
	f.Add(strings.Repeat("\xff", 2954), 200, 200)
	caps := tui.Caps{Profile: colorprofile.TrueColor, UTF8: true}
	theme := tui.NewTheme(tui.ThemeAuto, caps)
	f.Fuzz(func(t *testing.T, text string, w, h int) { fitsQR(t.Fatalf, theme, caps, text, w, h) })
}

// fitsQR fails unless a code is drawn just when there is room, and inside of it.
func fitsQR(fail func(string, ...any), theme *tui.Theme, caps tui.Caps, text string, w, h int) {
	drawn, ok := tui.QR(theme, caps, text, w, h, false)
	needW, needH := tui.QRSize(text)
	if want := needW > 0 && needW <= w && needH <= h; ok != want {
		fail("%d bytes need %dx%d and have %dx%d: drawn %v", len(text), needW, needH, w, h, ok)
	}
	if !ok {
		return
	}
	lines := strings.Split(drawn, "\n")
	wide := ansi.StringWidth(lines[0])
	if len(lines) > h || wide > w {
		fail("%dx%d in %dx%d", wide, len(lines), w, h)
	}
	for i, l := range lines {
		if ansi.StringWidth(l) != wide {
			fail("line %d has %d cells, not %d", i, ansi.StringWidth(l), wide)
		}
	}
}

func TestTextThatIsTooLongIsNoCode(t *testing.T) {
	caps := tui.Caps{Profile: colorprofile.ANSI256, UTF8: true}
	theme := tui.NewTheme(tui.ThemeDark, caps)
	for _, unit := range []string{"0", "A", "a", "\xff"} {
		if _, ok := tui.QR(theme, caps, strings.Repeat(unit, 2953), 1000, 1000, false); !ok {
			t.Errorf("2953 times %q is not drawn", unit)
		}
		for _, n := range []int{0, 2954, 10_000, 1 << 20} {
			if w, h := tui.QRSize(strings.Repeat(unit, n)); w != 0 || h != 0 {
				t.Errorf("%d times %q needs %dx%d", n, unit, w, h)
			}
			if _, ok := tui.QR(theme, caps, strings.Repeat(unit, n), 1000, 1000, false); ok {
				t.Errorf("%d times %q is drawn", n, unit)
			}
		}
	}
}

// TestQRCodesSayWhatTheyWereGiven reads codes of many sizes and contents back.
func TestQRCodesSayWhatTheyWereGiven(t *testing.T) {
	s := tuitest.NewSession(t)
	e := &enrolment{s: s}
	v := tuitest.Open(t, s, e).Resize(120, 66)
	text := rapid.OneOf(
		rapid.StringMatching(`[0-9]{1,300}`),
		rapid.StringMatching(`[A-Z0-9 $%*+./:-]{1,200}`),
		rapid.StringMatching(`[ -~]{1,300}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		e.text = text.Draw(t, "text")
		if got, err := v.QR(); err != nil || got != e.text {
			t.Fatalf("%q, not %q: %v", got, e.text, err)
		}
	})
}

// TestADecoderNeedsTheRightColours shows that the reader is none that reads anything.
func TestADecoderNeedsTheRightColours(t *testing.T) {
	s := tuitest.NewSession(t)
	e := &enrolment{s: s, text: longestURI, invert: true}
	v := tuitest.Open(t, s, e)
	if got, err := v.QR(); err == nil {
		t.Errorf("white on black is read as black on white: %q", got)
	}
	e.invert = false
	if got, err := v.InvertedQR(); err == nil {
		t.Errorf("black on white is read as white on black: %q", got)
	}
	s.Theme.QR = lipgloss.NewStyle()
	if got, err := v.QR(); err == nil {
		t.Errorf("a code in the terminal's own colours is read on both: %q", got)
	}
}

// BenchmarkQR draws the longest URI.
func BenchmarkQR(b *testing.B) {
	caps := tui.Caps{Profile: colorprofile.ANSI256, UTF8: true}
	theme := tui.NewTheme(tui.ThemeDark, caps)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := tui.QR(theme, caps, longestURI, 76, 20, false); !ok {
			b.Fatal("not drawn")
		}
	}
}
