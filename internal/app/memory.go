package app

import (
	"os"
	"runtime/debug"
)

// idleGCPercent trades a little processor time for a small resident set: the
// heap of an idle server is a few megabytes, so collecting at +50 % costs
// nothing that is felt.
const idleGCPercent = 50

// tuneMemory sets the collector for a small resident set, unless the operator
// did with GOGC. GOMEMLIMIT is read by the runtime itself.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(idleGCPercent)
	}
}
