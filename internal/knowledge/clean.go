package knowledge

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// cleanText returns the text of a file: byte order mark, control and invisible
// characters gone, line ends unified. ok is false where b is not text.
func cleanText(b []byte) (s string, ok bool) {
	switch {
	case bytes.HasPrefix(b, []byte{0xEF, 0xBB, 0xBF}):
		b = b[3:]
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		return clean(decodeUTF16(b[2:], binary.LittleEndian)), len(b)%2 == 0
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		return clean(decodeUTF16(b[2:], binary.BigEndian)), len(b)%2 == 0
	}
	if !utf8.Valid(b) {
		return "", false
	}
	return clean(string(b)), true
}

func decodeUTF16(b []byte, order binary.ByteOrder) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = order.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

func clean(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\u00a0' || r == '\u202f' || r == '\f' || r == '\v':
			return ' '
		case r == '\u200c' || r == '\u200d':
			return r // joiners are part of words in Persian and Indic scripts
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, s)
}

// squeeze makes one line of s, with single spaces.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// unwrap joins the lines of a paragraph that were broken only because they
// were long, and keeps the breaks that its author meant.
func unwrap(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) == 1 {
		return squeeze(lines[0])
	}
	width := 0
	for i := range lines {
		lines[i] = squeeze(lines[i])
		width = max(width, utf8.RuneCountInString(lines[i]))
	}
	var b strings.Builder
	for i, l := range lines {
		b.WriteString(l)
		if i == len(lines)-1 {
			break
		}
		next := lines[i+1]
		first, _, _ := strings.Cut(next, " ")
		r, _ := utf8.DecodeRuneInString(next)
		fits := utf8.RuneCountInString(l)+1+utf8.RuneCountInString(first) <= width
		if (fits || width < 50) && !unicode.IsLower(r) {
			b.WriteByte('\n')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}
