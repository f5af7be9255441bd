package script

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// kitNames are the names that a script finds, beside those of the language.
// docs/analysis.md tells of each; a test holds it to that.
func kitNames() []string {
	return []string{
		"request", "account", "sessions", "grants", "now", "dry_run",
		"approve", "reject", "hold", "notify", "post", "days_since", "json",
	}
}

// run is one run of a script.
type run struct {
	in      Input
	limits  Limits
	thread  *starlark.Thread
	decided bool
	result  Result
	printed int
	loud    bool
	emit    func(string)
}

// Evaluate runs a script in this process, under no other limits than those of
// the interpreter: steps and output. The child calls it once it is confined;
// tests may call it. emit is told each piece of what is printed.
func Evaluate(in Input, limits Limits, emit func(string)) Result {
	r := &run{in: in, limits: limits.withDefaults(), emit: emit}
	if p := Check(in.Source); len(p) > 0 {
		return held(Failed, p[0].Message, p[0].Line)
	}
	r.thread = &starlark.Thread{Name: in.Name, Print: r.print}
	r.thread.SetMaxExecutionSteps(r.limits.Steps)
	_, err := starlark.ExecFileOptions(dialect(), r.thread, "script", in.Source, r.kit())
	switch {
	case r.loud:
		return held(TooLoud, fmt.Sprintf("more than %d bytes were printed", r.limits.Log), 0)
	case err != nil && r.thread.ExecutionSteps() >= r.limits.Steps:
		return held(TooLong, "too many steps", lineOf(err))
	case err != nil:
		return held(Failed, err.Error(), lineOf(err))
	case !r.decided:
		return held(Undecided, "no decision", 0)
	}
	r.result.Outcome = Decided
	return r.result
}

// lineOf is the line of the script at which an error came up: the innermost one,
// since the built-in that failed has none.
func lineOf(err error) int {
	var e *starlark.EvalError
	if !errors.As(err, &e) {
		return 0
	}
	for i := len(e.CallStack) - 1; i >= 0; i-- {
		if pos := e.CallStack[i].Pos; pos.Filename() == "script" && pos.Line > 0 {
			return int(pos.Line)
		}
	}
	return 0
}

// print takes what the script prints, as long as it may.
func (r *run) print(_ *starlark.Thread, msg string) {
	if r.loud {
		return
	}
	left := r.limits.Log - r.printed
	if len(msg)+1 > left {
		r.loud = true
		msg = msg[:max(0, left-1)]
		r.thread.Cancel("too much output")
	}
	r.printed += len(msg) + 1
	r.emit(strings.ToValidUTF8(msg, "\ufffd"))
}

// kit makes what a script finds. Its data cannot be changed.
func (r *run) kit() starlark.StringDict {
	var sessions, grants []starlark.Value
	for _, s := range r.in.Sessions {
		sessions = append(sessions, object("session", map[string]starlark.Value{
			"id": str(s.ID), "door": str(s.Door), "remote": str(s.Remote), "client": str(s.Client),
			"method": str(s.Method), "factor": str(s.Factor), "created": str(s.Created), "last_seen": str(s.LastSeen),
		}))
	}
	for _, g := range r.in.Grants {
		grants = append(grants, object("grant", map[string]starlark.Value{
			"app": str(g.App), "role": str(g.Role), "created": str(g.Created), "since": str(g.Since), "until": str(g.Until),
		}))
	}
	q, a := r.in.Request, r.in.Account
	fields := starlark.NewDict(len(a.Fields))
	for k, v := range a.Fields {
		_ = fields.SetKey(str(k), str(v)) // a new dictionary, and strings can be hashed
	}
	kit := starlark.StringDict{
		"request": object("request", map[string]starlark.Value{
			"id": str(q.ID), "asked": str(q.Asked), "due": str(q.Due), "note": str(q.Note),
		}),
		"account": object("account", map[string]starlark.Value{
			"id": str(a.ID), "user_name": str(a.UserName), "display_name": str(a.DisplayName), "email": str(a.Email),
			"email_confirmed": starlark.Bool(a.EmailConfirmed), "state": str(a.State), "created": str(a.Created),
			"last_sign_in": str(a.LastSignIn), "language": str(a.Language), "time_zone": str(a.TimeZone), "fields": fields,
			"roles": strs(a.Roles), "factors": strs(a.Factors), "keys": starlark.MakeInt(a.Keys),
		}),
		"sessions": starlark.NewList(sessions), "grants": starlark.NewList(grants),
		"now": str(r.in.Now), "dry_run": starlark.Bool(r.in.Dry), "json": json.Module,
	}
	for name, fn := range map[string]func(string, starlark.Tuple, []starlark.Tuple) (starlark.Value, error){
		"approve": r.approve, "reject": r.reject, "hold": r.hold, "notify": r.notify, "post": r.post, "days_since": r.daysSince,
	} {
		kit[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
			return fn(b.Name(), args, named)
		})
	}
	kit.Freeze()
	return kit
}

func str(s string) starlark.Value { return starlark.String(s) }

func strs(list []string) starlark.Value {
	values := make([]starlark.Value, len(list))
	for i, s := range list {
		values[i] = str(s)
	}
	return starlark.NewList(values)
}

// object is a value with attributes, which is printed under its name.
func object(name string, attributes map[string]starlark.Value) starlark.Value {
	return starlarkstruct.FromStringDict(str(name), attributes)
}

// decide takes the script's decision. A second one is an error, and holds the
// request: nobody could say which of them was meant.
func (r *run) decide(v Verdict, reason string) (starlark.Value, error) {
	if r.decided {
		return nil, fmt.Errorf("%s: it has decided before (%s)", v, r.result.Verdict)
	}
	if err := line(reason, MaxReason); err != nil {
		return nil, fmt.Errorf("%s: reason: %w", v, err)
	}
	r.decided, r.result.Verdict, r.result.Reason = true, v, reason
	return starlark.None, nil
}

func (r *run) approve(name string, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(name, args, named); err != nil {
		return nil, err
	}
	return r.decide(Approve, "")
}

func (r *run) reject(name string, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	return r.reasoned(Reject, name, args, named)
}

func (r *run) hold(name string, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	return r.reasoned(Hold, name, args, named)
}

func (r *run) reasoned(v Verdict, name string, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	var reason string
	if err := starlark.UnpackArgs(name, args, named, "reason", &reason); err != nil {
		return nil, err
	}
	if strings.TrimSpace(reason) == "" {
		return nil, fmt.Errorf("%s: a reason is needed", name)
	}
	return r.decide(v, reason)
}

func (r *run) notify(name string, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	e := Effect{Kind: EffectNotify}
	if err := starlark.UnpackArgs(name, args, named, "to", &e.To, "text", &e.Text); err != nil {
		return nil, err
	}
	return r.ask(name, e)
}

func (r *run) post(name string, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	e := Effect{Kind: EffectPost}
	var value starlark.Value
	if err := starlark.UnpackArgs(name, args, named, "url", &e.URL, "json", &value); err != nil {
		return nil, err
	}
	encoded, err := starlark.Call(r.thread, json.Module.Members["encode"], starlark.Tuple{value}, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	e.Body, _ = starlark.AsString(encoded)
	return r.ask(name, e)
}

// ask notes what the script asks for. It is done after the script has ended, if
// it has decided; so a script learns nothing of what became of it.
func (r *run) ask(name string, e Effect) (starlark.Value, error) {
	if len(r.result.Effects) == MaxEffects {
		return nil, fmt.Errorf("%s: more than %d notifications and posts", name, MaxEffects)
	}
	if err := e.check(r.in.URLs); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r.result.Effects = append(r.result.Effects, e)
	return starlark.None, nil
}

// check says what is wrong with an effect. It is asked by the child, for the
// script to be told, and again by the parent, who believes no child.
func (e Effect) check(urls []string) error {
	switch e.Kind {
	case EffectNotify:
		if e.To != ToPerson && e.To != ToOwner {
			return fmt.Errorf("to is %q or %q", ToPerson, ToOwner)
		}
		if strings.TrimSpace(e.Text) == "" {
			return errors.New("text is empty")
		}
		if err := line(e.Text, MaxText); err != nil {
			return fmt.Errorf("text: %w", err)
		}
		return nil
	case EffectPost:
		if len(e.Body) > MaxBody {
			return fmt.Errorf("more than %d bytes of JSON", MaxBody)
		}
		if !utf8.ValidString(e.Body) {
			return errors.New("not valid UTF-8")
		}
		return Allowed(e.URL, urls)
	}
	return fmt.Errorf("an unknown effect %q", e.Kind)
}

// line refuses what is not one line of text that can be seen.
func line(s string, most int) error {
	if utf8.RuneCountInString(s) > most {
		return fmt.Errorf("longer than %d characters", most)
	}
	if !utf8.ValidString(s) {
		return errors.New("not valid UTF-8")
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("a character that cannot be seen (U+%04X)", r)
		}
	}
	return nil
}

// daysSince returns the whole days from a time until now; None for never, and
// less than 0 for what is to come.
func (r *run) daysSince(name string, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	var at string
	if err := starlark.UnpackArgs(name, args, named, "time", &at); err != nil {
		return nil, err
	}
	if at == "" {
		return starlark.None, nil
	}
	then, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return nil, fmt.Errorf("%s: not a time: %q", name, clip(at, 40))
	}
	now, err := time.Parse(time.RFC3339, r.in.Now)
	if err != nil {
		return nil, fmt.Errorf("%s: it is not known what time it is", name)
	}
	days := int(now.Sub(then) / (24 * time.Hour))
	if now.Before(then) && now.Sub(then)%(24*time.Hour) != 0 {
		days--
	}
	return starlark.MakeInt(days), nil
}
