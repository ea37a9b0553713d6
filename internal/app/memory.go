package app

import (
	"os"
	"runtime/debug"
	"strconv"
)

// gcPercent lets the heap of a busy server triple between collections, which
// at a live heap of a few megabytes is little memory and much less work. An
// idle server stays small whatever this is: it allocates next to nothing, and
// what it does is collected every two minutes.
const gcPercent = 200

// tuneMemory sets the collector, unless the operator did with GOGC. GOMEMLIMIT
// is read by the runtime itself.
func tuneMemory() {
	if _, err := strconv.Atoi(os.Getenv("GOGC")); err != nil && os.Getenv("GOGC") != "off" {
		debug.SetGCPercent(gcPercent)
	}
}

// dropStartup gives back what only the start needed.
func dropStartup() { debug.FreeOSMemory() }
