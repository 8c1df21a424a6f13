package run

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// Table maps a stored fragment again; intake's table does. It is used by one
// goroutine at a time.
type Table interface {
	// Version is of the table in force.
	Version() int32
	// Map changes f by today's table and leaves in its Contents those that are
	// new. said are the contents that were taken from it before: their fields and
	// places change, and one whose Order is below zero has become another. load
	// gives the bytes of one, or nil. What it puts into f is valid until its next
	// call.
	Map(f *activity.Fragment, said []activity.ContentRef, load func(int) []byte)
	// Join makes of a content's messages what it was.
	Join(format string, messages [][]byte) []byte
}

// remapAtOnce bounds the steps that are changed while nothing else is folded.
const remapAtOnce = 200

// Remap maps steps of a stored run again, as if they had come under today's
// table: a step that differs gets another revision, and row, rollups and index
// follow with the same write. A step keeps its cost unless what it is priced by
// differs. It returns how many differ; the store has them after Flush.
func (r *Reader) Remap(ctx context.Context, id activity.RunID, table Table, q telemetry.Remap) (int, error) {
	m := &remapper{r: r, ctx: ctx, table: table, run: id}
	n := 0
	after := telemetry.StepPlace{Start: q.From.UnixNano() - 1, Step: last}
	for {
		page, err := r.o.Store.StepsPage(ctx, id, telemetry.StepsQuery{After: after, Limit: remapPage})
		if err != nil {
			return n, err
		}
		differ, err := m.page(page.Steps, q)
		if err != nil {
			return n, err
		}
		n += len(differ)
		if !q.Dry {
			for part := range slices.Chunk(differ, remapAtOnce) {
				if err := r.remap(ctx, m, part, q.All); err != nil {
					return n, err
				}
			}
		}
		if !page.More || len(page.Steps) == 0 {
			return n, nil
		}
		end := &page.Steps[len(page.Steps)-1]
		if end.Start >= q.To.UnixNano() {
			return n, nil
		}
		after = telemetry.StepPlace{Start: end.Start, Step: end.Step}
		clear(m.messages)
	}
}

// remapPage bounds the steps of a run in memory.
const remapPage = 2000

// last is behind every id.
var last = activity.StepID(bytes.Repeat([]byte{0xff}, len(activity.StepID{})))

// page maps copies of steps and names those that differ.
func (m *remapper) page(steps []activity.Step, q telemetry.Remap) (differ []activity.StepID, err error) {
	for k := range steps {
		s := &steps[k]
		if s.Start < q.From.UnixNano() || s.Start >= q.To.UnixNano() {
			continue
		}
		ls, err := layers(s)
		if err != nil {
			return nil, err
		}
		if !m.due(ls, q.All) {
			continue
		}
		told := telemetry.Remapped{Run: m.run, Step: s.Step, Name: strings.Clone(s.Name), Start: s.Start, Dialect: s.Dialect, Version: s.MapVersion}
		if told.Changes, err = m.changes(s, ls); err != nil {
			return nil, err
		}
		if len(told.Changes) > 0 {
			differ = append(differ, s.Step)
		}
		if q.Visit != nil {
			q.Visit(&told)
		}
	}
	return differ, nil
}

// layers are those of a stored step.
func layers(s *activity.Step) (activity.Layers, error) {
	if len(s.Layers) == 0 {
		s.WholeFragment, s.OnlyContent = true, false
		return activity.Layers{{Fragment: s.Fragment, Refs: s.Refs}}, nil
	}
	return activity.DecodeLayers(s.Layers, s)
}

// remapper maps the steps of one run.
type remapper struct {
	r        *Reader
	ctx      context.Context
	table    Table
	run      activity.RunID
	messages map[int32][]byte // as far as they were asked for
	failed   error
}

// due reports layers that another version of the table made.
func (m *remapper) due(ls activity.Layers, all bool) bool {
	return slices.ContainsFunc(ls, func(l activity.Layer) bool {
		return l.MapVersion > 0 && (all || l.MapVersion < m.table.Version())
	})
}

// again maps one layer. Its Contents are those that are new, and Refs what stays.
func (m *remapper) again(l *activity.Layer) error {
	l.Refs, l.Contents = slices.Clone(l.Refs), nil
	said := l.Refs
	m.table.Map(&l.Fragment, said, func(i int) []byte { return m.load(&said[i]) })
	l.Refs = slices.DeleteFunc(l.Refs, func(r activity.ContentRef) bool { return r.Order < 0 })
	err := m.failed
	m.failed = nil
	return err
}

// load reads a stored content; nil where retention or erasure took it.
func (m *remapper) load(ref *activity.ContentRef) []byte {
	all := ordinalsOf(ref.Messages)
	var missing []int32
	for _, n := range all {
		if _, ok := m.messages[n]; !ok {
			missing = append(missing, n)
		}
	}
	if len(missing) > 0 {
		rows, err := m.r.o.Store.Messages(m.ctx, m.run, missing)
		if err != nil {
			m.failed = err
			return nil
		}
		if m.messages == nil {
			m.messages = map[int32][]byte{}
		}
		for _, n := range missing {
			m.messages[n] = nil
		}
		for k := range rows {
			m.messages[rows[k].Ordinal] = rows[k].Raw
		}
	}
	parts := make([][]byte, len(all))
	for k, n := range all {
		if parts[k] = m.messages[n]; parts[k] == nil {
			return nil
		}
	}
	return m.table.Join(ref.Format, parts)
}

// ordinalsOf reads "0-31,33".
func ordinalsOf(list string) (out []int32) {
	for part := range strings.SplitSeq(list, ",") {
		from, to, ranged := strings.Cut(part, "-")
		lo, err := strconv.ParseInt(from, 10, 32)
		if err != nil {
			continue
		}
		hi := lo
		if ranged {
			if hi, err = strconv.ParseInt(to, 10, 32); err != nil {
				continue
			}
		}
		for n := lo; n <= hi && len(out) < maxElements; n++ {
			out = append(out, int32(n))
		}
	}
	return out
}

// changes maps a copy of a step and tells what differs in its view.
func (m *remapper) changes(s *activity.Step, ls activity.Layers) ([]telemetry.FieldChange, error) {
	next := slices.Clone(ls)
	var fresh []activity.Content
	gone := false
	for i := range next {
		l := &next[i]
		if l.MapVersion <= 0 {
			continue
		}
		if err := m.again(l); err != nil {
			return nil, err
		}
		// Its memory is used again for the next.
		keepText(&l.Fragment)
		fresh = append(fresh, l.Contents...)
		gone = gone || len(l.Refs) < len(ls[i].Refs)
		l.Contents = nil
	}
	after := activity.Step{}
	next.Resolve(&after)
	out := differences(s, &after)
	if len(fresh) > 0 || gone || !slices.EqualFunc(s.Refs, after.Refs, func(a, b activity.ContentRef) bool { return compareRefs(a, b) == 0 }) {
		out = append(out, telemetry.FieldChange{Field: "content", Before: contents(s.Refs, nil), After: contents(after.Refs, fresh)})
	}
	return out, nil
}

func compareRefs(a, b activity.ContentRef) int {
	return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Order, b.Order), strings.Compare(a.From, b.From),
		strings.Compare(a.Format, b.Format), strings.Compare(a.Messages, b.Messages))
}

// contents names contents, without a word of them.
func contents(refs []activity.ContentRef, fresh []activity.Content) string {
	var out []string
	for i := range refs {
		out = append(out, fmt.Sprintf("%s from %s", refs[i].Field, cmp.Or(refs[i].From, "its sender")))
	}
	for i := range fresh {
		out = append(out, fmt.Sprintf("%s from %s", fresh[i].Field, fresh[i].From))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// keepText gives f memory of its own.
func keepText(f *activity.Fragment) {
	c := keep(&activity.Step{Fragment: *f}).step.Fragment
	c.Contents = f.Contents
	*f = c
}

// differences are the fields in which two views differ, but for content.
func differences(a, b *activity.Step) (out []telemetry.FieldChange) {
	text := func(field, x, y string) {
		if x != y {
			out = append(out, telemetry.FieldChange{Field: field, Before: strings.Clone(short(x)), After: strings.Clone(short(y))})
		}
	}
	// What tells of people is not copied to where their erasure does not look.
	hidden := func(field, x, y string) {
		say := func(s string) string {
			if s == "" {
				return ""
			}
			return fmt.Sprintf("%d characters", len(s))
		}
		if x != y {
			text(field, say(x), say(y))
			if say(x) == say(y) {
				text(field, say(x), "others")
			}
		}
	}
	number := func(field string, x, y int64) {
		say := func(n int64) string {
			if n < 0 {
				return ""
			}
			return strconv.FormatInt(n, 10)
		}
		if x != y {
			text(field, say(x), say(y))
		}
	}
	text("kind", a.Kind.String(), b.Kind.String())
	text("name", a.Name, b.Name)
	text("status", a.Status.String(), b.Status.String())
	hidden("status_message", a.StatusMessage, b.StatusMessage)
	text("error_type", a.ErrorType, b.ErrorType)
	text("agent", a.Agent, b.Agent)
	text("agent_named", strconv.FormatBool(a.AgentExplicit), strconv.FormatBool(b.AgentExplicit))
	text("agent_id", a.AgentID, b.AgentID)
	text("version", a.AgentVersion, b.AgentVersion)
	text("service", a.Service, b.Service)
	text("environment", a.Environment, b.Environment)
	text("task", a.Task, b.Task)
	text("run_name", a.RunName, b.RunName)
	hidden("session", a.Session, b.Session)
	hidden("user", a.User, b.User)
	text("mode", a.Mode, b.Mode)
	text("outcome", a.Outcome, b.Outcome)
	text("waiting", strconv.FormatBool(a.Waiting), strconv.FormatBool(b.Waiting))
	text("provider", a.Provider, b.Provider)
	text("requested_model", a.ModelRequested, b.ModelRequested)
	text("model", a.Model, b.Model)
	text("response_id", a.ResponseID, b.ResponseID)
	text("finish_reason", a.FinishReason, b.FinishReason)
	text("tool", a.ToolName, b.ToolName)
	text("tool_call_id", a.ToolCallID, b.ToolCallID)
	text("decision", a.DecisionID, b.DecisionID)
	text("dialect", a.Dialect, b.Dialect)
	number("first_token_ns", a.TTFT, b.TTFT)
	number("input_tokens", a.Usage.InputTotal, b.Usage.InputTotal)
	number("cache_read_tokens", a.Usage.CacheRead, b.Usage.CacheRead)
	number("cache_write_tokens", a.Usage.CacheWrite, b.Usage.CacheWrite)
	number("output_tokens", a.Usage.OutputTotal, b.Usage.OutputTotal)
	number("reasoning_tokens", a.Usage.Reasoning, b.Usage.Reasoning)
	if x, y := a.ReportedCost, b.ReportedCost; x.Basis != y.Basis || x.Nanos != y.Nanos || x.Currency != y.Currency {
		say := func(c activity.Cost) string {
			if c.Basis == activity.CostUnknown {
				return ""
			}
			return strconv.FormatFloat(float64(c.Nanos)/1e9, 'f', -1, 64) + " " + c.Currency
		}
		text("reported_cost", say(x), say(y))
	}
	hidden("tags", strings.Join(a.Tags, ", "), strings.Join(b.Tags, ", "))
	hidden("labels", labels(a.Labels), labels(b.Labels))
	text("flags", strings.Join(flagsOf(a), ", "), strings.Join(flagsOf(b), ", "))
	for _, x := range [...]struct {
		field string
		a, b  []byte
	}{{"attributes", a.Attributes, b.Attributes}, {"resource", a.Resource, b.Resource}, {"events", a.Events, b.Events}, {"scope", a.ScopeAttribute, b.ScopeAttribute}} {
		if string(x.a) != string(x.b) {
			// Some of them may be content now, or a credential: the size tells enough.
			out = append(out, telemetry.FieldChange{Field: x.field, Before: fmt.Sprintf("%d bytes", len(x.a)), After: fmt.Sprintf("%d bytes", len(x.b))})
		}
	}
	return out
}

// flagsOf are the flags that a table decides: a circle is found in the run.
func flagsOf(s *activity.Step) []string {
	return (s.Flags &^ activity.FlagCycle).Names()
}

func labels(all []activity.Label) string {
	var out []string
	for _, x := range all {
		out = append(out, x.Key+"="+x.Value)
	}
	return strings.Join(out, ", ")
}

// short bounds what a plan tells of a value.
func short(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// remap changes steps of a run in memory and in the current write.
func (r *Reader) remap(ctx context.Context, m *remapper, steps []activity.StepID, all bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.cur.full(&r.o) {
		r.poke()
		r.changed.Wait()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	was := r.runs[m.run] != nil
	r.rerating = true
	defer func() { r.rerating, r.reread = false, nil }()
	l, err := r.find(ctx, m.run)
	if err != nil || l == nil {
		return err // gone by retention
	}
	wanted := make(map[activity.StepID]struct{}, len(steps))
	for _, id := range steps {
		wanted[id] = struct{}{}
	}
	if err := holdSteps(ctx, r, l, wanted); err != nil {
		return err
	}
	for _, id := range steps {
		if i := l.find(id); i != none && l.steps[i].is(bitSeen) {
			if err := r.remapStep(ctx, l, i, m, all); err != nil {
				return err
			}
		}
	}
	l.rowAt = 0 // its row is due with this write
	r.mark(l)
	if !was {
		// It came back for this alone and may leave again.
		l.unlink()
		r.finished.push(l)
	}
	return nil
}

func (r *Reader) remapStep(ctx context.Context, l *live, i int32, m *remapper, all bool) error {
	s, err := r.open(ctx, l, i)
	if err != nil {
		return err
	}
	i = l.find(s.Step)
	ls, err := r.layersOf(l.steps[i].slot, s)
	if err != nil {
		return err
	}
	if len(ls) == 0 {
		ls = activity.Layers{{Fragment: s.Fragment, Refs: s.Refs}}
	}
	ls = slices.Clone(ls)
	b := activity.Batch{Team: s.Team}
	answered := s.ResponseID
	for k := range ls {
		x := &ls[k]
		if x.MapVersion <= 0 || !all && x.MapVersion >= m.table.Version() {
			continue
		}
		if err := m.again(x); err != nil {
			return err
		}
		if len(x.Contents) > 0 {
			if err := r.loadWords(ctx, l); err != nil {
				return err
			}
			x.Refs = append(x.Refs, r.refs(l, &b, &x.Fragment, s.Received)...)
			slices.SortFunc(x.Refs, compareRefs)
		}
		f := x.Fragment
		r.copy(&x.Fragment, &f)
		r.resource, r.scope = same{}, same{}
	}
	before := *s
	ls.Resolve(s)
	if len(ls) > 1 || !ls[0].WholeFragment {
		r.cur.layers[l.steps[i].slot] = ls
	}
	r.settle(l, i, s)
	if pricedBy(&before) == pricedBy(s) {
		s.Cost = before.Cost
		if at := l.steps[i].usage; at != none {
			l.usages[at].costs(l, r.names, s.Cost)
		}
	}
	if s.ResponseID != "" && s.ResponseID != answered {
		f := s.Fragment // folding the other may move it
		return r.pair(ctx, &f, b.Team, s.Received)
	}
	return nil
}

// priceOf is what a step's cost depends on.
type priceOf struct {
	kind                       activity.Kind
	provider, model, requested string
	usage                      activity.Usage
	reported                   activity.Cost
}

func pricedBy(s *activity.Step) priceOf {
	return priceOf{s.Kind, s.Provider, s.Model, s.ModelRequested, s.Usage, s.ReportedCost}
}

// Flush waits until the store has everything that memory had when it was called.
func (r *Reader) Flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		r.changed.Broadcast()
		r.mu.Unlock()
	})
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.cur.number
	if !r.cur.work() {
		n--
	}
	for r.stored < n {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.poke()
		r.changed.Wait()
	}
	return nil
}
