//go:build !linux

package workload

import (
	"errors"
	"net"
)

// Supported reports whether callers can be attested on this system.
const Supported = false

var errSystem = errors.New("processes can be attested on Linux only")

func peer(*net.UnixConn) (pid int32, uid, gid uint32, err error) { return 0, 0, 0, errSystem }

func inspect(int32, uint32, uint32) (Process, error) { return Process{}, errSystem }

// Self is this process as a parent for a registration.
func Self() (Parent, error) { return Parent{}, errSystem }
