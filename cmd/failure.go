// What went wrong, as a sentence with what to do, an exit code, and a JSON
// object for scripts.

package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"postern/core"
	"postern/core/text"
	"postern/store/bolt"
	"postern/tui"
)

// failure is a refusal of a door or a verb, said by the dictionary.
type failure struct {
	exit int
	code string // stable, for scripts
	key  string // the sentence
	args []any  // its placeholders; foreign strings are escaped already
	err  error  // below it, if any; a refusal of the core gives --json its field and bounds

	names []string // user names that it is about, for --json
}

var _ error = (*failure)(nil)

// Error implements error, for logs.
func (f *failure) Error() string {
	if f.err != nil {
		return f.code + ": " + f.err.Error()
	}
	return f.code
}

// Unwrap returns the error below.
func (f *failure) Unwrap() error { return f.err }

// usage says that the arguments were not understood. detail is the parser's own
// English; it quotes what was typed.
func usage(detail string) *failure {
	return &failure{exit: exitUsage, code: "usage", key: "cmd.usage", args: []any{"Detail", text.Escape(detail)}}
}

// fail is a refusal with exit code 1.
func fail(code string, args ...any) *failure {
	return &failure{exit: exitRefused, code: code, key: "cmd." + code, args: args}
}

// because adds the error below.
func (f *failure) because(err error) *failure {
	f.err = err
	return f
}

// outlet is the standard output of this process. Its errors are told from those of
// files that a verb writes.
type outlet struct{ w io.Writer }

var _ io.Writer = outlet{}

// Write implements io.Writer; its error is an *outputError.
func (o outlet) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil {
		err = &outputError{err}
	}
	return n, err
}

// outputError says that standard output does not take what a verb writes.
type outputError struct{ err error }

var _ error = (*outputError)(nil)

// Error implements error.
func (e *outputError) Error() string { return e.err.Error() }

// Unwrap returns the error of the system.
func (e *outputError) Unwrap() error { return e.err }

// errorShape is what --json says of an error. Its fields never change their meaning.
type errorShape struct {
	Code        string `json:"code"`
	Field       string `json:"field,omitempty"`
	Rule        string `json:"rule,omitempty"`
	N           int    `json:"n,omitempty"`
	WaitSeconds int    `json:"wait_seconds,omitempty"`
	Path        string `json:"path,omitempty"`
	Message     string `json:"message"`

	Names []string `json:"names,omitempty"` // user names that it is about
}

// report says err and returns its exit code. With JSON it goes to out: a script
// reads one stream, which then always holds exactly one document. Where out takes
// nothing, words on errw are better than silence.
func report(err error, d *tui.Dict, asJSON bool, out, errw io.Writer) int {
	if err == nil {
		return exitOK
	}
	shape, code := explain(err, d)
	if asJSON && writeJSON(out, map[string]errorShape{"error": shape}) == nil {
		return code
	}
	_, _ = fmt.Fprintln(errw, shape.Message)
	return code
}

// explain turns an error into its shape and exit code.
func explain(err error, d *tui.Dict) (errorShape, int) {
	var f *failure
	var refusal *core.Error
	var closed *bolt.OpenError
	var unwritten *outputError
	switch {
	case errors.As(err, &unwritten): // below a refusal of the core, too
		return errorShape{Code: string(core.CodeNotWritten), Message: d.T("cmd.not_written")}, exitRefused
	case errors.As(err, &f):
		shape := errorShape{Code: f.code, Message: d.T(f.key, f.args...), Names: f.names}
		if errors.As(f.err, &refusal) {
			shape.Field, shape.Rule, shape.N = refusal.Field, refusal.Rule, refusal.N
		}
		return shape, f.exit
	case errors.As(err, &closed):
		return errorShape{Code: string(closed.Code), Path: closed.Path, Message: openSentence(d, closed, "")}, exitRefused
	case errors.As(err, &refusal):
		return errorShape{
			Code: string(refusal.Code), Field: refusal.Field, Rule: refusal.Rule, N: refusal.N,
			WaitSeconds: int((refusal.Wait + time.Second - 1) / time.Second), Message: sentence(d, refusal),
		}, exitOf(refusal.Code)
	case errors.Is(err, context.Canceled):
		return errorShape{Code: "interrupted", Message: d.T("cmd.interrupted")}, exitRefused
	case strings.HasPrefix(err.Error(), "unknown command"), strings.HasPrefix(err.Error(), "unknown help topic"):
		return explain(usage(err.Error()), d)
	}
	return errorShape{Code: "internal", Message: d.T("cmd.internal", "Detail", text.Escape(err.Error()))}, exitRefused
}

// exitOf returns the exit code of a refusal of the core.
func exitOf(code core.Code) int {
	switch code {
	case core.CodeDenied, core.CodeSessionEnded, core.CodeStepUp, core.CodeAgreement, core.CodeFactorDue:
		return exitNoAccess
	}
	return exitRefused
}

// sentence says a refusal of the core as screens do, naming what it is about.
func sentence(d *tui.Dict, e *core.Error) string {
	var said string
	switch e.Code {
	case core.CodePassword:
		said = d.T("error.password", "Rule", d.T("rule."+e.Rule, "N", e.N))
	case core.CodeState:
		return d.T("state_is." + e.Rule)
	case core.CodeStepUp:
		said = d.T("cmd.step_up") // a verb has no session to prove itself in
	case core.CodeKeyPresent, core.CodeNoMethod, core.CodeNoAllowance, core.CodeConfirm:
		// A screen leads on from here; a verb says what to type.
		said = d.T("cmd."+string(e.Code), "Rule", text.Escape(e.Rule))
	case core.CodeAllowance:
		return d.T("cmd.allowance", "Setting", "messages."+text.Escape(e.Field)+"_allowance")
	case core.CodeFormat:
		if said = d.T("error.format"); e.Rule != "" {
			said = d.T("cmd.format", "Rule", text.Escape(e.Rule))
		} else if key := "cmd.written." + e.Field; d.Has(key) {
			said = d.T(key)
		}
	case core.CodeNotFound:
		// What was looked for is a field of few kinds, or a setting.
		what := e.Field
		if e.Rule != "" {
			what = e.Rule
		}
		if key := "missing." + what; d.Has(key) {
			return d.T(key, "Name", text.Escape(e.Field))
		}
		said = d.T("error.not_found")
	case core.CodeAgreement:
		return d.T("error.agreement") // its field is an id, which says nothing
	case core.CodeUnchanged, core.CodeRetired, core.CodeNoRole:
		return d.T("error." + string(e.Code)) // the sentence names what it is about
	case core.CodeNotSetUp:
		said = d.T("cmd.not_set_up")
	default:
		said = d.T("error."+string(e.Code), "N", e.N, "Rule", text.Escape(e.Rule), "Wait", d.Duration(e.Wait.Round(time.Second)))
	}
	if e.Field != "" {
		return d.T("cmd.about", "Field", text.Escape(e.Field), "Sentence", said)
	}
	return said
}

// writeJSON writes v as one indented document.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
