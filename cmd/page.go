// What a verb writes for people: lines, and tables whose columns are aligned.

package cmd

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// page collects what a verb says. Cells and values are escaped by whoever puts them in.
type page struct {
	b strings.Builder
}

func (p *page) line(s string) { p.b.WriteString(s + "\n") }

// table draws rows under their titles, two blanks between the columns. The last
// column is as long as it is: a pipe has no right edge.
func (p *page) table(titles []string, rows [][]string) {
	if len(titles) > 0 {
		rows = append([][]string{titles}, rows...)
	}
	var wide []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], ansi.StringWidth(cell))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for i, cell := range r {
			line.WriteString(cell)
			if i < len(r)-1 {
				line.WriteString(strings.Repeat(" ", wide[i]-ansi.StringWidth(cell)+2))
			}
		}
		p.line(strings.TrimRight(line.String(), " "))
	}
}

// facts draws names and values; one without a value is left out.
func (p *page) facts(pairs ...string) {
	var rows [][]string
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := pairs[i+1]; v != "" && v != "-" {
			rows = append(rows, []string{pairs[i], v})
		}
	}
	p.table(nil, rows)
}

func (p *page) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, p.b.String())
	return err
}
