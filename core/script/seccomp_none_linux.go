//go:build linux && !amd64 && !arm64

package script

// filterCalls does nothing where the numbers of the calls are not written down.
func filterCalls() {}
