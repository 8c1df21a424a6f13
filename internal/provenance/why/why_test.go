package why

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
)

var t0 = time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)

func step(n byte, kind activity.Kind, name string, alter func(*activity.Step)) activity.Step {
	s := activity.Step{Fragment: activity.Fragment{
		Step: activity.StepID{n}, Parent: activity.StepID{1}, Kind: kind, Name: name, Status: activity.StatusOK, Start: t0.Add(time.Duration(n) * time.Second).UnixNano(),
		End: t0.Add(time.Duration(n)*time.Second + time.Second).UnixNano(), Usage: activity.NoUsage,
	}}
	if kind == activity.KindTool {
		s.ToolName = name
	}
	if kind == activity.KindModel {
		s.Provider, s.ModelRequested, s.Model = "acme", "large", "large-2026-01"
	}
	if n == 1 {
		s.Parent = activity.StepID{}
	}
	if alter != nil {
		alter(&s)
	}
	return s
}

// sound is a run of which all is on record and in order, and somebody complained.
func sound() Case {
	steps := []activity.Step{
		step(1, activity.KindAgent, "refunds", nil),
		step(2, activity.KindModel, "chat", nil),
		step(3, activity.KindRetrieval, "refund_policy", nil),
		step(4, activity.KindTool, "orders.refund", func(s *activity.Step) { s.DecisionID = "dec_4" }),
		step(5, activity.KindModel, "chat", nil),
	}
	decide := func(n byte, action, resource string) activity.Decision {
		return activity.Decision{
			ID: "dec_" + string('0'+rune(n)), Step: activity.StepID{n}, At: t0.UnixNano(), Agent: "refunds", Version: "7", Credential: "agent_key", Action: action, Resource: resource,
			Verdict: activity.VerdictAllow, Enforced: true, PolicyVersion: 12, Policies: []activity.PolicyRef{{Policy: "refunds", Statement: "may_refund", Hash: "abcdef0123456789"}},
			Result: activity.ResultOK,
		}
	}
	return Case{
		Run: activity.Run{
			ID: activity.RunID{9}, Agent: "refunds", Version: "7", Start: t0.UnixNano(), End: t0.Add(7 * time.Second).UnixNano(), Steps: int64(len(steps)), ModelCalls: 2,
		},
		Steps: steps, Whole: true, Complaints: []string{"a customer said that the answer is wrong"},
		Reads: []client.SourceUse{{
			StepID: activity.StepID{3}.String(), Name: "refund_policy", Source: "refund_policy", At: t0, State: "fresh", Sentence: "it read refund_policy in version 8, 1 h old",
			Version: &client.SourceVersion{Version: "8", At: t0.Add(-time.Hour)},
		}},
		Decisions: []activity.Decision{decide(2, "call_model", "acme/large"), decide(4, "call_tool", "orders.refund"), decide(5, "call_model", "acme/large")},
		Usual:     Usual{Runs: 100, Models: map[string]int{"large-2026-01": 99}, Versions: map[string]int{"7": 60, "6": 40}},
	}
}

// fault is a fault of one kind, and how its records are taken away.
type fault struct {
	kind   string
	cause  string // the node's id must begin with it
	put    func(*Case)
	remove func(*Case)
}

var faults = map[string]fault{
	"a stale table after a skipped job": {Data, "job:nightly", func(c *Case) {
		u := &c.Reads[0]
		u.State, u.Sentence = "stale", "it read refund_policy in version 3, 30 h old"
		u.Causes = []client.SourceCause{{Job: "nightly", State: "skipped", At: t0.Add(-6 * time.Hour), Path: []string{"nightly", "refund_policy"}}}
	}, func(c *Case) {
		c.Reads = []client.SourceUse{{StepID: c.Reads[0].StepID, Name: "refund_policy", At: t0, State: "unknown", Sentence: "nothing is known of a source refund_policy"}}
	}},
	"no record of what was read at all": {Data, "data:refund_policy", func(c *Case) { c.Reads[0].State = "stale" }, func(c *Case) { c.Reads = nil }},
	"another model answered": {Model, "model:tiny", func(c *Case) { c.Steps[4].Model = "tiny" }, func(c *Case) {
		for i := range c.Steps {
			c.Steps[i].Provider, c.Steps[i].Model, c.Steps[i].ModelRequested = "", "", ""
		}
	}},
	"the model failed": {Model, "model:large", func(c *Case) {
		c.Steps[4].Status, c.Steps[4].ErrorType = activity.StatusError, "overloaded"
		c.Steps[0].Status, c.Steps[0].ErrorType = activity.StatusError, "overloaded"
		c.Run.RootError, c.Run.ErrorType = true, "overloaded"
	}, func(c *Case) {
		for i := range c.Steps {
			c.Steps[i].Provider, c.Steps[i].Model, c.Steps[i].ModelRequested = "", "", ""
		}
	}},
	"a tool failed": {Step, "step:", func(c *Case) {
		for _, i := range []int{3, 0} {
			c.Steps[i].Status, c.Steps[i].ErrorType = activity.StatusError, "timeout"
		}
		c.Run.RootError, c.Run.ErrorType = true, "timeout"
	}, func(c *Case) { c.Steps = append(c.Steps[:3:3], c.Steps[4:]...) }},
	"a retrieval brought nothing": {Step, "step:", func(c *Case) { c.Empty = map[activity.StepID]bool{{3}: true} }, func(c *Case) { c.Steps = c.Steps[:1] }},
	"no policy permits it": {Entitlement, "entitlement:dec_4", func(c *Case) {
		refuse(c, activity.Reason{Code: "policy.no_permit", Text: "no policy permits it"}, nil)
	}, func(c *Case) { c.Decisions = nil }},
	"a policy forbids it": {Rule, "rule:money/no_refunds", func(c *Case) {
		refuse(c, activity.Reason{Code: "policy.forbid", Text: "a policy forbids it"}, []activity.PolicyRef{{Policy: "money", Statement: "no_refunds", Hash: "99aa"}})
		c.Changes = []client.Change{{ID: "chg_1", Kind: "policy", Key: "money", Title: "policy money was enforced", At: t0.Add(-20 * time.Minute)}}
	}, func(c *Case) {
		d := &c.Decisions[1]
		d.Policies, c.Changes = nil, nil
	}},
	"a budget is spent": {Rule, "rule:budget.exceeded", func(c *Case) {
		refuse(c, activity.Reason{Code: "budget.exceeded", Text: "budget refunds is spent"}, nil)
	}, func(c *Case) { c.Decisions[1].Reasons = nil }},
}

// refuse makes the tool call one that the door refused, and the run's end.
func refuse(c *Case, r activity.Reason, by []activity.PolicyRef) {
	for _, i := range []int{3, 0} {
		c.Steps[i].Status, c.Steps[i].ErrorType = activity.StatusError, r.Code
	}
	c.Run.RootError, c.Run.ErrorType = true, r.Code
	d := &c.Decisions[1]
	d.Verdict, d.Result, d.Reasons, d.Policies = activity.VerdictDeny, activity.ResultDenied, []activity.Reason{r}, by
}

// Each fault is named; with its records taken away nothing else is, and what would
// tell is said.
func TestTakenAway(t *testing.T) {
	t.Parallel()
	for name, f := range faults {
		c := sound()
		f.put(&c)
		w := Explain(c)
		if !w.Known || len(w.Causes) == 0 || w.Causes[0].Kind != f.kind || !strings.HasPrefix(w.Causes[0].Node, f.cause) {
			t.Errorf("%s: %s\n%+v\npossible %+v\nunknown %+v", name, w.Sentence, w.Causes, w.Possible, w.Unknown)
			continue
		}
		if len(w.Causes[0].Path) < 2 || w.Causes[0].Path[0] != "outcome" || len(w.Causes[0].Reasons) == 0 {
			t.Errorf("%s: path %v, reasons %v", name, w.Causes[0].Path, w.Causes[0].Reasons)
		}
		f.remove(&c)
		w = Explain(c)
		if w.Known || len(w.Causes) > 0 || !strings.Contains(w.Sentence, "unknown") {
			t.Errorf("%s, taken away: %s\n%+v", name, w.Sentence, w.Causes)
		}
		told := false
		for _, u := range w.Unknown {
			told = told || u.Kind == f.kind && u.Blocks && u.Supply != "" && u.Text != ""
		}
		if !told {
			t.Errorf("%s, taken away: what would tell is not said: %+v", name, w.Unknown)
		}
	}
}

// Each kind of record taken from each fault: the cause stays what it was, or is
// unknown; no other takes its place.
func TestNeverAnother(t *testing.T) {
	t.Parallel()
	for name, f := range faults {
		for other, g := range faults {
			c := sound()
			f.put(&c)
			before := Explain(c)
			g.remove(&c)
			after := Explain(c)
			if len(after.Causes) > 0 && after.Causes[0].Node != before.Causes[0].Node {
				t.Errorf("%s without the records of %q: %s instead of %s", name, other, after.Causes[0].Node, before.Causes[0].Node)
			}
		}
	}
}

func TestNothingWrong(t *testing.T) {
	t.Parallel()
	c := sound()
	c.Complaints = nil
	c.Reads[0].State = "stale"
	w := Explain(c)
	if w.Wrong || len(w.Causes)+len(w.Possible) > 0 || len(w.Asked) > 0 {
		t.Errorf("%s %+v", w.Sentence, w.Causes)
	}
	kinds := map[string]bool{}
	for _, n := range w.Nodes {
		kinds[n.Kind] = true
		if n.Version == nil && n.State != Unknown {
			t.Errorf("%s has no version and is not unknown", n.ID)
		}
		if n.Sentence == "" || n.Role == "" {
			t.Errorf("%s says nothing: %+v", n.ID, n)
		}
	}
	for _, k := range []string{Outcome, Data, Model, Step, Entitlement, Rule} {
		if !kinds[k] {
			t.Errorf("no node of kind %s", k)
		}
	}
	w = Explain(sound())
	if len(w.Causes) > 0 || w.Known || len(w.RuledOut) < 5 {
		t.Errorf("a sound run: %s\n%+v\n%+v", w.Sentence, w.Causes, w.RuledOut)
	}
}

// What failed and went well when it was tried again is not the cause.
func TestRecovered(t *testing.T) {
	t.Parallel()
	c := sound()
	c.Steps = append(c.Steps[:3:3], append([]activity.Step{step(6, activity.KindTool, "orders.refund", func(s *activity.Step) {
		s.Status, s.ErrorType, s.Start = activity.StatusError, "timeout", c.Steps[3].Start-1
	})}, c.Steps[3:]...)...)
	c.Run.Steps++
	if w := Explain(c); len(w.Causes) > 0 {
		t.Errorf("%+v", w.Causes)
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	c := sound()
	for n := range 4000 {
		c.Steps = append(c.Steps, activity.Step{Fragment: activity.Fragment{Step: activity.StepID{7, byte(n), byte(n >> 8)}, Kind: activity.KindTool, Name: "t", Status: activity.StatusError, ErrorType: "boom", Start: t0.UnixNano(), End: t0.UnixNano() + 1}})
	}
	c.Run.Steps += 4000
	w := Explain(c)
	if len(w.Nodes) > mostNodes || len(w.Causes) > 10 || w.Omitted == 0 {
		t.Errorf("%d nodes, %d causes, %d left out", len(w.Nodes), len(w.Causes), w.Omitted)
	}
}

func TestProv(t *testing.T) {
	t.Parallel()
	c := sound()
	faults["a stale table after a skipped job"].put(&c)
	b, err := json.Marshal(Prov(Explain(c)))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Prefix   map[string]string
		Entity   map[string]map[string]any
		Activity map[string]map[string]any
		Agent    map[string]map[string]any
		Used     map[string]map[string]any
		Made     map[string]map[string]any `json:"wasGeneratedBy"`
		With     map[string]map[string]any `json:"wasAssociatedWith"`
		Because  map[string]map[string]any `json:"wasInfluencedBy"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Agent) != 1 || len(doc.Activity) < 4 || len(doc.Entity) < 5 || len(doc.Used) == 0 || len(doc.With) < 3 || doc.Prefix["reeve"] == "" {
		t.Errorf("%s", b)
	}
	known := func(id any) bool {
		s, _ := id.(string)
		return doc.Entity[s] != nil || doc.Activity[s] != nil || doc.Agent[s] != nil
	}
	for _, r := range doc.Used {
		if !known(r["prov:activity"]) || !known(r["prov:entity"]) {
			t.Errorf("used names what is not there: %v", r)
		}
	}
	made := false
	for _, r := range doc.Made {
		made = made || strings.HasPrefix(r["prov:activity"].(string), "reeve:job-3anightly")
	}
	if !made {
		t.Errorf("the table is not generated by its job: %v", doc.Made)
	}
	likely := false
	for _, r := range doc.Because {
		likely = likely || r["prov:influencee"] == "reeve:outcome" && r["reeve:rank"] == 1.0
	}
	if !likely {
		t.Errorf("the likely cause is not there: %v", doc.Because)
	}
}
