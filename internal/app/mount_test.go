//go:build !linux

package app

import "syscall"

func ownMounts() *syscall.SysProcAttr { return nil }

func mountDisk(string, bool) error { return syscall.ENOTSUP }
