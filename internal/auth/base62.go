package auth

import "crypto/rand"

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// randomBase62 draws n characters, each as likely as any other.
func randomBase62(n int) string {
	out := make([]byte, 0, n)
	var draw [64]byte
	for len(out) < n {
		_, _ = rand.Read(draw[:]) // never fails: crypto/rand ends the process instead
		for _, b := range draw {
			if b &= 63; int(b) < len(base62) && len(out) < n {
				out = append(out, base62[b])
			}
		}
	}
	return string(out)
}

// base62Number writes v in n digits, zeros in front.
func base62Number(v uint32, n int) string {
	out := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		out[i] = base62[v%62]
		v /= 62
	}
	return string(out)
}

func isBase62(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
