package script

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// ChildArgument is the one argument with which a program is the child: it then
// does nothing but call Child, before anything else.
const ChildArgument = "script-child"

// maxInput bounds what a child reads, in bytes.
const maxInput = 4 << 20

// task is what the parent writes to a child: one line of JSON. Its standard
// input stays open until the parent has no more use for it.
type task struct {
	Input  Input  `json:"input"`
	Limits Limits `json:"limits"`
}

// told is a line of JSON that a child writes: a piece of the log, or, as the
// last one, the result.
type told struct {
	Log    *string `json:"log,omitempty"`
	Result *Result `json:"result,omitempty"`
}

// IsChild says whether the arguments of a program, its name left out, make it
// the child.
func IsChild(args []string) bool { return len(args) == 1 && args[0] == ChildArgument }

// Child is the whole life of the child: it confines itself, reads a task, runs
// the script and writes what became of it. It returns the exit code of the
// process. When the parent goes, so does the child.
func Child(in io.Reader, out io.Writer) int {
	// The limits come first, so that nothing that is read is met without them;
	// how long and how much is in the task, and can only be less.
	backstop := time.AfterFunc(maxWall, func() { os.Exit(exitTime) })
	defer backstop.Stop()
	runtime.GOMAXPROCS(2) // one for the script, one for whatever ends it
	debug.SetMaxStack(64 << 20)
	confine()

	from := bufio.NewReaderSize(in, 64<<10)
	line, err := readLine(from, maxInput)
	if err != nil {
		return exitProtocol
	}
	var t task
	if err := json.Unmarshal(line, &t); err != nil {
		return exitProtocol
	}
	t.Limits = t.Limits.withDefaults()
	if err := limit(t.Limits); err != nil {
		return exitConfined
	}
	go func() {
		// Nothing more comes: this is the end of the parent.
		_, _ = io.Copy(io.Discard, from)
		os.Exit(exitOrphan)
	}()
	w := json.NewEncoder(out)
	result := Evaluate(t.Input, t.Limits, func(s string) {
		if w.Encode(told{Log: &s}) != nil {
			os.Exit(exitOrphan)
		}
	})
	if w.Encode(told{Result: &result}) != nil {
		return exitOrphan
	}
	return 0
}

// maxWall is the longest that any child lives.
const maxWall = 2 * time.Minute

// How a child leaves that has no result.
const (
	exitProtocol = 81
	exitConfined = 82
	exitOrphan   = 83
	exitTime     = 84
)

var errLongLine = errors.New("script: a line is too long")

// readLine reads up to the end of a line, at most n bytes.
func readLine(r *bufio.Reader, n int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > n {
			return nil, errLongLine
		}
		line = append(line, part...)
		if err == nil {
			return line, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
