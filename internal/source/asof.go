package source

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/control"
)

// Ref is what a step read, as the step says.
type Ref struct {
	StepID    string
	Name      string // of the source
	At        time.Time
	Documents []DocumentRef
}

// DocumentRef is a document of a step; Version "" is not said.
type DocumentRef struct{ ID, Version string }

// maxCauses bounds what is walked upwards, and maxDepth how far.
const (
	maxCauses = 20
	maxDepth  = 6
)

func scanVersion(r control.Row) (v client.SourceVersion, err error) {
	var at, items int64
	if err := r.Scan(&v.Version, &at, &v.Job, &v.JobRun, &items); err != nil {
		return v, err
	}
	v.At = control.Time(at)
	if items >= 0 {
		v.Items = &items
	}
	return v, nil
}

const versionColumns = `version, at, job, run, items`

// versionAt is the newest version at a time; nil for none.
func (b *Book) versionAt(ctx context.Context, source string, at time.Time) (*client.SourceVersion, error) {
	v, ok, err := control.One(ctx, b.o.DB, scanVersion, `SELECT `+versionColumns+` FROM source_versions WHERE source = ? AND at <= ? ORDER BY at DESC LIMIT 1`, source, control.Micros(at))
	if err != nil || !ok {
		return nil, err
	}
	return &v, nil
}

func scanJob(r control.Row) (j client.SourceJob, err error) {
	var at int64
	if err := r.Scan(&j.Run, &j.State, &at, &j.Note); err != nil {
		return j, err
	}
	j.At = control.Time(at)
	return j, nil
}

// jobAt is a job by its last run at a time; its state is "" when there was none.
func (b *Book) jobAt(ctx context.Context, of job, at time.Time) (client.SourceJob, error) {
	j, _, err := control.One(ctx, b.o.DB, scanJob, `SELECT run, state, at, note FROM source_job_runs WHERE team = ? AND job = ? AND at <= ? ORDER BY at DESC LIMIT 1`, of.team, of.name, control.Micros(at))
	if err != nil {
		return j, err
	}
	j.Name = of.name
	good, ok, err := control.One(ctx, b.o.DB, func(r control.Row) (us int64, err error) { return us, r.Scan(&us) },
		`SELECT at FROM source_job_runs WHERE team = ? AND job = ? AND state = 'complete' AND at <= ? ORDER BY at DESC LIMIT 1`, of.team, of.name, control.Micros(at))
	if ok {
		t := control.Time(good)
		j.GoodAt = &t
	}
	return j, err
}

// job is a job by whose lineage tells of it.
type job struct{ team, name string }

// jobs are the jobs that write a source, or read it.
func (b *Book) jobs(ctx context.Context, source string, writes bool) ([]job, error) {
	outward := 0
	if writes {
		outward = 1
	}
	return control.All(ctx, b.o.DB, func(r control.Row) (j job, err error) { return j, r.Scan(&j.team, &j.name) },
		`SELECT team, job FROM source_edges WHERE source = ? AND outward = ? ORDER BY at DESC LIMIT 50`, source, outward)
}

// causes walks from a source up to the jobs that did not do their part before a
// time: a job that failed or was skipped, or one above it. The nearest to the
// origin comes first: it is why those below it could not.
func (b *Book) causes(ctx context.Context, s *row, at time.Time) ([]client.SourceCause, error) {
	type place struct {
		source string
		path   []string
	}
	var out []client.SourceCause
	seen := map[string]bool{s.name: true}
	layer := []place{{s.name, []string{s.name}}}
	for depth := 0; depth < maxDepth && len(layer) > 0 && len(out) < maxCauses; depth++ {
		var next []place
		for _, p := range layer {
			jobs, err := b.jobs(ctx, p.source, true)
			if err != nil {
				return nil, err
			}
			for _, job := range jobs {
				path := append([]string{job.name}, p.path...)
				j, err := b.jobAt(ctx, job, at)
				if err != nil {
					return nil, err
				}
				if j.State != "" && j.State != Complete && j.State != Running {
					out = append(out, client.SourceCause{Job: job.name, State: j.State, At: j.At, Note: j.Note, GoodAt: j.GoodAt, Path: path})
				}
				inputs, err := control.All(ctx, b.o.DB, func(r control.Row) (s string, err error) { return s, r.Scan(&s) },
					`SELECT source FROM source_edges WHERE team = ? AND job = ? AND outward = 0 LIMIT 50`, job.team, job.name)
				if err != nil {
					return nil, err
				}
				for _, in := range inputs {
					if !seen[in] {
						seen[in] = true
						next = append(next, place{in, append([]string{in}, path...)})
					}
				}
			}
		}
		layer = next
	}
	slices.SortStableFunc(out, func(x, y client.SourceCause) int { return len(y.Path) - len(x.Path) })
	return out, nil
}

// all are the sources that a team's steps may mean, by each of their names.
func (b *Book) names(ctx context.Context, team string) (map[string]*row, error) {
	rows, err := control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM sources WHERE team = ? OR team = '' OR ? = '' ORDER BY registered, name`, team, team)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*row, 2*len(rows))
	for i := range rows {
		s := &rows[i]
		for _, name := range s.called() {
			out[strings.ToLower(name)] = s
		}
	}
	return out, nil
}

// mostListed bounds the versions of a source that Versions lists.
const mostListed = 1000

// Versions lists the versions of what a team's runs call by a name, the newest
// first and at most a thousand; none where nothing is known by that name.
func (b *Book) Versions(ctx context.Context, team, name string) ([]client.SourceVersion, error) {
	names, err := b.names(ctx, team)
	if err != nil {
		return nil, err
	}
	s := names[strings.ToLower(name)]
	if s == nil {
		return nil, nil
	}
	return control.All(ctx, b.o.DB, scanVersion, `SELECT `+versionColumns+` FROM source_versions WHERE source = ? ORDER BY at DESC LIMIT ?`, s.name, mostListed)
}

// AsOf answers for each thing that steps read what it was at that time. Names
// that nobody knows stay, with an empty Source.
func (b *Book) AsOf(ctx context.Context, team string, refs []Ref) ([]client.SourceUse, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	names, err := b.names(ctx, team)
	if err != nil {
		return nil, err
	}
	out := make([]client.SourceUse, 0, len(refs))
	for _, ref := range refs {
		use := client.SourceUse{StepID: ref.StepID, Name: ref.Name, At: ref.At, State: "unknown", Documents: []client.DocumentUse{}, Causes: []client.SourceCause{}}
		s := names[strings.ToLower(ref.Name)]
		if s == nil {
			use.Sentence = "nothing is known of a source " + ref.Name
			for _, d := range ref.Documents {
				use.Documents = append(use.Documents, client.DocumentUse{ID: d.ID, Version: d.Version, Sentence: "nothing is known of its versions"})
			}
			out = append(out, use)
			continue
		}
		if err := b.use(ctx, s, ref, &use); err != nil {
			return nil, err
		}
		out = append(out, use)
	}
	return out, nil
}

// use fills in what a source was when a step read it.
func (b *Book) use(ctx context.Context, s *row, ref Ref, use *client.SourceUse) (err error) {
	use.Source = s.name
	if use.Version, err = b.versionAt(ctx, s.name, ref.At); err != nil {
		return err
	}
	newest, err := b.versionAt(ctx, s.name, b.o.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	if newest != nil && (use.Version == nil || newest.Version != use.Version.Version) {
		use.Newer = newest
	}
	for _, d := range ref.Documents {
		du, err := b.document(ctx, s.name, d, ref.At)
		if err != nil {
			return err
		}
		use.Documents = append(use.Documents, du)
	}
	shape := s.shape()
	warn, most, _ := s.ages()
	switch {
	case use.Version != nil:
		old := ref.At.Sub(use.Version.At)
		ms := float64(old) / 1e6
		use.AgeMS = &ms
		fresh(&shape, warn, most, old)
		use.State = shape.State
		use.Sentence = "it read " + s.name + " in version " + use.Version.Version + ", " + age(old) + " old"
	case len(use.Documents) > 0:
		use.State, use.Sentence = documentsState(use, s, warn, most)
	default:
		use.Sentence = "no version of " + s.name + " was seen before it was read"
	}
	if use.State == "fresh" {
		return nil
	}
	if use.Causes, err = b.causes(ctx, s, ref.At); err != nil {
		return err
	}
	if len(use.Causes) > 0 {
		c := use.Causes[0]
		use.Sentence += ": job " + c.Job + " was " + c.State + " " + age(ref.At.Sub(c.At)) + " before"
	} else {
		use.Causes = []client.SourceCause{}
	}
	return nil
}

// documentsState is that of a corpus: its oldest document read counts.
func documentsState(use *client.SourceUse, s *row, warn, most time.Duration) (state, sentence string) {
	var oldest *client.DocumentUse
	for i := range use.Documents {
		if d := &use.Documents[i]; d.AgeMS != nil && (oldest == nil || *d.AgeMS > *oldest.AgeMS) {
			oldest = d
		}
	}
	if oldest == nil {
		return "unknown", "nothing is known of the documents that it read from " + s.name
	}
	shape := s.shape()
	fresh(&shape, warn, most, time.Duration(*oldest.AgeMS*1e6))
	if shape.State == "unknown" && oldest.Newer != "" {
		shape.State = "warn"
	}
	use.AgeMS = oldest.AgeMS
	return shape.State, "it read " + count(int64(len(use.Documents)), "document") + " of " + s.name + "; " + oldest.Sentence
}

// document is what a document was when it was read.
func (b *Book) document(ctx context.Context, source string, d DocumentRef, at time.Time) (client.DocumentUse, error) {
	type state struct {
		version string
		crawled time.Time
	}
	scan := func(r control.Row) (s state, err error) {
		var us int64
		err = r.Scan(&s.version, &us)
		s.crawled = control.Time(us)
		return s, err
	}
	out := client.DocumentUse{ID: d.ID, Version: d.Version, Sentence: "nothing is known of its versions"}
	last, ok, err := control.One(ctx, b.o.DB, scan, `SELECT version, crawled FROM source_documents WHERE source = ? AND document = ? AND crawled <= ? ORDER BY crawled DESC LIMIT 1`, source, d.ID, control.Micros(at))
	if err != nil || !ok {
		return out, err
	}
	read := last
	if d.Version != "" {
		if read, ok, err = control.One(ctx, b.o.DB, scan, `SELECT version, crawled FROM source_documents WHERE source = ? AND document = ? AND version = ?`, source, d.ID, d.Version); err != nil || !ok {
			return out, err
		}
	}
	old := at.Sub(read.crawled)
	ms := float64(old) / 1e6
	out.Version, out.AgeMS = read.version, &ms
	out.Sentence = "answered from version " + read.version + " of " + d.ID + ", " + age(old) + " old"
	if last.version != read.version {
		out.Newer, out.NewerAt = last.version, &last.crawled
		out.Sentence += ", version " + last.version + " existed"
	}
	return out, nil
}

// list reads all sources with their state at a time.
func (b *Book) list(ctx context.Context, at time.Time) ([]client.Source, error) {
	rows, err := control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM sources ORDER BY name`)
	if err != nil {
		return nil, err
	}
	type counts struct{ versions, documents, checks, failing int64 }
	byName := map[string]*counts{}
	fill := func(query string, put func(c *counts, n, m int64)) error {
		type sum struct {
			name string
			n, m int64
		}
		all, err := control.All(ctx, b.o.DB, func(r control.Row) (s sum, err error) { return s, r.Scan(&s.name, &s.n, &s.m) }, query)
		for _, s := range all {
			c := byName[s.name]
			if c == nil {
				c = &counts{}
				byName[s.name] = c
			}
			put(c, s.n, s.m)
		}
		return err
	}
	if err := fill(`SELECT source, COUNT(*), 0 FROM source_versions GROUP BY source`, func(c *counts, n, _ int64) { c.versions = n }); err != nil {
		return nil, err
	}
	if err := fill(`SELECT source, COUNT(DISTINCT document), 0 FROM source_documents GROUP BY source`, func(c *counts, n, _ int64) { c.documents = n }); err != nil {
		return nil, err
	}
	if err := fill(`SELECT source, COUNT(*), SUM(1 - ok) FROM source_checks GROUP BY source`, func(c *counts, n, m int64) { c.checks, c.failing = n, m }); err != nil {
		return nil, err
	}
	out := make([]client.Source, 0, len(rows))
	for i := range rows {
		s, err := b.stated(ctx, &rows[i], at)
		if err != nil {
			return nil, err
		}
		if c := byName[s.Name]; c != nil {
			s.Versions, s.Documents, s.Checks, s.Failing = c.versions, c.documents, c.checks, c.failing
		}
		out = append(out, s)
	}
	worst := []string{"stale", "warn", "unknown", "fresh"}
	slices.SortStableFunc(out, func(x, y client.Source) int {
		return cmp.Or(cmp.Compare(slices.Index(worst, x.State), slices.Index(worst, y.State)), cmp.Compare(y.Failing, x.Failing))
	})
	return out, nil
}

// stated is a source with its newest version at a time and what that means. A
// corpus without versions is as fresh as its last crawl.
func (b *Book) stated(ctx context.Context, r *row, at time.Time) (client.Source, error) {
	s := r.shape()
	if r.isOut(at) {
		s.OutOfUse = r.out
	}
	v, err := b.versionAt(ctx, r.name, at)
	if err != nil {
		return s, err
	}
	good := time.Time{}
	if s.Version = v; v != nil {
		good = v.At
	} else {
		us, ok, err := control.One(ctx, b.o.DB, func(r control.Row) (us int64, err error) { return us, r.Scan(&us) },
			`SELECT crawled FROM source_documents WHERE source = ? AND crawled <= ? ORDER BY crawled DESC LIMIT 1`, r.name, control.Micros(at))
		if err != nil {
			return s, err
		}
		if ok {
			good = control.Time(us)
		}
	}
	if !good.IsZero() {
		warn, most, _ := r.ages()
		fresh(&s, warn, most, at.Sub(good))
	}
	return s, nil
}

// Get reads a source with its history.
func (b *Book) Get(ctx context.Context, name string) (client.SourceDetail, error) {
	var out client.SourceDetail
	r, ok, err := control.One(ctx, b.o.DB, scan, `SELECT `+columns+` FROM sources WHERE name = ?`, name)
	if err != nil {
		return out, err
	}
	if !ok {
		return out, notFound(name)
	}
	now := b.o.Now()
	if out.Source, err = b.stated(ctx, &r, now); err != nil {
		return out, err
	}
	if out.History, err = control.All(ctx, b.o.DB, scanVersion, `SELECT `+versionColumns+` FROM source_versions WHERE source = ? ORDER BY at DESC LIMIT 100`, name); err != nil {
		return out, err
	}
	for _, side := range [...]struct {
		writes bool
		to     *[]client.SourceJob
	}{{true, &out.Writers}, {false, &out.Readers}} {
		*side.to = []client.SourceJob{}
		jobs, err := b.jobs(ctx, name, side.writes)
		if err != nil {
			return out, err
		}
		for _, job := range jobs {
			j, err := b.jobAt(ctx, job, now)
			if err != nil {
				return out, err
			}
			*side.to = append(*side.to, j)
		}
	}
	out.Results, err = control.All(ctx, b.o.DB, func(r control.Row) (c client.SourceCheck, err error) {
		var ok int
		var at int64
		err = r.Scan(&c.Name, &ok, &at, &c.Note)
		c.OK, c.At = ok == 1, control.Time(at)
		return c, err
	}, `SELECT name, ok, at, note FROM source_checks WHERE source = ? ORDER BY ok, name LIMIT 500`, name)
	if err != nil {
		return out, err
	}
	for _, c := range out.Results {
		out.Checks++
		if !c.OK {
			out.Failing++
		}
	}
	out.Versions = int64(len(out.History))
	out.Newest, err = control.All(ctx, b.o.DB, func(r control.Row) (d client.SourceDocument, err error) {
		var crawled, modified, chunks int64
		if err := r.Scan(&d.ID, &d.Version, &crawled, &modified, &chunks, &d.Embedding, &d.Title, &d.URI, &d.Versions); err != nil {
			return d, err
		}
		d.CrawledAt = control.Time(crawled)
		if modified > 0 {
			t := control.Time(modified)
			d.ModifiedAt = &t
		}
		if chunks >= 0 {
			d.Chunks = &chunks
		}
		return d, nil
	}, `SELECT d.document, d.version, d.crawled, d.modified, d.chunks, d.embedding, d.title, d.uri,
		(SELECT COUNT(*) FROM source_documents e WHERE e.source = d.source AND e.document = d.document)
		FROM source_documents d WHERE d.source = ? AND d.crawled = (SELECT MAX(e.crawled) FROM source_documents e WHERE e.source = d.source AND e.document = d.document)
		ORDER BY d.crawled DESC LIMIT 100`, name)
	if err != nil {
		return out, err
	}
	out.Documents = int64(len(out.Newest))
	out.Upstream, err = b.causes(ctx, &r, now)
	if out.Upstream == nil {
		out.Upstream = []client.SourceCause{}
	}
	return out, err
}
