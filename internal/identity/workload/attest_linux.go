package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Supported reports whether callers can be attested on this system.
const Supported = true

// peer asks the kernel who is at the other end of a Unix socket.
func peer(c *net.UnixConn) (pid int32, uid, gid uint32, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, 0, 0, err
	}
	var cred *syscall.Ucred
	var sockErr error
	if err := raw.Control(func(fd uintptr) {
		cred, sockErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return 0, 0, 0, err
	}
	if sockErr != nil {
		return 0, 0, 0, sockErr
	}
	if cred.Pid <= 0 {
		return 0, 0, 0, errors.New("the caller is in another pid namespace")
	}
	return cred.Pid, cred.Uid, cred.Gid, nil
}

// maxDepth bounds the walk to the parents; maxExe what is hashed.
const (
	maxDepth = 64
	maxExe   = 1 << 30
)

// inspect reads what a process is. The start time is read before and after: a
// pid that was given to another process meanwhile is refused.
func inspect(pid int32, uid, gid uint32) (Process, error) {
	p := Process{PID: pid, UID: uid, GID: gid}
	var err error
	if p.Start, _, err = stat(pid); err != nil {
		return Process{}, err
	}
	if p.Exe, err = digest(pid); err != nil {
		return Process{}, err
	}
	if p.Cgroup, err = cgroup(pid); err != nil {
		return Process{}, err
	}
	at := pid
	for range maxDepth {
		start, parent, err := stat(at)
		if err != nil {
			return Process{}, err
		}
		p.Ancestors = append(p.Ancestors, Parent{PID: at, Start: start})
		if parent <= 1 {
			break
		}
		at = parent
	}
	if again, _, err := stat(pid); err != nil || again != p.Start {
		return Process{}, errors.New("the process is gone")
	}
	return p, nil
}

// stat gives a process's start time and parent. The name in between may hold
// anything, brackets and spaces too, so what follows the last one is read.
func stat(pid int32) (start uint64, parent int32, err error) {
	text, err := os.ReadFile(proc(pid, "stat"))
	if err != nil {
		return 0, 0, err
	}
	_, rest, ok := cutLast(string(text), ")")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return 0, 0, errors.New("stat cannot be read")
	}
	up, err := strconv.ParseInt(fields[1], 10, 32)
	if err != nil {
		return 0, 0, err
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return start, int32(up), err
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func proc(pid int32, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }

// cgroup is the path in the unified hierarchy.
func cgroup(pid int32) (string, error) {
	text, err := os.ReadFile(proc(pid, "cgroup"))
	if err != nil {
		return "", err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return path, nil
		}
	}
	return "", nil // an older hierarchy: cgroup selectors fit nothing
}

// file is an executable that cannot have changed since it was hashed.
type file struct {
	dev, ino, size      uint64
	mtime, mnano, ctime int64
	cnano               int64
}

var digests struct {
	sync.Mutex
	known map[file]string
}

// digest is the SHA-256 of a process's executable, through /proc so that the
// file is the one that runs, whatever its path leads to now.
func digest(pid int32) (string, error) {
	f, err := os.Open(proc(pid, "exe"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() || info.Size() > maxExe {
		return "", errors.New("the executable is no file that can be hashed")
	}
	key := file{uint64(s.Dev), s.Ino, uint64(s.Size), int64(s.Mtim.Sec), int64(s.Mtim.Nsec), int64(s.Ctim.Sec), int64(s.Ctim.Nsec)}
	digests.Lock()
	sum, ok := digests.known[key]
	digests.Unlock()
	if ok {
		return sum, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxExe)); err != nil {
		return "", err
	}
	sum = hex.EncodeToString(h.Sum(nil))
	digests.Lock()
	defer digests.Unlock()
	if digests.known == nil || len(digests.known) > 1000 {
		digests.known = map[file]string{}
	}
	digests.known[key] = sum
	return sum, nil
}

// Self is this process as a parent for a registration.
func Self() (Parent, error) {
	pid := int32(os.Getpid())
	start, _, err := stat(pid)
	return Parent{PID: pid, Start: start}, err
}
