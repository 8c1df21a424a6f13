package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// Proposal is the smallest policy that permits what an agent did.
type Proposal struct {
	Document
	Decisions int64 // the period had
	Used      []Used
	Unread    int64 // decisions whose context was not kept: what they used may be missing
	Cut       bool  // the period was too long to be read in full
}

// Used is an action on a resource that an agent was allowed.
type Used struct {
	Action, Type, Resource string
	Upstream               string
	Effects, Classes       []string
	Tainted, Unbound       bool // some calls came after untrusted reading, or with a credential that can be copied
	Count                  int64
	Last                   time.Time
}

const (
	maxUsed        = 2000
	proposeTimeout = 25 * time.Second
	maxNamed       = 60 // resources of an upstream that a statement names one by one
)

// Propose reads what an agent was allowed in a period and writes the smallest
// policy for it: a permit for each action and resource, held to the effects and
// data classes that were seen, and a forbid of everything else, since another
// policy may permit more.
func (m *Simulator) Propose(ctx context.Context, agent, team string, from, to time.Time) (Proposal, error) {
	type key struct{ action, typ, id string }
	used := map[key]*Used{}
	var out Proposal
	timed, cancel := context.WithTimeout(ctx, proposeTimeout)
	defer cancel()
	err := m.read(timed, from, to, func(d *activity.Decision) error {
		if d.Agent != agent {
			return nil
		}
		if out.Decisions++; out.Decisions > maxTried {
			return errEnough
		}
		if d.Verdict != activity.VerdictAllow || !d.Enforced && d.Would == activity.VerdictDeny && refusedByGuardrail(d) {
			return nil
		}
		r, ok := ParseContext(d.Context)
		if !ok {
			out.Unread++
			return nil
		}
		k := key{r.Action, r.Resource.Type, r.Resource.ID}
		u := used[k]
		if u == nil {
			if len(used) >= maxUsed {
				return errEnough
			}
			u = &Used{Action: k.action, Type: k.typ, Resource: k.id, Upstream: r.Resource.Upstream}
			used[k] = u
		}
		u.Count++
		u.Last = time.Unix(0, d.At).UTC()
		u.Effects = with(u.Effects, r.Resource.effect())
		for _, c := range r.Resource.Classes {
			u.Classes = with(u.Classes, c)
		}
		u.Tainted = u.Tainted || r.Call.Taint.Untrusted
		u.Unbound = u.Unbound || !r.Call.Bound
		return nil
	})
	switch {
	case err == nil:
	case errors.Is(err, errEnough) || timed.Err() != nil && ctx.Err() == nil:
		out.Cut = true
	default:
		return out, err
	}
	if len(used) == 0 {
		return out, fault.New(fault.KindConflict, "policy.nothing_used", "agent %s was allowed nothing in that period", agent).
			WithHint("let it work in observe for some days first")
	}
	for _, u := range used {
		slices.Sort(u.Effects)
		slices.Sort(u.Classes)
		out.Used = append(out.Used, *u)
	}
	slices.SortFunc(out.Used, func(a, b Used) int {
		return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource))
	})
	out.Document = Document{Name: "least-" + strings.ToLower(agent), Team: team, Observe: true}
	out.Cedar = writeLeast(agent, from, to, &out)
	return out, nil
}

// refusedByGuardrail: what a plain forbid would have denied is no need of the
// agent's, though it was only observed.
func refusedByGuardrail(d *activity.Decision) bool {
	return slices.ContainsFunc(d.Reasons, func(r activity.Reason) bool { return r.Code == "policy.forbid" })
}

func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// cedarText is s as a string in Cedar.
func cedarText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f || r == '\uFFFD' || r > 0x7f && !strconv.IsPrint(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// inComment is s without what would end a comment.
func inComment(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// writeLeast writes the policy. Where an upstream's resources are too many to be
// named one by one, the upstream is named.
func writeLeast(agent string, from, to time.Time, p *Proposal) string {
	var b strings.Builder
	fmt.Fprintf(&b, "// What agent %s did from %s to %s, and no more: proposed from %d\n// decisions. Read it, take out what it should not have done, and simulate it.\n",
		inComment(agent), from.UTC().Format(time.DateOnly), to.UTC().Format(time.DateOnly), p.Decisions)
	principal := "principal == Agent::" + cedarText(agent)
	named := map[string]int{}
	for i := range p.Used {
		named[p.Used[i].Action+" "+p.Used[i].Upstream]++
	}
	whole := func(u *Used) bool { return u.Upstream != "" && named[u.Action+" "+u.Upstream] > maxNamed }
	done := map[string]bool{}
	resources := map[string][]string{} // by action
	ids := map[string]bool{}
	for i := range p.Used {
		u := p.Used[i]
		scope := "resource == " + u.Type + "::" + cedarText(u.Resource)
		of := u.Type + "::" + cedarText(u.Resource)
		if whole(&u) {
			of = "Upstream::" + cedarText(u.Upstream)
			scope = "resource in " + of
			if done[u.Action+of] {
				continue
			}
			done[u.Action+of] = true
			u = joined(p.Used, u)
		}
		resources[u.Action] = append(resources[u.Action], of)
		id := statementID(u.Action+" "+cmp.Or(u.Resource, u.Upstream), ids)
		fmt.Fprintf(&b, "\n// %d calls, the last on %s\n@id(%s)\npermit (%s, action == Action::%s, %s)%s;\n",
			u.Count, u.Last.Format(time.DateOnly), cedarText(id), principal, cedarText(u.Action), scope, conditions(&u))
	}
	closeLeast(&b, principal, resources)
	return b.String()
}

// joined is all of an upstream's use of one action.
func joined(all []Used, of Used) Used {
	out := Used{Action: of.Action, Upstream: of.Upstream, Type: of.Type}
	for i := range all {
		if u := &all[i]; u.Action == of.Action && u.Upstream == of.Upstream {
			out.Count += u.Count
			out.Tainted, out.Unbound = out.Tainted || u.Tainted, out.Unbound || u.Unbound
			for _, e := range u.Effects {
				out.Effects = with(out.Effects, e)
			}
			for _, c := range u.Classes {
				out.Classes = with(out.Classes, c)
			}
			if u.Last.After(out.Last) {
				out.Last = u.Last
			}
		}
	}
	slices.Sort(out.Effects)
	slices.Sort(out.Classes)
	return out
}

// statementID makes an id of words that is not taken.
func statementID(from string, taken map[string]bool) string {
	id := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, from), "-")
	for strings.Contains(id, "--") {
		id = strings.ReplaceAll(id, "--", "-")
	}
	id = id[:min(len(id), 80)]
	for n, base := 2, id; taken[id]; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	taken[id] = true
	return id
}

func conditions(u *Used) string {
	var all []string
	if u.Type == "Tool" || u.Type == "Api" {
		refs := make([]string, len(u.Effects))
		for i, e := range u.Effects {
			refs[i] = "Effect::" + cedarText(e)
		}
		if len(refs) == 1 {
			all = append(all, "resource.effect == "+refs[0])
		} else {
			all = append(all, "["+strings.Join(refs, ", ")+"].contains(resource.effect)")
		}
	}
	if len(u.Classes) == 0 {
		all = append(all, "resource.classes.isEmpty()")
	} else {
		refs := make([]string, len(u.Classes))
		for i, c := range u.Classes {
			refs[i] = "DataClass::" + cedarText(c)
		}
		all = append(all, "["+strings.Join(refs, ", ")+"].containsAll(resource.classes)")
	}
	if !u.Tainted {
		all = append(all, "!context.taint.untrusted")
	}
	if !u.Unbound {
		all = append(all, "context.bound")
	}
	return "\nwhen { " + strings.Join(all, " && ") + " }"
}

// closeLeast forbids what was not used: other policies may permit it.
func closeLeast(b *strings.Builder, principal string, resources map[string][]string) {
	b.WriteString("\n// Nothing else, whatever other policies permit.\n")
	for _, action := range slices.Sorted(maps.Keys(resources)) {
		var entities, above []string
		for _, r := range resources[action] {
			if strings.HasPrefix(r, "Upstream::") {
				above = append(above, "resource in "+r)
			} else {
				entities = append(entities, r)
			}
		}
		if len(entities) > 0 {
			above = append([]string{"[" + strings.Join(entities, ", ") + "].contains(resource)"}, above...)
		}
		fmt.Fprintf(b, "@id(%s)\n@reason(\"not among what the agent was seen to need\")\nforbid (%s, action == Action::%s, resource)\nunless { %s };\n",
			cedarText("no-other-"+strings.ReplaceAll(action, "_", "-")), principal, cedarText(action), strings.Join(above, " || "))
	}
	var unused []string
	for _, name := range []string{"call_tool", "call_model", "call_api", "send_task", "read_source"} {
		if _, ok := resources[name]; !ok {
			unused = append(unused, "Action::"+cedarText(name))
		}
	}
	if len(unused) > 0 {
		fmt.Fprintf(b, "@id(\"no-other-action\")\n@reason(\"not among what the agent was seen to need\")\nforbid (%s, action in [%s], resource);\n", principal, strings.Join(unused, ", "))
	}
}
