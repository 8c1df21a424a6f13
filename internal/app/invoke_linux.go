package app

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// together has a command and all that it starts end as one, also when this process
// ends first, and keeps them from rights that they do not begin with.
func together(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// limits of a command that is invoked for tests: what goes wrong in it stays there.
var limits = map[int]uint64{
	unix.RLIMIT_DATA: 4 << 30, unix.RLIMIT_NOFILE: 512, unix.RLIMIT_FSIZE: 1 << 30, unix.RLIMIT_CORE: 0,
}

// bound puts a process that was started within the limits. It fails where this
// process may not say so of a process of its own user, which no system of ours does.
func bound(pid int) error {
	for what, most := range limits {
		if err := unix.Prlimit(pid, what, &unix.Rlimit{Cur: most, Max: most}, nil); err != nil {
			return err
		}
	}
	return nil
}

// ended waits until a process is over, and leaves it to be reaped. It ends by itself or
// by Cancel.
func ended(pid int) {
	for {
		if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			return
		}
	}
}

// sweep ends what a command left behind of itself.
func sweep(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) } // gone already: good
