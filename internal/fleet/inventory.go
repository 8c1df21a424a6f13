package fleet

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// The kinds of what an agent uses.
const (
	KindPrompt  = "prompt"
	KindModel   = "model"
	KindTool    = "tool"
	KindServer  = "server"  // of tools, or an upstream of the door
	KindSource  = "source"  // what a retrieval asks
	KindDataset = "dataset" // a collection or data source by its own name
	KindPolicy  = "policy"
	KindJob     = "job" // that made what it reads, or that runs it
	KindPeer    = "peer"
	KindCode    = "code"
)

// ActsFor is the detail of a peer that gave the agent its work: the peer depends
// on the agent, and not the other way round.
const ActsFor = "acts for it"

var itemKinds = []string{KindPrompt, KindModel, KindTool, KindServer, KindSource, KindDataset, KindPolicy, KindJob, KindPeer, KindCode}

const maxItems = 500 // of one claim; what is over is counted and not kept

type itemKey struct{ kind, name string }

// item is something that a claim was seen to use.
type item struct {
	id      string
	detail  string
	first   int64
	last    int64
	seen    int64 // since the start of the process
	pending int64
	days    []dayCount // of pending
	lastRun activity.RunID
	with    []itemKey // what its attributes named when they were last read: used whenever it is
	stored  bool
	dirty   bool
}

type dayCount struct {
	day  int32
	seen int64
}

const dayNanos = int64(24 * time.Hour)

// use notes that c used something. It returns the item, or nil when there are
// too many.
func (c *claim) use(kind, name, detail string, at int64, run activity.RunID, n int64) *item {
	if name == "" {
		return nil
	}
	it := c.items[itemKey{kind, name}]
	if it == nil {
		if it = c.newItem(kind, name, detail, at); it == nil {
			return nil
		}
	}
	it.last = max(it.last, at)
	it.first = min(it.first, at)
	it.dirty = true
	it.lastRun = run
	if n == 0 {
		return it
	}
	it.seen += n
	it.pending += n
	day := int32(at / dayNanos)
	for i := len(it.days) - 1; i >= 0; i-- {
		if it.days[i].day == day {
			it.days[i].seen += n
			return it
		}
	}
	it.days = append(it.days, dayCount{day, n})
	return it
}

func (c *claim) newItem(kind, name, detail string, at int64) *item {
	k := itemKey{kind, strings.Clone(cutWord(name))}
	if it := c.items[k]; it != nil {
		return it
	}
	if len(c.items) >= maxItems {
		c.left++
		return nil
	}
	if c.items == nil {
		c.items = make(map[itemKey]*item)
	}
	it := &item{id: derived("itm_", c.id, k.kind, k.name), detail: strings.Clone(cutWord(detail)), first: at, last: at}
	c.items[k] = it
	c.news = true
	return it
}

// uses notes what one step used.
func (f *Fleet) uses(c *claim, s *activity.Step, at int64) {
	n := int64(0)
	if s.Revision <= 1 {
		n = 1
	}
	var it *item
	switch s.Kind {
	case activity.KindModel, activity.KindEmbedding:
		name := cmp.Or(s.Model, s.ModelRequested)
		it = c.use(KindModel, name, s.Provider, at, s.Run, n)
		if it != nil && s.Kind == activity.KindModel {
			f.part(c, partModel, cmp.Or(s.ModelRequested, s.Model), s.Run, at)
		}
	case activity.KindTool:
		it = c.use(KindTool, cmp.Or(s.ToolName, s.Name), "", at, s.Run, n)
	case activity.KindMCP:
		it = c.use(KindTool, s.ToolName, "", at, s.Run, n)
	case activity.KindRetrieval:
		it = c.use(KindSource, cmp.Or(s.ToolName, s.Name), "", at, s.Run, n)
	case activity.KindPrompt:
		c.use(KindPrompt, s.Name, "", at, s.Run, n)
	case activity.KindHandoff, activity.KindA2A:
		c.use(KindPeer, cmp.Or(s.ToolName, s.Name), "", at, s.Run, n)
	}
	// The door writes the version that we ourselves found: it is no part of the next.
	if s.AgentVersion != "" && s.Source != activity.SourceGateway {
		if c.code == nil || c.codeName != s.AgentVersion {
			c.code = c.use(KindCode, s.AgentVersion, s.Service, at, s.Run, 0)
			c.codeName = strings.Clone(s.AgentVersion)
		} else {
			c.code.last, c.code.lastRun, c.code.dirty = max(c.code.last, at), s.Run, true
		}
		f.part(c, partCode, s.AgentVersion, s.Run, at)
	}
	// Attributes are read at the first, second, fourth, eighth... use of a part:
	// what they name seldom changes, and reading them costs more than all else.
	if it == nil {
		return
	}
	if n > 0 && bits.OnesCount64(uint64(it.seen)) == 1 {
		f.attributes(it, s)
	}
	for _, k := range it.with {
		c.use(k.kind, k.name, "", at, s.Run, n)
	}
}

// named are the attributes by which senders name what an agent uses, by kind;
// the first that is there counts.
var named = []struct {
	kind string
	keys []string
}{
	{KindServer, []string{"mcp.server.name", "gen_ai.tool.server", "rpc.service", "server.address"}},
	{KindDataset, []string{"gen_ai.data_source.id", "db.collection.name", "db.namespace"}},
	{KindJob, []string{"openlineage.job.name", "dbt.job.name", "airflow.dag_id", "reeve.job"}},
	{KindPrompt, []string{"gen_ai.prompt.name", "langfuse.observation.prompt.name", "prompt.name", "reeve.prompt.name"}},
}

// attributes reads what a step's attributes name, for as long as they are not
// read again.
func (f *Fleet) attributes(it *item, s *activity.Step) {
	attrs := activity.Attributes(s.Attributes)
	it.with = it.with[:0]
	for _, w := range named {
		if w.kind == KindServer && s.Kind != activity.KindTool && s.Kind != activity.KindMCP {
			continue // a model's server is its provider, which the model names
		}
		for _, key := range w.keys {
			if v, ok := attrs[key].(string); ok && v != "" {
				v = strings.Clone(cutWord(v))
				it.with = append(it.with, itemKey{w.kind, v})
				if w.kind == KindServer {
					it.detail = v
				}
				break
			}
		}
	}
}

// peers notes which agents worked in one run.
func (f *Fleet) peers(r *activity.Run) {
	if len(r.Agents) < 2 || r.Agent == "" {
		return
	}
	c := f.byName[place{r.Team, r.Environment, r.Agent}]
	if c == nil {
		return
	}
	for _, a := range r.Agents {
		if a != r.Agent {
			n := int64(0)
			if r.Revision <= 1 {
				n = 1
			}
			c.use(KindPeer, a, "", min(r.Updated, max(r.Start, r.End)), r.ID, n)
		}
	}
}

// Part is something that an agent was observed to use.
type Part struct {
	Kind, Name, Detail  string
	Known               bool // somebody registered or approved it
	FirstSeen, LastSeen time.Time
	Seen                int64 // uses; within the period when one was asked for
	Run                 string
}

// Inventory is what an agent was observed to use.
type Inventory struct {
	Agent string
	Parts []Part
	Left  int64 // uses of parts beyond what is kept
}

// Inventory lists what an agent used, by kind and name. With a period only what
// was used on its days (UTC) is in it.
func (f *Fleet) Inventory(ctx context.Context, a *agent.Agent, from, to time.Time) (Inventory, error) {
	type stored struct {
		key         itemKey
		detail      string
		id, run     string
		first, last int64
		seen, total int64 // total: in all time; a part that is only noted (code, a tool on offer) has none
	}
	out := Inventory{Agent: a.Name}
	period := !from.IsZero() || !to.IsZero()
	f.mu.Lock()
	gen := f.match.generation()
	var ids []any
	memory := make(map[string]stored) // what the database may not have yet
	for _, c := range f.claims {
		if f.settle(c, gen); c.match.Agent != a.Name {
			continue
		}
		ids = append(ids, c.id)
		out.Left += c.left
		for k, it := range c.items {
			if it.dirty {
				memory[it.id] = stored{k, it.detail, it.id, runText(it.lastRun), it.first, it.last, within(it.days, from, to), it.seen}
			}
		}
	}
	f.mu.Unlock()
	parts := make(map[itemKey]*Part)
	add := func(s stored) {
		p := parts[s.key]
		if p == nil {
			p = &Part{Kind: s.key.kind, Name: s.key.name}
			parts[s.key] = p
		}
		p.Seen += s.seen
		p.Detail = cmp.Or(s.detail, p.Detail)
		if first := timeOf(s.first); p.FirstSeen.IsZero() || first.Before(p.FirstSeen) {
			p.FirstSeen = first
		}
		if last := timeOf(s.last); !last.Before(p.LastSeen) {
			p.LastSeen, p.Run = last, cmp.Or(s.run, p.Run)
		}
	}
	for part := range slices.Chunk(ids, 500) {
		seen, args := "seen", part
		if period {
			lo, hi := daysOf(from, to)
			seen, args = `COALESCE((SELECT SUM(d.seen) FROM fleet_days d WHERE d.item = fleet_items.id AND d.day BETWEEN ? AND ?), 0)`, append([]any{lo, hi}, part...)
		}
		query := `SELECT id, kind, name, detail, first_seen, last_seen, seen, ` + seen + `, run_id FROM fleet_items WHERE claim IN (?` + strings.Repeat(", ?", len(part)-1) + `)`
		rows, err := control.All(ctx, f.o.DB, func(r control.Row) (s stored, err error) {
			err = r.Scan(&s.id, &s.key.kind, &s.key.name, &s.detail, &s.first, &s.last, &s.total, &s.seen, &s.run)
			s.first, s.last = s.first*1000, s.last*1000
			return s, err
		}, query, args...)
		if err != nil {
			return out, err
		}
		for _, s := range rows {
			if !period || s.seen > 0 || memory[s.id].seen > 0 || s.total == 0 && overlaps(s.first, s.last, from, to) {
				add(s)
			}
		}
	}
	for _, s := range memory {
		if !period || s.seen > 0 || s.total == 0 && overlaps(s.first, s.last, from, to) {
			add(s)
		}
	}
	approved, err := f.approvedParts(ctx, a.Name)
	if err != nil {
		return out, err
	}
	for _, p := range parts {
		p.Known = approved[itemKey{p.Kind, p.Name}] || f.known(a, *p)
		out.Parts = append(out.Parts, *p)
	}
	slices.SortFunc(out.Parts, func(x, y Part) int {
		return cmp.Or(cmp.Compare(slices.Index(itemKinds, x.Kind), slices.Index(itemKinds, y.Kind)), strings.Compare(x.Name, y.Name))
	})
	return out, nil
}

func runText(id activity.RunID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// daysOf is a period in days; open ends are the ends of time.
func daysOf(from, to time.Time) (lo, hi int32) {
	lo, hi = 0, 1<<30
	if !from.IsZero() {
		lo = int32(from.Unix() / 86400)
	}
	if !to.IsZero() {
		hi = int32(to.Unix() / 86400)
	}
	return lo, hi
}

func within(days []dayCount, from, to time.Time) (n int64) {
	lo, hi := daysOf(from, to)
	for _, d := range days {
		if d.day >= lo && d.day <= hi {
			n += d.seen
		}
	}
	return n
}

func overlaps(first, last int64, from, to time.Time) bool {
	lo, hi := daysOf(from, to)
	return int32(last/dayNanos) >= lo && int32(first/dayNanos) <= hi
}

func (f *Fleet) approvedParts(ctx context.Context, name string) (map[itemKey]bool, error) {
	list, err := control.All(ctx, f.o.DB, func(r control.Row) (k itemKey, err error) { return k, r.Scan(&k.kind, &k.name) },
		`SELECT kind, name FROM fleet_known WHERE agent = ?`, name)
	out := make(map[itemKey]bool, len(list))
	for _, k := range list {
		out[k] = true
	}
	return out, err
}

// known reports whether the register knows a part without anybody's word.
func (f *Fleet) known(a *agent.Agent, p Part) bool {
	switch p.Kind {
	case KindPolicy:
		return true // the door names only policies that are there
	case KindPeer:
		_, ok := f.o.Agents.Lookup(p.Name)
		return ok
	}
	return f.o.Known != nil && f.o.Known(a, p.Kind, p.Name, p.Detail)
}

// Approve says that a part of an agent is known: developer or security. Undone
// with known false.
func (f *Fleet) Approve(ctx context.Context, who agent.Actor, a *agent.Agent, kind, name string, known bool, reason string) error {
	if !slices.Contains(itemKinds, kind) || name == "" || len(name) > maxWord {
		return fault.New(fault.KindInvalid, "fleet.part", "%q %q is no part", kind, cutWord(name)).WithHint("a part has a kind (%s) and a name", strings.Join(itemKinds, ", "))
	}
	if err := reasonable(reason); err != nil {
		return err
	}
	if err := f.mayChange(who, a); err != nil {
		return err
	}
	return f.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := f.approveIn(ctx, tx, who, a.Name, kind, name, known, reason); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{
			Kind: "admin.agent_part", Person: who.Person, Via: who.Via, Action: map[bool]string{true: "approve", false: "withdraw"}[known], Object: a.Name, Reason: reason,
			After: map[string]string{"kind": kind, "name": name},
		})
	})
}

func (f *Fleet) approveIn(ctx context.Context, tx *control.Tx, who agent.Actor, name, kind, part string, known bool, reason string) (err error) {
	if known {
		_, err = tx.Exec(ctx, `INSERT INTO fleet_known (agent, kind, name, by_who, reason, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (agent, kind, name) DO NOTHING`,
			name, kind, part, who.Name, reason, control.Micros(f.o.Now()))
	} else {
		_, err = tx.Exec(ctx, `DELETE FROM fleet_known WHERE agent = ? AND kind = ? AND name = ?`, name, kind, part)
	}
	return err
}

func (f *Fleet) mayChange(who agent.Actor, a *agent.Agent) error {
	for _, r := range []string{"developer", "security"} {
		if who.Can != nil && who.Can(r, a.Team, a.Environment) {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "fleet.denied", "this needs the role developer for team %q in %q", a.Team, a.Environment).WithHint("an admin can grant it")
}

func reasonable(reason string) error {
	if strings.TrimSpace(reason) == "" || len(reason) > 1000 || strings.ContainsFunc(reason, isControl) {
		return fault.New(fault.KindInvalid, "fleet.reason", "this needs a reason: a line of at most 1000 bytes").WithHint("it is kept with the decision, for whoever asks later")
	}
	return nil
}

// Change is a part that one date has and the other has not, or both.
type Change struct {
	Part
	Change string // added, removed, same
	Before int64  // uses in the days up to the first date
	After  int64
}

// Diff compares what an agent used in the days up to two dates, the dates
// included.
func (f *Fleet) Diff(ctx context.Context, a *agent.Agent, from, to time.Time, days int) ([]Change, error) {
	if days < 1 || days > 400 {
		return nil, fault.New(fault.KindInvalid, "fleet.period", "a date stands for the 1 to 400 days before it, not %d", days)
	}
	if !from.Before(to) {
		return nil, fault.New(fault.KindInvalid, "fleet.period", "the first date is before the second")
	}
	back := func(t time.Time) time.Time { return t.AddDate(0, 0, 1-days) }
	before, err := f.Inventory(ctx, a, back(from), from)
	if err != nil {
		return nil, fmt.Errorf("reading the inventory of %s: %w", a.Name, err)
	}
	after, err := f.Inventory(ctx, a, back(to), to)
	if err != nil {
		return nil, fmt.Errorf("reading the inventory of %s: %w", a.Name, err)
	}
	had := make(map[itemKey]Part)
	for _, p := range before.Parts {
		had[itemKey{p.Kind, p.Name}] = p
	}
	var out []Change
	for _, p := range after.Parts {
		c := Change{Part: p, Change: "added", After: p.Seen}
		if old, ok := had[itemKey{p.Kind, p.Name}]; ok {
			c.Change, c.Before = "same", old.Seen
			delete(had, itemKey{p.Kind, p.Name})
		}
		out = append(out, c)
	}
	for _, p := range had {
		out = append(out, Change{Part: p, Change: "removed", Before: p.Seen})
	}
	order := []string{"added", "removed", "same"}
	slices.SortFunc(out, func(x, y Change) int {
		return cmp.Or(cmp.Compare(slices.Index(order, x.Change), slices.Index(order, y.Change)),
			cmp.Compare(slices.Index(itemKinds, x.Kind), slices.Index(itemKinds, y.Kind)), strings.Compare(x.Name, y.Name))
	})
	return out, nil
}
