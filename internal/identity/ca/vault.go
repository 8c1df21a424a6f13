package ca

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/crypto/argon2"

	"reeve/internal/durable"
	"reeve/internal/fault"
)

// vault encrypts keys under a passphrase: argon2id, then AES-256-GCM.
type vault struct{ aead cipher.AEAD }

func newVault(pass, salt []byte) *vault {
	block, err := aes.NewCipher(argon2.IDKey(pass, salt, 3, 64<<10, 2, 32))
	if err != nil {
		panic(err) // the key is 32 bytes long
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return &vault{aead}
}

// The first byte of a sealed value.
const (
	plainMark  = 0
	sealedMark = 1
)

// Seal encrypts a secret of this installation under the authority's
// passphrase, bound to a name that Unseal must repeat. In file mode it only
// marks the secret.
func (c *CA) Seal(name string, secret []byte) ([]byte, error) {
	if c.vault == nil {
		return append([]byte{plainMark}, secret...), nil
	}
	nonce := make([]byte, c.vault.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return c.vault.aead.Seal(append([]byte{sealedMark}, nonce...), nonce, secret, []byte(name)), nil
}

// Unseal gives back what Seal took. What was sealed in file mode opens with a
// passphrase too; the owner should then seal it again. It fails with ca.sealed.
func (c *CA) Unseal(name string, sealed []byte) ([]byte, error) {
	refuse := func(cause error) error {
		return fault.New(fault.KindUnavailable, "ca.sealed", "a sealed key cannot be opened").WithCause(cause)
	}
	if len(sealed) == 0 {
		return nil, refuse(errors.New("empty"))
	}
	switch mark, rest := sealed[0], sealed[1:]; {
	case mark == plainMark:
		return rest, nil
	case mark != sealedMark:
		return nil, refuse(errors.New("unknown form"))
	case c.vault == nil:
		return nil, refuse(errors.New("no passphrase"))
	case len(rest) < c.vault.aead.NonceSize():
		return nil, refuse(errors.New("cut short"))
	default:
		n := c.vault.aead.NonceSize()
		secret, err := c.vault.aead.Open(nil, rest[:n], rest[n:], []byte(name))
		if err != nil {
			return nil, refuse(err)
		}
		return secret, nil
	}
}

// passphrase reads what Options name. An empty one is refused: it would be
// file mode under another name.
func passphrase(o Options) ([]byte, error) {
	var text []byte
	switch {
	case o.PassphraseFile != "":
		b, err := os.ReadFile(o.PassphraseFile)
		if err != nil {
			return nil, fault.New(fault.KindInvalid, "ca.passphrase", "the passphrase file cannot be read").WithCause(err)
		}
		text = bytes.TrimRight(b, "\r\n")
	case o.PassphraseEnv != "":
		s, ok := os.LookupEnv(o.PassphraseEnv)
		if !ok {
			return nil, nil
		}
		text = []byte(s)
	default:
		return nil, nil
	}
	if len(text) < 12 || len(text) > 4096 {
		return nil, fault.New(fault.KindInvalid, "ca.passphrase", "a passphrase needs 12 to 4096 bytes")
	}
	return text, nil
}

// save replaces the state file: a new one is synced, then takes its name.
func (c *CA) save() error {
	text, err := json.MarshalIndent(&c.state, "", " ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(c.o.Dir, ".ca-*") // mode 0600
	if err != nil {
		return diskFault(err)
	}
	defer os.Remove(f.Name()) // gone already when renamed
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), c.file)
	}
	if err == nil {
		err = durable.SyncDir(filepath.Dir(c.file))
	}
	if err != nil {
		return diskFault(err)
	}
	return nil
}

func diskFault(cause error) error {
	return fault.New(fault.KindUnavailable, "ca.disk", "the certificate authority's folder cannot be used").WithCause(cause)
}

func stateFault(cause error) error {
	return fault.New(fault.KindInternal, "ca.state", "the certificate authority's file is damaged").WithCause(cause).
		WithHint("restore ca.json from a backup")
}
