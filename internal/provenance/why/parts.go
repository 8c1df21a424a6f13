package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
)

// data draws what was read, as it was then, and the jobs above that did not do
// their part.
func (g *builder) data() {
	for i := range g.c.Reads {
		g.read(&g.c.Reads[i])
	}
	// A retrieval whose source nobody named.
	for i := range g.c.Steps {
		s := &g.c.Steps[i]
		if s.Kind != activity.KindRetrieval || slices.ContainsFunc(g.c.Reads, func(u client.SourceUse) bool { return u.StepID == s.Step.String() }) {
			continue
		}
		n := g.add(Data, "data:of:"+s.Step.String(), "what "+cmp.Or(s.Name, "the retrieval")+" read")
		n.Role = "source"
		n.unknown("which source "+cmp.Or(s.Name, "the retrieval")+" read, and in which version, is not on record", "register the source, and send lineage (OpenLineage), dbt artefacts or a crawler's report of it: docs/sources.md", true)
		g.link(g.step(s).ID, n.ID, "read")
		g.below(g.step(s))
	}
}

func (g *builder) read(u *client.SourceUse) {
	name := cmp.Or(u.Source, u.Name)
	n := g.add(Data, "data:"+name, name)
	n.Role = "source"
	n.At = &u.At
	if u.Version != nil {
		n.Version = text(u.Version.Version)
	}
	if u.Source != "" {
		n.evidence("source", u.Source, u.Sentence)
	}
	n.evidence("step", u.StepID, "the step that read it")
	from := "outcome"
	for id, s := range g.stepOf {
		if id.String() == u.StepID {
			from = g.step(s).ID
			g.below(g.step(s))
		}
	}
	g.link(from, n.ID, "read")
	newer := slices.IndexFunc(u.Documents, func(d client.DocumentUse) bool { return d.Newer != "" })
	switch {
	case u.State == "stale":
		n.against(.9, "stale: "+u.Sentence)
	case newer >= 0:
		n.against(.85, u.Documents[newer].Sentence)
	case len(u.Causes) > 0:
		n.against(.8, u.Sentence)
	case u.State == "warn":
		n.against(.3, "nearly stale: "+u.Sentence)
	case u.State == "fresh":
		n.fine("fresh: " + u.Sentence)
	case u.Version != nil || knownDocuments(u):
		n.unknown(u.Sentence+"; nobody said how old it may be", "a greatest age: `reeve source set "+name+" --max-age 24h`", false)
	default:
		n.unknown(u.Sentence, "lineage (OpenLineage), dbt artefacts or a crawler's report of "+name+": docs/sources.md", true)
	}
	for i := range u.Causes {
		g.job(n, &u.Causes[i], u)
	}
}

func knownDocuments(u *client.SourceUse) bool {
	return slices.ContainsFunc(u.Documents, func(d client.DocumentUse) bool { return d.AgeMS != nil })
}

// job draws a job above a source, with the sources between them.
func (g *builder) job(below *node, c *client.SourceCause, u *client.SourceUse) {
	from := below.ID
	for i := len(c.Path) - 2; i >= 0; i-- {
		name := c.Path[i]
		isJob := (len(c.Path)-1-i)%2 == 1
		id, role, how := "data:"+name, "source", "was made from"
		if isJob {
			id, role, how = "job:"+name, "job", "is made by"
		}
		n := g.add(Data, id, name)
		n.Role = cmp.Or(n.Role, role)
		g.link(from, id, how)
		from = id
	}
	n := g.add(Data, "job:"+c.Job, c.Job)
	n.Role, n.At = "job", &c.At
	n.evidence("source", cmp.Or(u.Source, u.Name), "job "+c.Job+" was "+c.State)
	words := fmt.Sprintf("the job was %s %s before it was read", c.State, age(u.At.Sub(c.At)))
	if c.Note != "" {
		words += ": " + clip(c.Note, 160)
	}
	if c.GoodAt != nil {
		words += fmt.Sprintf("; it was last complete %s before", age(u.At.Sub(*c.GoodAt)))
	}
	n.against(.95, words)
}

// models draws who answered.
func (g *builder) models() {
	looked := false
	for i := range g.c.Steps {
		s := &g.c.Steps[i]
		if s.Kind != activity.KindModel || g.inner[s.Step] && s.Model == "" && s.ModelRequested == "" {
			continue
		}
		looked = true
		g.model(s)
	}
	if !looked && len(g.c.Steps) > 0 {
		n := g.add(Model, "model:none", "no model call on record")
		n.Role = "model"
		// A run without any model call may be a plain program: it is unknown where
		// the run's own row says that models were called.
		if g.c.Run.ModelCalls > 0 || len(g.c.Run.Models) > 0 {
			n.unknown("models were called, and by no step on record", "spans of its model calls, or the door: docs/door.md", true)
		} else {
			n.unknown("which model answered, if any, is not on record", "spans of its model calls, or the door: docs/door.md", !g.erred)
		}
		g.link("outcome", n.ID, "was said by")
	}
}

func (g *builder) model(s *activity.Step) {
	name := cmp.Or(s.Model, s.ModelRequested)
	id := "model:" + cmp.Or(name, "unnamed")
	n := g.add(Model, id, cmp.Or(name, "a model that nobody named"))
	n.Role = "model"
	if s.Provider != "" {
		n.Role = "model of " + s.Provider
	}
	n.evidence("step", s.Step.String(), "a call of it")
	n.onPath = n.onPath || g.failing[s.Step]
	step := "outcome"
	if g.at[stepID(s)] != nil || s.Status == activity.StatusError || g.failing[s.Step] {
		x := g.step(s)
		step = x.ID
		if x.ID != g.answers {
			g.below(x)
		}
	} else if g.answers != "" {
		step = g.answers
	}
	g.link(step, id, "was said by")
	if name == "" {
		n.unknown("which model answered is not on record", "gen_ai.request.model and gen_ai.response.model on its spans, or the door: docs/door.md", true)
		return
	}
	n.Version = text(name)
	g.judgeModel(n, s, name)
}

// judgeModel says what speaks against a model by one of its calls.
func (g *builder) judgeModel(n *node, s *activity.Step, name string) {
	finish := strings.ToLower(s.FinishReason)
	switch {
	case s.Status == activity.StatusError && !Refused(s) && (g.failing[s.Step] || g.later[s.Step] == nil):
		n.against(.8, "its call failed with "+failure(s))
	case strings.Contains(finish, "filter") || finish == "safety" || finish == "refusal":
		n.against(.7, "it refused to answer ("+s.FinishReason+")")
	case (finish == "length" || finish == "max_tokens") && stepID(s) == g.answers:
		n.against(.55, "its answer was cut off ("+s.FinishReason+")")
	case swapped(s.ModelRequested, s.Model):
		n.against(.6, s.ModelRequested+" was asked, and "+s.Model+" answered")
	}
	u := &g.c.Usual
	if u.Runs < enough {
		return
	}
	used := u.Models[name]
	switch share := float64(used) / float64(u.Runs); {
	case share < rare:
		n.against(.5, fmt.Sprintf("it is new: %d of the %d runs before were answered by it", used, u.Runs))
	case s.Status == activity.StatusOK:
		n.fine(fmt.Sprintf("it is as before: %d of the %d runs before were answered by it", used, u.Runs))
	}
}

// swapped says that another model answered than was asked; dated names of the
// same one are none.
func swapped(asked, answered string) bool {
	a, b := strings.ToLower(asked), strings.ToLower(answered)
	a, b = a[strings.LastIndex(a, "/")+1:], b[strings.LastIndex(b, "/")+1:]
	if a == "" || b == "" || a == b {
		return false
	}
	tail, dated := strings.CutPrefix(b, a)
	if !dated {
		tail, dated = strings.CutPrefix(a, b)
	}
	return !dated || strings.IndexFunc(tail, func(r rune) bool { return r >= '0' && r <= '9' }) < 0
}

// instructions draws what the agent was told to do: its version, and what of it was
// changed shortly before.
func (g *builder) instructions() {
	r := &g.c.Run
	if r.Agent == "" && len(g.c.Steps) == 0 {
		return
	}
	n := g.add(Rule, "rule:instructions", "instructions of "+cmp.Or(r.Agent, "an agent that nobody named"))
	n.Role = "instructions"
	if r.Agent != "" {
		n.evidence("agent", r.Agent, "the agent")
	}
	from := g.answers
	if from == "" {
		from = "outcome"
	}
	g.link(from, n.ID, "was told by")
	if r.Version != "" {
		n.Version = text(r.Version)
	}
	for i := range g.c.Changes {
		c := &g.c.Changes[i]
		if !slices.Contains([]string{"deployment", "release", "push", "prompt", "agent"}, c.Kind) || c.Agent != r.Agent || r.Agent == "" || c.At.After(time.Unix(0, r.Start)) {
			continue
		}
		before := time.Unix(0, r.Start).Sub(c.At)
		n.evidence("change", c.ID, c.Title)
		n.against(.3+.3*near(before), fmt.Sprintf("%s %s before: %s", c.Kind, age(before), clip(c.Title, 120)))
	}
	u := &g.c.Usual
	switch {
	case r.Version == "":
		n.unknown("which version of the agent ran is not on record", "gen_ai.agent.version or service.version on its spans", false)
	case u.Runs < enough:
	case float64(u.Versions[r.Version])/float64(u.Runs) < rare:
		n.against(.5, fmt.Sprintf("version %s is new: %d of the %d runs before had it", r.Version, u.Versions[r.Version], u.Runs))
	default:
		n.fine(fmt.Sprintf("version %s is as before: %d of the %d runs before had it", r.Version, u.Versions[r.Version], u.Runs))
	}
}

// near is how close before something was changed, in [0, 1].
func near(before time.Duration) float64 {
	switch {
	case before < 0:
		return 0
	case before < time.Hour:
		return 1
	case before > 24*time.Hour:
		return 0
	}
	return 1 - before.Hours()/24
}

// odd are the detectors that speak against the very step that they name.
var odd = map[string]float64{
	"injected_destination": .95, "hijack": .95, "loop": .8, "retry_storm": .7, "new_destination": .7, "new_tool": .6, "new_peer": .6,
}

// findings hangs what detectors saw on the steps that they name.
func (g *builder) findings() {
	for i := range g.c.Findings {
		f := &g.c.Findings[i]
		for id, s := range g.stepOf {
			if !slices.Contains(f.Steps, id.String()) || contains(s.Kind) {
				continue
			}
			n := g.step(s)
			n.evidence("finding", f.ID, f.Text)
			if w := odd[f.Detector]; w > 0 && (f.Verdict == nil || f.Verdict.Verdict != "noise") {
				n.against(w, f.Text)
			}
			g.below(n)
		}
	}
}

func age(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	switch {
	case d < time.Second:
		return "moments"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
