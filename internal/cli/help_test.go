package cli

import (
	"io"
	"slices"
	"testing"
)

// Who adds a noun says where it stands in `reeve help`.
func TestEveryNounIsInAGroup(t *testing.T) {
	t.Parallel()
	all := commands()
	grouped := map[string]int{}
	for _, g := range groups {
		for _, n := range g.nouns {
			grouped[n[0]]++
			if verbs(all, n[0]) == 0 {
				t.Errorf("%s of the group %q begins no command", n[0], g.title)
			}
			if n[1] == "" && !slices.ContainsFunc(all, func(c command) bool { return c.name == n[0] }) {
				t.Errorf("%s of the group %q says nothing of itself, and no command has its name", n[0], g.title)
			}
		}
	}
	for i := range all {
		if noun := nounOf(&all[i]); !all[i].hidden && grouped[noun] != 1 {
			t.Errorf("%s stands in %d groups of help.go, not in one", noun, grouped[noun])
			grouped[noun] = 1
		}
	}
	usage(io.Discard, all, false)
	usage(io.Discard, all, true)
}
