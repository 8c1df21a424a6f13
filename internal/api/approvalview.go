package api

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/identity"
	"reeve/internal/visible"
)

// Bounds of what is shown. A list shows the beginning of long arguments and says
// how long they are; then they are opened before anybody agrees.
const (
	listedBytes  = 4 << 10
	shownBytes   = 256 << 10
	listedFields = 40
	shownFields  = 1000
)

// shown is text of others as people may see it.
func shown(text string, limit int) client.ShownText {
	s := visible.Of(text, limit)
	out := client.ShownText{Text: s.Text(), Pieces: make([]client.Piece, len(s.Pieces)), Bytes: s.Bytes, Cut: s.Cut, Marked: s.Marked}
	for i, p := range s.Pieces {
		out.Pieces[i] = client.Piece(p)
	}
	return out
}

func shownOrNil(text string, limit int) *client.ShownText {
	if text == "" {
		return nil
	}
	s := shown(text, limit)
	return &s
}

// viewApproval is an approval as the asker may see it; whole is for its own page.
func (a *API) viewApproval(ctx context.Context, book *approval.Book, ap *approval.Approval, teams []string, whole bool) client.Approval {
	k, who := &ap.Ask, whoOf(ctx)
	out := client.Approval{
		ID: ap.ID, State: string(ap.State), CreatedAt: ap.CreatedAt, ExpiresAt: ap.ExpiresAt, DecidedAt: optionalTime(ap.DecidedAt), EndedAt: optionalTime(ap.EndedAt),
		Agent: k.Agent, Version: k.Version, Owner: k.Owner, Team: k.Team, Environment: k.Environment, User: k.User, Chain: nonNil(k.Chain),
		RunID: k.Run, Session: visible.Line(k.Session, 200), DecisionID: k.Decision, UsedBy: ap.UsedBy,
		Action: k.Action, Name: visible.Line(k.Name, 300), Resource: visible.Line(k.Resource, 300), Upstream: k.Upstream, Tool: visible.Line(k.Tool, 200),
		Model: visible.Line(k.Model, 200), Effect: k.Effect, Pin: k.Pin, Classes: nonNil(k.Classes), Destinations: nonNil(k.Destinations), External: k.External,
		Forwarded: k.Forwarded, Reasons: []client.Reason{}, Statements: []client.PolicyRef{}, Groups: []client.VoteGroup{}, Votes: []client.Vote{},
		Asked: ap.Asked, Code: ap.Code, Reason: ap.Reason, Similar: []client.PastAnswer{},
	}
	if a.o.ApprovalPage != nil {
		out.Page = a.o.ApprovalPage(ap.ID)
	}
	for _, r := range k.Reasons {
		out.Reasons = append(out.Reasons, client.Reason{Code: r.Code, Text: visible.Line(r.Text, 500)})
	}
	for _, s := range k.Asked {
		out.Statements = append(out.Statements, client.PolicyRef{Policy: s.Policy, Statement: s.Statement, Hash: s.Hash})
	}
	for _, g := range ap.Progress() {
		out.Groups = append(out.Groups, client.VoteGroup{Name: g.Name, Count: g.Count, Have: g.Have})
	}
	for _, v := range ap.Votes {
		out.Votes = append(out.Votes, client.Vote{
			Person: v.Person, Name: v.Name, Verdict: v.Verdict, Groups: nonNil(v.Groups), Reason: v.Reason, At: v.At, Opened: !v.OpenedAt.IsZero(), Counts: v.Bound == ap.Bound,
		})
	}
	if t := book.Taken(k.Run); t != nil {
		out.Takeover = &client.Takeover{Approval: t.Approval, Person: t.Name, At: t.At, Until: t.Until}
	}
	limit, fields := listedBytes, listedFields
	if whole {
		limit, fields = shownBytes, shownFields
	}
	r, err := book.Open(ap)
	reads := who.Can(identity.Reader, k.Team, k.Environment)
	if groups, any := a.groupsOf(ctx, ap, teams); any || len(groups) > 0 {
		reads = true // who is asked to agree sees what to
	}
	var first firstLooks
	if err == nil && reads {
		out.Arguments = a.arguments(book, ap, &r, limit, fields)
		out.AgentWords = shownOrNil(k.Words, limit)
		first = looksOf(k, &r)
		out.Amount, out.Currency, out.Destination = shownOrNil(first.amount, 100), shownOrNil(first.currency, 40), shownOrNil(first.destination, 300)
		out.Recipient = shownOrNil(first.recipient, 300)
	} else if reads {
		out.Arguments = &client.Arguments{Hash: ap.Bound, Edited: ap.Edited, Fields: []client.ArgumentField{}}
	}
	out.Words = wordsOf(ap, first)
	out.Can = a.can(ctx, book, ap, teams)
	return out
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// arguments are an action's arguments, field by field where they have fields.
func (a *API) arguments(book *approval.Book, ap *approval.Approval, r *approval.Request, limit, most int) *client.Arguments {
	text := r.Arguments()
	out := &client.Arguments{Hash: ap.Bound, Bytes: len(text), Edited: ap.Edited, Fields: []client.ArgumentField{}, Whole: shownOrNil(string(text), limit)}
	if out.Whole == nil {
		out.Whole = &client.ShownText{Pieces: []client.Piece{}}
	}
	was := map[string]string{}
	if ap.Edited {
		if o, err := book.Original(ap); err == nil {
			for _, f := range fieldsOf(&o) {
				was[f.path] = f.value
			}
		}
	}
	for _, f := range fieldsOf(r) {
		if len(out.Fields) == most {
			out.More++
			continue
		}
		one := client.ArgumentField{Path: visible.Line(f.path, 300), Kind: f.kind, Value: shown(f.value, limit)}
		if before, ok := was[f.path]; ok && before != f.value {
			one.Was = shownOrNil(before, limit)
		} else {
			one.Origin = originsAt(ap.Ask.Origins, f.path) // what a person wrote came from them
		}
		out.Fields = append(out.Fields, one)
	}
	for _, o := range ap.Ask.Origins {
		out.Origins = append(out.Origins, client.Origin(o))
	}
	return out
}

// originsAt says where what a field names came from, each source once.
func originsAt(all []activity.Origin, path string) (out []string) {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if _, err := strconv.ParseUint(p, 10, 32); err == nil && i > 0 {
			parts[i] = "*" // as origins have an element of an array
		}
	}
	general := strings.Join(parts, "/")
	for _, o := range all {
		source := o.Source
		if o.Tool != "" {
			source = "tool:" + o.Tool
		}
		if (o.Path == path || o.Path == general) && !slices.Contains(out, source) {
			out = append(out, source)
		}
	}
	return out
}

// field is one value of arguments.
type field struct{ path, kind, value string }

// fieldsOf lists the values of a request: its query, then its body.
func fieldsOf(r *approval.Request) []field {
	var out []field
	if q, err := url.ParseQuery(r.Query); err == nil {
		out = append(out, formFields("query:", q)...)
	}
	text := r.Arguments()
	values, err := approval.Values(text)
	switch {
	case err == nil:
		for _, v := range values {
			if v.Kind == "object" || v.Kind == "array" {
				continue
			}
			raw := string(text[v.From:v.To])
			if v.Kind == "text" {
				_ = json.Unmarshal(text[v.From:v.To], &raw) // Values read it before
			}
			out = append(out, field{v.Path, v.Kind, raw})
		}
	case strings.HasPrefix(contentType(r), "application/x-www-form-urlencoded"):
		if form, err := url.ParseQuery(string(text)); err == nil {
			out = append(out, formFields("/", form)...)
		}
	}
	return out
}

func contentType(r *approval.Request) string {
	if v := r.Header["Content-Type"]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func formFields(prefix string, form url.Values) []field {
	var names []string
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []field
	for _, name := range names {
		for _, v := range form[name] {
			out = append(out, field{prefix + name, "text", v})
		}
	}
	return out
}

// firstLooks are what a person looks at first.
type firstLooks struct{ amount, currency, destination, recipient string }

// looksOf reads them where the pinned definition says that they stand.
func looksOf(k *approval.Ask, r *approval.Request) (out firstLooks) {
	for _, f := range fieldsOf(r) {
		for _, look := range []struct {
			paths []string
			into  *string
		}{{k.Shown.Amount, &out.amount}, {k.Shown.Currency, &out.currency}, {k.Shown.Destination, &out.destination}, {k.Shown.Recipient, &out.recipient}} {
			if !stands(look.paths, f.path) {
				continue
			}
			if *look.into != "" {
				*look.into += ", "
			}
			*look.into += f.value
		}
	}
	return out
}

// stands reports whether a value stands at one of the paths, or in a list there:
// "/to" and "/to/*" are also /to/0.
func stands(paths []string, at string) bool {
	list, _ := strings.CutSuffix(at, at[strings.LastIndexByte(at, '/')+1:])
	list = strings.TrimSuffix(list, "/")
	return slices.ContainsFunc(paths, func(p string) bool { p = strings.TrimSuffix(p, "/*"); return p == at || p == list && list != "" })
}

// effects say what an action does, to people.
var effects = map[string]string{
	"think": "It changes nothing.", "read": "It reads and changes nothing.", "write": "It changes data.", "destructive": "It destroys, or cannot be undone.",
}

// wordsOf says what will happen, in one sentence and its effect.
func wordsOf(ap *approval.Approval, first firstLooks) string {
	k := &ap.Ask
	var b strings.Builder
	b.WriteString(k.Agent)
	switch k.Action {
	case "call_model":
		b.WriteString(" wants to ask the model " + visible.Line(k.Resource, 200))
	case "call_tool":
		b.WriteString(" wants to run the tool " + visible.Line(k.Resource, 200))
	case "send_task":
		b.WriteString(" wants to give a task to " + visible.Line(k.Resource, 200))
	case "read_source":
		b.WriteString(" wants to read " + visible.Line(k.Resource, 200))
	default:
		b.WriteString(" wants to call " + visible.Line(k.Name, 200) + " of " + k.Upstream)
	}
	if first.amount != "" {
		b.WriteString(" for " + visible.Line(first.amount, 100))
		if first.currency != "" {
			b.WriteString(" " + visible.Line(first.currency, 40))
		}
	}
	if first.destination != "" {
		b.WriteString(" to " + visible.Line(first.destination, 200))
	}
	if first.recipient != "" {
		b.WriteString(", received by " + visible.Line(first.recipient, 200))
	}
	if k.User != "" {
		b.WriteString(" for the user " + visible.Line(k.User, 100))
	}
	if len(k.Chain) > 0 {
		b.WriteString(", on behalf of " + strings.Join(k.Chain, ", "))
	}
	b.WriteString(".")
	if words := effects[k.Effect]; words != "" {
		b.WriteString(" " + words)
	}
	if k.External && k.Forwarded {
		b.WriteString(" Data leaves the house, to " + strings.Join(k.Destinations, ", ") + ".")
	}
	if !k.Forwarded {
		b.WriteString(" The agent does it itself, in its own process.")
	}
	return b.String()
}

// can is what the asker may do with an approval.
func (a *API) can(ctx context.Context, book *approval.Book, ap *approval.Approval, teams []string) client.ApprovalCan {
	who := whoOf(ctx)
	p := a.approverOf(ctx, ap, teams, "")
	var out client.ApprovalCan
	if who.Kind == identity.KindToken {
		out.Why = "a token answers nothing: sign in as a person"
		return out
	}
	if t := book.Taken(ap.Ask.Run); t != nil && t.Approval == ap.ID {
		out.GiveBack = t.Person == p.ID || ap.May(&p) == nil
	}
	if ap.State != approval.Pending {
		return out
	}
	out.Deny = p.Any || len(p.Groups) > 0
	if err := ap.May(&p); err != nil {
		f := faultOf(err)
		out.Why = f.Message
		return out
	}
	out.Approve, out.TakeOver = true, true
	out.Edit = ap.Ask.Editable && a.o.Rehearser != nil
	if unopened, err := a.unopened(ctx, book, ap); err == nil {
		out.Unopened = unopened
	}
	return out
}
