// Package source knows what agents read: datasets, corpora and indexes, which
// version each had at a time, which jobs make them, and whether they were fresh.
//
// What for: an answer made from stale data looks like any other. Lineage events,
// artefacts of dbt, Great Expectations and Soda, and crawlers' reports say when a
// source was last good; a run's retrievals are looked up against that.
//
// Who calls it: intake hands over what arrives (Take), api lists, registers and
// asks what a run read (AsOf).
//
// Promises: what Take returned nil for is kept, and the same report again changes
// nothing. A question about a time is answered with what was there at that time,
// whatever came since. Safe for concurrent use.
//
// How it fails: what cannot be read of a delivery is counted with its reason, the
// rest is taken; faults have codes source.*.
//
// Start reading at Facts, then lineage.go, and asof.go for the answers.
package source

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// The states of a job's run.
const (
	Running  = "running"
	Complete = "complete"
	Failed   = "failed"
	Aborted  = "aborted"
	Skipped  = "skipped"
)

// Dataset is a source as lineage names it.
type Dataset struct{ Namespace, Name string }

// Facts are what one delivery says.
type Facts struct {
	Runs      []JobRun
	Versions  []Version
	Edges     []Edge
	Checks    []Check
	Policies  []Policy
	Documents []Document

	Rejected int
	Reasons  []string // of the first few
}

// JobRun is the state of one run of a job.
type JobRun struct {
	Job, Run, State, Note string
	At                    time.Time
}

// Version is a state that a dataset has from a time on.
type Version struct {
	Dataset  Dataset
	Version  string
	At       time.Time
	Job, Run string
	Items    int64 // rows; -1 unknown
}

// Edge says that a job reads a dataset, or writes it.
type Edge struct {
	Job     string
	Dataset Dataset
	Writes  bool
	At      time.Time
}

// Check is the result of an assertion about a dataset.
type Check struct {
	Dataset    Dataset
	Name, Note string
	OK         bool
	At         time.Time
}

// Policy is how old a dataset may be, as a tool says.
type Policy struct {
	Dataset         Dataset
	WarnAge, MaxAge time.Duration // 0: none
	By              string
}

// Document is a version of a document of a source that has a name.
type Document struct {
	Source, ID, Version, Embedding, Title, URI string
	Crawled, Modified                          time.Time // Modified zero: unknown
	Chunks                                     int64     // -1 unknown
}

func (f *Facts) reject(why string) {
	f.Rejected++
	if len(f.Reasons) < 5 {
		f.Reasons = append(f.Reasons, why)
	}
}

// Sender is who delivers.
type Sender struct{ Team, Environment string }

// Options of a Book. DB is required.
type Options struct {
	DB     *control.DB
	Now    func() time.Time
	Logger *slog.Logger
	// Auditor asks agents for audits; nil: audits are given alone.
	Auditor Auditor
}

// Book is all that is known of sources.
type Book struct {
	o       Options
	dates   atomic.Pointer[dates] // nil until read
	changed atomic.Bool           // since they were read
	reading atomic.Bool           // they are being read: changed says nothing of what is not there yet
	outs    atomic.Pointer[outs]  // nil until read
	looking sync.Mutex            // one look at a time: the last one to read is the last to keep
}

// New makes a book. It starts nothing.
func New(o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("sources need a database")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Book{o: o}, nil
}

// Actor is who asks for a change.
type Actor struct {
	Person string
	Via    string
	// Can reports whether the actor has a role for a team and environment.
	Can func(role, team, environment string) bool
}

// Kinds are the kinds of sources.
var Kinds = []string{"dataset", "corpus", "index", "api"}

const (
	maxName = 120
	maxText = 1000
	maxList = 50
)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "source.invalid", format, args...)
}

func notFound(name string) error {
	return fault.New(fault.KindNotFound, "source.not_found", "there is no source %.60s", name).WithHint("`reeve source list` lists them")
}

// goodName reports a name that stands in paths and on command lines as it is.
func goodName(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !(unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-", r))
	}) && s[0] != '.' && s[0] != '-'
}

// ages parses a pair of ages.
func ages(warn, most string) (w, m time.Duration, err error) {
	parse := func(name, s string) (time.Duration, error) {
		if s == "" {
			return 0, nil
		}
		d, err := parseAge(s)
		if err != nil || d <= 0 || d > 10*365*24*time.Hour {
			return 0, invalid("%s is a duration such as 24h or 7d, not %.40q", name, s)
		}
		return d, nil
	}
	if w, err = parse("warn_age", warn); err != nil {
		return 0, 0, err
	}
	if m, err = parse("max_age", most); err != nil {
		return 0, 0, err
	}
	if w > 0 && m > 0 && w > m {
		return 0, 0, invalid("warn_age is beyond max_age")
	}
	return w, m, nil
}

// parseAge reads a Go duration, or days: 7d.
func parseAge(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		d, err := time.ParseDuration(days + "h")
		return 24 * d, err
	}
	return time.ParseDuration(s)
}

// count is a number with its word.
func count(n int64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.FormatInt(n, 10) + " " + word + "s"
}

// age writes a duration for people.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "0 minutes"
	case d < 2*time.Hour:
		return count(int64(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return count(int64(d/time.Hour), "hour")
	}
	return count(int64(d/(24*time.Hour)), "day")
}

// fresh says how old a version is and what that means.
func fresh(s *client.Source, warn, most, old time.Duration) {
	switch {
	case most > 0 && old > most:
		s.State, s.Reason = "stale", "it is "+age(old)+" old, and may be "+age(most)
	case warn > 0 && old > warn:
		s.State, s.Reason = "warn", "it is "+age(old)+" old"
	case most > 0 || warn > 0:
		s.State, s.Reason = "fresh", "it is "+age(old)+" old"
	default:
		s.State, s.Reason = "unknown", "it is "+age(old)+" old; nobody said how old it may be"
	}
}

// keep is how long versions and runs are remembered that newer ones replaced.
const keep = 400 * 24 * time.Hour

// Run keeps what Fresh answers from, and forgets once a day what is too old to
// explain an answer, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	followed := make(chan error, 1)
	go func() { defer cancel(); followed <- b.follow(ctx) }()
	err := b.tidy(ctx)
	cancel()
	return errors.Join(err, <-followed)
}

// tidy forgets once a day.
func (b *Book) tidy(ctx context.Context) error {
	tick := time.NewTicker(24 * time.Hour)
	defer tick.Stop()
	for {
		if err := b.forget(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (b *Book) forget(ctx context.Context) error {
	before := control.Micros(b.o.Now().Add(-keep))
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, query := range [...]string{
			`DELETE FROM source_versions WHERE at < ? AND EXISTS (SELECT 1 FROM source_versions v WHERE v.source = source_versions.source AND v.at > source_versions.at)`,
			`DELETE FROM source_job_runs WHERE at < ? AND EXISTS (SELECT 1 FROM source_job_runs r WHERE r.team = source_job_runs.team AND r.job = source_job_runs.job AND r.state = 'complete' AND r.at > source_job_runs.at)`,
			`DELETE FROM source_results WHERE at < ?`,
			`DELETE FROM source_documents WHERE crawled < ? AND EXISTS (SELECT 1 FROM source_documents d WHERE d.source = source_documents.source AND d.document = source_documents.document AND d.crawled > source_documents.crawled)`,
		} {
			if _, err := tx.Exec(ctx, query, before); err != nil {
				return err
			}
		}
		return nil
	})
}

// List lists all sources, worst first.
func (b *Book) List(ctx context.Context) ([]client.Source, error) { return b.list(ctx, b.o.Now()) }
