package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"math/big"
	"strings"
	"time"
)

// A key in text is prefix, a public id, "_", a secret and a check, so that a
// scanner finds it, a list can name it and a typing error costs no look-up:
//
//	rvt_ 0123456789ab _ <32 base62> <6 base62: CRC-32 of all before>
const (
	tokenPrefix  = "rvt_"
	intakePrefix = "rvi_"
	publicLen    = 12
	secretLen    = 32
	checkLen     = 6
	keyLen       = 4 + publicLen + 1 + secretLen + checkLen
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newKey mints a key; id is its prefix and public part.
func newKey(prefix string) (id, text string) {
	id = prefix + randomText(publicLen)
	text = id + "_" + randomText(secretLen)
	return id, text + check(text)
}

// randomText is n random base62 digits, each equally likely.
func randomText(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		rand.Read(buf[:])
		for _, b := range buf {
			if int(b) < 256/62*62 && len(out) < n { // the rest would favour the first digits
				out = append(out, base62[int(b)%62])
			}
		}
	}
	return string(out)
}

func check(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	out := make([]byte, checkLen)
	for i := checkLen - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return string(out)
}

// parseKey reads what newKey wrote and gives the key's id.
func parseKey(prefix, text string) (id string, ok bool) {
	if len(text) != keyLen || !strings.HasPrefix(text, prefix) || text[4+publicLen] != '_' {
		return "", false
	}
	for i := len(prefix); i < keyLen; i++ {
		if i != 4+publicLen && strings.IndexByte(base62, text[i]) < 0 {
			return "", false
		}
	}
	body := text[:keyLen-checkLen]
	if check(body) != text[keyLen-checkLen:] {
		return "", false
	}
	return text[:4+publicLen], true
}

// hashSecret is how random secrets are stored; they have too much entropy to
// need a slow hash.
func hashSecret(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// sameSecret compares text with a stored hash in constant time.
func sameSecret(text, hash string) bool {
	return subtle.ConstantTimeCompare([]byte(hashSecret(text)), []byte(hash)) == 1
}

// randomSecret is 32 random bytes for a cookie or header.
func randomSecret() string { return base64.RawURLEncoding.EncodeToString(randomBytes(32)) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// base32Of writes a secret the way authenticators read it.
func base32Of(b []byte) string { return base32.StdEncoding.EncodeToString(b) }

// newID mints an id that sorts by time: prefix, milliseconds, randomness.
func newID(prefix string, now time.Time) string {
	var b [16]byte
	ms := uint64(now.UnixMilli())
	for i := 5; i >= 0; i-- {
		b[i] = byte(ms)
		ms >>= 8
	}
	rand.Read(b[6:])
	digits := new(big.Int).SetBytes(b[:]).Text(36)
	return prefix + strings.Repeat("0", 25-len(digits)) + digits // 36^25 > 2^128
}
