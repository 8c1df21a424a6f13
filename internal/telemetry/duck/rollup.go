package duck

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"
	"sync"

	"reeve/internal/telemetry"
)

// Rollups are kept in pages: all agents of one family in one bucket of time.
// An Append only adds what changed, as rows of level 0; fold later adds those
// to the pages of every level and deletes them, in one transaction. So the sum
// for a bucket is, at any moment, its page plus what of it is still at level 0.
const (
	levelNew    = 0
	levelMinute = 1
	levelFive   = 5
	levelHour   = 60
)

var levels = []int64{levelMinute, levelFive, levelHour}

type rollupKey struct{ agent, team, environment, key string }

// page is the decoded form: sums by key.
type page map[rollupKey]*telemetry.RollupDelta

func (p page) add(d *telemetry.RollupDelta) {
	k := rollupKey{d.Agent, d.Team, d.Environment, d.Key}
	t := p[k]
	if t == nil {
		t = &telemetry.RollupDelta{Family: d.Family, Agent: d.Agent, Team: d.Team, Environment: d.Environment, Key: d.Key}
		p[k] = t
	}
	sum(t, d)
}

func sum(t, d *telemetry.RollupDelta) {
	t.Runs += d.Runs
	t.Count += d.Count
	t.Errors += d.Errors
	t.InputTotal += d.InputTotal
	t.OutputTotal += d.OutputTotal
	t.CacheRead += d.CacheRead
	t.Unknown += d.Unknown
	t.CostNanos += d.CostNanos
	t.CostUnknown += d.CostUnknown
	t.Latency = mergeBuckets(t.Latency, d.Latency)
}

// mergeBuckets adds two lists sorted by index.
func mergeBuckets(a, b []telemetry.Bucket) []telemetry.Bucket {
	if len(a) == 0 {
		return slices.Clone(b)
	}
	out := make([]telemetry.Bucket, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Index < b[0].Index:
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0 || b[0].Index < a[0].Index:
			out, b = append(out, b[0]), b[1:]
		default:
			if n := a[0].Count + b[0].Count; n != 0 {
				out = append(out, telemetry.Bucket{Index: a[0].Index, Count: n})
			}
			a, b = a[1:], b[1:]
		}
	}
	return out
}

func (p *packer) rollup(d *telemetry.RollupDelta) {
	for _, s := range []*string{&d.Agent, &d.Team, &d.Environment, &d.Key} {
		p.str(s)
	}
	for _, n := range []*int64{&d.Runs, &d.Count, &d.Errors, &d.InputTotal, &d.OutputTotal, &d.CacheRead, &d.Unknown, &d.CostNanos, &d.CostUnknown} {
		p.int(n)
	}
	last := int16(0)
	list(p, &d.Latency, func(b *telemetry.Bucket) {
		n := int64(b.Index - last)
		p.int(&n)
		if p.reading {
			b.Index = last + int16(n)
		}
		last = b.Index
		p.int(&b.Count)
	})
}

func packRollups(ds []*telemetry.RollupDelta) []byte {
	var p packer
	for _, d := range ds {
		p.rollup(d)
	}
	return p.b
}

func unpackRollups(b []byte, family telemetry.Family, each func(*telemetry.RollupDelta)) error {
	p := packer{b: b, reading: true}
	for len(p.b) > 0 {
		d := telemetry.RollupDelta{Family: family}
		p.rollup(&d)
		if p.damaged {
			return errCorrupt
		}
		each(&d)
	}
	return nil
}

func packPage(p page) []byte {
	ds := make([]*telemetry.RollupDelta, 0, len(p))
	for _, d := range p {
		if d.Runs|d.Count|d.Errors|d.InputTotal|d.OutputTotal|d.CacheRead|d.Unknown|d.CostNanos|d.CostUnknown != 0 || len(d.Latency) > 0 {
			ds = append(ds, d)
		}
	}
	slices.SortFunc(ds, func(a, b *telemetry.RollupDelta) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Team, b.Team), cmp.Compare(a.Environment, b.Environment))
	})
	return packRollups(ds)
}

// insertRollups adds the deltas of a write at level 0.
func insertRollups(tx *sql.Tx, w *telemetry.Write) error {
	type place struct {
		minute int64
		family telemetry.Family
	}
	by := map[place][]*telemetry.RollupDelta{}
	for i := range w.Rollups {
		d := &w.Rollups[i]
		if !slices.IsSortedFunc(d.Latency, func(a, b telemetry.Bucket) int { return cmp.Compare(a.Index, b.Index) }) {
			c := *d
			var s telemetry.Sketch
			s.Add(d.Latency...)
			c.Latency = s.Buckets()
			d = &c
		}
		k := place{d.Minute, d.Family}
		by[k] = append(by[k], d)
	}
	for k, ds := range by {
		if _, err := tx.Exec(`INSERT INTO rollups (level, bucket, family, seq, data) VALUES (0, ?, ?,
			(SELECT coalesce(max(seq), 0) + 1 FROM rollups WHERE level = 0 AND bucket = ? AND family = ?), ?)`,
			k.minute, k.family, k.minute, k.family, packRollups(ds)); err != nil {
			return err
		}
	}
	return nil
}

// foldRollups moves what is at level 0 into the pages, at most limit rows at a
// time so that no Append waits long. It reports whether there was any.
func (s *Store) foldRollups(limit int) (bool, error) {
	s.write.Lock()
	defer s.write.Unlock()
	var any bool
	err := s.index.tx(context.Background(), func(tx *sql.Tx) error {
		type place struct {
			minute, seq int64
			family      telemetry.Family
		}
		type target struct {
			level, bucket int64
			family        telemetry.Family
		}
		rows, err := tx.Query(`SELECT bucket, family, seq, data FROM rollups WHERE level = 0 ORDER BY bucket LIMIT ?`, limit)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		pages := map[target]page{}
		var gone []place
		for rows.Next() {
			var k place
			var data sql.RawBytes
			if err := rows.Scan(&k.minute, &k.family, &k.seq, &data); err != nil {
				return err
			}
			gone = append(gone, k)
			if err := unpackRollups(data, k.family, func(d *telemetry.RollupDelta) {
				for _, l := range levels {
					t := target{l, floorDiv(k.minute, l) * l, k.family}
					if pages[t] == nil {
						pages[t] = page{}
					}
					pages[t].add(d)
				}
			}); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		_ = rows.Close()
		any = len(gone) > 0
		for t, p := range pages {
			var data []byte
			err := tx.QueryRow(`SELECT data FROM rollups WHERE level = ? AND bucket = ? AND family = ? AND seq = 0`, t.level, t.bucket, t.family).Scan(&data)
			if err == nil {
				if err := unpackRollups(data, t.family, p.add); err != nil {
					return err
				}
			} else if err != sql.ErrNoRows {
				return err
			}
			if _, err := tx.Exec(`INSERT OR REPLACE INTO rollups (level, bucket, family, seq, data) VALUES (?,?,?,0,?)`, t.level, t.bucket, t.family, packPage(p)); err != nil {
				return err
			}
		}
		for _, k := range gone {
			if _, err := tx.Exec(`DELETE FROM rollups WHERE level = 0 AND bucket = ? AND family = ? AND seq = ?`, k.minute, k.family, k.seq); err != nil {
				return err
			}
		}
		return nil
	})
	return any, err
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// rollCache keeps the decoded pages that charts ask for again and again. A page
// is known by its bytes, so that one changed by fold is decoded anew.
type rollCache struct {
	mu    sync.Mutex
	pages map[rollPage]*cachedPage
	size  int
}

type rollPage struct {
	level, bucket int64
	family        telemetry.Family
}

type cachedPage struct {
	data []byte
	rows []telemetry.RollupDelta
}

const rollCacheBytes = 8 << 20

func (c *rollCache) get(k rollPage, data []byte) ([]telemetry.RollupDelta, error) {
	c.mu.Lock()
	p := c.pages[k]
	c.mu.Unlock()
	if p != nil && bytes.Equal(p.data, data) {
		return p.rows, nil
	}
	p = &cachedPage{data: slices.Clone(data)}
	if err := unpackRollups(data, k.family, func(d *telemetry.RollupDelta) { p.rows = append(p.rows, *d) }); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pages == nil || c.size > rollCacheBytes {
		c.pages, c.size = make(map[rollPage]*cachedPage), 0
	}
	c.pages[k] = p
	c.size += len(data)
	return p.rows, nil
}

// rollups calls each with every rollup row of a family between two minutes, at
// the resolution of level, with the bucket's minute.
func (s *Store) rollups(ctx context.Context, family telemetry.Family, level, from, to int64, each func(bucket int64, d *telemetry.RollupDelta)) error {
	// One statement reads pages and news in one snapshot; a fold in between
	// would count twice or not at all.
	rows, err := s.index.r.QueryContext(ctx, `SELECT level, bucket, data FROM rollups WHERE family = ?1 AND bucket >= ?3 AND bucket < ?4 AND level IN (0, ?2)`,
		family, level, from, to)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var l, bucket int64
		var data sql.RawBytes
		if err := rows.Scan(&l, &bucket, &data); err != nil {
			return err
		}
		if l == levelNew {
			b := floorDiv(bucket, level) * level
			if err := unpackRollups(data, family, func(d *telemetry.RollupDelta) { each(b, d) }); err != nil {
				return err
			}
			continue
		}
		ds, err := s.rolled.get(rollPage{l, bucket, family}, data)
		if err != nil {
			return err
		}
		for i := range ds {
			each(bucket, &ds[i])
		}
	}
	return rows.Err()
}
