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

// door draws what the agent was allowed, and by which rules.
func (g *builder) door() {
	decided := map[activity.StepID]bool{}
	byID := map[string]bool{}
	allowed := 0
	for i := range g.c.Decisions {
		d := &g.c.Decisions[i]
		decided[d.Step], byID[d.ID] = true, true
		if stoodInWay(d) {
			g.refusal(d)
			continue
		}
		allowed++
		g.allowed(d)
	}
	if allowed > 0 {
		g.note(Entitlement, fmt.Sprintf("%s: allowed", plural(allowed, "decided action")))
	}
	g.undecided(decided, byID)
}

// stoodInWay says that a decision kept something from happening.
func stoodInWay(d *activity.Decision) bool {
	return d.Result == activity.ResultDenied || d.Enforced && d.Verdict == activity.VerdictDeny || d.Result == activity.ResultCut
}

// refusal draws a decision that refused, with the rule behind it.
func (g *builder) refusal(d *activity.Decision) {
	n := g.add(Entitlement, "entitlement:"+d.ID, what(d)+" refused")
	n.Role = "decision"
	n.At = when(d.At)
	n.Version = text(fmt.Sprintf("policies %d", d.PolicyVersion))
	n.evidence("decision", d.ID, "the decision")
	n.against(.85, "the agent was not allowed to "+what(d)+why(d))
	from := "outcome"
	if s := g.stepOf[d.Step]; s != nil {
		x := g.step(s)
		from, n.onPath = x.ID, x.onPath
		g.below(x)
	} else if g.answers != "" {
		from = g.answers
	}
	n.onPath = n.onPath || d.ErrorCode != "" && d.ErrorCode == g.c.Run.ErrorType
	g.link(from, n.ID, "was refused by")
	g.rulesOf(n, d)
}

// what is an action in words.
func what(d *activity.Decision) string {
	return strings.ReplaceAll(cmp.Or(d.Action, "act"), "_", " ") + " " + cmp.Or(d.Resource, d.Tool, d.Upstream)
}

// why are a decision's reasons in words.
func why(d *activity.Decision) string {
	var words []string
	for _, r := range d.Reasons {
		words = append(words, cmp.Or(r.Text, r.Code))
	}
	if len(words) == 0 {
		return ""
	}
	return ": " + clip(strings.Join(words, "; "), 240)
}

// rulesOf draws the rules behind a refusal.
func (g *builder) rulesOf(n *node, d *activity.Decision) {
	found := false
	for _, p := range d.Policies {
		if d.Floor == activity.VerdictDeny && !said(d, "policy.") {
			break // the floor refused; what policy said did not count
		}
		found = true
		r := g.add(Rule, "rule:"+p.Policy+"/"+p.Statement, p.Policy+"/"+p.Statement)
		r.Role, r.onPath = "policy statement", r.onPath || n.onPath
		r.Version = text(clip(p.Hash, 12))
		r.evidence("policy", p.Policy, "the policy")
		r.evidence("decision", d.ID, "the decision that it took part in")
		r.against(.9, "it refuses "+what(d))
		g.changed(r, d, p.Policy)
		g.link(n.ID, r.ID, "by")
	}
	for _, reason := range d.Reasons {
		head, _, _ := strings.Cut(reason.Code, ".")
		role := map[string]string{"floor": "floor", "budget": "budget", "content": "content rule", "limit": "rate", "stop": "stop", "approval": "approval"}[head]
		if role == "" {
			continue
		}
		found = true
		r := g.add(Rule, "rule:"+reason.Code, reason.Code)
		r.Role, r.onPath = role, r.onPath || n.onPath
		r.Version = text(fmt.Sprintf("policies %d", d.PolicyVersion))
		r.evidence("decision", d.ID, "the decision that it took part in")
		r.against(.9, cmp.Or(reason.Text, reason.Code))
		g.changed(r, d, reserved(d)...)
		g.link(n.ID, r.ID, "by")
	}
	if found || said(d, "policy.no_permit") {
		return // what nothing permits needs no rule that forbids it
	}
	r := g.add(Rule, "rule:of:"+d.ID, "the rule that refused "+what(d))
	r.Role, r.onPath = "rule", n.onPath
	r.unknown("by which rule it was refused is not on record", "the decision's record in the archive (`reeve decision show "+d.ID+"`), and the policies of version "+fmt.Sprint(d.PolicyVersion), true)
	g.link(n.ID, r.ID, "by")
}

func reserved(d *activity.Decision) (names []string) {
	for _, r := range d.Reserved {
		names = append(names, r.Budget)
	}
	return names
}

func said(d *activity.Decision, code string) bool {
	return slices.ContainsFunc(d.Reasons, func(r activity.Reason) bool { return strings.HasPrefix(r.Code, code) })
}

// changed notes that a rule, or what it works by, was changed shortly before it
// spoke.
func (g *builder) changed(r *node, d *activity.Decision, names ...string) {
	at := time.Unix(0, d.At)
	for i := range g.c.Changes {
		c := &g.c.Changes[i]
		about := slices.ContainsFunc(names, func(name string) bool { return name != "" && (c.Key == name || strings.Contains(c.Title, name)) })
		if c.At.After(at) || !about {
			continue
		}
		r.evidence("change", c.ID, c.Title)
		r.with = append(r.with, fmt.Sprintf("it was changed %s before: %s", age(at.Sub(c.At)), clip(c.Title, 120)))
		r.weight = min(1, r.weight+.1*near(at.Sub(c.At)))
	}
}

// allowed sums up what was allowed: one node by who the agent was, and one by
// statement that permitted it.
func (g *builder) allowed(d *activity.Decision) {
	who := cmp.Or(d.Agent, "nobody")
	n := g.add(Entitlement, "entitlement:"+who+"@"+d.Version+"/"+d.Credential, "what "+who+" may do")
	n.Role = "entitlement"
	n.Version = text(fmt.Sprintf("policies %d", d.PolicyVersion))
	n.evidence("decision", d.ID, what(d)+": allowed")
	n.fine("it was allowed what it did, as " + who + " with " + cmp.Or(d.Credential, "no credential"))
	from := "outcome"
	if s := g.stepOf[d.Step]; s != nil && g.at[stepID(s)] != nil {
		from = stepID(s)
	} else if g.answers != "" {
		from = g.answers
	}
	g.link(from, n.ID, "was allowed by")
	for _, p := range d.Policies {
		r := g.add(Rule, "rule:"+p.Policy+"/"+p.Statement, p.Policy+"/"+p.Statement)
		r.Role, r.Version = "policy statement", text(clip(p.Hash, 12))
		r.evidence("policy", p.Policy, "the policy")
		r.fine("it took part in what was allowed")
		g.link(n.ID, r.ID, "by")
	}
	if len(d.Policies) == 0 {
		r := g.add(Rule, "rule:permit", "the rule that permitted it")
		r.Role = "rule"
		r.unknown("by which statement it was permitted is not on record", "policies: without any, what is registered may act (docs/policies.md)", g.c.Action)
		g.link(n.ID, r.ID, "by")
	}
	if len(d.Redacted) > 0 {
		r := g.add(Rule, "rule:redaction", "redaction of "+strings.Join(d.Redacted, ", "))
		r.Role, r.Version = "content rule", text("")
		r.evidence("decision", d.ID, "the decision that it took part in")
		r.against(.35, "it took out what was said: "+strings.Join(d.Redacted, ", "))
		g.link(n.ID, r.ID, "changed by")
	}
}

// undecided draws what was refused, or passed the door, without a decision on
// record.
func (g *builder) undecided(decided map[activity.StepID]bool, byID map[string]bool) {
	calls := 0
	for i := range g.c.Steps {
		s := &g.c.Steps[i]
		acts := s.Kind == activity.KindTool || s.Kind == activity.KindMCP || s.Kind == activity.KindHTTP || s.Kind == activity.KindModel
		if decided[s.Step] || s.DecisionID != "" && byID[s.DecisionID] {
			continue
		}
		switch {
		case Refused(s) && !contains(s.Kind) || Refused(s) && g.failing[s.Step] && !g.failingBelow(s):
			x := g.step(s)
			n := g.add(Entitlement, "entitlement:of:"+s.Step.String(), "who refused "+x.Name)
			n.Role, n.onPath = "decision", x.onPath
			n.unknown("it was refused ("+cmp.Or(s.ErrorType, s.StatusMessage)+"), and the decision is not on record", "the log of decisions (its archive: docs/audit.md), or the system that refused it", true)
			g.link(x.ID, n.ID, "was refused by")
			g.below(x)
		case s.DecisionID != "":
			n := g.add(Entitlement, "entitlement:lost", "decisions that are not on record")
			n.Role = "decision"
			n.evidence("decision", s.DecisionID, "not found")
			n.unknown("the door decided, and the decision is not on record", "the log of decisions and its archive: docs/audit.md", true)
			g.link(cmp.Or(g.answers, "outcome"), n.ID, "was decided by")
		case acts:
			calls++
		}
	}
	if calls > 0 {
		n := g.add(Entitlement, "entitlement:none", plural(calls, "call")+" that nobody decided")
		n.Role = "decision"
		n.unknown("whether the agent was allowed "+plural(calls, "of its call")+" is not on record: they did not pass the door", "the agent's calls through the door, or a decision point: docs/door.md", g.c.Action)
		g.link(cmp.Or(g.answers, "outcome"), n.ID, "was not decided by")
	}
}

func (g *builder) note(kind, words string) {
	g.notes = append(g.notes, client.WhyNote{Kind: kind, Text: words})
}
