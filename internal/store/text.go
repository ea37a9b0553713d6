package store

import (
	"strings"
	"unicode/utf8"

	"github.com/scailabs/scaigrid"
)

// clean makes text that both engines hold: NUL and broken UTF-8 become U+FFFD.
// It is for text that is shown; a name that is looked up by is refused instead.
func clean(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// storable refuses text that PostgreSQL does not hold.
func storable(field, s string) error {
	if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		return scaigrid.Invalid(field, "holds a character that cannot be stored, such as NUL")
	}
	return nil
}
