package api

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/stat"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// The limits by which marks are set and deviations named. They are wide on
// purpose: what stands on the first page should be worth a person's look.
const (
	warnFailing = 0.05 // the lower bound of the share of failing runs
	badFailing  = 0.20
	warnCost    = 1.5 // cost a run against the period before
	minRuns     = 20  // below, costs are not compared
	minCalls    = 20  // below, error shares are not compared
	minTimed    = 50  // below, p95 are not compared
	slower      = 1.5
	slowerMS    = 100
	z99         = 2.576
)

const (
	stateGood    = "good"
	stateWarn    = "warn"
	stateBad     = "bad"
	stateUnknown = "unknown"
)

// badness orders states: what is known to be bad first, what is not known
// before what is known to be good.
func badness(state string) int {
	return slices.Index([]string{stateBad, stateWarn, stateUnknown, stateGood}, state)
}

func (o *overviewAsk) fleet(s *overviewSums) []client.FleetTeam {
	before := s.costBefore()
	teams := map[string]*client.FleetTeam{}
	for k, g := range s.byAgent {
		agent := o.fleetAgent(k, g, before)
		t := teams[k.team]
		if t == nil {
			t = &client.FleetTeam{Team: k.team, State: stateGood}
			teams[k.team] = t
		}
		t.Agents = append(t.Agents, agent)
		if badness(agent.State) < badness(t.State) {
			t.State = agent.State
		}
	}
	out := make([]client.FleetTeam, 0, len(teams))
	for _, t := range teams {
		slices.SortFunc(t.Agents, worseFirst)
		out = append(out, *t)
	}
	slices.SortFunc(out, func(x, y client.FleetTeam) int {
		return cmp.Or(cmp.Compare(badness(x.State), badness(y.State)), cmp.Compare(y.Agents[0].Failed, x.Agents[0].Failed), strings.Compare(x.Team, y.Team))
	})
	capFleet(out, maxFleet)
	return out
}

// costBefore is what a run cost in the period before.
func (s *overviewSums) costBefore() map[agentKey]float64 {
	before, b := map[agentKey]float64{}, s.agentRows.before
	for _, row := range b.rows {
		if n, c := b.count(row, "count"), b.number(row, "cost"); n >= minRuns && c != nil {
			before[agentKey{b.text(row, "team"), b.text(row, "agent")}] = *c / float64(n)
		}
	}
	return before
}

// maxFleet bounds the agents of an overview: names come from senders, and one
// that invents them must not make the page unreadable.
const maxFleet = 300

func worseFirst(x, y client.FleetAgent) int {
	return cmp.Or(cmp.Compare(badness(x.State), badness(y.State)), cmp.Compare(y.Failed, x.Failed), cmp.Compare(y.Runs, x.Runs), strings.Compare(x.Agent, y.Agent))
}

// capFleet keeps the worst agents of all teams, and at least one of each team,
// and sums up the others. The agents of each team are in order already.
func capFleet(teams []client.FleetTeam, limit int) {
	var all []client.FleetAgent
	for _, t := range teams {
		all = append(all, t.Agents...)
	}
	if len(all) <= limit {
		return
	}
	slices.SortFunc(all, worseFirst)
	last := all[limit-1]
	for i := range teams {
		t := &teams[i]
		n := 1
		for n < len(t.Agents) && worseFirst(t.Agents[n], last) <= 0 {
			n++
		}
		if n == len(t.Agents) {
			continue
		}
		t.More = &client.FleetRest{}
		for _, a := range t.Agents[n:] {
			t.More.Agents++
			t.More.Runs += a.Runs
			t.More.Failed += a.Failed
		}
		t.Agents = slices.Clone(t.Agents[:n]) // not the whole array
	}
}

func (o *overviewAsk) fleetAgent(k agentKey, g *agentSums, before map[agentKey]float64) client.FleetAgent {
	about := search.Both(o.where, search.Is("agent", k.agent)).String()
	if k.agent == "" {
		about = search.Both(o.where, search.Unknown("agent")).String()
	}
	a := client.FleetAgent{
		Agent: k.agent, Team: k.team, Runs: g.runs, Running: g.running, Failed: g.failed, P95MS: g.p95, Cost: g.cost, Coverage: ratio(g.full, g.runs),
		Success:  share("ended_ok", "ended without failing", "1 - failed / ended; "+failedRule, about+" "+endedStates, max(0, g.ended-g.failed), g.ended),
		Resolved: share("resolved", "resolved", "resolved / runs with a known outcome; "+failedRule, about+" "+resolvedRuns, g.resolved, g.known),
	}
	a.Resolved.Unknown = g.ended - g.known
	if !g.last.IsZero() {
		a.LastRun = &g.last
	}
	a.Marks = o.five.of(k, g, before[k], func(more string) string { return strings.TrimSpace(about + " " + more) })
	a.State, a.Reason, a.Path = worstMark(a.Marks)
	return a
}

func behaviour(g *agentSums) client.Mark {
	m := client.Mark{Name: "behaviour"}
	if g.ended == 0 {
		m.State, m.Reason = stateUnknown, "no run has ended"
		return m
	}
	low, high := stat.Wilson(g.failed, g.ended)
	m.State = stateGood
	m.Reason = fmt.Sprintf("%d of %d runs failed", g.failed, g.ended)
	if g.failed > 0 {
		m.Reason += fmt.Sprintf(" (%s to %s %%)", percent(low), percent(high))
	}
	switch {
	case low > badFailing:
		m.State = stateBad
	case low > warnFailing:
		m.State = stateWarn
	}
	return m
}

func costMark(g *agentSums, before float64) client.Mark {
	m := client.Mark{Name: "cost"}
	switch {
	case g.cost == nil:
		m.State, m.Reason = stateUnknown, "no run has a known cost"
	case g.runs < minRuns || before == 0:
		m.State, m.Reason = stateUnknown, fmt.Sprintf("fewer than %d runs with a known cost to compare", minRuns)
	default:
		per := *g.cost / float64(g.runs)
		m.State = stateGood
		m.Reason = fmt.Sprintf("%s a run, %.1f times the period before", money(per), per/before)
		if per > before*warnCost {
			m.State = stateWarn
		}
	}
	return m
}

// outside names the models and tools that differ from the period before by
// more than chance explains.
func (o *overviewAsk) outside(s *overviewSums) []client.Deviation {
	out := append(o.deviations("model", s.models), o.deviations("tool", s.tools)...)
	slices.SortStableFunc(out, func(x, y client.Deviation) int {
		if x.Worse != y.Worse {
			if x.Worse {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(y.N, x.N), strings.Compare(x.Name, y.Name))
	})
	return out[:min(len(out), 20)]
}

type callSums struct {
	n, errors int64
	p95       *float64
}

func callsBy(a *answers, dimension string) map[string]callSums {
	out := map[string]callSums{}
	for _, row := range a.rows {
		if name := a.text(row, dimension); name != "" {
			out[name] = callSums{a.count(row, "count"), a.count(row, "errors"), a.number(row, "p95")}
		}
	}
	return out
}

func (o *overviewAsk) deviations(kind string, periods [2]*answers) []client.Deviation {
	now, before := callsBy(periods[0], kind), callsBy(periods[1], kind)
	out := []client.Deviation{}
	for name, n := range now {
		b, ok := before[name]
		if !ok {
			continue // new, not different
		}
		link := o.link("any(" + search.Both(search.Is(kind, name), search.Is("status", "error")).String() + ")")
		if n.n >= minCalls && b.n >= minCalls {
			low, high := newcombe(n.errors, n.n, b.errors, b.n, z99)
			if low > 0 || high < 0 {
				d := client.Deviation{
					Kind: kind, Name: name, Measure: "error_share", Value: ratio(n.errors, n.n), N: n.n, Previous: ratio(b.errors, b.n), PreviousN: b.n,
					Low: &low, High: &high, Worse: low > 0, Query: link,
				}
				d.Text = fmt.Sprintf("%s fails in %s %% of %s calls; %s %% of %s in the period before", name, percent(*d.Value), count(n.n), percent(*d.Previous), count(b.n))
				out = append(out, d)
			}
		}
		if n.p95 != nil && b.p95 != nil && n.n >= minTimed && b.n >= minTimed {
			fast, slow := min(*n.p95, *b.p95), max(*n.p95, *b.p95)
			if slow > fast*slower && slow-fast > slowerMS {
				d := client.Deviation{
					Kind: kind, Name: name, Measure: "p95_ms", Value: n.p95, N: n.n, Previous: b.p95, PreviousN: b.n, Worse: *n.p95 > *b.p95,
					Query: o.link("any(" + search.Is(kind, name).String() + " duration>" + strconv.Itoa(int(fast)) + "ms)"),
				}
				d.Text = fmt.Sprintf("%s takes %s at p95 over %s calls; %s in the period before (named from %.1f times and %d ms on)", name, duration(*n.p95), count(n.n), duration(*b.p95), slower, slowerMS)
				out = append(out, d)
			}
		}
	}
	return out
}

// newcombe is the interval of the difference of two shares, from the Wilson
// interval of each.
func newcombe(ka, na, kb, nb int64, z float64) (low, high float64) {
	pa, pb := float64(ka)/float64(na), float64(kb)/float64(nb)
	la, ua := stat.WilsonAt(ka, na, z)
	lb, ub := stat.WilsonAt(kb, nb, z)
	d := pa - pb
	return d - math.Hypot(pa-la, ub-pb), d + math.Hypot(ua-pa, pb-lb)
}

const (
	freshFor = 2 * time.Minute
	quietFor = 15 * time.Minute
)

// seen tells quiet from blind by the age of the last telemetry.
func (a *API) seen(ctx context.Context) (client.Seen, error) {
	var last *time.Time
	trouble := ""
	if a.o.Health != nil {
		h, err := a.o.Health.Health(ctx)
		if err != nil {
			return client.Seen{}, err
		}
		last = h.LastBatchAt
		for _, p := range h.Parts {
			if p.State == "down" && trouble == "" {
				trouble = p.Name + ": " + cmp.Or(p.Reason, "down")
			}
		}
	}
	if last == nil {
		// Intake has accepted nothing since it started: what is stored tells.
		page, err := a.o.Store.Runs(ctx, telemetry.RunsQuery{Sort: "updated", Limit: 1})
		if err != nil {
			return client.Seen{}, err
		}
		if len(page.Runs) > 0 {
			t := at(page.Runs[0].Updated)
			last = &t
		}
	}
	s := client.Seen{LastTelemetryAt: last}
	if last == nil {
		s.State, s.Text = "never", "No telemetry has arrived yet. Connect an agent to see what it does."
		return s, nil
	}
	age := max(0, a.o.Now().Sub(*last))
	ms := age.Milliseconds()
	s.AgeMS = &ms
	ago := duration(float64(ms))
	switch {
	case trouble != "":
		s.State, s.Text = "blind", "Reeve does not see all: "+trouble+"."
	case age <= freshFor:
		s.State, s.Text = "live", "Telemetry arrived "+ago+" ago."
	case age <= quietFor:
		s.State, s.Text = "quiet", "It is quiet: the last telemetry arrived "+ago+" ago, and Reeve is ready for more."
	default:
		s.State, s.Text = "blind", "Nothing has arrived for "+ago+": either no agent works, or what they say does not reach Reeve."
	}
	return s, nil
}

// sentence fills the template of the overview's first line.
func (o *overviewAsk) sentence(out *client.Overview) string {
	f := map[string]*client.Figure{}
	for i := range out.Figures {
		f[out.Figures[i].ID] = &out.Figures[i]
	}
	if f["runs"].N == 0 {
		return "No run started in this period. " + out.Seen.Text
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Since %s, %s %s: ", o.from.Format("2 January 15:04"), count(f["runs"].N), plural(f["runs"].N, "run"))
	if r := f["resolved"]; r.Value != nil {
		fmt.Fprintf(&b, "%s %% resolved (%s to %s%s)", percent(*r.Value), percent(*r.Low), percent(*r.High), against(r))
		if r.Unknown > 0 {
			fmt.Fprintf(&b, " of the %s whose outcome is known", count(r.N))
		}
		fmt.Fprintf(&b, ", %s handed to people", count(int64(*f["escalated"].Value)))
	} else {
		b.WriteString("none said how it ended for its user")
	}
	if ok := f["ended_ok"]; ok.Value != nil {
		fmt.Fprintf(&b, "; %s %% of %s ended without failing (%s to %s)", percent(*ok.Value), count(ok.N), percent(*ok.Low), percent(*ok.High))
	}
	if c := f["cost"]; c.Value != nil {
		fmt.Fprintf(&b, "; %s", money(*c.Value))
		if per := f["cost_per_run"]; per.Value != nil {
			fmt.Fprintf(&b, ", %s a run", money(*per.Value))
		}
		if c.Unknown > 0 {
			fmt.Fprintf(&b, " (cost of %s unknown)", count(c.Unknown))
		}
	} else {
		b.WriteString("; cost unknown")
	}
	if a := f["agents_seen"]; a.Value != nil {
		fmt.Fprintf(&b, "; %s %% of %s %s seen in full", percent(*a.Value), count(a.N), plural(a.N, "agent"))
	}
	b.WriteString(". ")
	if len(out.NeedsPerson.Sources) == 0 {
		b.WriteString("Nothing reports yet whether a person is needed.")
	} else {
		switch n := len(out.NeedsPerson.Items); n {
		case 0:
			b.WriteString("Nothing needs a person.")
		case 1:
			b.WriteString("One thing needs a person.")
		default:
			fmt.Fprintf(&b, "%s things need a person.", count(int64(n)))
		}
	}
	if out.Seen.State != "live" {
		b.WriteString(" " + out.Seen.Text)
	}
	return b.String()
}

func against(f *client.Figure) string {
	if f.Previous == nil {
		return ""
	}
	d := (*f.Value - *f.Previous) * 100
	word := "over"
	if d < 0 {
		word, d = "under", -d
	}
	if d < 0.05 {
		return "; as in the period before"
	}
	return fmt.Sprintf("; %.1f points %s the period before", d, word)
}

func plural(n int64, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

func percent(v float64) string { return strconv.FormatFloat(v*100, 'f', 1, 64) }

func money(v float64) string {
	if v != 0 && math.Abs(v) < 0.01 {
		return strconv.FormatFloat(v, 'g', 2, 64) + " USD"
	}
	whole, cents, _ := strings.Cut(strconv.FormatFloat(v, 'f', 2, 64), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return strconv.FormatFloat(v, 'g', 4, 64) + " USD"
	}
	return count(n) + "." + cents + " USD"
}

// count writes 12418 as 12,418.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func duration(ms float64) string {
	d := time.Duration(ms * 1e6)
	switch {
	case d < time.Second:
		return strconv.Itoa(int(d.Milliseconds())) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " days"
}
