package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// dialect is the language: Starlark as it is specified, with sets, and with if
// and for outside of functions, since a script of ten lines needs no function.
// There is no while and no recursion: every loop has an end that can be seen.
func dialect() *syntax.FileOptions {
	return &syntax.FileOptions{Set: true, TopLevelControl: true, GlobalReassign: true}
}

// Problem is what is wrong with a script, and where. Line and Column count from
// 1, in characters; Column is 0 where only the line is known.
type Problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"` // in English, as the interpreter says it
}

// String is the problem as compilers write it.
func (p Problem) String() string { return fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message) }

// maxProblems bounds how many problems of one script are told.
const maxProblems = 20

// Normal is a source as it is kept: line ends are those of Unix, and the last
// line has one. It changes nothing else.
func Normal(source string) string {
	source = strings.ReplaceAll(source, "\r\n", "\n")
	if source != "" && !strings.HasSuffix(source, "\n") {
		source += "\n"
	}
	return source
}

// Check reads a source without running it, and returns what is wrong with it in
// the order of the lines; none when it can be run. What is no UTF-8, what cannot
// be seen (controls, zero-width and bidi characters, which would make a reviewer
// read something else than what runs) and what is longer than MaxSource is wrong
// as well.
func Check(source string) []Problem {
	if p, wrong := readable(source); wrong {
		return []Problem{p}
	}
	file, err := dialect().Parse("script", source, 0)
	if err == nil {
		if p := loads(file); len(p) > 0 {
			return p
		}
		_, err = starlark.FileProgram(file, func(name string) bool { return slices.Contains(kitNames(), name) })
	}
	return problems(err)
}

// readable finds the first character that does not belong into a script.
func readable(source string) (Problem, bool) {
	if len(source) > MaxSource {
		return Problem{Line: 1, Message: fmt.Sprintf("longer than %d bytes", MaxSource)}, true
	}
	line, column := 1, 1
	for i, r := range source {
		width := 0
		if r == utf8.RuneError {
			_, width = utf8.DecodeRuneInString(source[i:])
		}
		switch {
		case width == 1:
			return Problem{line, column, "not valid UTF-8"}, true
		case r == utf8.RuneError:
			return Problem{line, column, "a character that was damaged on its way (U+FFFD)"}, true
		case r == '\n':
			line, column = line+1, 0
		case r == '\t':
		case !unicode.IsPrint(r):
			return Problem{line, column, fmt.Sprintf("a character that cannot be seen (U+%04X)", r)}, true
		}
		column++
	}
	return Problem{}, false
}

// loads finds every load, which there is not.
func loads(file *syntax.File) (found []Problem) {
	syntax.Walk(file, func(n syntax.Node) bool {
		if l, is := n.(*syntax.LoadStmt); is && len(found) < maxProblems {
			found = append(found, Problem{int(l.Load.Line), int(l.Load.Col), "a script loads nothing"})
		}
		return true
	})
	return found
}

// problems reads the interpreter's errors.
func problems(err error) (list []Problem) {
	var one syntax.Error
	var many resolve.ErrorList
	switch {
	case err == nil:
		return nil
	case errors.As(err, &one):
		list = append(list, Problem{int(one.Pos.Line), int(one.Pos.Col), clip(one.Msg, MaxDetail)})
	case errors.As(err, &many):
		for _, e := range many[:min(len(many), maxProblems)] {
			list = append(list, Problem{int(e.Pos.Line), int(e.Pos.Col), clip(e.Msg, MaxDetail)})
		}
	default:
		list = append(list, Problem{1, 0, clip(err.Error(), MaxDetail)})
	}
	slices.SortStableFunc(list, func(a, b Problem) int { return a.Line - b.Line })
	return list
}

// clip shortens a text to n characters, and makes it valid UTF-8.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
