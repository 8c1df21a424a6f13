package policy

import (
	"context"
	"embed"
	"fmt"
)

//go:embed starter/*.cedar
var starterFiles embed.FS

// starterNames are the policies that a new installation begins with: guardrails,
// and what an agent of each autonomy may do. People edit or delete them as any
// other.
var starterNames = []string{"guardrails", "read-only", "supervised", "bounded", "autonomous"}

// Starters are the policies that a new installation begins with.
func Starters() ([]Document, error) {
	docs := make([]Document, 0, len(starterNames))
	for _, name := range starterNames {
		text, err := starterFiles.ReadFile("starter/" + name + ".cedar")
		if err != nil {
			return nil, fmt.Errorf("reading the starter policies: %w", err)
		}
		docs = append(docs, Document{Name: name, Guardrail: name == "guardrails", Cedar: string(text)})
	}
	return docs, nil
}

// seed keeps the starters in an installation that never had a policy; change is
// held.
func (s *Store) seed(ctx context.Context) error {
	docs, err := Starters()
	if err != nil {
		return err
	}
	const reason = "came with Reeve"
	var changes []change
	for _, d := range docs {
		statements, err := s.c.Compile(d)
		if err != nil {
			return fmt.Errorf("compiling the starter policies: %w", err)
		}
		changes = append(changes, change{
			name: d.Name, action: "create", reason: reason,
			now: &Policy{Document: d, Origin: OriginStarter, Reason: reason, Statements: statements},
		})
	}
	return s.save(ctx, Actor{Person: "reeve", Name: "reeve"}, changes...)
}
