// Package houserules holds the tests that keep ARCHITECTURE.md true and the
// code short: which package may import which, how long a file may be, which
// calls a room must not make. It has no code of its own that ships.
//
// An exception is written where it is made, with its reason:
//
//	// long: one table, read from top to bottom
//	// clock: the one place where the wall clock enters
//	// allow: flag parsing ends the process
package houserules
