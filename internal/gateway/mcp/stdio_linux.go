package mcp

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const nobody = 65534

// confine takes from the thread at hand, and so from the child that it will
// make, what the child may not have. lacking says what this host cannot do.
func confine(cmd *exec.Cmd, s *Server, dir string) (lacking []string, err error) {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	user := s.User
	switch {
	case os.Geteuid() != 0 && user != 0 && user != os.Geteuid():
		return nil, fmt.Errorf("only root can start a process as user %d", user)
	case os.Geteuid() != 0:
		lacking = append(lacking, "a user of their own: we are not root")
	default:
		if user == 0 {
			user = nobody
		}
		attr.Credential = &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}
		if err := os.Chown(dir, user, user); err != nil {
			return nil, err
		}
	}
	cmd.SysProcAttr = attr
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, err
	}
	if err := landlock(s, dir); err != nil {
		lacking = append(lacking, "Landlock: "+err.Error())
	}
	return lacking, nil
}

const (
	readRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	fileRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

// landlock leaves the thread the system's folders to read, and its own.
func landlock(s *Server, dir string) error {
	version, _, e := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return e
	}
	handled := uint64(unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1) // of the first version
	if version >= 2 {
		handled |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		handled |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: handled}
	fd, _, e := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if e != 0 {
		return e
	}
	defer func() { _ = syscall.Close(int(fd)) }()
	allow := func(path string, rights uint64) error {
		at, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil // what is not there needs no rule
		}
		defer func() { _ = unix.Close(at) }()
		var st unix.Stat_t
		if unix.Fstat(at, &st) == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
			rights &= fileRights
		}
		rule := unix.LandlockPathBeneathAttr{Allowed_access: rights & handled, Parent_fd: int32(at)}
		if _, _, e := syscall.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, fd, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); e != 0 {
			return e
		}
		return nil
	}
	read := []string{"/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt", "/dev/urandom", "/dev/random", "/dev/zero", "/proc/self", s.Command}
	for path := range s.Digests {
		read = append(read, path)
	}
	for _, path := range slices.Concat(read, s.Readable) {
		if err := allow(filepath.Clean(path), readRights); err != nil {
			return err
		}
	}
	for _, path := range append([]string{dir, "/dev/null"}, s.Writable...) {
		if err := allow(filepath.Clean(path), handled); err != nil {
			return err
		}
	}
	if _, _, e := syscall.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); e != 0 {
		return e
	}
	return nil
}

// limit bounds what the process may use.
func limit(pid int, s *Server) (lacking []string, err error) {
	or := func(v, otherwise int64) uint64 {
		if v == 0 {
			v = otherwise
		}
		return uint64(v)
	}
	for what, most := range map[int]uint64{
		unix.RLIMIT_DATA: or(s.MemoryMB, 4096) << 20, unix.RLIMIT_NOFILE: or(s.Files, 256), unix.RLIMIT_NPROC: or(s.Processes, 512),
		unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: 1 << 30,
	} {
		switch err := unix.Prlimit(pid, what, &unix.Rlimit{Cur: most, Max: most}, nil); {
		case errors.Is(err, unix.EPERM):
			return []string{"limits of memory, files and processes: we lack CAP_SYS_RESOURCE over another user's process"}, nil
		case err != nil:
			return nil, err
		}
	}
	return nil, nil
}

// kill ends the child and all that it started.
func (n *child) kill() {
	if p := n.cmd.Process; p != nil {
		_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // gone already: good
	}
}
