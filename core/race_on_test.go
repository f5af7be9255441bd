//go:build race

package core_test

// raceDetector says whether the tests have the race detector in them.
const raceDetector = true
