package auth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
)

// ErrOtherSecret says that a value was sealed by an installation secret that
// this node does not hold.
var ErrOtherSecret = errors.New("sealed by another installation secret")

// SecretBytes is the length of an installation secret that we make.
const SecretBytes = 32

const (
	redacted        = "[redacted]"
	sealVersion     = 1
	fingerprintSize = 8
)

// Secret is the installation secret: it seals values that lie in the database
// and opens them again. It may hold older secrets too, which open but do not
// seal, so that a secret can be replaced without a moment in which nothing
// opens. It prints as [redacted].
type Secret struct {
	seals []seal // the first one seals
	from  string // where it came from, for messages
}

type seal struct {
	fingerprint [fingerprintSize]byte
	aead        cipher.AEAD
}

// NewSecret makes a Secret of the given bytes, each at least 32; from says
// where they came from, for messages to the operator.
func NewSecret(from string, current []byte, older ...[]byte) (*Secret, error) {
	s := &Secret{from: from}
	for _, raw := range append([][]byte{current}, older...) {
		if len(raw) < SecretBytes {
			return nil, fmt.Errorf("%s: an installation secret must have at least %d bytes, this one has %d", from, SecretBytes, len(raw))
		}
		one, err := newSeal(raw)
		if err != nil {
			return nil, err
		}
		s.seals = append(s.seals, one)
	}
	return s, nil
}

func newSeal(raw []byte) (seal, error) {
	var out seal
	key, err := hkdf.Key(sha256.New, raw, nil, "scaigrid seal", 32)
	if err != nil {
		return out, err
	}
	mark, err := hkdf.Key(sha256.New, raw, nil, "scaigrid fingerprint", fingerprintSize)
	if err != nil {
		return out, err
	}
	copy(out.fingerprint[:], mark)
	block, err := aes.NewCipher(key)
	if err != nil {
		return out, err
	}
	out.aead, err = cipher.NewGCMWithRandomNonce(block)
	return out, err
}

// Seal encrypts value (AES-256-GCM). What it is for is bound to it: a sealed
// value opens for the same purpose only, so that rows cannot be exchanged.
func (s *Secret) Seal(value []byte, purpose string) []byte {
	one := s.seals[0]
	head := append([]byte{sealVersion}, one.fingerprint[:]...)
	return one.aead.Seal(head, nil, value, []byte(purpose))
}

// Open decrypts what Seal made. Errors: ErrOtherSecret, or one that says that
// the value is damaged or was sealed for another purpose.
func (s *Secret) Open(sealed []byte, purpose string) ([]byte, error) {
	one, body, err := s.sealOf(sealed)
	if err != nil {
		return nil, err
	}
	value, err := one.aead.Open(nil, nil, body, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("%s: the sealed value is damaged or belongs elsewhere", purpose)
	}
	return value, nil
}

// Old tells whether a value was sealed by an older secret and should be sealed
// again.
func (s *Secret) Old(sealed []byte) bool {
	one, _, err := s.sealOf(sealed)
	return err != nil || one.fingerprint != s.seals[0].fingerprint
}

func (s *Secret) sealOf(sealed []byte) (seal, []byte, error) {
	if len(sealed) < 1+fingerprintSize || sealed[0] != sealVersion {
		return seal{}, nil, errors.New("not a sealed value")
	}
	mark, body := sealed[1:1+fingerprintSize], sealed[1+fingerprintSize:]
	for _, one := range s.seals {
		if bytes.Equal(one.fingerprint[:], mark) {
			return one, body, nil
		}
	}
	return seal{}, nil, ErrOtherSecret
}

// String hides the secret, in every fmt verb that uses it.
func (*Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (*Secret) GoString() string { return redacted }

// MarshalText hides the secret from encoders.
func (*Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the secret from slog.
func (*Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
