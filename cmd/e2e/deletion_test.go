package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// requestsOf lists requests at the machine, newest first.
func requestsOf(t testing.TB, data, state string) (list []struct{ ID, User, State, Why, Process string }) {
	t.Helper()
	var page struct {
		Requests []struct{ ID, User, State, Why, Process string }
	}
	out := mustVerb(t, data, "request", "list", "--json", "--state", state)
	if err := json.Unmarshal([]byte(out), &page); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return page.Requests
}

// asksOnScreen goes from home to the request, and makes it.
func (v *visitor) asksOnScreen(name string) {
	v.t.Helper()
	v.choose("v  Privacy")
	v.choose("d  Delete my account")
	v.WaitFor("What would go")
	v.Press("d")
	v.WaitFor("Type " + name)
	v.Type(name)
	v.Press("enter")
}

// keygenVerifies lets OpenSSH's own program verify a receipt, where it is.
func keygenVerifies(t testing.TB, document, signature, key string) {
	t.Helper()
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Log("no ssh-keygen on this machine")
		return
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"signers": "portal " + key + "\n", "sig": signature} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(keygen, "-Y", "verify", "-f", filepath.Join(dir, "signers"), "-I", "portal", "-n", "postern-receipt", "-s", filepath.Join(dir, "sig"))
	cmd.Stdin = strings.NewReader(document)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("ssh-keygen: %v\n%s", err, out)
	}
}

// The owner's process over SSH: asked for on the screen, mailed to the owner,
// approved in the queue, taken back in the days of grace, asked for by a verb,
// carried out; the open screen closes, the name stays taken, the receipt holds.
func TestTheOwnerDecidesOverSSH(t *testing.T) {
	t.Parallel()
	post, _, settings := providers(t)
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data, settings...)
	owner := setUp(t, s)
	mustVerb(t, data, "policy", "set", "sign_up.mode=open")
	owner.choose("e  Confirm your e-mail")
	owner.WaitFor("A code is on its way")
	owner.fill(six.FindString(post.Wait(t, 1)[0].Text))
	owner.WaitFor("Your e-mail address is confirmed")

	ada := visit(t, s.addr, nil, 80, 24)
	ada.signUp("ada", "Ada Byron", userPassword)
	ada.asksOnScreen("ada")
	ada.WaitFor("Nobody has decided yet")
	letter := post.Wait(t, 2)[1]
	if letter.To != "lin@example.org" || !strings.Contains(letter.Subject, "ada asks to be deleted") {
		t.Fatalf("the owner's mail: %s %q", letter.To, letter.Subject)
	}
	owner.choose("d  Administration")
	owner.choose("d  Delete requests")
	owner.WaitFor("the owner decides", "ada")
	owner.Press("enter")
	owner.WaitFor("What would go")
	owner.Press("a")
	owner.WaitFor("can take it back")
	owner.press("Approve the deletion")
	owner.WaitFor("ada will be deleted on")

	back := visit(t, s.addr, nil, 80, 24)
	back.knock("ada", userPassword)
	back.WaitFor("Your account will be deleted on", "you can take this back")
	back.Press("x")
	back.WaitFor("Keep the account?")
	back.press("Keep it")
	back.WaitFor("The account stays")
	if list := requestsOf(t, data, "open"); len(list) != 0 {
		t.Fatalf("still open: %+v", list)
	}

	key := linkAtConsole(t, data, "ada")
	if out, exit := remote(t, s.addr, key, "request make --confirm nobody"); exit != 1 || !strings.Contains(out, "ada") {
		t.Errorf("with another name: %d %s", exit, out)
	}
	if out, exit := remote(t, s.addr, key, "request make --confirm ada"); exit != 0 || !strings.Contains(out, "waits for a decision") {
		t.Fatalf("by verb: %d %s", exit, out)
	}
	mustVerb(t, data, "policy", "set", "deletion.grace_days=0")
	id := requestsOf(t, data, "open")[0].ID
	mustVerb(t, data, "request", "approve", id, "--confirm", "ada")
	ada.WaitFor("The account was deleted")
	if out, exit := verb(t, data, "user", "show", "ada"); exit == 0 {
		t.Errorf("still there: %s", out)
	}
	again := visit(t, s.addr, nil, 80, 24)
	again.choose("Create an account")
	again.WaitFor("User name")
	again.fill("ada")
	again.WaitFor("taken")
	var receipt struct{ Document, Signature, Key string }
	if err := json.Unmarshal([]byte(mustVerb(t, data, "request", "receipt", id, "--json")), &receipt); err != nil {
		t.Fatal(err)
	}
	keygenVerifies(t, receipt.Document, receipt.Signature, receipt.Key)
	mustVerb(t, data, "audit", "verify")
	s.kill()
	mustVerb(t, data, "check")
}

// theReceiptIsOf takes the receipt of the last export from afar, in every way, and
// finds that it is of this archive and verified by ssh-keygen.
func theReceiptIsOf(t *testing.T, addr string, key ssh.Signer, archive string) {
	t.Helper()
	var kept struct {
		At                       time.Time
		Document, Signature, Key string
	}
	out, exit := remote(t, addr, key, "export receipt --json")
	if err := json.Unmarshal([]byte(out), &kept); err != nil || exit != 0 || kept.At.IsZero() {
		t.Fatalf("the receipt: %d %v %s", exit, err, out)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(archive))); !strings.Contains(kept.Document, sum) {
		t.Errorf("it is not of the archive: %s", kept.Document)
	}
	for command, want := range map[string]string{"export receipt": kept.Document, "export receipt --signature": kept.Signature} {
		if out, exit := remote(t, addr, key, command); exit != 0 || out != want || want == "" {
			t.Errorf("%s: %d %q", command, exit, out)
		}
	}
	keygenVerifies(t, kept.Document, kept.Signature, kept.Key)
}

// At once, over SSH: it must be typed out before, what is held is handed over
// first, and then the account is gone with the same command.
func TestDeletedAtOnceOverSSH(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s).leave()
	mustVerb(t, data, "policy", "set", "sign_up.mode=open")
	if out, exit := verb(t, data, "policy", "set", "deletion.process=once"); exit != 1 || !strings.Contains(out, "delete at once") {
		t.Fatalf("not typed out: %d %s", exit, out)
	}
	mustVerb(t, data, "policy", "set", "deletion.process=once", "deletion.grace_days=0", "--confirm", "delete at once")
	mara := visit(t, s.addr, nil, 80, 24)
	mara.signUp("mara", "Mara Voss", userPassword)
	key := linkAtConsole(t, data, "mara")
	out, exit := remote(t, s.addr, key, "export")
	var mine struct {
		Account struct {
			UserName string `json:"user_name"`
		}
		Trail []trailEntry
	}
	if err := json.Unmarshal([]byte(out), &mine); err != nil || exit != 0 || mine.Account.UserName != "mara" || len(mine.Trail) == 0 {
		t.Fatalf("my data: %d %v %.200s", exit, err, out)
	}
	theReceiptIsOf(t, s.addr, key, out)
	if out, exit = remote(t, s.addr, key, "request losses"); exit != 0 || !strings.Contains(out, "1 SSH key") {
		t.Errorf("losses: %d %s", exit, out)
	}
	if out, exit = remote(t, s.addr, key, "request make --confirm mara"); exit != 0 || !strings.Contains(out, "BEGIN SSH SIGNATURE") {
		t.Fatalf("%d %s", exit, out)
	}
	mara.WaitFor("The account was deleted")
	if out, exit = remote(t, s.addr, key, "whoami"); exit != 3 {
		t.Errorf("the key still opens: %d %s", exit, out)
	}
	s.kill()
	mustVerb(t, data, "check")
}

// A real script in its child decides: it approves one and posts about it, refuses
// another with its reason; one that never ends holds the request.
func TestAScriptDecidesOverSSH(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var posted []string
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		posted = append(posted, string(body))
	}))
	defer hook.Close()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data, "POSTERN_POSTS_PRIVATE=true")
	setUp(t, s).leave()
	file := filepath.Join(t.TempDir(), "leavers.star")
	source := fmt.Sprintf(`
print("looking at", account.user_name)
def loop():
    for i in range(1 << 40):
        pass
if account.user_name == "noor":
    reject("the books are out")
elif account.user_name == "ida":
    loop()
else:
    post(%q, {"left": account.user_name})
    approve()
`, hook.URL+"/left")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	mustVerb(t, data, "analysis", "save", "leavers", "--file", file)
	mustVerb(t, data, "policy", "set", "sign_up.mode=open", "analysis.urls="+hook.URL+"/", "analysis.seconds=1",
		"deletion.process=analysis", "deletion.script=leavers", "deletion.grace_days=0")
	mara := visit(t, s.addr, nil, 80, 24)
	mara.signUp("mara", "Mara Voss", userPassword)
	for _, name := range []string{"noor", "ida"} {
		v := visit(t, s.addr, nil, 80, 24)
		v.signUp(name, name, userPassword)
		v.leave()
	}
	mara.asksOnScreen("mara")
	mara.WaitFor("The account was deleted")
	mustVerb(t, data, "request", "make-for", "noor")
	mustVerb(t, data, "request", "make-for", "ida")
	ends := map[string]string{"noor": "refused", "ida": "held"}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		wrong := ""
		for _, r := range requestsOf(t, data, "") {
			if want, known := ends[r.User]; known && r.State != want {
				wrong = fmt.Sprintf("%+v", r)
			}
		}
		mu.Lock()
		if len(posted) != 1 || posted[0] != `{"left":"mara"}` {
			wrong += fmt.Sprintf(" posted %q", posted)
		}
		mu.Unlock()
		if wrong == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(wrong)
		}
	}
	if out := mustVerb(t, data, "analysis", "runs"); !strings.Contains(out, "took too long") || !strings.Contains(out, "refuse") {
		t.Errorf("runs: %s", out)
	}
	mustVerb(t, data, "audit", "verify")
	s.kill()
	mustVerb(t, data, "check")
}
