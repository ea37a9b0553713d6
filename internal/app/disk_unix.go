//go:build unix

package app

import "golang.org/x/sys/unix"

// freeBytes is the space left on the disk of a folder.
func freeBytes(dir string) (n uint64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true //nolint:gosec // a block has a positive size
}
