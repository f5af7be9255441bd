package control

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen serves verbs in a directory of its own.
func listen(t *testing.T, dir string, h Handler) *Server {
	t.Helper()
	s, err := Listen(dir, Greeting{PID: os.Getpid(), Command: "serve", Since: time.Unix(1e9, 0).UTC(), SSH: "127.0.0.1:2222"}, h, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func request(args ...string) Request {
	return Request{Args: args, Dir: "/tmp", Language: "en", Zone: "UTC"}
}

// echo writes its arguments, and how many there are is its exit code.
func echo(_ context.Context, _ Peer, q Request, out, errw io.Writer) int {
	_, _ = fmt.Fprint(out, strings.Join(q.Args, "|"))
	_, _ = fmt.Fprint(errw, q.Dir)
	return len(q.Args)
}

func TestAVerbIsCarriedOutByTheHolder(t *testing.T) {
	dir := t.TempDir()
	listen(t, dir, echo)
	c, err := Dial(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if g := c.Greeting(); g.PID != os.Getpid() || g.Command != "serve" || g.SSH != "127.0.0.1:2222" || g.Since.Unix() != 1e9 {
		t.Errorf("greeting %+v", g)
	}
	var out, errw bytes.Buffer
	code, err := c.Do(context.Background(), request("user", "list", ""), &out, &errw)
	if err != nil || code != 3 || out.String() != "user|list|" || errw.String() != "/tmp" {
		t.Errorf("code %d, %v, out %q, err %q", code, err, out.String(), errw.String())
	}
}

// ASVS 13.2.2: nobody but the data's own user reaches the socket.
func TestTheSocketIsItsOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	listen(t, dir, echo)
	info, err := os.Stat(filepath.Join(dir, SocketFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestNobodyHoldsTheData(t *testing.T) {
	dir := t.TempDir()
	if _, err := Dial(context.Background(), dir); !errors.Is(err, ErrNobody) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Dial(context.Background(), filepath.Join(dir, strings.Repeat("x", 200))); !errors.Is(err, ErrNobody) {
		t.Errorf("no directory: %v", err)
	}
	s := listen(t, dir, echo)
	s.Close()
	if _, err := Dial(context.Background(), dir); !errors.Is(err, ErrNobody) {
		t.Errorf("after the end: %v", err)
	}
}

// What a crash left behind does not keep the next one from listening.
func TestARemainingSocketIsReplaced(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, SocketFile))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := Dial(context.Background(), dir); !errors.Is(err, ErrNobody) {
		t.Errorf("a socket that nobody listens on: %v", err)
	}
	listen(t, dir, echo)
	c, err := Dial(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// A path too long for a socket address is reached all the same.
func TestALongDirectoryIsReached(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 40))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	listen(t, dir, echo)
	c, err := Dial(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if code, err := c.Do(context.Background(), request("one"), io.Discard, io.Discard); code != 1 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
}

func TestMuchOutputArrivesWhole(t *testing.T) {
	dir := t.TempDir()
	text := strings.Repeat("0123456789abcdef", MaxFrame/4)
	listen(t, dir, func(_ context.Context, _ Peer, _ Request, out, _ io.Writer) int {
		n, err := io.WriteString(out, text)
		if n != len(text) || err != nil {
			return 1
		}
		return 0
	})
	var out bytes.Buffer
	c, err := Dial(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if code, err := c.Do(context.Background(), request(), &out, io.Discard); code != 0 || err != nil || out.String() != text {
		t.Errorf("code %d, %v, %d bytes", code, err, out.Len())
	}
}

func TestTheEndOfTheHolderEndsVerbs(t *testing.T) {
	dir := t.TempDir()
	began := make(chan struct{})
	s := listen(t, dir, func(ctx context.Context, _ Peer, _ Request, _, _ io.Writer) int {
		close(began)
		<-ctx.Done()
		return 1
	})
	c, err := Dial(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() { <-began; s.Close() }()
	if code, err := c.Do(context.Background(), request(), io.Discard, io.Discard); err == nil && code == 0 {
		t.Error("a verb that was cut off looks as if it had been done")
	}
}

func TestAPanicEndsItsVerbOnly(t *testing.T) {
	dir := t.TempDir()
	listen(t, dir, func(_ context.Context, _ Peer, q Request, out, errw io.Writer) int {
		if len(q.Args) > 0 {
			panic("inside")
		}
		return 0
	})
	for _, args := range [][]string{{"x"}, nil} {
		c, err := Dial(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if code, err := c.Do(context.Background(), request(args...), io.Discard, io.Discard); err != nil || code != len(args) {
			t.Errorf("%v: code %d, %v", args, code, err)
		}
		_ = c.Close()
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	dir := t.TempDir()
	listen(t, dir, echo)
	var wg sync.WaitGroup
	for range maxCallers {
		wg.Go(func() {
			c, err := Dial(context.Background(), dir)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if code, err := c.Do(context.Background(), request("a", "b"), io.Discard, io.Discard); code != 2 || err != nil {
				t.Errorf("code %d, %v", code, err)
			}
		})
	}
	wg.Wait()
}

func TestWhatIsNoRequestIsRefused(t *testing.T) {
	good := request("user", "list")
	good.Version = Version
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Request){
		"another version": func(q *Request) { q.Version++ },
		"a relative path": func(q *Request) { q.Dir = "tmp" },
		"no path":         func(q *Request) { q.Dir = "" },
		"a zero byte":     func(q *Request) { q.Dir = "/a\x00b" },
		"two lines":       func(q *Request) { q.Language = "en\nxx" },
	} {
		q := good
		change(&q)
		if err := q.Validate(); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever can be typed on one command line can be asked for; more is refused
// before anything is sent.
func TestARequestIsBoundedAsAWhole(t *testing.T) {
	dir := t.TempDir()
	listen(t, dir, func(_ context.Context, _ Peer, q Request, out, _ io.Writer) int {
		_, _ = io.WriteString(out, strings.Join(q.Args, ""))
		return 7
	})
	ask := func(args []string) (string, int, error) {
		c, err := Dial(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var out strings.Builder
		code, err := c.Do(context.Background(), request(args...), &out, io.Discard)
		return out.String(), code, err
	}
	room := MaxRequest - len(request().Dir)
	for name, args := range map[string][]string{
		"one long":  {strings.Repeat("<", room-argCost)},
		"many":      slices.Repeat([]string{strings.Repeat("x", 32)}, room/(32+argCost)),
		"all empty": make([]string, room/argCost),
	} {
		if out, code, err := ask(args); err != nil || code != 7 || out != strings.Join(args, "") {
			t.Errorf("%s: code %d, %v, %d bytes", name, code, err, len(out))
		}
		if out, code, err := ask(append(args, strings.Repeat("x", 32))); !errors.Is(err, ErrTooMuch) || code != 0 || out != "" {
			t.Errorf("%s and one more: code %d, %v, %d bytes", name, code, err, len(out))
		}
	}
}

// A frame that says it is long is not held before it has come, and one that holds
// more arguments than may be is given up in between.
func TestAHostileRequestHoldsLittle(t *testing.T) {
	long := []byte{'q', 0, 0, 0, 0}
	binary.BigEndian.PutUint32(long[1:], maxRequestFrame)
	many, err := json.Marshal(wireRequest{Version: Version, Dir: []byte("/"), Args: make([]byte, MaxRequest)})
	if err != nil {
		t.Fatal(err)
	}
	var wire bytes.Buffer
	if err := writeFrame(&wire, kindRequest, many); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		b    []byte
		most uint64
	}{"announced only": {long, 4 * MaxFrame}, "two million arguments": {wire.Bytes(), 64 << 20}} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := readRequest(bytes.NewReader(c.b)); err == nil {
			t.Errorf("%s: it was let through", name)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > c.most {
			t.Errorf("%s: it took %d KiB", name, took>>10)
		}
	}
}

// full takes nothing.
type full struct{}

var errFull = errors.New("no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

// What cannot be passed on here is not taken for an end of the holder; and where
// only words are lost, nothing ends.
func TestAnErrorOfTheCallersOwnIsItsOwn(t *testing.T) {
	dir := t.TempDir()
	listen(t, dir, echo)
	for _, c := range []struct {
		out, errw io.Writer
		code      int
		err       error
	}{{full{}, io.Discard, 0, errFull}, {io.Discard, full{}, 1, nil}} {
		client, err := Dial(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		code, err := client.Do(context.Background(), request("x"), c.out, c.errw)
		if code != c.code || !errors.Is(err, c.err) {
			t.Errorf("code %d, %v", code, err)
		}
		_ = client.Close()
	}
}

// Every request that is valid arrives as it was sent.
func TestARequestComesThroughTheWireAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Request{
			Version: Version, Dir: "/" + string(rapid.SliceOf(rapid.ByteRange(1, 255)).Draw(t, "dir")), Language: "pt-BR", Zone: "Europe/Lisbon",
		}
		for _, a := range rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 1, 8).Draw(t, "args") {
			q.Args = append(q.Args, string(a)) // a file's name need not be UTF-8
		}
		var wire bytes.Buffer
		if err := writeJSON(&wire, kindRequest, q); err != nil {
			t.Fatal(err)
		}
		got, err := readRequest(&wire)
		if err != nil || !reflect.DeepEqual(got, q) || wire.Len() != 0 {
			t.Fatalf("%v, %v", got, err)
		}
	})
}

// FuzzReadRequest feeds the server's parser. It must not panic, hold more than
// a request, or let through what Validate refuses.
func FuzzReadRequest(f *testing.F) {
	var wire bytes.Buffer
	_ = writeJSON(&wire, kindRequest, Request{Version: Version, Args: []string{"user", "list"}, Dir: "/", Language: "en"})
	f.Add(bytes.Clone(wire.Bytes()))
	f.Add([]byte{})
	f.Add([]byte{'q', 0, 0, 0, 2, '{', '}'})
	for _, args := range []string{"gHNhYmMB", "/////////////wE="} { // lengths beyond the end
		wire.Reset()
		_ = writeFrame(&wire, kindRequest, []byte(`{"version":2,"args":"`+args+`","dir":"Lw=="}`))
		f.Add(bytes.Clone(wire.Bytes()))
	}
	f.Add([]byte{'q', 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{'z', 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readRequest(bytes.NewReader(b))
		if err == nil && q.Validate() != nil {
			t.Errorf("%q was let through", b)
		}
	})
}

// FuzzReadFrame feeds the client's parser.
func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{'o', 0, 0, 0, 1, 'x'})
	f.Add([]byte{'x', 0, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		k, payload, err := readFrame(bytes.NewReader(b))
		if err != nil {
			return
		}
		var back bytes.Buffer
		if err := writeFrame(&back, k, payload); err != nil || !bytes.HasPrefix(b, back.Bytes()) {
			t.Errorf("%q reads as %q", b, back.Bytes())
		}
	})
}

// A verb that ends the session of the holder's own screens makes the holder
// close while it runs: it was cut off between its change and its answer.
func TestAVerbThatEndsTheHolderIsAnswered(t *testing.T) {
	dir := t.TempDir()
	began, closed := make(chan struct{}), make(chan struct{})
	s := listen(t, dir, func(ctx context.Context, _ Peer, _ Request, out, _ io.Writer) int {
		close(began)
		<-closed
		if ctx.Err() != nil {
			return 9
		}
		_, _ = fmt.Fprint(out, "done")
		return 0
	})
	c, err := Dial(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		<-began
		go s.Close()
		for s.closing.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		close(closed)
	}()
	var out bytes.Buffer
	code, err := c.Do(context.Background(), request("session", "end"), &out, io.Discard)
	if err != nil || code != 0 || out.String() != "done" {
		t.Errorf("code %d, %v, out %q", code, err, out.String())
	}
}
