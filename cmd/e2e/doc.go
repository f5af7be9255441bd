// Package e2e holds the end-to-end suite: the real binary, real SSH clients, a
// real terminal emulator and real signals. It has no code of its own besides
// its tests.
package e2e
