package cli

import (
	"os/exec"
	"runtime"
	"syscall"
)

// withParent has the child end when this process is killed: its key would live
// on unseen. The signal belongs to the thread that starts it, which therefore
// must not end.
func withParent(cmd *exec.Cmd) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
