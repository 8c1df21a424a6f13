package duck

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"reeve/internal/telemetry"
)

// Rollups lie in blocks: one family, one level, a stretch of time, compressed
// together. An Append adds one small row of news to the index, whatever the
// number of minutes it touches, and adds the same to memory; fold later brings
// the news into the blocks of every level and deletes their rows, in one
// transaction. So the sum for a bucket is, at any moment, what its block says
// plus what of it is in memory; after a crash memory is filled from the rows of
// news.
const (
	levelMinute = 1
	levelFive   = 5
	levelHour   = 60
)

// rollupLevels are the levels and how many minutes one block of each holds.
var rollupLevels = [...]struct{ minutes, block int64 }{{levelMinute, 60}, {levelFive, 120}, {levelHour, 1440}}

func blockMinutes(level int64) int64 {
	for _, l := range rollupLevels {
		if l.minutes == level {
			return l.block
		}
	}
	return level
}

const (
	foldEvery = 30 * time.Second
	foldSize  = 256 << 10 // buckets and rows in memory: about 6 MB
	foldMust  = 4 * foldSize
)

// cell names one sum.
type cell struct {
	bucket                        int64
	family                        telemetry.Family
	agent, team, environment, key string
}

// cells are sums by cell. The sketches in them are never written to, so a
// shallow copy stays as it is.
type cells map[cell]*telemetry.RollupDelta

// add adds d to the sum of a bucket and tells by how many buckets and rows the
// sums grew.
func (c cells) add(bucket int64, d *telemetry.RollupDelta) (grown int) {
	k := cell{bucket, d.Family, d.Agent, d.Team, d.Environment, d.Key}
	t := c[k]
	if t == nil {
		grown = 8
		t = &telemetry.RollupDelta{Minute: bucket, Family: d.Family, Agent: d.Agent, Team: d.Team, Environment: d.Environment, Key: d.Key}
		c[k] = t
	}
	before := len(t.Latency)
	sum(t, d)
	return grown + len(t.Latency) - before
}

// own is add for sums that nobody else looks at: their sketches grow where they are.
func (c cells) own(bucket int64, d *telemetry.RollupDelta) {
	k := cell{bucket, d.Family, d.Agent, d.Team, d.Environment, d.Key}
	t := c[k]
	if t == nil {
		t = &telemetry.RollupDelta{Minute: bucket, Family: d.Family, Agent: d.Agent, Team: d.Team, Environment: d.Environment, Key: d.Key}
		c[k] = t
	}
	addCounts(t, d)
	t.Latency = mergeInto(t.Latency, d.Latency)
}

func sum(t, d *telemetry.RollupDelta) {
	addCounts(t, d)
	t.Latency = mergeBuckets(t.Latency, d.Latency)
}

func addCounts(t, d *telemetry.RollupDelta) {
	t.Runs += d.Runs
	t.Count += d.Count
	t.Errors += d.Errors
	t.InputTotal += d.InputTotal
	t.OutputTotal += d.OutputTotal
	t.CacheRead += d.CacheRead
	t.Unknown += d.Unknown
	t.CostNanos += d.CostNanos
	t.CostUnknown += d.CostUnknown
}

// mergeBuckets adds two lists sorted by index into a new one.
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

// mergeInto is mergeBuckets in the memory of a, which is the caller's alone.
func mergeInto(a, b []telemetry.Bucket) []telemetry.Bucket {
	if len(a) == 0 {
		return append(a, b...)
	}
	if len(b) == 0 {
		return a
	}
	i, j := len(a)-1, len(b)-1
	a = slices.Grow(a, len(b))[:len(a)+len(b)]
	k := len(a) - 1 // where the next goes, from behind: what is read is never written before
	for ; j >= 0; k-- {
		switch {
		case i < 0 || a[i].Index < b[j].Index:
			a[k], j = b[j], j-1
		case a[i].Index > b[j].Index:
			a[k], i = a[i], i-1
		default:
			a[k].Index, a[k].Count = b[j].Index, a[i].Count+b[j].Count
			i, j = i-1, j-1
			if a[k].Count == 0 {
				k++
			}
		}
	}
	return append(a[:i+1], a[k+1:]...)
}

// rolled is a row of a block. Its sketch stays encoded: charts look at few
// buckets of most, and decoded it takes ten times the memory. A row that comes
// from memory has its sketch in Latency instead.
type rolled struct {
	telemetry.RollupDelta
	sketch []byte
}

func (r *rolled) empty() bool {
	return r.Runs|r.Count|r.Errors|r.InputTotal|r.OutputTotal|r.CacheRead|r.Unknown|r.CostNanos|r.CostUnknown == 0 &&
		len(r.Latency)+len(r.sketch) == 0
}

// eachBucket visits the sketch in order of index.
func (r *rolled) eachBucket(visit func(telemetry.Bucket)) {
	for _, b := range r.Latency {
		visit(b)
	}
	last := int16(0)
	for b := r.sketch; len(b) > 0; {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return
		}
		b = b[n:]
		last += int16(v >> 1)
		count := int64(1)
		if v&1 != 0 {
			if count, n = binary.Varint(b); n <= 0 {
				return
			}
			b = b[n:]
		}
		visit(telemetry.Bucket{Index: last, Count: count})
	}
}

func (r *rolled) decode() {
	if r.sketch == nil {
		return
	}
	out := make([]telemetry.Bucket, 0, len(r.sketch))
	r.eachBucket(func(b telemetry.Bucket) { out = append(out, b) })
	r.Latency, r.sketch = out, nil
}

// packSketch writes buckets as distances; most hold one, which takes no byte of
// its own.
func packSketch(dst []byte, bs []telemetry.Bucket) []byte {
	last := int16(0)
	for _, b := range bs {
		v := uint64(uint16(b.Index-last)) << 1
		last = b.Index
		if b.Count == 1 {
			dst = binary.AppendUvarint(dst, v)
			continue
		}
		dst = binary.AppendVarint(binary.AppendUvarint(dst, v|1), b.Count)
	}
	return dst
}

// rollPacker writes rows of a block: their texts once, then their numbers.
type rollPacker struct {
	ids               map[string]uint64
	words             []string
	body, sketch, out []byte
	last              int64
}

// reset makes it ready for other rows, in the same memory.
func (p *rollPacker) reset() {
	clear(p.ids)
	clear(p.words)
	if p.words, p.body, p.last = p.words[:0], p.body[:0], 0; cap(p.body) > keptRows {
		p.body, p.out = nil, nil
	}
}

// keptRows is how much memory is kept for the next rows.
const keptRows = 4 << 20

func (p *rollPacker) text(s string) {
	id, ok := p.ids[s]
	if !ok {
		id = uint64(len(p.words))
		p.ids[s], p.words = id, append(p.words, s)
	}
	p.body = binary.AppendUvarint(p.body, id)
}

func (p *rollPacker) add(r *rolled) {
	if p.ids == nil {
		p.ids = make(map[string]uint64)
	}
	p.body = append(binary.AppendVarint(p.body, r.Minute-p.last), byte(r.Family))
	p.last = r.Minute
	p.text(r.Agent)
	p.text(r.Key)
	p.text(r.Team)
	p.text(r.Environment)
	for _, n := range [...]int64{r.Runs, r.Count, r.Errors, r.InputTotal, r.OutputTotal, r.CacheRead, r.Unknown, r.CostNanos, r.CostUnknown} {
		p.body = binary.AppendVarint(p.body, n)
	}
	s := r.sketch
	if s == nil {
		p.sketch = packSketch(p.sketch[:0], r.Latency)
		s = p.sketch
	}
	p.body = append(binary.AppendUvarint(p.body, uint64(len(s))), s...)
}

// bytes is what was packed; it is valid until the next reset.
func (p *rollPacker) bytes() []byte {
	n := binary.MaxVarintLen64 + len(p.body)
	for _, w := range p.words {
		n += binary.MaxVarintLen32 + len(w)
	}
	p.out = binary.AppendUvarint(slices.Grow(p.out[:0], n), uint64(len(p.words)))
	for _, w := range p.words {
		p.out = append(binary.AppendUvarint(p.out, uint64(len(w))), w...)
	}
	p.out = append(p.out, p.body...)
	return p.out
}

// packed reads numbers and texts; what is not there makes it bad.
type packed struct {
	b   []byte
	bad bool
}

func (r *packed) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *packed) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *packed) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// rollReader reads what rollPacker wrote.
type rollReader struct {
	packed
	words []string
	last  int64
}

func (r *rollReader) text() []byte { return r.take(r.uint()) }

func (r *rollReader) word() string {
	i := r.uint()
	if i >= uint64(len(r.words)) {
		r.bad = true
		return ""
	}
	return r.words[i]
}

// open reads the texts.
func (r *rollReader) open(b []byte) error {
	*r = rollReader{packed: packed{b: b}}
	n := r.uint()
	if n > uint64(len(r.b)) {
		return errCorrupt
	}
	r.words = make([]string, n)
	for i := range r.words {
		r.words[i] = string(r.text())
	}
	return r.err()
}

// next reads a row, whose sketch aliases the block; false at the end, or when it
// is damaged.
func (r *rollReader) next(x *rolled) bool {
	if len(r.b) == 0 || r.bad {
		return false
	}
	*x = rolled{}
	r.last += r.int()
	x.Minute = r.last
	x.Family = telemetry.Family(r.uint())
	x.Agent, x.Key, x.Team, x.Environment = r.word(), r.word(), r.word(), r.word()
	for _, p := range [...]*int64{&x.Runs, &x.Count, &x.Errors, &x.InputTotal, &x.OutputTotal, &x.CacheRead, &x.Unknown, &x.CostNanos, &x.CostUnknown} {
		*p = r.int()
	}
	x.sketch = r.text()
	return !r.bad
}

func (r *rollReader) err() error {
	if r.bad {
		return errCorrupt
	}
	return nil
}

// unpackRollups reads what packRollups wrote. Sketches alias b.
func unpackRollups(b []byte) ([]rolled, error) {
	var r rollReader
	if err := r.open(b); err != nil {
		return nil, err
	}
	out := make([]rolled, 0, len(r.b)/80)
	for {
		var x rolled
		if !r.next(&x) {
			return out, r.err()
		}
		out = append(out, x)
	}
}

// compareRolled is the order of a block's rows.
func compareRolled(a, b *telemetry.RollupDelta) int {
	// One after the other: cmp.Or would compare every text of every pair.
	if c := cmp.Compare(a.Minute, b.Minute); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Family, b.Family); c != 0 {
		return c
	}
	if c := strings.Compare(a.Agent, b.Agent); c != 0 {
		return c
	}
	if c := strings.Compare(a.Key, b.Key); c != 0 {
		return c
	}
	if c := strings.Compare(a.Team, b.Team); c != 0 {
		return c
	}
	return strings.Compare(a.Environment, b.Environment)
}

// rollups is the part of them that is in memory. Safe for concurrent use.
type rollups struct {
	enc *zstd.Encoder
	dec *zstd.Decoder

	fold sync.Mutex // one fold at a time; guards what follows
	to   rollPacker
	raw  []byte

	pack   sync.Mutex // guards what follows
	packer rollPacker
	packed []byte

	mu     sync.RWMutex
	fresh  news
	frozen *news     // being folded
	since  time.Time // of the oldest in fresh
	folds  int       // that were committed

	cache rollCache
}

type news struct {
	sums map[telemetry.Family]cells // a question asks for one family
	size int
	last int64 // row of the newest
}

func newRollups() (*rollups, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return nil, err
	}
	return &rollups{enc: enc, dec: dec}, nil
}

func (r *rollups) unpack(data []byte) ([]rolled, error) {
	raw, err := r.dec.DecodeAll(data, nil)
	if err != nil {
		return nil, errCorrupt
	}
	return unpackRollups(raw)
}

// insertNews writes the differences of a write as one row and returns its
// number, 0 when there are none.
func (r *rollups) insertNews(tx *sql.Tx, ds []telemetry.RollupDelta) (int64, error) {
	if len(ds) == 0 {
		return 0, nil
	}
	r.pack.Lock()
	defer r.pack.Unlock()
	r.packer.reset()
	var row rolled
	for i := range ds {
		row = rolled{RollupDelta: ds[i]}
		sortLatency(&row.RollupDelta)
		r.packer.add(&row)
	}
	r.packed = r.enc.EncodeAll(r.packer.bytes(), r.packed[:0])
	res, err := tx.Exec(`INSERT INTO news (data) VALUES (?)`, r.packed)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func sortLatency(d *telemetry.RollupDelta) {
	if !slices.IsSortedFunc(d.Latency, func(a, b telemetry.Bucket) int { return cmp.Compare(a.Index, b.Index) }) {
		var s telemetry.Sketch
		s.Add(d.Latency...)
		d.Latency = s.Buckets()
	}
}

// add takes the differences of a committed write and reports whether memory
// holds so many that they must be folded first.
func (r *rollups) add(row int64, ds []telemetry.RollupDelta, now time.Time) bool {
	if len(ds) == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fresh.sums == nil {
		r.fresh.sums, r.since = map[telemetry.Family]cells{}, now
	}
	var d telemetry.RollupDelta
	for i := range ds {
		d = ds[i]
		sortLatency(&d)
		of := r.fresh.sums[d.Family]
		if of == nil {
			of = cells{}
			r.fresh.sums[d.Family] = of
		}
		r.fresh.size += of.add(d.Minute, &d)
	}
	r.fresh.last = row
	return r.fresh.size > foldMust
}

// load fills memory with the news that the last process left.
func (r *rollups) load(x *index) error {
	rows, err := x.w.Query(`SELECT seq, data FROM news ORDER BY seq`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var seq int64
		var data sql.RawBytes
		if err := rows.Scan(&seq, &data); err != nil {
			return err
		}
		rs, err := r.unpack(data)
		if err != nil {
			return err
		}
		ds := make([]telemetry.RollupDelta, len(rs))
		for i := range rs {
			rs[i].decode()
			ds[i] = rs[i].RollupDelta
		}
		r.add(seq, ds, time.Time{})
	}
	return rows.Err()
}

// freeze sets the news aside for a fold; nil when it is not worth one yet.
func (r *rollups) freeze(now time.Time, must bool) *news {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen == nil { // else the last fold failed
		if len(r.fresh.sums) == 0 || !must && r.fresh.size < foldSize && now.Sub(r.since) < foldEvery {
			return nil
		}
		n := r.fresh
		r.frozen, r.fresh = &n, news{}
	}
	return r.frozen
}

type blockKey struct {
	level, last int64 // last is the block's last minute
	family      telemetry.Family
}

// foldRollups brings news into the blocks when they are many or old. Neither
// Append nor questions wait for more than its last step.
func (s *Store) foldRollups(must bool) error {
	r := s.rolls
	r.fold.Lock()
	defer r.fold.Unlock()
	news := r.freeze(s.o.Now(), must)
	if news == nil {
		return nil
	}
	began := s.o.Stages.Begin()
	defer func() { s.o.Stages.End(telemetry.StageRollups, began) }()
	var blocks []foldedBlock
	for family, sums := range news.sums {
		more, err := s.joinFamily(family, sums)
		if err != nil {
			return storageFault("folding rollups", err)
		}
		blocks = append(blocks, more...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	err := s.index.tx(context.Background(), func(tx *sql.Tx) error {
		put, err := tx.Prepare(`INSERT OR REPLACE INTO rollups (level, family, bucket, data) VALUES (?,?,?,?)`)
		if err != nil {
			return err
		}
		defer func() { _ = put.Close() }()
		for _, b := range blocks {
			if _, err := put.Exec(b.key.level, b.key.family, b.key.last, b.data); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`DELETE FROM news WHERE seq <= ?`, news.last)
		return err
	})
	if err == nil {
		r.frozen = nil
		r.folds++
	}
	return storageFault("folding rollups", err)
}

// foldedBlock is a block with the news in it.
type foldedBlock struct {
	key  blockKey
	data []byte
}

// joinFamily adds a family's news to its blocks of every level.
func (s *Store) joinFamily(family telemetry.Family, from cells) ([]foldedBlock, error) {
	var blocks []foldedBlock
	for _, l := range rollupLevels {
		level := from // each level comes from the one below it
		if l.minutes != levelMinute {
			level = make(cells, len(from)/2)
			for _, d := range from {
				level.own(floorDiv(d.Minute, l.minutes)*l.minutes, d)
			}
		}
		by := map[blockKey][]*telemetry.RollupDelta{}
		for c, d := range level {
			k := blockKey{l.minutes, floorDiv(c.bucket, l.block)*l.block + l.block - 1, family}
			by[k] = append(by[k], d)
		}
		from = level
		for k, sums := range by {
			data, err := s.joinBlock(k, sums)
			if err != nil {
				return nil, err
			}
			blocks = append(blocks, foldedBlock{k, data})
		}
	}
	return blocks, nil
}

// joinBlock adds sums, one a cell, to what the block holds.
func (s *Store) joinBlock(k blockKey, sums []*telemetry.RollupDelta) ([]byte, error) {
	var data []byte
	err := s.index.r.QueryRow(`SELECT data FROM rollups WHERE level = ? AND family = ? AND bucket = ?`, k.level, k.family, k.last).Scan(&data)
	if err != nil && err != sql.ErrNoRows {
		return nil, err
	}
	var raw []byte
	if data != nil {
		if raw, err = s.rolls.dec.DecodeAll(data, s.rolls.raw[:0]); err != nil {
			return nil, errCorrupt
		}
		if s.rolls.raw = raw[:0]; cap(raw) > keptRows {
			s.rolls.raw = nil
		}
	}
	raw, err = joinRolled(&s.rolls.to, raw, sums)
	if err != nil {
		return nil, err
	}
	return s.rolls.enc.EncodeAll(raw, nil), nil
}

// joinRolled merges sums, which it sorts, into the rows of a block, row by row:
// a block has ten thousands, and most keep what they are, their sketch as it is
// written.
func joinRolled(to *rollPacker, block []byte, sums []*telemetry.RollupDelta) ([]byte, error) {
	slices.SortFunc(sums, compareRolled)
	var from rollReader
	if block != nil {
		if err := from.open(block); err != nil {
			return nil, err
		}
	}
	to.reset()
	put := func(r *rolled) {
		if !r.empty() {
			to.add(r)
		}
	}
	var old, come rolled
	more := from.next(&old)
	for more || len(sums) > 0 {
		c := -1
		switch {
		case !more:
			c = 1
		case len(sums) > 0:
			c = compareRolled(&old.RollupDelta, sums[0])
		}
		if c > 0 {
			come = rolled{RollupDelta: *sums[0]}
			put(&come)
			sums = sums[1:]
			continue
		}
		if c == 0 {
			old.decode()
			sum(&old.RollupDelta, sums[0])
			sums = sums[1:]
		}
		put(&old)
		before := old.RollupDelta
		if more = from.next(&old); more && compareRolled(&before, &old.RollupDelta) >= 0 {
			return nil, fmt.Errorf("%w: rows of rollups out of order", errCorrupt)
		}
	}
	if err := from.err(); err != nil {
		return nil, err
	}
	return to.bytes(), nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// rollCache keeps the blocks that charts ask for again and again, unpacked. A
// block is known by its bytes, so that one changed by fold is unpacked anew.
type rollCache struct {
	mu     sync.Mutex
	blocks map[blockKey]*cachedBlock
	size   int
}

type cachedBlock struct {
	data []byte
	rows []rolled
	size int
}

const rollCacheBytes = 32 << 20

func (r *rollups) block(k blockKey, data []byte) ([]rolled, error) {
	c := &r.cache
	c.mu.Lock()
	p := c.blocks[k]
	c.mu.Unlock()
	if p != nil && bytes.Equal(p.data, data) {
		return p.rows, nil
	}
	rows, err := r.unpack(data)
	if err != nil {
		return nil, err
	}
	p = &cachedBlock{data: slices.Clone(data), rows: rows, size: len(data) + len(rows)*192}
	for i := range rows {
		p.size += len(rows[i].sketch)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.blocks[k]; old != nil {
		c.size -= old.size
	}
	if c.blocks == nil || c.size > rollCacheBytes {
		c.blocks, c.size = make(map[blockKey]*cachedBlock), 0
	}
	c.blocks[k] = p
	c.size += p.size
	return p.rows, nil
}

// rollups lists the rows of a family between two minutes at the resolution of
// level; their Minute is the bucket's. One bucket may come in several rows.
// They belong to the cache: they are not to be written to.
func (s *Store) rollups(ctx context.Context, family telemetry.Family, level, from, to int64) ([]*rolled, error) {
	for {
		out, folds := s.rolls.news(family, level, from, to)
		rows, err := s.blockRows(ctx, family, level, from, to)
		if err != nil {
			return nil, err
		}
		s.rolls.mu.RLock()
		same := s.rolls.folds == folds
		s.rolls.mu.RUnlock()
		if same { // else a fold moved the one to the other in between
			return append(out, rows...), nil
		}
	}
}

// news copies what memory has, so that no Append waits for a question.
func (r *rollups) news(family telemetry.Family, level, from, to int64) (out []*rolled, folds int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, n := range []*news{r.frozen, &r.fresh} {
		if n == nil {
			continue
		}
		var slab []rolled // one by one, thousands would cost more than the question
		for c, d := range n.sums[family] {
			if c.bucket < from || c.bucket >= to {
				continue
			}
			if len(slab) == 0 {
				slab = make([]rolled, min(len(n.sums[family]), 256))
			}
			x := &slab[0]
			slab = slab[1:]
			x.RollupDelta = *d
			x.Minute = floorDiv(c.bucket, level) * level
			out = append(out, x)
		}
	}
	return out, r.folds
}

// blockRows reads the blocks that hold minutes of a period.
func (s *Store) blockRows(ctx context.Context, family telemetry.Family, level, from, to int64) ([]*rolled, error) {
	rows, err := s.index.r.QueryContext(ctx, `SELECT bucket, data FROM rollups WHERE level = ? AND family = ? AND bucket >= ? AND bucket < ?`,
		level, family, from, to+blockMinutes(level)-1)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []*rolled
	for rows.Next() {
		var last int64
		var data sql.RawBytes
		if err := rows.Scan(&last, &data); err != nil {
			return nil, err
		}
		rs, err := s.rolls.block(blockKey{level, last, family}, data)
		if err != nil {
			return nil, err
		}
		for i := range rs {
			if m := rs[i].Minute; m >= from && m < to {
				out = append(out, &rs[i])
			}
		}
	}
	return out, rows.Err()
}
