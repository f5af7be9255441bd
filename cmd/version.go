// Which build this is.

package cmd

import (
	"runtime"
	"runtime/debug"
)

// build is what the Go toolchain wrote into the binary.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// versionLine is the build in a line.
func versionLine() string {
	b := thisBuild()
	s := b.Version
	if len(b.Revision) >= 12 {
		s += " " + b.Revision[:12]
	}
	return s + " (" + b.Go + ", " + b.Platform + ")"
}
