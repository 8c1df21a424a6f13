//go:build !linux

package app

import "os/exec"

// together does nothing here: what a command started may outlive it.
func together(*exec.Cmd) {}

// bound does nothing here.
func bound(int) error { return nil }

// sweep does nothing here.
func sweep(int) {}

// ended does nothing here.
func ended(int) {}
