package intake

import (
	"slices"
	"testing"

	"reeve/internal/connect"
)

// Whoever reads that a vocabulary is understood finds what to set for it.
func TestEveryDialectCanBeConnected(t *testing.T) {
	t.Parallel()
	all, err := connect.All()
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, d := range registry() {
		known = append(known, d.Name)
		if !slices.ContainsFunc(all, func(f connect.Framework) bool { return slices.Contains(f.Dialects, d.Name) }) {
			t.Errorf("internal/connect/frameworks.yaml says nothing for dialect %s", d.Name)
		}
	}
	for _, f := range all {
		for _, d := range f.Dialects {
			if !slices.Contains(known, d) {
				t.Errorf("framework %s names dialect %s, which there is not", f.ID, d)
			}
		}
	}
}
