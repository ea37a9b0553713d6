package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash/crc32"
	"strings"
)

const (
	keyPrefix     = "sgk_"
	keyPublicSize = 10
	keySecretSize = 32
	keyCheckSize  = 6
	keySize       = len(keyPrefix) + keyPublicSize + 1 + keySecretSize + keyCheckSize
	digestVersion = 1
)

// KeyForm is the pattern of every API key, for those who search for leaked ones.
const KeyForm = `\bsgk_[0-9A-Za-z]{10}_[0-9A-Za-z]{38}\b`

// newKeyText draws an API key: prefix, public id, 190 random bits, CRC-32.
func newKeyText() (text, publicID string) {
	publicID = randomBase62(keyPublicSize)
	body := keyPrefix + publicID + "_" + randomBase62(keySecretSize)
	return body + keyCheck(body), publicID
}

func keyCheck(body string) string {
	return base62Number(crc32.ChecksumIEEE([]byte(body)), keyCheckSize)
}

// parseKey returns the public id of a key whose form and checksum are right.
func parseKey(text string) (publicID string, ok bool) {
	if len(text) != keySize || !strings.HasPrefix(text, keyPrefix) {
		return "", false
	}
	publicID = text[len(keyPrefix) : len(keyPrefix)+keyPublicSize]
	rest := text[len(keyPrefix)+keyPublicSize:]
	if !isBase62(publicID) || rest[0] != '_' || !isBase62(rest[1:]) {
		return "", false
	}
	return publicID, keyCheck(text[:keySize-keyCheckSize]) == text[keySize-keyCheckSize:]
}

// LooksLikeKey tells whether a credential claims to be an API key.
func LooksLikeKey(text string) bool { return strings.HasPrefix(text, keyPrefix) }

// keyDigest is what is stored of a key. A slow hash would protect nothing here:
// there are 190 random bits to guess.
func keyDigest(pepper []byte, text string) [1 + sha256.Size]byte {
	mac := hmac.New(sha256.New, pepper)
	_, _ = mac.Write([]byte(text))
	out := [1 + sha256.Size]byte{digestVersion}
	mac.Sum(out[:1])
	return out
}
