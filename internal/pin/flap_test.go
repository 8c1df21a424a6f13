package pin

import (
	"fmt"
	"testing"

	"reeve/internal/control"
)

// A server that changes its tools without end fills no disk, whether it makes up
// new forms or goes to and fro between two that are known.
func TestAFlappingServerIsBounded(t *testing.T) {
	t.Parallel()
	b, db := book(t, Config{})
	rows := func(table string) (n int) {
		t.Helper()
		n, _, err := control.One(t.Context(), db, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	see(t, b, "shop", tool("pay", "pays"))
	accept(t, b, "shop", "pay")
	versions := rows("tool_versions")
	for i := range 200 {
		see(t, b, "shop", tool("pay", []string{"pays somebody", "pays"}[i%2]))
	}
	if got := rows("tool_versions"); got != versions+1 {
		t.Errorf("going to and fro left %d versions, want %d", got, versions+1)
	}
	if got := rows("tool_findings"); got > maxSuperseded+5 {
		t.Errorf("going to and fro left %d findings", got)
	}
	for i := range 200 {
		see(t, b, "shop", tool("pay", fmt.Sprint("pays ", i)))
	}
	if got := rows("tool_versions"); got > maxVersions+2 {
		t.Errorf("new forms left %d versions", got)
	}
	if got := rows("tool_findings"); got > maxSuperseded+5 {
		t.Errorf("new forms left %d findings", got)
	}
}
