package llm

import (
	"unicode/utf16"
	"unicode/utf8"
)

// cleaner turns the contents of JSON strings into clean text: whole code
// points, no control characters but newline and tab, one form of line end. It
// remembers what the end of one piece may mean for the next, so that text comes
// out the same however it was cut.
type cleaner struct {
	cr   bool   // the last character was \r, written as \n
	high rune   // first half of a pair, waiting for the other
	tail []byte // first bytes of a character, waiting for the rest
}

// add appends the inside of a JSON string, without its quotes, to dst. ok is
// false where it is not the inside of one.
func (c *cleaner) add(dst, inner []byte) (_ []byte, ok bool) {
	for i := 0; i < len(inner); {
		b := inner[i]
		switch {
		case b == '\\':
			r, n := unescape(inner[i:])
			if n == 0 {
				return dst, false
			}
			dst = c.putEscaped(dst, r)
			i += n
		case b < ' ' || b == '"':
			return dst, false
		case b < utf8.RuneSelf:
			end := i + 1
			for end < len(inner) && plain(inner[end]) {
				end++
			}
			if b == 0x7f || c.high != 0 || len(c.tail) > 0 || c.cr {
				end = i + 1
				dst = c.put(dst, rune(b))
			} else {
				dst = append(dst, inner[i:end]...)
			}
			i = end
		default:
			var n int
			dst, n = c.putBytes(dst, inner[i:])
			i += n
		}
	}
	return dst, true
}

// end appends what was still waited for.
func (c *cleaner) end(dst []byte) []byte {
	if c.high != 0 {
		dst = c.write(dst, utf8.RuneError)
	}
	for range c.tail {
		dst = c.write(dst, utf8.RuneError)
	}
	c.high, c.tail = 0, c.tail[:0]
	return dst
}

func plain(b byte) bool { return b >= ' ' && b < 0x7f && b != '"' && b != '\\' }

// putBytes writes the character that begins with the bytes b, together with
// the bytes that were waiting. It returns how many of b it took.
func (c *cleaner) putBytes(dst, b []byte) ([]byte, int) {
	waiting := len(c.tail)
	var whole [2 * utf8.UTFMax]byte
	n := copy(whole[:], c.tail)
	n += copy(whole[n:n+utf8.UTFMax], b)
	if !utf8.FullRune(whole[:n]) && n-waiting == len(b) {
		if c.high != 0 {
			dst, c.high = c.write(dst, utf8.RuneError), 0
		}
		c.tail = append(c.tail, b...)
		return dst, len(b)
	}
	r, size := utf8.DecodeRune(whole[:n])
	if size <= waiting && waiting > 0 {
		return c.end(dst), 0 // what waited was not the beginning of b
	}
	c.tail = c.tail[:0]
	return c.put(dst, r), size - waiting
}

// putEscaped writes a character that was given as \uXXXX or by a letter.
func (c *cleaner) putEscaped(dst []byte, r rune) []byte {
	if len(c.tail) > 0 {
		dst = c.end(dst)
	}
	switch {
	case c.high != 0 && r >= 0xdc00 && r <= 0xdfff:
		r, c.high = utf16.DecodeRune(c.high, r), 0
	case r >= 0xd800 && r <= 0xdbff:
		if c.high != 0 {
			dst = c.write(dst, utf8.RuneError)
		}
		c.high = r
		return dst
	case r >= 0xdc00 && r <= 0xdfff:
		r = utf8.RuneError
	}
	return c.put(dst, r)
}

func (c *cleaner) put(dst []byte, r rune) []byte {
	if c.high != 0 || len(c.tail) > 0 {
		dst = c.end(dst)
	}
	return c.write(dst, r)
}

func (c *cleaner) write(dst []byte, r rune) []byte {
	after := c.cr
	c.cr = r == '\r'
	switch {
	case r == '\r':
		r = '\n'
	case r == '\n' && after:
		return dst
	case r == '\n' || r == '\t':
	case r < ' ', r >= 0x7f && r < 0xa0, r == '\u202d', r == '\u202e': // the last two turn text round
		return dst
	}
	return utf8.AppendRune(dst, r)
}

// unescape reads the escape at the start of b; n is 0 where it is none.
func unescape(b []byte) (r rune, n int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if len(b) < 6 {
			return 0, 0
		}
		for _, h := range b[2:6] {
			switch {
			case h >= '0' && h <= '9':
				h -= '0'
			case h >= 'a' && h <= 'f':
				h -= 'a' - 10
			case h >= 'A' && h <= 'F':
				h -= 'A' - 10
			default:
				return 0, 0
			}
			r = r<<4 | rune(h)
		}
		return r, 6
	}
	return 0, 0
}
