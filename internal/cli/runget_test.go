package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"reeve/client"
)

// A run of more steps than a page holds is shown whole.
func TestRunGetFollowsPages(t *testing.T) {
	const steps, size = 7, 3
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !strings.HasSuffix(r.URL.Path, "/steps") {
			_ = json.NewEncoder(w).Encode(client.Run{ID: "run_1", Agent: "refunder", Status: "done", StartedAt: time.Unix(1, 0)})
			return
		}
		asked++
		from := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("cursor"), &from)
		page := client.List[client.Step]{Items: []client.Step{}}
		for i := from; i < min(from+size, steps); i++ {
			page.Items = append(page.Items, client.Step{ID: fmt.Sprint("stp_", i), Name: fmt.Sprint("step ", i), Kind: "tool", Status: "ok", StartNS: 1e9})
		}
		if from+size < steps {
			page.Next = fmt.Sprint(from + size)
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	defer server.Close()
	for _, output := range []string{"text", "json"} {
		asked = 0
		var out, problems bytes.Buffer
		if code := Main(t.Context(), []string{"run", "get", "--server", server.URL, "--token", "rvt_x", "-o", output, "run_1"}, nil, &out, &problems); code != 0 {
			t.Fatalf("exit %d: %s", code, &problems)
		}
		for i := range steps {
			if n := strings.Count(out.String(), fmt.Sprint("step ", i)); n != 1 {
				t.Errorf("as %s step %d stands there %d times:\n%s", output, i, n, &out)
			}
		}
		if asked != 3 {
			t.Errorf("%d pages were asked for, want 3", asked)
		}
	}
}
