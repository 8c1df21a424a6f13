package budget

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// people gives users the keys of their shares. The log of decisions names no
// user, so a share's key is derived from the name with a secret of ours: the
// same after a restart, and nothing to those who read the log.
type people struct {
	secret []byte
	keys   map[string]string // by name
	names  map[string]string // by key, to show them; those seen since the start
}

const (
	maxPeople  = 200_000
	secretFile = "user-key"
)

// key is the key of somebody's share; mu of the ledger is held.
func (p *people) key(of scope, name string) string {
	if of != byUser {
		return name
	}
	if k, ok := p.keys[name]; ok {
		return k
	}
	if p.keys == nil || len(p.keys) >= maxPeople {
		p.keys, p.names = map[string]string{}, map[string]string{}
	}
	h := hmac.New(sha256.New, p.secret)
	h.Write([]byte("budget user\x00" + name))
	k := "usr_" + strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)[:15]))
	p.keys[name], p.names[k] = k, name
	return k
}

// name is whose a key is, or the key itself where nobody knows.
func (p *people) name(key string) string {
	if n, ok := p.names[key]; ok {
		return n
	}
	return key
}

// readSecret reads the secret of people's keys, making it at first. It stays:
// with another, users' shares would begin anew.
func readSecret(dir string) ([]byte, error) {
	path := filepath.Join(dir, secretFile)
	secret, err := os.ReadFile(path)
	switch {
	case err == nil && len(secret) == 32:
		return secret, nil
	case err == nil:
		return nil, fmt.Errorf("%s is damaged", path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	secret = make([]byte, 32)
	rand.Read(secret)
	return secret, os.WriteFile(path, secret, 0o600)
}
