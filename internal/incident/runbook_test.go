package incident

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"reeve/internal/fault"
)

// A runbook is tried, agreed to by a second person, done step by step and taken back.
func TestRunbook(t *testing.T) {
	t.Parallel()
	hands := placed{"a": {"support", "production"}, "b": {"support", "production"}}
	b, _ := newTestBook(t, openDB(t), func(o *Options) { o.Hands = hands })
	ctx := t.Context()
	b.Take(ctx, []Signal{sig("a", "tool errors", tool("crm__search")), sig("b", "tool errors", tool("crm__search"))})
	id := b.live(t)[0].ID
	book := Runbook{Name: "hold", Kinds: []string{Outage}, Approval: true, Steps: []RunbookStep{
		{Text: "Hold their writes", Act: Offer{Kind: "contain", Target: "{agents}", Level: "supervised"}, For: time.Hour},
		{Text: "Ask the owners"},
		{Text: "Block it", Act: Offer{Kind: "stop", Target: "{cause}", Level: "tool"}},
	}}
	for name, bad := range map[string]func(*Runbook){
		"no name": func(r *Runbook) { r.Name = "A B" }, "no steps": func(r *Runbook) { r.Steps = nil }, "a step without words": func(r *Runbook) { r.Steps = []RunbookStep{{}} },
		"an act on nothing": func(r *Runbook) { r.Steps = []RunbookStep{{Text: "x", Act: Offer{Kind: "stop"}}} }, "a kind that is none": func(r *Runbook) { r.Kinds = []string{"fire"} },
		"for a year": func(r *Runbook) { r.Steps = []RunbookStep{{Text: "x", For: 9000 * time.Hour}} },
	} {
		r := book
		bad(&r)
		if _, err := b.PutRunbook(ctx, anybody, r); fault.From(err).Code != "incident.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.PutRunbook(ctx, of("x", "support", "production"), book); fault.From(err).Code != "incident.denied" {
		t.Errorf("one team's responder keeps all teams' runbooks: %v", err)
	}
	if _, err := b.PutRunbook(ctx, anybody, book); err != nil {
		t.Fatal(err)
	}
	tried, err := b.TryRunbook(ctx, anybody, id, "hold")
	if err != nil || len(tried) != 3 || len(tried[0].Previews) != 2 || tried[2].Previews[0].Text != "crm__search" {
		t.Fatalf("%+v, %v", tried, err)
	}
	// Who may not act everywhere is told at which step it would end.
	if tried, err := b.TryRunbook(ctx, of("x", "support", "production"), id, "hold"); err != nil || tried[0].Problem != "" || tried[2].Problem == "" {
		t.Errorf("%+v, %v", tried, err)
	}
	if acts, err := b.Acts(ctx, id); err != nil || len(acts) != 0 {
		t.Errorf("trying did %d acts, %v", len(acts), err)
	}
	r, err := b.StartRunbook(ctx, anybody, id, "hold", "they fail")
	if err != nil || r.State != RunWaiting {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := b.StepRunbook(ctx, anybody, r.ID, ""); fault.From(err).Code != "incident.conflict" {
		t.Errorf("a step before anybody agreed: %v", err)
	}
	if _, err := b.ApproveRunbook(ctx, anybody, r.ID); fault.From(err).Code != "incident.second_person" {
		t.Errorf("one's own proposal: %v", err)
	}
	second := anybody
	second.Person = "per_bo"
	if r, err = b.ApproveRunbook(ctx, second, r.ID); err != nil || r.State != RunRunning {
		t.Fatalf("%+v, %v", r, err)
	}
	for n, want := range []string{RunRunning, RunRunning, RunDone} {
		if r, err = b.StepRunbook(ctx, anybody, r.ID, ""); err != nil || r.State != want {
			t.Fatalf("step %d: %+v, %v", n+1, r, err)
		}
	}
	if acts, err := b.Acts(ctx, id); err != nil || len(acts) != 3 {
		t.Errorf("%d acts, %v", len(acts), err)
	}
	if r, err = b.RollBackRunbook(ctx, anybody, r.ID, "it was something else"); err != nil || r.State != RunRolledBack {
		t.Fatalf("%+v, %v", r, err)
	}
	acts, err := b.Acts(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range acts {
		if a.State != Undone {
			t.Errorf("act %s on %s is %s", a.Offer.Kind, a.Offer.Target, a.State)
		}
	}
	// A step that may not be done ends the run, and what was done is still taken back.
	few := of("x", "support", "production")
	quick := book
	quick.Name, quick.Approval = "quick", false
	if _, err := b.PutRunbook(ctx, anybody, quick); err != nil {
		t.Fatal(err)
	}
	if r, err = b.StartRunbook(ctx, few, id, "quick", "they fail"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if r, err = b.StepRunbook(ctx, few, r.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	if r.State != RunFailed || r.Steps[2].State != "failed" || !strings.Contains(r.Steps[2].Result, "role responder") {
		t.Errorf("%+v", r)
	}
	if r, err = b.RollBackRunbook(ctx, few, r.ID, "enough"); err != nil || r.State != RunRolledBack || r.Steps[0].State != "undone" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestReviewAsPDF(t *testing.T) {
	t.Parallel()
	text := "# Review of incident 4\n\n| | |\n|---|---|\n| Severity | critical |\n\n## Timeline (UTC)\n\n- 09:00:00: " + strings.Repeat("tools fail ", 40) + "\n- [x] put right (ann)\n- [ ] later\n\nÜber \\[alles\\] 漢字\n" + strings.Repeat("line\n\n", 200)
	pdf, err := PDF("Review of incident 4", text)
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-1.")) || !bytes.Contains(pdf, []byte("%%EOF")) {
		t.Fatalf("%d bytes, %v", len(pdf), err)
	}
	if n := bytes.Count(pdf, []byte("/Type /Page\n")); n < 3 {
		t.Errorf("%d pages", n)
	}
	if _, err := PDF("x", ""); err != nil {
		t.Errorf("an empty review: %v", err)
	}
}

func FuzzPDF(f *testing.F) {
	f.Add("# a\n- [x] b\n| c | d |\n_e_\n\\|")
	f.Add("|\n||\n- \n#\n\x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 {
			return
		}
		if _, err := PDF("t", text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// A runbook of a team is its own: who responds for another part of the incident does
// not read it, agree to it or say that its steps are done.
func TestRunbookOfATeam(t *testing.T) {
	t.Parallel()
	b, _ := newTestBook(t, openDB(t), func(o *Options) { o.Hands = placed{} })
	ctx := t.Context()
	x, y := sig("a", "tool errors", tool("crm__search")), sig("b", "tool errors", tool("crm__search"))
	x.Team, x.Environment, y.Team, y.Environment = "a", "production", "b", "production"
	b.Take(ctx, []Signal{x, y})
	id := b.live(t)[0].ID
	if _, err := b.PutRunbook(ctx, of("boss", "b", "*"), Runbook{Name: "keys", Team: "b", Approval: true, Steps: []RunbookStep{{Text: "Renew the keys"}}}); err != nil {
		t.Fatal(err)
	}
	other, ours := of("mallory", "a", "production"), of("bo", "b", "production")
	refused := func(what string, err error) {
		t.Helper()
		if fault.From(err).Code != "incident.denied" {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := b.TryRunbook(ctx, other, id, "keys")
	refused("reading its steps", err)
	_, err = b.StartRunbook(ctx, other, id, "keys", "r")
	refused("beginning it", err)
	r, err := b.StartRunbook(ctx, of("boss", "b", "production"), id, "keys", "r")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.ApproveRunbook(ctx, other, r.ID)
	refused("agreeing to it", err)
	if _, err = b.ApproveRunbook(ctx, ours, r.ID); err != nil {
		t.Fatal(err)
	}
	_, err = b.StepRunbook(ctx, other, r.ID, "done")
	refused("a step", err)
	if r, err = b.StepRunbook(ctx, ours, r.ID, "done"); err != nil || r.State != RunDone {
		t.Errorf("%+v, %v", r, err)
	}
	refused("another team's word on the timeline", b.MaySpeak(ctx, of("eve", "c", "production"), id))
}
