package auth

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/scailabs/scaigrid"
)

const visitorKeyLength = 43 // 256 bits in base64url

// HashVisitorKey returns the stored form of the key that a visitor's browser
// made for itself: the SHA-256 of its 256 bits. VALIDATION_ERROR for anything
// that has not the form of one; each key has one spelling.
func HashVisitorKey(key string) ([]byte, error) {
	raw, ok := decodeBase64(key)
	if len(key) != visitorKeyLength || !ok {
		return nil, scaigrid.Invalid("X-ScaiBot-Visitor", "must be 256 random bits in base64url, 43 characters")
	}
	sum := sha256.Sum256(raw)
	return sum[:], nil
}

// strict64 refuses padding and stray last bits.
var strict64 = base64.RawURLEncoding.Strict()

// decodeBase64 reads base64url in its one spelling: the decoder of the standard
// library skips line ends, so they are refused first.
func decodeBase64(s string) ([]byte, bool) {
	for i := range len(s) {
		if c := s[i]; c == '\n' || c == '\r' {
			return nil, false
		}
	}
	raw, err := strict64.DecodeString(s)
	return raw, err == nil
}
