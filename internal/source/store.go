package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// said is what people say of a source.
type said struct {
	Aliases     []string `json:"aliases,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Description string   `json:"description,omitempty"`
	Classes     []string `json:"classes,omitempty"`
	Trusted     bool     `json:"trusted,omitempty"`
	WarnAge     string   `json:"warn_age,omitempty"`
	MaxAge      string   `json:"max_age,omitempty"`
	limits
}

// told is what senders say of one.
type told struct {
	WarnAge time.Duration `json:"warn_age,omitempty"`
	MaxAge  time.Duration `json:"max_age,omitempty"`
	By      string        `json:"by,omitempty"`
}

// row is a source as it is stored.
type row struct {
	name, namespace, dataset, team, kind string
	registered                           bool
	said                                 said
	told                                 told
	revision                             int64
	updated                              time.Time
	out                                  *client.SourceOut // out of use; nil: in use
}

const columns = `name, namespace, dataset, team, kind, registered, body, found, revision, updated_at, out_of_use`

func scan(r control.Row) (s row, err error) {
	var body, found, out string
	var registered int
	var updated int64
	if err := r.Scan(&s.name, &s.namespace, &s.dataset, &s.team, &s.kind, &registered, &body, &found, &s.revision, &updated, &out); err != nil {
		return s, err
	}
	s.registered, s.updated = registered == 1, control.Time(updated)
	if err := json.Unmarshal([]byte(body), &s.said); err != nil {
		return s, fault.New(fault.KindInternal, "source.stored", "a stored source cannot be read").WithCause(err)
	}
	if err := json.Unmarshal([]byte(found), &s.told); err != nil {
		return s, fault.New(fault.KindInternal, "source.stored", "a stored source cannot be read").WithCause(err)
	}
	if out != "" {
		if err := json.Unmarshal([]byte(out), &s.out); err != nil {
			return s, fault.New(fault.KindInternal, "source.stored", "a stored source cannot be read").WithCause(err)
		}
	}
	return s, nil
}

// ages are the ages that hold for a source, and who set them: a person's word
// wins over a tool's.
func (s *row) ages() (warn, most time.Duration, by string) {
	if s.said.WarnAge != "" || s.said.MaxAge != "" {
		warn, most, err := ages(s.said.WarnAge, s.said.MaxAge)
		if err == nil { // checked when it was set
			return warn, most, "people"
		}
	}
	if s.told.WarnAge > 0 || s.told.MaxAge > 0 {
		return s.told.WarnAge, s.told.MaxAge, s.told.By
	}
	return 0, 0, ""
}

func (s *row) shape() client.Source {
	warn, most, by := s.ages()
	out := client.Source{
		Name: s.name, Kind: s.kind, Namespace: s.namespace, Dataset: s.dataset, Aliases: s.said.Aliases, Team: s.team, Owner: s.said.Owner,
		Description: s.said.Description, Classes: s.said.Classes, Trusted: s.said.Trusted, Registered: s.registered,
		MaxErrorRate: s.said.MaxErrorRate, MinAccuracy: s.said.MinAccuracy, OnBreach: s.said.OnBreach,
		AgePolicy: by, Revision: s.revision, UpdatedAt: s.updated, State: "unknown", Reason: "no version of it was seen",
	}
	if warn > 0 {
		out.WarnAge = warn.String()
	}
	if most > 0 {
		out.MaxAge = most.String()
	}
	return out
}

// Take keeps what a delivery says, in one transaction.
func (b *Book) Take(ctx context.Context, from Sender, f *Facts) error {
	t := taking{from: from, now: b.o.Now(), names: map[Dataset]string{}}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		tx.AfterCommit(func() { b.changed.Store(true) })
		t.tx, t.changed = tx, nil
		for _, step := range [...]func(context.Context, *Facts) error{t.runs, t.versions, t.edges, t.checks, t.policies, t.documents} {
			if err := step(ctx, f); err != nil {
				return err
			}
		}
		slices.Sort(t.changed)
		for _, name := range slices.Compact(t.changed) {
			if err := tx.Event(ctx, control.Event{Type: "source.updated", Object: name}); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// taking is one delivery on its way into the database.
type taking struct {
	tx      *control.Tx
	from    Sender
	now     time.Time
	names   map[Dataset]string
	changed []string
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func (t *taking) runs(ctx context.Context, f *Facts) error {
	for _, r := range f.Runs {
		// A run ends once: START that comes after COMPLETE changes nothing.
		if _, err := t.tx.Exec(ctx, `INSERT INTO source_job_runs (team, job, run, state, at, note) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (team, job, run) DO UPDATE SET state = excluded.state, at = excluded.at, note = excluded.note
			WHERE source_job_runs.state = 'running' OR (excluded.state <> 'running' AND excluded.at > source_job_runs.at)`,
			t.from.Team, cut(r.Job, maxText), cut(r.Run, maxText), r.State, control.Micros(r.At), cut(r.Note, maxText)); err != nil {
			return err
		}
	}
	return nil
}

// name is a dataset's source, made when it is new.
func (t *taking) name(ctx context.Context, d Dataset) (string, error) {
	d.Namespace, d.Name = cut(d.Namespace, maxText), cut(d.Name, maxText)
	if name, ok := t.names[d]; ok {
		return name, nil
	}
	name, ok, err := control.One(ctx, t.tx, func(r control.Row) (s string, err error) { return s, r.Scan(&s) },
		`SELECT name FROM sources WHERE sender = ? AND namespace = ? AND dataset = ? ORDER BY registered DESC LIMIT 1`, t.from.Team, d.Namespace, d.Name)
	if !ok && err == nil && t.from.Team == "" { // the house's lineage tells of every team's sources
		name, ok, err = control.One(ctx, t.tx, func(r control.Row) (s string, err error) { return s, r.Scan(&s) },
			`SELECT name FROM sources WHERE namespace = ? AND dataset = ? ORDER BY registered DESC, name LIMIT 1`, d.Namespace, d.Name)
	}
	if err != nil {
		return "", err
	}
	if !ok {
		name = nameOf(t.from.Team, d)
		if _, taken, err := control.One(ctx, t.tx, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT name FROM sources WHERE name = ?`, name); err != nil {
			return "", err
		} else if taken {
			name = cut(name, maxName-9) + "-" + hash(t.from.Team, d)
		}
		us := control.Micros(t.now)
		if _, err := t.tx.Exec(ctx, `INSERT INTO sources (name, namespace, dataset, team, sender, kind, registered, body, found, revision, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, 'dataset', 0, '{}', '{}', 0, ?, ?)`, name, d.Namespace, d.Name, t.from.Team, t.from.Team, us, us); err != nil {
			return "", err
		}
		t.changed = append(t.changed, name)
	}
	t.names[d] = name
	return name, nil
}

// nameOf makes a name that stands in paths as it is.
func nameOf(team string, d Dataset) string {
	name := strings.Map(func(r rune) rune {
		if r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, d.Name)
	name = strings.Trim(cut(name, maxName), ".-")
	if name == "" {
		return "source-" + hash(team, d)
	}
	return name
}

func hash(team string, d Dataset) string {
	sum := sha256.Sum256([]byte(team + "\x00" + d.Namespace + "\x00" + d.Name))
	return hex.EncodeToString(sum[:4])
}

func (t *taking) versions(ctx context.Context, f *Facts) error {
	for _, v := range f.Versions {
		name, err := t.name(ctx, v.Dataset)
		if err != nil {
			return err
		}
		n, err := t.tx.Exec(ctx, `INSERT INTO source_versions (source, version, at, job, run, items) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (source, version) DO UPDATE SET items = excluded.items WHERE source_versions.items < excluded.items`,
			name, cut(v.Version, maxText), control.Micros(v.At), cut(v.Job, maxText), cut(v.Run, maxText), v.Items)
		if err != nil {
			return err
		}
		if n > 0 {
			t.changed = append(t.changed, name)
		}
	}
	return nil
}

func (t *taking) edges(ctx context.Context, f *Facts) error {
	for _, e := range f.Edges {
		name, err := t.name(ctx, e.Dataset)
		if err != nil {
			return err
		}
		outward := 0
		if e.Writes {
			outward = 1
		}
		if _, err := t.tx.Exec(ctx, `INSERT INTO source_edges (team, job, source, outward, at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (team, job, source, outward) DO UPDATE SET at = excluded.at WHERE source_edges.at < excluded.at`,
			t.from.Team, cut(e.Job, maxText), name, outward, control.Micros(e.At)); err != nil {
			return err
		}
	}
	return nil
}

func (t *taking) checks(ctx context.Context, f *Facts) error {
	for _, c := range f.Checks {
		name, err := t.name(ctx, c.Dataset)
		if err != nil {
			return err
		}
		ok := 0
		if c.OK {
			ok = 1
		}
		n, err := t.tx.Exec(ctx, `INSERT INTO source_checks (source, name, ok, at, note) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (source, name) DO UPDATE SET ok = excluded.ok, at = excluded.at, note = excluded.note WHERE source_checks.at < excluded.at`,
			name, cut(c.Name, maxText), ok, control.Micros(c.At), cut(c.Note, maxText))
		if err != nil {
			return err
		}
		if err := t.results(ctx, name, &c); err != nil {
			return err
		}
		if n > 0 {
			t.changed = append(t.changed, name)
		}
	}
	return nil
}

func (t *taking) policies(ctx context.Context, f *Facts) error {
	for _, p := range f.Policies {
		if p.WarnAge == 0 && p.MaxAge == 0 {
			continue
		}
		name, err := t.name(ctx, p.Dataset)
		if err != nil {
			return err
		}
		found, err := json.Marshal(told{p.WarnAge, p.MaxAge, p.By})
		if err != nil {
			return err
		}
		if _, err := t.tx.Exec(ctx, `UPDATE sources SET found = ? WHERE name = ?`, string(found), name); err != nil {
			return err
		}
	}
	return nil
}

func (t *taking) documents(ctx context.Context, f *Facts) error {
	for _, d := range f.Documents {
		n, err := t.tx.Exec(ctx, `INSERT INTO source_documents (source, document, version, crawled, modified, chunks, embedding, title, uri) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (source, document, version) DO UPDATE SET chunks = excluded.chunks, embedding = excluded.embedding, title = excluded.title, uri = excluded.uri`,
			d.Source, cut(d.ID, maxText), cut(d.Version, maxText), control.Micros(d.Crawled), control.Micros(d.Modified), d.Chunks,
			cut(d.Embedding, maxName), cut(d.Title, maxText), cut(d.URI, maxText))
		if err != nil {
			return err
		}
		if n > 0 {
			t.changed = append(t.changed, d.Source)
		}
	}
	return nil
}

// AddDocuments keeps what a crawler reports of a source, which is made as a
// corpus when nobody knows it.
func (b *Book) AddDocuments(ctx context.Context, from Sender, source string, all []client.SourceDocument) (client.Accepted, error) {
	var out client.Accepted
	if !goodName(source) {
		return out, invalid("a source's name has letters, digits, dots, dashes and underscores, at most %d", maxName)
	}
	if len(all) > maxEvents {
		return out, fault.New(fault.KindInvalid, "intake.too_large", "a delivery has at most %d documents", maxEvents)
	}
	f := &Facts{}
	for _, d := range all {
		if d.ID == "" || d.Version == "" || d.CrawledAt.IsZero() || d.CrawledAt.After(b.o.Now().Add(time.Hour)) {
			f.reject("a document has an id, a version, and crawled_at, which is not in the future")
			continue
		}
		doc := Document{Source: source, ID: d.ID, Version: d.Version, Embedding: d.Embedding, Title: d.Title, URI: d.URI, Crawled: d.CrawledAt, Chunks: -1}
		if d.ModifiedAt != nil {
			doc.Modified = *d.ModifiedAt
		}
		if d.Chunks != nil && *d.Chunks >= 0 {
			doc.Chunks = *d.Chunks
		}
		f.Documents = append(f.Documents, doc)
	}
	us := control.Micros(b.o.Now())
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		tx.AfterCommit(func() { b.changed.Store(true) })
		s, ok, err := control.One(ctx, tx, scan, `SELECT `+columns+` FROM sources WHERE name = ?`, source)
		switch {
		case err != nil:
			return err
		case ok && s.team != from.Team && s.team != "":
			return notFound(source)
		case !ok:
			if _, err := tx.Exec(ctx, `INSERT INTO sources (name, namespace, dataset, team, sender, kind, registered, body, found, revision, created_at, updated_at)
				VALUES (?, '', ?, ?, ?, 'corpus', 0, '{}', '{}', 0, ?, ?)`, source, source, from.Team, from.Team, us, us); err != nil {
				return err
			}
		}
		t := taking{tx: tx, from: from, now: b.o.Now()}
		if err := t.documents(ctx, f); err != nil || len(t.changed) == 0 {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "source.updated", Object: source})
	})
	return client.Accepted{Accepted: len(f.Documents), Rejected: f.Rejected, Reasons: f.Reasons}, err
}

// Put registers a source, or changes what people say of one.
func (b *Book) Put(ctx context.Context, who Actor, in client.PutSourceRequest) (client.Source, error) {
	in.Kind = cmp.Or(in.Kind, "dataset")
	asked := limits{in.MaxErrorRate, in.MinAccuracy, in.OnBreach}
	if err := asked.check(); err != nil {
		return client.Source{}, err
	}
	switch _, _, err := ages(in.WarnAge, in.MaxAge); {
	case err != nil:
		return client.Source{}, err
	case !goodName(in.Name):
		return client.Source{}, invalid("a source's name has letters, digits, dots, dashes and underscores, at most %d", maxName)
	case !slices.Contains(Kinds, in.Kind):
		return client.Source{}, invalid("kind is one of %s", strings.Join(Kinds, ", "))
	case len(in.Aliases) > maxList || len(in.Classes) > maxList || len(in.Description) > maxText || len(in.Owner) > maxName || len(in.Dataset) > maxText || len(in.Namespace) > maxText:
		return client.Source{}, invalid("a field of the source is too long")
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		tx.AfterCommit(func() { b.changed.Store(true) })
		old, ok, err := control.One(ctx, tx, scan, `SELECT `+columns+` FROM sources WHERE name = ?`, in.Name)
		switch {
		case err != nil:
			return err
		case ok && in.Revision != old.revision:
			return fault.New(fault.KindConflict, "source.revision", "source %s is at revision %d, not %d", in.Name, old.revision, in.Revision).WithHint("read it again and repeat the change")
		case !ok && in.Revision != 0:
			return notFound(in.Name)
		}
		next := row{
			name: in.Name, namespace: cmp.Or(in.Namespace, old.namespace), dataset: cmp.Or(in.Dataset, old.dataset, in.Name), team: cmp.Or(in.Team, old.team), kind: in.Kind, registered: true,
			said: said{in.Aliases, in.Owner, in.Description, in.Classes, in.Trusted, in.WarnAge, in.MaxAge, asked}, told: old.told, revision: old.revision + 1,
		}
		if err := old.keepsNames(&next, b.o.Now()); err != nil {
			return err
		}
		// What was only found in telemetry belongs to whoever says so first; what is
		// registered for no team is the house's.
		if !who.Can("developer", next.team, "*") || (ok && (old.team != "" || old.registered) && !who.Can("developer", old.team, "*")) {
			return fault.New(fault.KindDenied, "source.denied", "a source is changed by developers of its team, one of all teams by developers of all")
		}
		body, err := json.Marshal(next.said)
		if err != nil {
			return err
		}
		found, err := json.Marshal(next.told)
		if err != nil {
			return err
		}
		us := control.Micros(b.o.Now())
		if _, err := tx.Exec(ctx, `INSERT INTO sources (name, namespace, dataset, team, sender, kind, registered, body, found, revision, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET namespace = excluded.namespace, dataset = excluded.dataset, team = excluded.team, kind = excluded.kind, registered = 1,
			body = excluded.body, revision = excluded.revision, updated_at = excluded.updated_at`,
			next.name, next.namespace, next.dataset, next.team, next.team, next.kind, string(body), string(found), next.revision, us, us); err != nil {
			return err
		}
		record := audit.Record{Kind: "admin.source_put", Person: who.Person, Via: who.Via, Action: "put", Object: in.Name, After: next.shape()}
		if ok {
			record.Before = old.shape()
		}
		if err := audit.Append(ctx, tx, record); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "source.updated", Object: in.Name})
	})
	if err != nil {
		return client.Source{}, err
	}
	d, err := b.Get(ctx, in.Name)
	return d.Source, err
}

// Delete forgets a source and all that is known of it. Lineage that names it
// makes it anew.
func (b *Book) Delete(ctx context.Context, who Actor, name string) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		tx.AfterCommit(func() { b.changed.Store(true) })
		old, ok, err := control.One(ctx, tx, scan, `SELECT `+columns+` FROM sources WHERE name = ?`, name)
		switch {
		case err != nil:
			return err
		case !ok:
			return notFound(name)
		case !who.Can("developer", old.team, "*"):
			return fault.New(fault.KindDenied, "source.denied", "a source is changed by developers of its team")
		case old.isOut(b.o.Now()):
			return isOut(name) // lineage would make it anew, in use
		}
		if _, err := tx.Exec(ctx, `DELETE FROM sources WHERE name = ?`, name); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.source_deleted", Person: who.Person, Via: who.Via, Action: "delete", Object: name, Before: old.shape()}); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "source.updated", Object: name})
	})
}
