package app

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// notice is what a running server leaves in its data folder for the commands
// beside it. It may be stale after a crash, so nothing but addresses for
// people is taken from it.
type notice struct {
	PID  int    `json:"pid"`
	URL  string `json:"url"`
	Demo string `json:"demo,omitempty"`
}

func noticePath(dir string) string { return filepath.Join(dir, "serve.json") }

// leaveNotice writes the notice; remove takes it away again. A folder that
// cannot be written to is no reason not to serve.
func leaveNotice(dir string, n notice) (remove func()) {
	data, err := json.Marshal(n)
	if err == nil {
		err = os.WriteFile(noticePath(dir), append(data, '\n'), 0o600)
	}
	if err != nil {
		return func() {}
	}
	return func() { _ = os.Remove(noticePath(dir)) }
}

func readNotice(dir string) (n notice, ok bool) {
	data, err := os.ReadFile(noticePath(dir))
	if err != nil || json.Unmarshal(data, &n) != nil || n.URL == "" {
		return notice{}, false
	}
	return n, true
}
