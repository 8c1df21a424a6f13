package pin

import (
	"fmt"
	"strings"
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

// What nobody accepted and no list has any more is bounded in bytes, over all tools
// of a server; what is listed and what was accepted stays.
func TestOldFormsAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	b, db := book(t, Config{})
	bytes := func(where string) (n int64) {
		t.Helper()
		n, _, err := control.One(t.Context(), db, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) },
			`SELECT COALESCE(SUM(OCTET_LENGTH(definition)), 0) FROM tool_versions WHERE `+where)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	see(t, b, "shop", tool("kept", "accepted "+strings.Repeat("k", 1<<10)))
	accept(t, b, "shop", "kept")
	see(t, b, "bank", tool("other", "another server's"))
	b.maxBytes = 64 << 10
	large := strings.Repeat("x", 2<<10)
	const many = 20
	for round := range 5 {
		list := []Tool{tool("kept", "changed")}
		for i := range many {
			list = append(list, tool(fmt.Sprintf("t%d", i), fmt.Sprint(large, round)))
		}
		see(t, b, "shop", list...)
	}
	listed := int64(many * len(large))
	if got := bytes("upstream = 'shop'"); got > b.maxBytes+2*listed || got < b.maxBytes {
		t.Errorf("%d bytes are kept; %d are listed", got, listed)
	}
	if bytes("upstream = 'shop' AND accepted_at > 0") == 0 || bytes("upstream = 'bank'") == 0 {
		t.Error("what was accepted, or another server's, is gone")
	}
}
