package source

import (
	"context"
	"strings"
	"time"

	"reeve/internal/control"
)

// dated is a source as the door asks for it: when it was made anew, and how old it
// may be.
type dated struct {
	at   time.Time // zero: nobody knows
	most time.Duration
}

// dates are the sources of each team by the names that steps call them by; "" has
// those of no team.
type dates map[string]map[string]dated

const (
	lookEvery  = time.Second
	relookFrom = time.Minute // what another node wrote is seen at the latest then
)

// Fresh reports whether what a team calls by a name is no older than it may be.
// known is false where nobody said how old that is, or when it was made. It reads
// memory only, which is a second behind.
func (b *Book) Fresh(team, name string) (fresh, known bool) {
	all := b.dates.Load()
	if all == nil || name == "" {
		return false, false
	}
	name = strings.ToLower(name)
	d, ok := (*all)[team][name]
	if !ok {
		d, ok = (*all)[""][name]
	}
	if !ok || d.at.IsZero() || d.most <= 0 {
		return false, false
	}
	return b.o.Now().Sub(d.at) <= d.most, true
}

// Any reports whether anything is known of any source: whoever looks for what
// steps read need not where nothing is.
func (b *Book) Any() bool {
	if b.changed.Load() || b.reading.Load() {
		return true
	}
	all := b.dates.Load()
	return all == nil || len(*all) > 0
}

// follow keeps what Fresh answers from, until ctx ends.
func (b *Book) follow(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var last time.Time
	for {
		b.reading.Store(true)
		if changed := b.changed.Swap(false); changed || b.o.Now().Sub(last) >= relookFrom {
			last = b.o.Now()
			if err := b.look(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
		b.reading.Store(false)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look reads all sources with their newest version or document.
func (b *Book) look(ctx context.Context) error {
	b.looking.Lock()
	defer b.looking.Unlock()
	rows, err := control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM sources ORDER BY registered, name`)
	if err != nil {
		return err
	}
	type newest struct {
		name string
		us   int64
	}
	made := map[string]time.Time{}
	now := control.Micros(b.o.Now().Add(time.Minute))
	// A corpus without versions is as fresh as its last crawl.
	for _, query := range [...]string{
		`SELECT source, MAX(crawled) FROM source_documents WHERE crawled <= ? GROUP BY source`,
		`SELECT source, MAX(at) FROM source_versions WHERE at <= ? GROUP BY source`,
	} {
		all, err := control.All(ctx, b.o.DB, func(r control.Row) (n newest, err error) { return n, r.Scan(&n.name, &n.us) }, query, now)
		if err != nil {
			return err
		}
		for _, n := range all {
			made[n.name] = control.Time(n.us)
		}
	}
	out := dates{}
	for i := range rows {
		s := &rows[i]
		_, most, _ := s.ages()
		of := out[s.team]
		if of == nil {
			of = map[string]dated{}
			out[s.team] = of
		}
		for _, name := range s.called() {
			of[strings.ToLower(name)] = dated{made[s.name], most}
		}
	}
	b.dates.Store(&out)
	b.keepOuts(rows)
	return nil
}

// called are the names by which steps call a source. The last word of a dataset's
// name is how people call it: a registered source takes it before a found one,
// which is why those come last in a list of all.
func (s *row) called() []string {
	names := append([]string{s.dataset[strings.LastIndexAny(s.dataset, "./")+1:], s.dataset, s.name}, s.said.Aliases...)
	out := names[:0]
	for _, n := range names {
		if n != "" {
			out = append(out, n)
		}
	}
	return out
}
