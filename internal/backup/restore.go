package backup

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"reeve/internal/durable"
	"reeve/internal/fault"
)

// Check reads every file of a backup and compares it with the manifest.
func Check(ctx context.Context, dir string) (*Manifest, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range m.Files {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		size, sum, err := sumOf(filepath.Join(dir, filepath.FromSlash(f.Path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, broken("%s is missing", f.Path)
		case err != nil:
			return nil, diskFault(err)
		case size != f.Size || !sameText(sum, f.Sum):
			return nil, broken("%s is another than was kept", f.Path)
		}
	}
	return m, nil
}

func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Restore puts a backup into data, a folder that is empty or not there yet: straight
// into it, so that it may be a mount point or a link. Each file is checked while it is
// copied; when one is wrong nothing stays in it. A process that dies leaves half a
// copy: whoever restores what is to be served restores into a part of its folder first.
func Restore(ctx context.Context, dir, data, passphrase string) (m *Manifest, err error) {
	if m, err = ReadManifest(dir); err != nil {
		return nil, err
	}
	if entries, err := os.ReadDir(data); err == nil && len(entries) > 0 {
		return nil, fullFolder(data)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, diskFault(err)
	}
	key, err := m.open(passphrase)
	if err != nil {
		return nil, err
	}
	_, none := os.Stat(data)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, diskFault(err)
	}
	defer func() {
		if err == nil {
			return
		}
		empty(data)
		if none != nil {
			_ = os.Remove(data) // it was not there before
		}
	}()
	for _, f := range m.Files {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := restoreFile(filepath.Join(dir, filepath.FromSlash(f.Path)), data, f, key); err != nil {
			return nil, err
		}
	}
	if err := syncFolders(data); err != nil {
		return nil, diskFault(err)
	}
	return m, diskFault(durable.SyncDir(filepath.Dir(filepath.Clean(data))))
}

// empty takes out of a folder what a restore that failed has put there.
func empty(dir string) {
	list, _ := os.ReadDir(dir) // what cannot be read cannot be taken out either
	for _, e := range list {
		_ = os.RemoveAll(filepath.Join(dir, e.Name()))
	}
}

// open gives the key that the passphrase makes, and refuses a manifest that was
// not made with it: nil for a backup without one.
func (m *Manifest) open(passphrase string) ([]byte, error) {
	switch {
	case m.Salt == "" && passphrase != "":
		return nil, fault.New(fault.KindDenied, "backup.passphrase", "the backup was made without a passphrase, and one is given").WithHint("if that is right, take the passphrase away: anybody who could write there may have changed it")
	case m.Salt == "":
		return nil, nil
	case passphrase == "":
		return nil, needPassphrase()
	}
	key, err := keyOf(passphrase, m.Salt)
	if err != nil {
		return nil, err
	}
	if !sameText(m.mac(key), m.Mac) {
		return nil, fault.New(fault.KindDenied, "backup.passphrase", "the backup was made with another passphrase, or its manifest was changed").WithHint("it is the one of when the backup was made")
	}
	return key, nil
}

func restoreFile(from, data string, f File, key []byte) error {
	to := filepath.Join(data, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return diskFault(err)
	}
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return broken("%s is missing", f.Path)
	} else if err != nil {
		return diskFault(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return diskFault(err)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return diskFault(err)
	}
	if n != f.Size || !sameText(hex.EncodeToString(h.Sum(nil)), f.Sum) {
		return broken("%s is another than was kept", f.Path)
	}
	if f.Sealed {
		return openFile(to, f.Path, key)
	}
	return nil
}
