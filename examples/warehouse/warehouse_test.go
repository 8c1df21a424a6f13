package warehouse

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Without the fault the table becomes what the shop decided; with it the table
// stays, and the scheduler says that the job was skipped.
func TestLoad(t *testing.T) {
	t.Parallel()
	for _, skip := range []bool{false, true} {
		var mu sync.Mutex
		var events, artefacts int
		said := ""
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			if strings.HasSuffix(r.URL.Path, "/artefacts") {
				artefacts++
				said = string(body)
			} else {
				events++
			}
			if r.Header.Get("Authorization") != "Bearer key" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		}))
		h := New("shop", 7, Faults{SkipLoad: skip})
		changed := 0
		for _, c := range Categories {
			if h.truth[c] != h.table[c] {
				changed++
			}
		}
		if err := h.Load(t.Context(), s.URL, "key", time.Now()); err != nil {
			t.Fatal(err)
		}
		still := 0
		for _, c := range Categories {
			if h.Right(c) != h.table[c] {
				still++
			}
		}
		if changed == 0 || skip && still != changed || !skip && still != 0 {
			t.Errorf("skipped %v: %d policies changed, %d are stale", skip, changed, still)
		}
		if want := map[bool][2]int{false: {8, 0}, true: {7, 1}}[skip]; events != want[0] || artefacts != want[1] {
			t.Errorf("skipped %v: %d events, %d artefacts", skip, events, artefacts)
		}
		if skip && !strings.Contains(said, `"status":"skipped"`) {
			t.Errorf("the scheduler says %s", said)
		}
		if err := h.Load(t.Context(), s.URL, "another", time.Now()); err == nil {
			t.Error("a refused report is no error")
		}
		s.Close()
	}
}
