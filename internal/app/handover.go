package app

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// A service manager that opens the sockets itself (systemd's socket activation,
// the LISTEN_FDS protocol) keeps them while one process ends and the next
// begins: what connects meanwhile waits in the kernel, and no call fails. A
// process that was given its sockets therefore waits for the data folder, which
// the one before it still needs for the calls that it lets end.

// firstPassed is the first descriptor of the protocol.
const firstPassed = 3

// takeSockets finds the sockets that this process was given, by the name of the
// listener that they are for (FileDescriptorName=gateway_listen), and takes the
// variables away from what it starts.
func takeSockets() (map[string]net.Listener, error) {
	count, pid, names := os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_PID"), strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for _, name := range []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	if count == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) { // meant for another process
		return nil, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > 64 {
		return nil, passed("LISTEN_FDS is %q", count)
	}
	out := map[string]net.Listener{}
	for i := range n {
		if i >= len(names) || names[i] == "" {
			return nil, passed("descriptor %d has no name in LISTEN_FDNAMES", firstPassed+i)
		}
		syscall.CloseOnExec(firstPassed + i)
		f := os.NewFile(uintptr(firstPassed+i), names[i])
		l, err := net.FileListener(f)
		_ = f.Close() // l has a copy of its own
		if err != nil {
			return nil, passed("descriptor %d (%s) is no socket that listens", firstPassed+i, names[i]).WithCause(err)
		}
		out[names[i]] = l
	}
	return out, nil
}

func passed(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "app.sockets", "the sockets that were passed cannot be used: "+format, args...).
		WithHint("name each socket after its listener: FileDescriptorName=gateway_listen")
}

// lockFolder takes the data folder. With sockets that were passed the process
// before this one may still hold it.
func (a *App) lockFolder(ctx context.Context) (unlock func() error, err error) {
	end := time.Now().Add(2*a.o.Config.Shutdown + 10*time.Second)
	for first := true; ; first = false {
		unlock, err = control.LockFolder(a.o.Config.Data)
		if len(a.passed) == 0 || err == nil || fault.From(err).Code != "control.locked" || time.Now().After(end) {
			return unlock, err
		}
		if first {
			a.log.Info("the process before this one still has the data folder: waiting for it", "data", a.o.Config.Data)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(25 * time.Millisecond):
		}
	}
}

// socket is the listener for a key: the one that was passed, else a new one.
func (a *App) socket(key, addr string) (net.Listener, error) {
	if l := a.passed[key]; l != nil {
		delete(a.passed, key)
		return l, nil
	}
	return net.Listen("tcp", addr)
}
