package policy

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/google/go-cmp/cmp"
)

// TestReference compares plain Cedar's answers with those of the reference
// engine, @cedar-policy/cedar-wasm, for 10,000 random requests under 400 random
// sets. It needs Node: `make reference` installs the engine and runs it, and CI
// with it; without REEVE_REFERENCE it is skipped.
func TestReference(t *testing.T) {
	if os.Getenv("REEVE_REFERENCE") == "" {
		t.Skip("`make reference` runs it")
	}
	type input struct {
		Policies map[string]string `json:"policies"`
		Requests []json.RawMessage `json:"requests"`
	}
	type answer struct {
		Decision        string
		Reasons, Errors []string
	}
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "run.mjs")
	node.Dir, node.Stderr = "testdata/wasm", os.Stderr
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(out)
	rnd := rand.New(rand.NewPCG(9, 10))
	requests, allowed, erred := 0, 0, 0
	for range 400 {
		set := randomSet(t, c, rnd, 20, false)
		var e Engine
		e.Replace(1, set)
		line := input{Policies: map[string]string{}}
		for i := range set {
			line.Policies[set[i].ID] = string(set[i].cedar.MarshalCedar())
		}
		var asked []*Request
		for range 25 {
			r := randomRequest(rnd)
			withArgs(rnd, r)
			asked = append(asked, r)
			line.Requests = append(line.Requests, forReference(t, r))
		}
		if err := json.NewEncoder(in).Encode(line); err != nil {
			t.Fatal(err)
		}
		var got []answer
		text, err := answers.ReadBytes('\n')
		if err != nil {
			t.Fatalf("the reference engine ended: %v", err)
		}
		if err := json.Unmarshal(text, &got); err != nil || len(got) != len(asked) {
			t.Fatalf("%d answers, %v", len(got), err)
		}
		for i, r := range asked {
			allow, reasons, errs := plain(e.set.Load(), r)
			want := answer{"deny", append([]string{}, reasons...), append([]string{}, errs...)}
			if allow {
				want.Decision = "allow"
				allowed++
			}
			requests, erred = requests+1, erred+len(errs)
			if d := cmp.Diff(got[i], want); d != "" {
				t.Fatalf("reference and ours differ (-reference +ours): %s\n%s\n%v", d, line.Requests[i], line.Policies)
			}
			sliced := e.set.Load().candidates(nil, r)
			f := frame{r: r, action: r.Action, effect: r.Resource.effect()}
			if d := cmp.Diff(len(e.set.Load().evaluate(&scratch{}, sliced, &f)), len(e.set.Load().evaluate(&scratch{}, e.set.Load().all, &f))); d != "" {
				t.Fatalf("the slice is not the whole set: %s", d)
			}
		}
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := node.Wait(); err != nil {
		t.Error(err)
	}
	t.Logf("%d requests, %d allowed, %d statements erred", requests, allowed, erred)
	if requests != 10_000 || allowed < 1000 || allowed > 9000 || erred < 100 {
		t.Error("the comparison is one-sided")
	}
}

// forReference is a request as the reference engine takes it.
func forReference(t *testing.T, r *Request) json.RawMessage {
	t.Helper()
	q := r.cedarRequest()
	entities := []types.Entity{}
	for _, u := range []types.EntityUID{
		q.Principal, q.Resource, uid("Upstream", r.Resource.Upstream), uid("User", r.Call.User),
		uid("Text", "call"), uid("Int", "call"), uid("Number", "call"), uid("Flag", "call"),
	} {
		if e, ok := r.Get(u); ok && u.ID != "" {
			entities = append(entities, e)
		}
	}
	name := func(u types.EntityUID) map[string]string {
		return map[string]string{"type": string(u.Type), "id": string(u.ID)}
	}
	b, err := json.Marshal(map[string]any{"principal": name(q.Principal), "action": name(q.Action), "resource": name(q.Resource), "context": q.Context, "entities": entities})
	if err != nil {
		t.Fatal(fmt.Errorf("encoding a request: %w", err))
	}
	return b
}
