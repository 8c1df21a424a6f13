package control

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"reeve/internal/fault"
)

// NarrowFolder takes the rights of group and others from a data folder that was
// made wider than LockFolder makes it. It changes only a folder that is empty
// or a data folder already, since a wrong --data may name anything; ok is false
// when others may still look in.
func NarrowFolder(dir string) (ok bool) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 == 0 {
		return true // nothing to narrow; LockFolder says what is wrong
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	ours := len(names) == 0 || slices.ContainsFunc(names, func(e os.DirEntry) bool { return e.Name() == "control.db" })
	return ours && os.Chmod(dir, info.Mode().Perm()&^0o077) == nil
}

// LockFolder makes dir (mode 0700) when missing and takes it for this process;
// everything in it then belongs to one Reeve. unlock gives it free, as does
// the end of the process, however it ends. A folder in use gives
// control.locked with the owner's pid; one that cannot be written
// control.read_only.
func LockFolder(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, folderFault(dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, folderFault(dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, folderFault(dir, err)
		}
		owner := make([]byte, 16)
		n, _ := f.ReadAt(owner, 0) // a pid that cannot be read is only missing from the text
		return nil, fault.New(fault.KindConflict, "control.locked", "the data folder %s is in use by process %s", dir, strings.TrimSpace(string(owner[:n]))).
			WithHint("stop that process, or start this one with another --data")
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(folderFault(dir, err), f.Close())
	}
	if _, err := f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0); err != nil {
		return nil, errors.Join(folderFault(dir, err), f.Close())
	}
	return f.Close, nil
}
