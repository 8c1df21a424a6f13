package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/intake"
	"reeve/internal/intake/dialect"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck"
	"reeve/internal/telemetry/search"
)

// published is an intake's log.
type published struct{ data [][]byte }

func (p *published) Publish(_ context.Context, batch []byte) error {
	p.data = append(p.data, bytes.Clone(batch))
	return nil
}

// olderTable is today's without some of its rules, as it was before they were
// added. Ids follow from rules that it has always had.
func olderTable(rng *rand.Rand, share float64) *dialect.Map {
	var all []dialect.Dialect
	for _, d := range intake.Dialects() {
		d.Rules = slices.DeleteFunc(slices.Clone(d.Rules), func(r dialect.Rule) bool {
			if r.Field == dialect.RunKey || r.Field == dialect.PendingSpan || r.Field == dialect.PendingParent || r.Events || dialect.LooksSecret([]byte(r.Key)) {
				return false
			}
			return rng.Float64() < share
		})
		all = append(all, d)
	}
	return dialect.NewMap(all...)
}

// recorded is the traffic of the real clients over HTTP, as a table reads it.
// What an older one made says so.
func recorded(t *testing.T, table *dialect.Map, version int32) (out []activity.Batch) {
	t.Helper()
	log := &published{}
	in, err := intake.New(intake.Options{Log: log, Anonymous: &intake.Sender{ID: "dev"}, Table: table, Now: func() time.Time { return time.Unix(0, 1795400000e9).UTC() }})
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := filepath.Glob("../intake/testdata/captures/*/*.body.bin")
	if err != nil || len(bodies) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range bodies {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var meta struct {
			Method, Path string
			Headers      map[string][]string
		}
		raw, err := os.ReadFile(strings.TrimSuffix(file, ".body.bin") + ".meta.json")
		if err == nil {
			err = json.Unmarshal(raw, &meta)
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(file, "-grpc/") {
			continue // the same client's as over HTTP
		}
		r := httptest.NewRequest(meta.Method, meta.Path, bytes.NewReader(body))
		for k, v := range meta.Headers {
			if k != "Content-Length" && k != "Content-Encoding" {
				r.Header[k] = v
			}
		}
		w := httptest.NewRecorder()
		if in.ServeHTTP(w, r); w.Code/100 != 2 {
			t.Fatalf("%s: %d %s", file, w.Code, w.Body)
		}
	}
	for _, data := range log.data {
		if err := activity.DecodeEnvelope(data, nil, func(b *activity.Batch) error {
			c := *b
			c.Fragments = slices.Clone(b.Fragments)
			for i := range c.Fragments {
				f := &c.Fragments[i]
				f.MapVersion = version
				f.Contents, f.Tags, f.Labels, f.Links = slices.Clone(f.Contents), slices.Clone(f.Tags), slices.Clone(f.Labels), slices.Clone(f.Links)
			}
			out = append(out, c)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// mappedStore is a reader on the embedded engine that has read batches.
func mappedStore(t *testing.T, batches []activity.Batch) *priced {
	t.Helper()
	d, err := duck.Open(duck.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	e := &engine{d, newMemory()}
	h := newHarnessOn(t, e.memory, e, nil)
	for i := range batches {
		h.feed(&batches[i])
		h.flush()
	}
	h.pass(time.Hour)
	h.flush()
	return &priced{h, d}
}

var (
	longAgo = time.Unix(0, 0)
	never   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// remap maps what differs again and tells how many steps did.
func (p *priced) remap(dry bool, visit func(*telemetry.Remapped)) int {
	p.t.Helper()
	table := intake.Table().Again()
	runs, err := p.store.Mapped(p.t.Context(), longAgo, never, table.Version())
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0
	for _, run := range runs {
		k, err := p.r.Remap(p.t.Context(), run.Run, table, telemetry.Remap{From: longAgo, To: never, Dry: dry, Visit: visit})
		if err != nil {
			p.t.Fatal(err)
		}
		n += k
	}
	return n
}

// tells is what the engine says of everything: rows, steps with their contents as
// they were said, and figures from rollups and from rows.
func (p *priced) tells() map[string]any {
	p.t.Helper()
	out := map[string]any{}
	page, err := p.store.Runs(p.t.Context(), telemetry.RunsQuery{Limit: 1000})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, listed := range page.Runs {
		id := listed.ID
		row, err := p.store.Run(p.t.Context(), id)
		if err != nil {
			p.t.Fatal(err)
		}
		row.Revision, row.Received, row.Updated = 0, 0, 0
		out["run "+id.String()] = *row
		messages, err := p.store.Messages(p.t.Context(), id, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		said := map[int32]string{}
		for _, m := range messages {
			said[m.Ordinal] = string(m.Raw)
		}
		steps, err := p.store.Steps(p.t.Context(), id)
		if err != nil {
			p.t.Fatal(err)
		}
		for i := range steps {
			s := steps[i]
			var contents []string
			for _, r := range s.Refs {
				text := ""
				for _, n := range ordinals(r.Messages) {
					text += said[int32(n)] + "\n"
				}
				contents = append(contents, fmt.Sprintf("%02d %d %s %s %s", r.Field, r.Order, r.Format, r.From, text))
			}
			slices.Sort(contents)
			slices.SortFunc(s.Labels, func(a, b activity.Label) int { return strings.Compare(a.Key+a.Value, b.Key+b.Value) })
			slices.Sort(s.Tags)
			s.Refs, s.Layers, s.Revision, s.Received, s.MapVersion = nil, nil, 0, 0, 0
			out["step "+s.Step.String()], out["contents "+s.Step.String()] = s, contents
		}
	}
	day := time.Unix(0, 1795400000e9).UTC()
	for _, by := range [][]string{nil, {"agent"}, {"model"}, {"session"}, {"kind"}} {
		q := telemetry.Query{
			Table: "steps", GroupBy: by, Bucket: time.Minute, From: day.AddDate(0, 0, -30), To: day.AddDate(0, 0, 2), OrderBy: "count",
			Select: []telemetry.Measure{{Func: "count", As: "count"}, {Func: "sum", Field: "cost"}, {Func: "sum", Field: "tokens"}},
		}
		if by != nil && by[0] == "model" {
			q.Where = &search.Cmp{Field: "call", Op: ":", Values: []string{"true"}}
		}
		got, err := p.store.Query(p.t.Context(), q)
		if err != nil {
			p.t.Fatalf("by %v: %v", by, err)
		}
		var rows []string
		for _, r := range got.Rows {
			line := ""
			for _, v := range r {
				if f, ok := v.(float64); ok {
					v = fmt.Sprintf("%.12g", f) // the order of a sum is the engine's
				}
				line += fmt.Sprintf(" %v", v)
			}
			rows = append(rows, line)
		}
		slices.Sort(rows)
		out["by "+strings.Join(by, ",")+" from "+got.Source] = rows
	}
	for _, words := range []string{"refund order", "delivered", "jane@example.com", "look up an order"} {
		page, err := p.store.Runs(p.t.Context(), telemetry.RunsQuery{Filter: &search.Text{Phrase: words}, Content: true, Limit: 1000})
		if err != nil {
			p.t.Fatal(err)
		}
		var found []string
		for _, r := range page.Runs {
			found = append(found, r.ID.String())
		}
		slices.Sort(found)
		out["phrase "+words] = found
	}
	return out
}

// TestRemapIsFresh holds that a store that older tables filled, mapped again, says
// what a fresh one says of the same bodies sent today: steps, content, rows,
// rollups and search. A crash in the middle changes nothing of that, and a second
// time finds nothing to do.
func TestRemapIsFresh(t *testing.T) {
	if testing.Short() {
		t.Skip("writes many segments")
	}
	t.Parallel()
	want := mappedStore(t, recorded(t, intake.Table(), dialect.MapVersion)).tells()
	for seed, share := range []float64{1, 0.2, 0.5, 0.8} {
		crash := seed%2 == 1
		t.Run(fmt.Sprintf("%.0f %% missing, crash %t", 100*share, crash), func(t *testing.T) {
			t.Parallel()
			p := mappedStore(t, recorded(t, olderTable(rand.New(rand.NewPCG(uint64(seed), 47)), share), 1))
			before := p.tells()
			planned := p.remap(true, nil)
			if diff := cmp.Diff(before, p.tells()); diff != "" {
				t.Fatalf("a plan changed the store:\n%s", diff)
			}
			if planned < 20 {
				t.Fatalf("only %d steps are planned", planned)
			}
			if crash {
				// A part of it reaches the store, a part is lost with memory.
				table := intake.Table().Again()
				runs, err := p.store.Mapped(t.Context(), longAgo, never, table.Version())
				if err != nil {
					t.Fatal(err)
				}
				for i, run := range runs {
					if i == len(runs)/3 {
						p.flush()
					}
					if i == 2*len(runs)/3 {
						break
					}
					if _, err := p.r.Remap(t.Context(), run.Run, table, telemetry.Remap{From: longAgo, To: never}); err != nil {
						t.Fatal(err)
					}
				}
				p.restart()
				if left := p.remap(true, nil); left == 0 || left >= planned {
					t.Fatalf("%d of %d are left after the crash", left, planned)
				}
			}
			if n := p.remap(false, nil); n == 0 || n > planned {
				t.Fatalf("%d of %d changed", n, planned)
			}
			p.flush()
			if diff := cmp.Diff(want, p.tells()); diff != "" {
				t.Fatalf("(-fresh +mapped again):\n%.6000s", diff)
			}
			again := func(x *telemetry.Remapped) {
				if len(x.Changes) > 0 {
					t.Errorf("a second time %s %q: %+v", x.Dialect, x.Name, x.Changes)
				}
			}
			if n := p.remap(true, again); n != 0 {
				t.Errorf("a second time %d differ", n)
			}
			// Nobody needs memory for it either.
			p.pass(time.Hour)
			p.restart()
			if diff := cmp.Diff(want, p.tells()); diff != "" {
				t.Fatalf("after a restart (-fresh +mapped again):\n%.6000s", diff)
			}
		})
	}
}
