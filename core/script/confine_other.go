//go:build !linux

package script

import "runtime/debug"

// confine does nothing here: what holds is what the language does not have, the
// empty environment, the time after which the parent ends the process, and the
// limit of output (docs/analysis.md).
func confine() {}

// limit lets the collector work hard, which is no bound. A script that wants more
// memory than the machine has is ended by the machine, or by its time.
func limit(l Limits) error {
	debug.SetMemoryLimit(l.Memory)
	return nil
}
