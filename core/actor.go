// Who acts: every method of the core that does something takes an Actor.

package core

// Door is the way somebody came in.
type Door string

// The doors.
const (
	DoorLocal   Door = "local"   // the person at this terminal
	DoorSSH     Door = "ssh"     // an interactive SSH session
	DoorVerb    Door = "verb"    // `ssh host VERB`, with a linked key
	DoorConsole Door = "console" // the machine's own command line
	DoorDemo    Door = "demo"    // a throw-away portal
)

// Actor is who asks, and from where. Doors build it from what they know for
// certain: the finished handshake, the signed-in session. The zero Actor is a
// stranger who may sign up and sign in.
type Actor struct {
	Account string // the account's id; "" for a stranger
	Session string // the session's id; "" when there is none (console, verbs)
	Door    Door
	Remote  string // the peer's address without port; "" at the machine itself
	Client  string // the client's version or the terminal's name, cleaned
	Key     string // fingerprint of the SSH key proved on this connection, or ""
	KeyLine string // the same key as an authorized_keys line without comment, or ""
	Pass    string // of the captcha that was solved here (Captchas.Solve), or ""

	// Console marks the operator at the machine's own command line, who may do
	// everything an owner may; the trail says so.
	Console bool
}

// ConsoleActor returns the machine's own operator; user is the name of the
// system account, for the trail.
func ConsoleActor(user string) Actor {
	return Actor{Door: DoorConsole, Client: user, Console: true}
}

// With returns the actor as signed in to a session.
func (a Actor) With(s SignedIn) Actor {
	a.Account, a.Session = s.Account, s.Session
	return a
}
