package text

import (
	"unicode"
	"unicode/utf8"
)

// CountTokens estimates how many tokens a language model sees in s, within
// about a fifth for European languages: four characters of a word a token,
// a mark or an ideograph one.
func CountTokens(s string) int {
	n, word := 0, 0
	flush := func() {
		if word > 0 {
			n += (word + 5) / 6
			word = 0
		}
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			word += 3 // two letters a token
		case spaceless(r):
			flush()
			n++
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r):
			word++
		case unicode.IsSpace(r):
			flush()
		default:
			flush()
			n++
		}
	}
	flush()
	return n
}
