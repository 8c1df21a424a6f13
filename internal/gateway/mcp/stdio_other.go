//go:build !linux

package mcp

import "os/exec"

// confine cannot take anything from a child here.
func confine(*exec.Cmd, *Server, string) (lacking []string, err error) {
	return []string{"a user of their own, Landlock and death with us: only on Linux"}, nil
}

func limit(int, *Server) (lacking []string, err error) {
	return []string{"limits of memory, files and processes: only on Linux"}, nil
}

func (n *child) kill() {
	if p := n.cmd.Process; p != nil {
		_ = p.Kill() // gone already: good
	}
}
