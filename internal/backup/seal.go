package backup

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"

	"reeve/internal/fault"
)

// rounds make guessing passphrases slow: about a tenth of a second each.
const rounds = 600_000

const saltSize = 16

func newKey(passphrase string) (salt string, key []byte) {
	b := make([]byte, saltSize)
	rand.Read(b)
	salt = hex.EncodeToString(b)
	key, err := keyOf(passphrase, salt)
	if err != nil {
		panic(err) // the salt is ours
	}
	return salt, key
}

func keyOf(passphrase, salt string) ([]byte, error) {
	b, err := hex.DecodeString(salt)
	if err != nil || len(b) != saltSize {
		return nil, broken("its manifest has no salt of %d bytes", saltSize)
	}
	return pbkdf2.Key(sha256.New, passphrase, b, rounds, 32)
}

func aead(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sealFile replaces a file by its sealed form, bound to its path so that two
// cannot be exchanged. Keys are small: the whole of it is in memory.
func sealFile(at, path string, key []byte) error {
	plain, err := os.ReadFile(at)
	if err != nil {
		return err
	}
	a, err := aead(key)
	if err != nil {
		return err
	}
	return replaceFile(at, a.Seal(nil, nil, plain, []byte(path)))
}

// openFile replaces a sealed file by what it was.
func openFile(at, path string, key []byte) error {
	if key == nil {
		return needPassphrase()
	}
	sealed, err := os.ReadFile(at)
	if err != nil {
		return diskFault(err)
	}
	a, err := aead(key)
	if err != nil {
		return err
	}
	plain, err := a.Open(nil, nil, sealed, []byte(path))
	if err != nil {
		return fault.New(fault.KindDenied, "backup.passphrase", "the passphrase does not open the keys of this backup").WithHint("it is the one of when the backup was made")
	}
	return diskFault(replaceFile(at, plain))
}

func replaceFile(at string, data []byte) error {
	tmp := at + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, at)
}

func needPassphrase() *fault.Error {
	return fault.New(fault.KindDenied, "backup.passphrase", "the keys in this backup are sealed").WithHint("give the passphrase of when it was made: REEVE_BACKUP_PASSPHRASE")
}

func fullFolder(dir string) *fault.Error {
	return fault.New(fault.KindConflict, "backup.not_empty", "%s is not empty", dir).WithHint("restore into a new folder, then start Reeve on it")
}
