package scaigrid

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// Kind is the prefix that tells what an id names.
type Kind string

// The kinds of id.
const (
	KindBot          Kind = "bot"
	KindDocument     Kind = "doc"
	KindConversation Kind = "conv"
	KindMessage      Kind = "msg"
	KindVisitor      Kind = "vis"
	KindToken        Kind = "tok"
	KindPassage      Kind = "psg"
	KindTurn         Kind = "turn"
	KindRule         Kind = "rule"
	KindAPIKey       Kind = "apikey"
	KindUser         Kind = "usr"
	KindTenant       Kind = "tenant"
	KindEvent        Kind = "evt"
	KindDelivery     Kind = "del"
	KindRequest      Kind = "req"
	KindCollection   Kind = "col"
	KindAudit        Kind = "audit"
	KindNode         Kind = "node"
)

// Crockford's alphabet, in lower case and in ASCII order, so that ids sort by time.
var idAlphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

const (
	idBytes = 18 // 48 bits of milliseconds, 96 random bits
	idChars = 29
)

// NewID makes an id of the given kind. Ids of one kind sort by now to the
// millisecond; the other 96 bits are random, so ids cannot be guessed.
func NewID(kind Kind, now time.Time) string {
	var b [idBytes]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	_, _ = rand.Read(b[6:]) // never fails: crypto/rand ends the process instead
	var out [64]byte
	n := copy(out[:], kind)
	out[n] = '_'
	n++
	idAlphabet.Encode(out[n:], b[:])
	return string(out[:n+idChars])
}

// IsID tells whether s has the form of an id of the given kind. It accepts
// short ids of letters and digits too, so that fixtures and imports may choose
// their own.
func IsID(kind Kind, s string) bool {
	rest, ok := strings.CutPrefix(s, string(kind)+"_")
	if !ok || rest == "" || len(rest) > 64 {
		return false
	}
	for i := range len(rest) {
		c := rest[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
