package tree

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"reeve/internal/fault"
)

// Sealer encrypts secrets of the installation at rest. A sealed value opens only
// under the name that it was sealed with.
type Sealer interface {
	Seal(name string, secret []byte) ([]byte, error)
	Unseal(name string, sealed []byte) ([]byte, error)
}

// Keys are the Ed25519 keys that sign checkpoints, and nothing else. During a
// rotation there are two: the new one is vouched for by the old one, both sign
// for a while, then the old one retires. Public keys stay known for good.
type Keys struct {
	file   string
	sealer Sealer

	mu   sync.Mutex // guards list and the file
	list []key      // oldest first
}

type key struct {
	Public  string    `json:"public"` // name+hash+base64, a note verifier key
	Sealed  []byte    `json:"sealed,omitempty"`
	Added   time.Time `json:"added"`
	Retires time.Time `json:"retires,omitzero"`
	Retired time.Time `json:"retired,omitzero"`
	Vouch   []byte    `json:"vouch,omitempty"` // signed by the key before; none of the first

	signer note.Signer // nil once retired
}

// Key is what may be known of a key.
type Key struct {
	Public  string
	Added   time.Time
	Retires time.Time // zero: no successor yet
	Retired time.Time // zero: it signs
	Vouch   []byte    // the signed note by which the key before names it; nil for the first
}

const sealName = "audit checkpoint key"

// OpenKeys reads the keys in file, or makes the first one; fresh tells that it
// did. name is the installation's, without spaces and plus signs.
func OpenKeys(file, name string, sealer Sealer, now time.Time) (k *Keys, fresh bool, err error) {
	k = &Keys{file: file, sealer: sealer}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, false, diskFault(err)
		}
		if _, err := k.add(name, now); err != nil {
			return nil, false, err
		}
		return k, true, k.save()
	case err != nil:
		return nil, false, diskFault(err)
	}
	if err := json.Unmarshal(text, &k.list); err != nil || len(k.list) == 0 {
		return nil, false, fault.New(fault.KindInternal, "tree.keys", "the file of audit keys is damaged").
			WithHint("restore %s from a backup", filepath.Base(file)).WithCause(err)
	}
	again := false
	for i := range k.list {
		if !k.list[i].Retired.IsZero() {
			continue
		}
		secret, err := sealer.Unseal(sealName, k.list[i].Sealed)
		if err != nil {
			return nil, false, err
		}
		if k.list[i].signer, err = note.NewSigner(string(secret)); err != nil {
			return nil, false, fault.New(fault.KindInternal, "tree.keys", "an audit key cannot be read").WithCause(err)
		}
		// What was sealed in file mode is sealed again once there is a passphrase.
		sealed, err := sealer.Seal(sealName, secret)
		if err != nil {
			return nil, false, err
		}
		if bytes.Contains(k.list[i].Sealed, secret) && !bytes.Contains(sealed, secret) {
			k.list[i].Sealed, again = sealed, true
		}
	}
	if again {
		return k, false, k.save()
	}
	return k, false, nil
}

// add makes a key. Called with mu held, or before anybody has k.
func (k *Keys) add(name string, now time.Time) (note.Signer, error) {
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, fault.New(fault.KindInternal, "tree.keys", "no audit key could be made").WithCause(err)
	}
	sealed, err := k.sealer.Seal(sealName, []byte(secret))
	if err != nil {
		return nil, err
	}
	s, err := note.NewSigner(secret)
	if err != nil {
		return nil, err
	}
	k.list = append(k.list, key{Public: public, Sealed: sealed, Added: now.UTC(), signer: s})
	return s, nil
}

func (k *Keys) save() error {
	text, err := json.MarshalIndent(k.list, "", " ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(k.file), ".keys-*") // mode 0600
	if err != nil {
		return diskFault(err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), k.file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return diskFault(err)
	}
	return nil
}

func (k *Keys) signers() ([]note.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []note.Signer
	for _, e := range k.list {
		if e.signer != nil {
			out = append(out, e.signer)
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.KindInternal, "tree.keys", "there is no audit key to sign with")
	}
	return out, nil
}

// SignText signs a text of others with every key that signs, as a signed note. The
// text has to say what it is in its first line: the keys sign checkpoints, too.
func (k *Keys) SignText(text string) ([]byte, error) {
	signers, err := k.signers()
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: text}, signers...)
}

// All lists the keys, oldest first, retired ones too.
func (k *Keys) All() []Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]Key, len(k.list))
	for i, e := range k.list {
		out[i] = Key{e.Public, e.Added, e.Retires, e.Retired, e.Vouch}
	}
	return out
}

// Public lists the verifier keys, oldest first: name+hash+base64.
func (k *Keys) Public() []string {
	var out []string
	for _, e := range k.All() {
		out = append(out, e.Public)
	}
	return out
}

// Vouched is the signed note by which an old key names its successor.
type Vouched struct {
	Public string // the new key
	Note   []byte // signed by the old one
}

func vouchText(public string) string { return "reeve audit key\n" + public + "\n" }

// Rotate adds a key that the newest one vouches for; all before it retire after
// overlap, until when both sign.
func (k *Keys) Rotate(now time.Time, overlap time.Duration) (Vouched, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := append([]key(nil), k.list...)
	old := k.list[len(k.list)-1]
	if old.signer == nil {
		return Vouched{}, fault.New(fault.KindInternal, "tree.keys", "the newest audit key has retired")
	}
	if _, err := k.add(old.signer.Name(), now); err != nil {
		return Vouched{}, err
	}
	public := k.list[len(k.list)-1].Public
	signed, err := note.Sign(&note.Note{Text: vouchText(public)}, old.signer)
	if err != nil {
		k.list = before
		return Vouched{}, fmt.Errorf("vouching for a new key: %w", err)
	}
	k.list[len(k.list)-1].Vouch = signed
	for i := range k.list[:len(k.list)-1] {
		if e := &k.list[i]; e.signer != nil && e.Retires.IsZero() {
			e.Retires = now.Add(overlap).UTC()
		}
	}
	if err := k.save(); err != nil {
		k.list = before
		return Vouched{}, err
	}
	return Vouched{public, signed}, nil
}

// Retire ends the keys whose time has come: their secrets are forgotten.
func (k *Keys) Retire(now time.Time) (retired []string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := append([]key(nil), k.list...)
	for i := range k.list {
		e := &k.list[i]
		if e.signer != nil && !e.Retires.IsZero() && !e.Retires.After(now) {
			e.signer, e.Sealed, e.Retired = nil, nil, now.UTC()
			retired = append(retired, e.Public)
		}
	}
	if len(retired) == 0 {
		return nil, nil
	}
	if err := k.save(); err != nil {
		k.list = before
		return nil, err
	}
	return retired, nil
}

// CheckVouched reports whether by signed that public is its successor.
func CheckVouched(signed []byte, public, by string) error {
	v, err := note.NewVerifier(by)
	if err != nil {
		return err
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return err
	}
	if n.Text != vouchText(public) {
		return errors.New("it vouches for another key")
	}
	return nil
}

// PublicKeys reads the public keys of a file of keys, without opening a secret.
func PublicKeys(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.New(fault.KindNotFound, "tree.no_keys", "there is no file of audit keys in %s", filepath.Dir(file)).
			WithHint("name the public key with --key").WithCause(err)
	}
	var list []key
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fault.New(fault.KindInternal, "tree.keys", "the file of audit keys is damaged").WithCause(err)
	}
	var out []string
	for _, k := range list {
		out = append(out, k.Public)
	}
	return out, nil
}
