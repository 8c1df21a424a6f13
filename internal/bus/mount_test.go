//go:build !linux

package bus

import "syscall"

func ownMounts() *syscall.SysProcAttr { return nil }

func mountSmall(string) error { return syscall.ENOTSUP }
