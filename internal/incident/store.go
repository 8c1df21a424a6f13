package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
)

// Evidence is the record that a sentence of a timeline rests on.
type Evidence struct {
	Kind string `json:"kind"` // finding, alert, run, decision, agent, change, page, act, move, person
	ID   string `json:"id"`
}

// Entry is one sentence of a timeline.
type Entry struct {
	ID          int64     `json:"-"`
	At          time.Time `json:"-"`
	Kind        string    `json:"-"`
	Text        string    `json:"text"`
	Detail      string    `json:"detail,omitempty"`
	Evidence    *Evidence `json:"evidence,omitempty"`
	Person      string    `json:"person,omitempty"`
	Team        string    `json:"team,omitempty"`
	Environment string    `json:"environment,omitempty"`
}

// Move is a merge or a split.
type Move struct {
	ID       string    `json:"-"`
	Kind     string    `json:"-"` // merge, split
	Source   string    `json:"-"`
	Target   string    `json:"-"`
	At       time.Time `json:"-"`
	Person   string    `json:"-"` // "" Reeve itself
	UndoneAt time.Time `json:"-"`

	Prints   []string `json:"prints"`
	Reasons  []Reason `json:"reasons,omitempty"`
	Reason   string   `json:"reason,omitempty"`   // a person's words
	State    string   `json:"state,omitempty"`    // of the source, before
	Revision int64    `json:"revision,omitempty"` // of the weights that it made; 0 none
	UndoneBy string   `json:"undone_by,omitempty"`
}

// WeightsRevision is a set of weights with what changed.
type WeightsRevision struct {
	Revision int64     `json:"-"`
	At       time.Time `json:"-"`
	Person   string    `json:"-"`

	Weights  Weights  `json:"weights"`
	Changes  []Change `json:"changes"`
	Why      string   `json:"why"`
	Incident string   `json:"incident,omitempty"`
	Reverts  int64    `json:"reverts,omitempty"`
}

// outgoing is what a flush stores beside incidents.
type outgoing struct {
	moves   []Move
	undone  []Move
	weights []WeightsRevision
	acts    []audit.Record
	cursors map[string]int64   // how far each feed was taken, by its name
	muted   map[string]*Signal // what silences hold back, by fingerprint; nil: not any more
}

// New reads what is live.
func New(ctx context.Context, o Options) (*Book, error) {
	b, err := newBook(o)
	if err != nil {
		return nil, err
	}
	if err := b.load(ctx); err != nil {
		return nil, fmt.Errorf("reading the incidents: %w", err)
	}
	return b, nil
}

func (b *Book) load(ctx context.Context) error {
	if rev, ok, err := control.One(ctx, b.o.DB, scanWeights, `SELECT `+weightColumns+` ORDER BY revision DESC LIMIT 1`); err != nil {
		return err
	} else if ok {
		b.revision = rev.Revision
		for k, v := range rev.Weights {
			if _, known := b.engine.weights[k]; known {
				b.engine.weights[k] = v
			}
		}
	}
	var err error
	if b.silences, err = control.All(ctx, b.o.DB, scanSilence, `SELECT `+silenceColumns+` WHERE ends_at > ?`, control.Micros(b.now())); err != nil {
		return err
	}
	if err = b.loadMuted(ctx); err != nil {
		return err
	}
	list, err := control.All(ctx, b.o.DB, scanIncident, `SELECT `+columns+` WHERE state IN (?, ?, ?) OR state IN (?, ?) AND resolved_at > ? ORDER BY last_at DESC LIMIT ?`,
		Open, Acknowledged, Mitigated, Resolved, Reviewed, control.Micros(b.now().Add(-comesBack)), maxOpen)
	if err != nil {
		return err
	}
	for _, inc := range list {
		if err := b.loadGroup(ctx, inc); err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) loadGroup(ctx context.Context, inc Incident) error {
	g := newGroup(inc)
	members, err := b.members(ctx, inc.ID, maxMembers)
	if err != nil {
		return err
	}
	g.held = inc.Held
	for _, a := range inc.Apart {
		g.apart[a] = true
	}
	b.engine.groups[inc.ID] = g
	for _, stored := range members {
		m := memberOf(stored.Signal)
		m.Member = stored
		b.engine.learn(m)
		b.engine.put(g, m)
	}
	g.extra = max(0, inc.Signals-len(members))
	g.grown, g.pending.grown = false, false
	return nil
}

func (b *Book) members(ctx context.Context, id string, limit int) ([]Member, error) {
	return control.All(ctx, b.o.DB, scanMember, `SELECT firing, first_at, last_at, count, body FROM incident_signals WHERE incident = ? ORDER BY first_at, fingerprint LIMIT ?`, id, limit)
}

func scanMember(r control.Row) (m Member, err error) {
	var firing bool
	var first, last int64
	var body string
	if err := r.Scan(&firing, &first, &last, &m.Count, &body); err != nil {
		return m, err
	}
	n := m.Count
	err = json.Unmarshal([]byte(body), &m)
	m.Resolved, m.First, m.Last, m.Count = !firing, control.Time(first), control.Time(last), n
	return m, err
}

const columns = `id, number, state, severity, team, environment, opened_at, last_at, resolved_at, people, body, revision FROM incidents`

func scanIncident(r control.Row) (i Incident, err error) {
	var opened, last, resolved int64
	var body string
	if err := r.Scan(&i.ID, &i.Number, &i.State, &i.Severity, &i.Team, &i.Environment, &opened, &last, &resolved, &i.People, &body, &i.Revision); err != nil {
		return i, err
	}
	i.OpenedAt, i.LastAt, i.ResolvedAt = control.Time(opened), control.Time(last), control.Time(resolved)
	return i, json.Unmarshal([]byte(body), &i)
}

// save writes an incident's row; its number is taken when it has none.
func (i *Incident) save(ctx context.Context, tx *control.Tx) error {
	if i.Number == 0 {
		n, err := tx.Next(ctx, "incident")
		if err != nil {
			return err
		}
		i.Number = n
	}
	i.Revision++
	body, err := json.Marshal(i)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO incidents (id, number, state, severity, team, environment, opened_at, last_at, resolved_at, people, body, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity, team = excluded.team,
		environment = excluded.environment, last_at = excluded.last_at, resolved_at = excluded.resolved_at, people = excluded.people, body = excluded.body, revision = excluded.revision`,
		i.ID, i.Number, i.State, i.Severity, i.Team, i.Environment, control.Micros(i.OpenedAt), control.Micros(i.LastAt), control.Micros(i.ResolvedAt), i.People, string(body), i.Revision)
	return err
}

func (m *Member) save(ctx context.Context, tx *control.Tx, incident string) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident_signals (incident, fingerprint, firing, first_at, last_at, count, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (incident, fingerprint) DO UPDATE SET firing = excluded.firing, first_at = excluded.first_at, last_at = excluded.last_at, count = excluded.count, body = excluded.body`,
		incident, m.Fingerprint, !m.Resolved, control.Micros(m.First), control.Micros(m.Last), m.Count, string(body))
	return err
}

func (e *Entry) save(ctx context.Context, tx *control.Tx, incident string) error {
	e.Text, e.Detail = short(e.Text, maxText), short(e.Detail, maxText)
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident_entries (incident, at, kind, body) VALUES (?, ?, ?, ?)`, incident, control.Micros(e.At), e.Kind, string(body))
	return err
}

func (m *Move) save(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident_moves (id, kind, source, target, at, person, undone_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET undone_at = excluded.undone_at, body = excluded.body`,
		m.ID, m.Kind, m.Source, m.Target, control.Micros(m.At), m.Person, control.Micros(m.UndoneAt), string(body))
	return err
}

const moveColumns = `id, kind, source, target, at, person, undone_at, body FROM incident_moves`

func scanMove(r control.Row) (m Move, err error) {
	var at, undone int64
	var body string
	if err := r.Scan(&m.ID, &m.Kind, &m.Source, &m.Target, &at, &m.Person, &undone, &body); err != nil {
		return m, err
	}
	m.At, m.UndoneAt = control.Time(at), control.Time(undone)
	return m, json.Unmarshal([]byte(body), &m)
}

const weightColumns = `revision, at, person, body FROM incident_weights`

func scanWeights(r control.Row) (w WeightsRevision, err error) {
	var at int64
	var body string
	if err := r.Scan(&w.Revision, &at, &w.Person, &body); err != nil {
		return w, err
	}
	w.At = control.Time(at)
	return w, json.Unmarshal([]byte(body), &w)
}

// stored is one incident as a flush writes it, copied so that signals go on
// being taken meanwhile.
type stored struct {
	g       *group
	inc     Incident
	members []Member
	entries []Entry
	gone    []string
	created bool
	told    string
}

// Flush stores what was placed since the last one. It returns once that is
// durable, or with the error after which it is tried again.
func (b *Book) Flush(ctx context.Context) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	return b.flush(ctx)
}

// flush is Flush for who holds writing.
func (b *Book) flush(ctx context.Context) error {
	b.mu.Lock()
	b.absorb(b.now())
	batch, out := b.collect()
	b.mu.Unlock()
	if len(batch) == 0 && out.empty() {
		return nil
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for i := range batch {
			if err := batch[i].save(ctx, tx); err != nil {
				return err
			}
		}
		return out.save(ctx, tx)
	})
	b.mu.Lock()
	if err != nil {
		b.stats.Failed++
		b.restore(batch, out)
		b.mu.Unlock()
		return fmt.Errorf("storing incidents: %w", err)
	}
	for i := range batch {
		s := &batch[i]
		s.g.inc.Number, s.g.inc.Revision = s.inc.Number, max(s.g.inc.Revision, s.inc.Revision)
	}
	b.mu.Unlock()
	for i := range batch {
		if batch[i].told != "" && b.o.Opened != nil {
			b.o.Opened(batch[i].inc, batch[i].told)
		}
	}
	return nil
}

func (o *outgoing) empty() bool {
	return len(o.moves) == 0 && len(o.undone) == 0 && len(o.weights) == 0 && len(o.acts) == 0 && len(o.cursors) == 0 && len(o.muted) == 0
}

// collect takes what is to be stored. The caller holds mu.
func (b *Book) collect() ([]stored, outgoing) {
	batch := make([]stored, 0, len(b.dirty))
	for _, id := range sortedKeys(b.dirty) {
		g := b.dirty[id]
		b.engine.figures(g)
		g.inc.Held = g.held
		g.inc.Apart = sortedKeys(g.apart)
		p := &g.pending
		s := stored{g: g, inc: g.inc, entries: p.entries, gone: p.gone, created: p.created, told: p.told}
		for _, f := range sortedKeys(p.members) {
			if m := g.members[f]; m != nil {
				s.members = append(s.members, m.Member)
			}
		}
		g.pending = pending{members: map[string]bool{}}
		batch = append(batch, s)
	}
	// A merge's source goes last: what points at another must find it there.
	slices.SortStableFunc(batch, func(x, y stored) int {
		return boolOrder(x.inc.State == Merged, y.inc.State == Merged)
	})
	b.dirty = map[string]*group{}
	out := b.out
	b.out = outgoing{}
	return batch, out
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// restore puts back what could not be stored. The caller holds mu.
func (b *Book) restore(batch []stored, out outgoing) {
	for _, s := range batch {
		p := &s.g.pending
		p.created = p.created || s.created
		p.entries = append(s.entries, p.entries...)
		p.gone = append(s.gone, p.gone...)
		if p.told == "" {
			p.told = s.told
		}
		for i := range s.members {
			p.members[s.members[i].Fingerprint] = true
		}
		b.dirty[s.inc.ID] = s.g
	}
	b.out.moves = append(out.moves, b.out.moves...)
	b.out.undone = append(out.undone, b.out.undone...)
	b.out.weights = append(out.weights, b.out.weights...)
	b.out.acts = append(out.acts, b.out.acts...)
	for name, seq := range out.cursors {
		b.reached(name, seq)
	}
	for fingerprint, s := range out.muted {
		if _, newer := b.out.muted[fingerprint]; !newer {
			b.out.mute(fingerprint, s)
		}
	}
}

func (s *stored) save(ctx context.Context, tx *control.Tx) error {
	if err := s.inc.save(ctx, tx); err != nil {
		return err
	}
	for _, f := range s.gone {
		if _, err := tx.Exec(ctx, `DELETE FROM incident_signals WHERE incident = ? AND fingerprint = ?`, s.inc.ID, f); err != nil {
			return err
		}
	}
	for i := range s.members {
		if err := s.members[i].save(ctx, tx, s.inc.ID); err != nil {
			return err
		}
	}
	for i := range s.entries {
		if err := s.entries[i].save(ctx, tx, s.inc.ID); err != nil {
			return err
		}
	}
	kind := "incident.updated"
	if s.created {
		kind = "incident.opened"
	}
	return s.inc.event(ctx, tx, kind)
}

func (o *outgoing) save(ctx context.Context, tx *control.Tx) error {
	for i := range o.moves {
		if err := o.moves[i].save(ctx, tx); err != nil {
			return err
		}
	}
	for i := range o.undone {
		if err := o.undone[i].save(ctx, tx); err != nil {
			return err
		}
	}
	for _, w := range o.weights {
		body, err := json.Marshal(w)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO incident_weights (revision, at, person, body) VALUES (?, ?, ?, ?)`, w.Revision, control.Micros(w.At), w.Person, string(body)); err != nil {
			return err
		}
	}
	for name, seq := range o.cursors {
		if _, err := tx.Exec(ctx, `INSERT INTO cursors (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq`, cursorName+name, seq); err != nil {
			return err
		}
	}
	for fingerprint, s := range o.muted {
		if err := saveMuted(ctx, tx, fingerprint, s); err != nil {
			return err
		}
	}
	for _, r := range o.acts {
		if err := audit.Append(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// saveMuted stores a signal that a silence holds back; nil: it does no more.
func saveMuted(ctx context.Context, tx *control.Tx, fingerprint string, s *Signal) error {
	if s == nil {
		_, err := tx.Exec(ctx, `DELETE FROM silenced_signals WHERE fingerprint = ?`, fingerprint)
		return err
	}
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO silenced_signals (fingerprint, body) VALUES (?, ?) ON CONFLICT (fingerprint) DO UPDATE SET body = excluded.body`, fingerprint, string(body))
	return err
}

// Notice is what live views are told of an incident.
type Notice struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	State       string `json:"state"`
	Severity    string `json:"severity"`
	Team        string `json:"team"`
	Environment string `json:"environment"`
}

func (i *Incident) event(ctx context.Context, tx *control.Tx, kind string) error {
	data, err := json.Marshal(Notice{i.ID, i.Number, i.State, i.Severity, i.Team, i.Environment})
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: kind, Object: i.ID, Data: data})
}

// Filter narrows List; zero fields do not.
type Filter struct {
	States   []string
	Agent    string
	Severity string
	Team     string
	Q        string
	Before   int64 // number, to page
	Limit    int   // at most 500; 0 is 100
}

// List gives incidents, those that touch most people first among the live ones,
// then by number, the newest first.
func (b *Book) List(ctx context.Context, f Filter, see func(*Incident) bool) ([]Incident, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(clause string, values ...any) { where, args = append(where, clause), append(args, values...) }
	if len(f.States) > 0 {
		values := make([]any, len(f.States))
		for i, s := range f.States {
			values[i] = s
		}
		add(`state IN (?`+strings.Repeat(", ?", len(values)-1)+`)`, values...)
	} else {
		add(`state <> ?`, Merged)
	}
	if f.Severity != "" {
		add(`severity = ?`, f.Severity)
	}
	if f.Before > 0 {
		add(`number < ?`, f.Before)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 500)
	var out []Incident
	q := strings.ToLower(f.Q)
	before := int64(1) << 62
	for len(out) < limit {
		page, err := control.All(ctx, b.o.DB, scanIncident, `SELECT `+columns+` WHERE number < ? AND `+strings.Join(where, " AND ")+` ORDER BY number DESC LIMIT 500`, append([]any{before}, args...)...)
		if err != nil {
			return nil, err
		}
		for i := range page {
			inc := &page[i]
			before = inc.Number
			if len(out) < limit && (see == nil || see(inc)) && (f.Agent == "" || slices.Contains(inc.Agents, f.Agent)) && (f.Team == "" || inc.touches(f.Team)) &&
				(q == "" || strings.Contains(strings.ToLower(inc.Title+"\n"+strings.Join(inc.Agents, "\n")), q)) {
				out = append(out, *inc)
			}
		}
		if len(page) < 500 {
			break
		}
	}
	return out, nil
}

func (i *Incident) touches(team string) bool {
	return i.Team == team || slices.ContainsFunc(i.Places, func(p Place) bool { return p.Team == team })
}

// Get reads an incident by its id or its number.
func (b *Book) Get(ctx context.Context, id string) (Incident, error) {
	return get(ctx, b.o.DB, id)
}

func get(ctx context.Context, r control.Reader, id string) (Incident, error) {
	column, value := "id", any(id)
	var n int64
	if _, err := fmt.Sscanf(strings.TrimPrefix(id, "#"), "%d", &n); err == nil && !strings.HasPrefix(id, "inc_") {
		column, value = "number", n
	}
	i, ok, err := control.One(ctx, r, scanIncident, `SELECT `+columns+` WHERE `+column+` = ?`, value)
	if err == nil && !ok {
		err = notFound("incident")
	}
	return i, err
}

// Members lists the signals of an incident, the earliest first.
func (b *Book) Members(ctx context.Context, id string, limit int) ([]Member, error) {
	return b.members(ctx, id, min(max(limit, 1), maxMembers))
}

// Timeline lists the sentences of an incident, the earliest first.
func (b *Book) Timeline(ctx context.Context, id string) ([]Entry, error) {
	list, err := control.All(ctx, b.o.DB, func(r control.Row) (e Entry, err error) {
		var at int64
		var body string
		if err := r.Scan(&e.ID, &at, &e.Kind, &body); err != nil {
			return e, err
		}
		e.At = control.Time(at)
		return e, json.Unmarshal([]byte(body), &e)
	}, `SELECT id, at, kind, body FROM incident_entries WHERE incident = ? ORDER BY at, id LIMIT 5000`, id)
	return list, err
}

// Moves lists the merges and splits that touched an incident, the newest first.
func (b *Book) Moves(ctx context.Context, id string) ([]Move, error) {
	return control.All(ctx, b.o.DB, scanMove, `SELECT `+moveColumns+` WHERE source = ? OR target = ? ORDER BY at DESC LIMIT 200`, id, id)
}

// Run stores what was placed, looks whom incidents touch and ends what is long
// quiet, until ctx ends, whose cause it returns.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	rounds := 0
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			err := b.Flush(last)
			cancel()
			return errors.Join(context.Cause(ctx), err)
		case <-b.wake:
			pause := time.NewTimer(b.o.FlushEvery)
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
			pause.Stop()
		case <-tick.C:
			b.settle(b.now())
			if rounds++; rounds%6 == 1 {
				b.reach(ctx)
			}
			if rounds%720 == 0 {
				b.forget(ctx)
			}
		}
		if err := b.Flush(ctx); err != nil && ctx.Err() == nil {
			b.o.Logger.Error("incidents could not be stored and are tried again", "err", err)
		}
	}
}

// lastHeard is the signal of a group that was heard last; nil for none.
func (g *group) lastHeard() *Evidence {
	var last *member
	for _, m := range g.members {
		if last == nil || m.Last.After(last.Last) || m.Last.Equal(last.Last) && m.ID < last.ID {
			last = m
		}
	}
	if last == nil {
		return nil
	}
	return &Evidence{last.Kind, last.ID}
}

// settle ends what is long quiet and nobody took up, and silences that are over.
func (b *Book) settle(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range b.engine.groups {
		i := &g.inc
		switch {
		case i.State == Open && !i.QuietAt.IsZero() && now.Sub(i.QuietAt) >= b.o.Settle && i.Manual == "":
			i.State, i.ResolvedAt = Resolved, now
			g.pending.entries = append(g.pending.entries, Entry{At: now, Kind: "state", Text: "Resolved by itself: no signal of it fired for " + b.o.Settle.String(), Evidence: g.lastHeard()})
			b.changed(g)
		case !i.Live() && now.Sub(i.ResolvedAt) >= comesBack && b.dirty[i.ID] == nil:
			b.engine.remove(g)
		}
	}
	b.endSilences(now)
}

// forget drops incidents that are older than anybody asks for.
func (b *Book) forget(ctx context.Context) {
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM incidents WHERE state IN (?, ?, ?) AND last_at < ?`, Resolved, Reviewed, Merged, control.Micros(b.now().Add(-keep)))
		return err
	})
	if err != nil && ctx.Err() == nil {
		b.o.Logger.Error("old incidents were not dropped", "err", err)
	}
}
