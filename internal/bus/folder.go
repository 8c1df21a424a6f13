package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"reeve/internal/fault"
)

// lock takes the folder for this process; the kernel gives it free when the
// process ends, however it ends. The file holds the owner's pid for the error.
func lock(dir string) (unlock func() error, err error) {
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
		n, _ := f.ReadAt(owner, 0)
		return nil, fault.New(fault.KindConflict, "bus.locked", "the log in %s is in use by process %s", dir, strings.TrimSpace(string(owner[:n]))).
			WithHint("stop that process, or start this one with another data folder")
	}
	if err := writePID(f); err != nil {
		f.Close()
		return nil, folderFault(dir, err)
	}
	return f.Close, nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	return err
}

// folderFault says what an operating system's error means for the folder; nil
// stays nil.
func folderFault(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return diskFull(dir).WithCause(err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fault.New(fault.KindUnavailable, "bus.read_only", "the folder %s cannot be written", dir).
			WithHint("check its owner and mode, and that its disk is not mounted read-only").WithCause(err)
	}
	return fault.New(fault.KindUnavailable, "bus.folder", "the folder %s cannot be used", dir).WithCause(err).
		WithHint("give this user the right to read and write it, and look whether the disk is full or read-only")
}

func diskFull(dir string) *fault.Error {
	return fault.New(fault.KindUnavailable, "bus.disk_full", "the disk of %s is full", dir).
		WithHint("free some space; writing goes on by itself")
}

func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}
