package approval

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"

	"reeve/internal/fault"
)

// KeySize is the bytes of a Book's key.
const KeySize = 32

// keys are made from the Book's one key, each for one use.
type keys struct {
	seal cipher.AEAD
	hash []byte
	row  []byte
	vote []byte
}

func newKeys(key []byte) (keys, error) {
	if len(key) != KeySize {
		return keys{}, fault.New(fault.KindInternal, "approval.key", "the key of approvals has %d bytes and needs %d", len(key), KeySize)
	}
	derive := func(use string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte("reeve approval " + use))
		return h.Sum(nil)
	}
	block, err := aes.NewCipher(derive("seal"))
	if err != nil {
		return keys{}, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return keys{}, err
	}
	return keys{seal: aead, hash: derive("hash"), row: derive("row"), vote: derive("vote")}, nil
}

// digest is a keyed hash over parts, which cannot run into each other.
func digest(key []byte, parts ...[]byte) string {
	h := hmac.New(sha256.New, key)
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// box seals v for one approval and one use: it opens as nothing else.
func (k *keys) box(id, use string, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil { // our own shapes: cannot happen
		panic(err)
	}
	nonce := make([]byte, k.seal.NonceSize(), k.seal.NonceSize()+len(text)+k.seal.Overhead())
	rand.Read(nonce)
	return k.seal.Seal(nonce, nonce, text, []byte(id+" "+use))
}

// unbox opens what box made into v.
func (k *keys) unbox(id, use string, b []byte, v any) error {
	n := k.seal.NonceSize()
	if len(b) < n {
		return errTampered
	}
	text, err := k.seal.Open(nil, b[:n], b[n:], []byte(id+" "+use))
	if err != nil {
		return errTampered
	}
	if err := json.Unmarshal(text, v); err != nil {
		return errTampered.WithCause(err)
	}
	return nil
}

var errTampered = fault.New(fault.KindDenied, "approval.tampered", "the approval was changed from outside of Reeve and is worth nothing").
	WithHint("look who can write to the data folder; the call may be made again")

// rowMAC covers what of an approval never changes.
func (k *keys) rowMAC(a *Approval, joins, arguments string) string {
	return digest(k.row, []byte(a.ID), a.raw, []byte(joins), []byte(arguments), a.request, times(a.CreatedAt.UnixMicro()))
}

// voteMAC covers what a person said.
func (k *keys) voteMAC(id string, v *Vote) string {
	groups, _ := json.Marshal(v.Groups) // strings
	return digest(k.vote, []byte(id), []byte(v.Person), []byte(v.Verdict), groups, []byte(v.Bound), times(v.At.UnixMicro()))
}

func times(us int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(us)) }
