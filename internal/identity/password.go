package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"reeve/internal/fault"
)

// Hashing are the costs of argon2id and how many hashes run at once.
type Hashing struct {
	MemoryKB    uint32 // 0 is 32 MB
	Passes      uint32 // 0 is 3
	Concurrency int    // 0 is 2: each takes its memory for some 50 ms
	Waiting     int    // beyond this many waiting, sign-ins are refused; 0 is 64
}

const (
	hashLen     = 32
	saltLen     = 16
	minPassword = 12
	maxPassword = 256 // bytes
)

type hasher struct {
	memory, passes uint32
	running        chan struct{}
	waiting        chan struct{}
}

func newHasher(h Hashing) *hasher {
	if h.MemoryKB == 0 {
		h.MemoryKB = 32 << 10
	}
	if h.Passes == 0 {
		h.Passes = 3
	}
	if h.Concurrency == 0 {
		h.Concurrency = 2
	}
	if h.Waiting == 0 {
		h.Waiting = 64
	}
	return &hasher{h.MemoryKB, h.Passes, make(chan struct{}, h.Concurrency), make(chan struct{}, h.Concurrency+h.Waiting)}
}

// run bounds how many hashes take memory and processors at once.
func (h *hasher) run(ctx context.Context, f func()) error {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return fault.New(fault.KindExhausted, "identity.busy", "too many people sign in at this moment").WithHint("try again in a few seconds")
	}
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	f()
	return nil
}

// hash encodes in the PHC form, so costs can rise later.
func (h *hasher) hash(ctx context.Context, password string) (encoded string, err error) {
	salt := make([]byte, saltLen)
	rand.Read(salt)
	err = h.run(ctx, func() {
		sum := argon2.IDKey([]byte(password), salt, h.passes, h.memory, 1, hashLen)
		encoded = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, h.memory, h.passes,
			base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
	})
	return encoded, err
}

// verify takes the same time for an account that does not exist (encoded "").
func (h *hasher) verify(ctx context.Context, password, encoded string) (ok bool, err error) {
	memory, passes, salt, want, parsed := parseHash(encoded)
	if !parsed {
		memory, passes, salt, want = h.memory, h.passes, make([]byte, saltLen), make([]byte, hashLen)
	}
	err = h.run(ctx, func() {
		got := argon2.IDKey([]byte(password), salt, passes, memory, 1, hashLen)
		ok = subtle.ConstantTimeCompare(got, want) == 1 && parsed
	})
	return ok, err
}

func parseHash(encoded string) (memory, passes uint32, salt, sum []byte, ok bool) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return 0, 0, nil, nil, false
	}
	var threads int
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil || n != 3 || threads != 1 {
		return 0, 0, nil, nil, false
	}
	// Bounds against a damaged row taking all memory.
	if memory < 8 || memory > 1<<20 || passes < 1 || passes > 100 {
		return 0, 0, nil, nil, false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(salt) != saltLen {
		return 0, 0, nil, nil, false
	}
	sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(sum) != hashLen {
		return 0, 0, nil, nil, false
	}
	return memory, passes, salt, sum, true
}

// checkPassword holds the rules: long rather than complicated, not one of the
// first that anybody tries, and not made of the account's own name.
func checkPassword(password, name string) error {
	weak := func(format string, args ...any) error {
		return fault.New(fault.KindInvalid, "identity.password", format, args...).
			WithHint("use at least %d characters; a few unrelated words are good", minPassword)
	}
	lower := strings.ToLower(password)
	distinct := map[rune]bool{}
	for _, r := range lower {
		distinct[r] = true
	}
	switch {
	case !utf8.ValidString(password):
		return weak("the password is not valid text")
	case utf8.RuneCountInString(password) < minPassword:
		return weak("the password is shorter than %d characters", minPassword)
	case len(password) > maxPassword:
		return weak("the password is longer than %d bytes", maxPassword)
	case len(distinct) < 5:
		return weak("the password has fewer than five different characters")
	case len(name) >= 3 && strings.Contains(lower, strings.ToLower(name)):
		return weak("the password contains the name")
	}
	// What is left after the usual starts must still be something.
	rest := lower
	for _, common := range commonParts {
		rest = strings.ReplaceAll(rest, common, "")
	}
	if utf8.RuneCountInString(rest) < 5 {
		return weak("the password is one of the first that are tried")
	}
	return nil
}

// commonParts is what most guessed passwords of twelve and more characters
// are put together from.
var commonParts = [...]string{
	"password", "passw0rd", "passwort", "qwertyuiop", "qwerty", "asdfghjkl", "zxcvbnm", "letmein", "welcome",
	"iloveyou", "administrator", "admin", "changeme", "secret", "default", "reeve",
	"1234567890", "123456789", "12345678", "123456", "12345", "1234", "123", "abcdefgh", "abcdef", "abc", "!",
}
