package source

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/stat"
)

// What follows when a source breaks a limit of its readiness.
const (
	Tell = "tell" // a finding, which may become an incident
	Out  = "out"  // and the source is out of use until it keeps its limits again
)

// limits are what people ask of a source beside its age.
type limits struct {
	MaxErrorRate *float64 `json:"max_error_rate,omitempty"` // share of failed results of its assertions, of 30 days
	MinAccuracy  *float64 `json:"min_accuracy,omitempty"`   // share of right answers in its last audit
	OnBreach     string   `json:"on_breach,omitempty"`      // Tell (the default) or Out
}

func (l *limits) check() error {
	for name, v := range map[string]*float64{"max_error_rate": l.MaxErrorRate, "min_accuracy": l.MinAccuracy} {
		if v != nil && !(*v >= 0 && *v <= 1) {
			return invalid("%s is a share from 0 to 1", name)
		}
	}
	if l.OnBreach != "" && l.OnBreach != Tell && l.OnBreach != Out {
		return invalid("on_breach is tell or out, not %.20q", l.OnBreach)
	}
	return nil
}

const (
	resultsOf  = 30 * 24 * time.Hour // how far back error rates look
	auditHolds = 90 * 24 * time.Hour // an older audit says nothing of today
	maxAudit   = 500
	leastHeld  = 10 // results or answers before a limit can be broken
)

// Readiness is how far each source can be relied on, the worst first.
func (b *Book) Readiness(ctx context.Context) ([]client.SourceReadiness, error) {
	now := b.o.Now()
	rows, err := control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM sources ORDER BY name`)
	if err != nil {
		return nil, err
	}
	results, err := b.sums(ctx, `SELECT source, COUNT(*), SUM(1 - ok) FROM source_results WHERE at >= ? AND at <= ? GROUP BY source`, control.Micros(now.Add(-resultsOf)), control.Micros(now))
	if err != nil {
		return nil, err
	}
	audits, err := control.All(ctx, b.o.DB, scanAudit, `SELECT id, source, at, asked, correct, person, body FROM source_audits a
		WHERE at >= ? AND at = (SELECT MAX(at) FROM source_audits o WHERE o.source = a.source)`, control.Micros(now.Add(-auditHolds)))
	if err != nil {
		return nil, err
	}
	out := make([]client.SourceReadiness, 0, len(rows))
	for i := range rows {
		s := &rows[i]
		x := client.SourceReadiness{Breaches: []client.SourceBreach{}}
		if x.Source, err = b.stated(ctx, s, now); err != nil {
			return nil, err
		}
		if x.Every, x.Intervals, err = b.every(ctx, s.name, now); err != nil {
			return nil, err
		}
		if r, ok := results[s.name]; ok {
			x.ErrorRate = Share(r[1], r[0])
		}
		for k := range audits {
			if audits[k].Source == s.name {
				x.Audit = &audits[k]
				x.Accuracy = Share(audits[k].Correct, audits[k].Asked)
			}
		}
		x.Breaches = append(x.Breaches, breaches(s, &x)...)
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(x, y client.SourceReadiness) int {
		return cmp.Or(cmp.Compare(len(y.Breaches), len(x.Breaches)), strings.Compare(x.Source.Name, y.Source.Name))
	})
	return out, nil
}

// Share is k of n with its interval; nil of none.
func Share(k, n int64) *client.SourceShare {
	if n == 0 {
		return nil
	}
	low, high := stat.Wilson(k, n)
	return &client.SourceShare{Value: float64(k) / float64(n), Low: low, High: high, N: n, Hits: k}
}

// breaches are the limits that a source breaks now. A share breaks one only where
// its whole interval is beyond it: ten answers of which two are wrong may come of
// a source that is right in nine of ten.
func breaches(s *row, x *client.SourceReadiness) (out []client.SourceBreach) {
	if x.Source.State == "stale" {
		out = append(out, client.SourceBreach{Limit: "max_age", Text: x.Source.Reason})
	}
	l := &s.said.limits
	if e := x.ErrorRate; e != nil && l.MaxErrorRate != nil && e.N >= leastHeld && e.Low > *l.MaxErrorRate {
		out = append(out, client.SourceBreach{Limit: "max_error_rate", Text: fmt.Sprintf("%d of %d results of its assertions failed in 30 days (%.1f %%, at least %.1f %%); at most %.1f %% may", e.Hits, e.N, 100*e.Value, 100*e.Low, 100**l.MaxErrorRate)})
	}
	if a := x.Accuracy; a != nil && l.MinAccuracy != nil && a.N >= leastHeld && a.High < *l.MinAccuracy {
		out = append(out, client.SourceBreach{Limit: "min_accuracy", Text: fmt.Sprintf("its last audit found %d of %d answers right (%.1f %%, at most %.1f %%); at least %.1f %% must be", a.Hits, a.N, 100*a.Value, 100*a.High, 100**l.MinAccuracy)})
	}
	return out
}

func (b *Book) sums(ctx context.Context, query string, args ...any) (map[string][2]int64, error) {
	type sum struct {
		name string
		of   [2]int64
	}
	all, err := control.All(ctx, b.o.DB, func(r control.Row) (s sum, err error) { return s, r.Scan(&s.name, &s.of[0], &s.of[1]) }, query, args...)
	out := map[string][2]int64{}
	for _, s := range all {
		out[s.name] = s.of
	}
	return out, err
}

// every is how often a source is made anew: the middle of the times between its
// last versions, or between crawls of a corpus without versions. nil: too few.
func (b *Book) every(ctx context.Context, name string, now time.Time) (*float64, int64, error) {
	for _, query := range [...]string{
		`SELECT at FROM source_versions WHERE source = ? AND at <= ? ORDER BY at DESC LIMIT 60`,
		`SELECT DISTINCT crawled FROM source_documents WHERE source = ? AND crawled <= ? ORDER BY crawled DESC LIMIT 60`,
	} {
		at, err := control.All(ctx, b.o.DB, func(r control.Row) (us int64, err error) { return us, r.Scan(&us) }, query, name, control.Micros(now))
		if err != nil {
			return nil, 0, err
		}
		if len(at) < 3 {
			continue
		}
		gaps := make([]int64, 0, len(at))
		for i := 1; i < len(at); i++ {
			gaps = append(gaps, at[i-1]-at[i])
		}
		slices.Sort(gaps)
		ms := float64(gaps[len(gaps)/2]) / 1e3
		return &ms, int64(len(gaps)), nil
	}
	return nil, 0, nil
}

// results keeps what assertions said, for the share that fails.
func (t *taking) results(ctx context.Context, source string, c *Check) error {
	ok := 0
	if c.OK {
		ok = 1
	}
	_, err := t.tx.Exec(ctx, `INSERT INTO source_results (source, name, at, ok) VALUES (?, ?, ?, ?) ON CONFLICT (source, name, at) DO NOTHING`,
		source, cut(c.Name, maxText), control.Micros(c.At), ok)
	return err
}

// storedAudit is an audit's body; Agent and what follows are of one that asked.
type storedAudit struct {
	Truth      string             `json:"truth"`
	Wrong      []client.AuditItem `json:"wrong"`
	Agent      string             `json:"agent,omitempty"`
	Experiment string             `json:"experiment,omitempty"`
	Unanswered int64              `json:"unanswered,omitempty"`
}

func scanAudit(r control.Row) (a client.SourceAudit, err error) {
	var body string
	var at int64
	if err := r.Scan(&a.ID, &a.Source, &at, &a.Asked, &a.Correct, &a.By, &body); err != nil {
		return a, err
	}
	a.At, a.ErrorRate = control.Time(at), Share(a.Asked-a.Correct, a.Asked)
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		return a, fault.New(fault.KindInternal, "source.stored", "a stored audit cannot be read").WithCause(err)
	}
	return a, nil
}

// Audit keeps what an audit of a source found: sampled questions, what was
// answered from the source, and what is true. Who answers an item right is said,
// or found by comparing the texts.
func (b *Book) Audit(ctx context.Context, who Actor, in client.AuditSourceRequest) (client.SourceAudit, error) {
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	a := client.SourceAudit{Source: in.Name, At: now, By: who.Person, Truth: strings.TrimSpace(in.Truth), Wrong: []client.AuditItem{}}
	switch {
	case a.Truth == "" || len(a.Truth) > maxText || !oneLine(a.Truth):
		return a, invalid("say in a line what the truth is from")
	case len(in.Items) == 0 || len(in.Items) > maxAudit:
		return a, invalid("an audit has 1 to %d questions", maxAudit)
	}
	for i, x := range in.Items {
		if x.Question == "" || len(x.Question) > 4*maxText || len(x.Answer) > 20*maxText || len(x.Truth) > 20*maxText || x.Right == nil && len(wordsOf(x.Truth)) == 0 {
			return a, invalid("items[%d] needs a question, the answer, and the truth or whether it is right; texts of at most %d bytes", i, 20*maxText)
		}
		right := false
		if x.Right != nil {
			right = *x.Right
		} else {
			right = agrees(x.Answer, x.Truth)
		}
		a.Asked++
		if right {
			a.Correct++
			continue
		}
		if len(a.Wrong) < 20 {
			a.Wrong = append(a.Wrong, client.AuditItem{Question: cut(x.Question, maxText), Answer: cut(x.Answer, maxText), Truth: cut(x.Truth, maxText)})
		}
	}
	a.ID, a.ErrorRate = activity.Mint("aud", now.UnixNano()), Share(a.Asked-a.Correct, a.Asked)
	body, err := json.Marshal(storedAudit{Truth: a.Truth, Wrong: a.Wrong})
	if err != nil {
		return a, err
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		s, ok, err := control.One(ctx, tx, scan, `SELECT `+columns+` FROM sources WHERE name = ?`, in.Name)
		switch {
		case err != nil:
			return err
		case !ok:
			return notFound(in.Name)
		case !who.Can("developer", s.team, "*"):
			return fault.New(fault.KindDenied, "source.denied", "a source is audited by developers of its team")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO source_audits (id, source, at, asked, correct, person, body) VALUES (?, ?, ?, ?, ?, ?, ?)`, a.ID, in.Name, control.Micros(now), a.Asked, a.Correct, who.Person, string(body)); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.source_audited", Person: who.Person, Via: who.Via, Action: "audit", Object: in.Name, After: map[string]any{"id": a.ID, "asked": a.Asked, "correct": a.Correct}}); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "source.updated", Object: in.Name})
	})
	return a, err
}

// Audits are those of a source, the newest first.
func (b *Book) Audits(ctx context.Context, name string) ([]client.SourceAudit, error) {
	return control.All(ctx, b.o.DB, scanAudit, `SELECT id, source, at, asked, correct, person, body FROM source_audits WHERE source = ? ORDER BY at DESC LIMIT 50`, name)
}

// denials turn a sentence around: an answer has one where the truth does.
var denials = []string{"not", "no", "never", "none", "cannot", "nicht", "kein", "keine", "nie"}

func denies(s string) bool {
	return strings.Contains(strings.ToLower(s), "n't") || slices.ContainsFunc(wordsOf(s), func(w string) bool { return slices.Contains(denials, w) })
}

// agrees guesses whether an answer says what is true: it has every number of the
// truth, at least four fifths of its other words, and a denial where it has one.
func agrees(answer, truth string) bool {
	if denies(answer) != denies(truth) {
		return false
	}
	has := map[string]bool{}
	for _, w := range wordsOf(answer) {
		has[w] = true
	}
	words, found := 0.0, 0.0
	for _, w := range wordsOf(truth) {
		if strings.ContainsFunc(w, unicode.IsDigit) {
			if !has[w] {
				return false
			}
			continue
		}
		words++
		if has[w] {
			found++
		}
	}
	return words == 0 || found >= math.Ceil(0.8*words)
}

// wordsOf are the words and numbers of a text; a number keeps its point.
func wordsOf(s string) []string {
	parts := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != ','
	})
	out := parts[:0]
	for _, p := range parts {
		if p = strings.Trim(p, ".,"); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// Told is a source that breaks a limit, or keeps it again.
type Told struct {
	Source   client.Source
	Breaches []client.SourceBreach
	Out      bool // it was taken out of use for it
}

// system is who acts when a limit says so.
var system = Actor{Person: "reeve", Can: func(string, string, string) bool { return true }}

// outPerHour bounds how many sources are taken out by themselves in an hour: when
// all of lineage stops, a person decides.
const outPerHour = 5

// Keep looks at each source's limits every minute until ctx ends: tell hears of
// each that is broken, again while it is, and a source whose owner said so is out
// of use for that time. What fails is tried again in a minute.
func (b *Book) Keep(ctx context.Context, tell func(context.Context, Told)) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := b.keep(ctx, tell); err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("limits of sources were not all looked at", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (b *Book) keep(ctx context.Context, tell func(context.Context, Told)) error {
	all, err := b.Readiness(ctx)
	if err != nil {
		return err
	}
	lately := 0
	for i := range all {
		if o := all[i].Source.OutOfUse; ours(o) && b.o.Now().Sub(o.At) < time.Hour {
			lately++
		}
	}
	var failed error
	for i := range all {
		x := &all[i]
		o := x.Source.OutOfUse
		switch {
		case len(x.Breaches) == 0 && ours(o):
			failed = errors.Join(failed, b.goodAgain(ctx, x))
		case len(x.Breaches) > 0:
			t := Told{Source: x.Source, Breaches: x.Breaches, Out: ours(o)}
			if x.Source.OnBreach == Out && o == nil && lately < outPerHour {
				if err := b.outFor(ctx, x); err != nil {
					failed = errors.Join(failed, err)
				} else {
					t.Out = true
					lately++
				}
			}
			tell(ctx, t)
		}
	}
	return failed
}

// ours reports that a limit took a source out, and not a person.
func ours(o *client.SourceOut) bool { return o != nil && o.By == system.Person }

// outFor takes a source out for the limit that it breaks, unless somebody did
// meanwhile.
func (b *Book) outFor(ctx context.Context, x *client.SourceReadiness) error {
	reason := cut("it breaks its own limit: "+x.Breaches[0].Text, maxText)
	out := &client.SourceOut{By: system.Person, Reason: reason, Cause: x.Breaches[0].Limit, At: b.o.Now().UTC().Truncate(time.Microsecond)}
	_, err := b.setOut(ctx, system, x.Source.Name, "source_out", reason, out, func(old *row) bool { return !old.isOut(out.At) })
	return err
}

// goodAgain puts a source back when the limit that it was taken out for was
// measured since, and kept: that nothing is heard of it any more is not good news.
func (b *Book) goodAgain(ctx context.Context, x *client.SourceReadiness) error {
	o := x.Source.OutOfUse
	switch o.Cause {
	case "max_error_rate":
		n, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM source_results WHERE source = ? AND at > ?`, x.Source.Name, control.Micros(o.At))
		if err != nil || n < leastHeld {
			return err
		}
	case "min_accuracy":
		if x.Audit == nil || !x.Audit.At.After(o.At) || x.Audit.Asked < leastHeld {
			return nil
		}
	default:
		if x.Source.State != "fresh" && x.Source.State != "warn" {
			return nil
		}
	}
	_, err := b.setOut(ctx, system, x.Source.Name, "source_back", "it keeps its limits again", nil, func(now *row) bool {
		return ours(now.out) && now.out.At.Equal(o.At)
	})
	return err
}
