package hook

import (
	"crypto/rand"
	"hash/crc32"
)

// Prefix begins the tokens that Reeve makes: prefix, a public id, "_", a secret
// and a check, so that a scanner finds one.
const Prefix = "rvh_"

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// mint makes a token.
func mint() string {
	text := Prefix + random(12) + "_" + random(32)
	sum := crc32.ChecksumIEEE([]byte(text))
	var check [6]byte
	for i := len(check) - 1; i >= 0; i-- {
		check[i] = base62[sum%62]
		sum /= 62
	}
	return text + string(check[:])
}

// random is n base62 digits, each equally likely.
func random(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		_, _ = rand.Read(buf[:]) // never fails: crypto/rand ends the process instead
		for _, b := range buf {
			if b < 248 && len(out) < n { // the rest would favour the first digits
				out = append(out, base62[b%62])
			}
		}
	}
	return string(out)
}
