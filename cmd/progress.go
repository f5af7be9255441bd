// How far long work is, on one line of standard error.

package cmd

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// telling lets a verb say how far it is where somebody looks on. Whether somebody
// does is known here, and not to the process that works: a hidden flag tells it.
func (v verbSet) telling(cmd *cobra.Command, watched *bool) *cobra.Command {
	if v.far {
		return cmd
	}
	cmd.Flags().BoolVar(watched, "progress", false, "")
	_ = cmd.Flags().MarkHidden("progress") // the flag is there
	given := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if v.watched && !cmd.Flags().Changed("progress") {
			_ = cmd.Flags().Set("progress", "true") // it is a boolean
		}
		return given(cmd, args)
	}
	return cmd
}

// tell makes a function that tells on one line how far long work is, where somebody
// looks on; else it is nil.
func (c *Call) tell(watched bool, sentence func(percent int64) string) (look func(done, total int64), end func()) {
	if !watched || c.JSON {
		return nil, func() {}
	}
	said, last := 0, int64(-1)
	look = func(done, total int64) {
		percent := done * 100 / max(total, 1)
		if percent == last {
			return
		}
		last = percent
		line := sentence(percent)
		_, _ = io.WriteString(c.Err, "\r"+line+strings.Repeat(" ", max(0, said-len(line)))) // whoever looks on has gone
		said = len(line)
	}
	return look, func() {
		if said > 0 {
			_, _ = io.WriteString(c.Err, "\r"+strings.Repeat(" ", said)+"\r")
		}
	}
}
