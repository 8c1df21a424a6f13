package duck

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Figures over weeks are asked for again and again, and all but their last hours
// stay as they were. So a question whose answer adds up is asked day by day, and
// the answers of whole days and hours are kept.
//
// What is kept is known by its statement, which names every file that it reads.
// Files are never written to, so a kept answer is the one that the statement would
// give now, as long as the manifest names the same files; whatever changes a day
// (a late step, an outcome, another price, merging, forgetting) makes it name
// others, and the old answer is never found again.
type keptSums struct {
	files *sumFiles // nil: none on disk

	mu   sync.Mutex
	kept map[[32]byte]*keptSum
	size int
	tick int64
}

type keptSum struct {
	done  chan struct{} // closed when rows and err are there
	rows  [][]any
	err   error
	size  int
	used  int64
	ids   []int64 // of the segments that it was computed from
	named bool    // ids are all of them
	saved bool    // it is on disk, or not to be
}

// sumsBytes bounds what is kept, about.
const sumsBytes = 48 << 20

// ask answers a statement: from what is kept, from who asks the same right now, or
// from the child.
func (c *keptSums) ask(ctx context.Context, child *child, sql string, args []any, keep bool, binned []int) ([][]any, error) {
	text, err := json.Marshal([]any{sql, args})
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(text)
	for {
		c.mu.Lock()
		c.tick++
		k := c.kept[key]
		if k == nil {
			if c.kept == nil {
				c.kept = map[[32]byte]*keptSum{}
			}
			k = &keptSum{done: make(chan struct{}), used: c.tick}
			c.kept[key] = k
			c.mu.Unlock()
			if keep && c.files != nil {
				k.ids, k.named = c.files.filesOf(sql)
			}
			if k.named {
				k.rows, k.saved = c.files.load(key, k.ids)
			}
			if !k.saved {
				k.rows, k.err = askChild(ctx, child, sql, args, binned)
			}
			c.finish(key, k, keep)
			return copyRows(k.rows), k.err
		}
		k.used = c.tick
		c.mu.Unlock()
		select {
		case <-k.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if k.err == nil {
			return copyRows(k.rows), nil
		}
		if !errors.Is(k.err, context.Canceled) && !errors.Is(k.err, context.DeadlineExceeded) {
			return nil, k.err
		}
		if err := ctx.Err(); err != nil { // whoever asked first gave up, and so did we
			return nil, err
		}
	}
}

// copyRows are rows that belong to whoever asked: others may have the same answer.
func copyRows(rows [][]any) [][]any {
	out := make([][]any, len(rows))
	for i := range rows {
		out[i] = slices.Clone(rows[i])
	}
	return out
}

// finish hands the answer to who waits for it, and keeps it or not.
func (c *keptSums) finish(key [32]byte, k *keptSum, keep bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(k.done)
	// Under the lock, as forget: an answer that was on its way while its segments
	// went is not kept.
	if !keep || k.err != nil || c.kept[key] != k || k.named && !c.files.alive(k.ids) {
		if c.kept[key] == k {
			delete(c.kept, key)
		}
		return
	}
	k.size = sizeOf(k.rows)
	c.size += k.size
	for c.size > sumsBytes {
		var old [32]byte
		oldest := int64(-1)
		for key, k := range c.kept {
			if k.size > 0 && (oldest < 0 || k.used < oldest) {
				old, oldest = key, k.used
			}
		}
		if oldest < 0 {
			return
		}
		c.size -= c.kept[old].size
		delete(c.kept, old)
	}
}

// forget drops the answers that segments which are gone were in, in memory and on
// disk: erased words must not stay there as names of groups. Of an answer that is on
// its way, or whose segments nobody knows, nothing is kept.
func (c *keptSums) forget() error {
	c.mu.Lock()
	for key, k := range c.kept { // who waits for an answer has it in hand
		if k.size == 0 || !k.named || !c.files.alive(k.ids) {
			c.size -= k.size
			delete(c.kept, key)
		}
	}
	c.mu.Unlock()
	if c.files == nil {
		return nil
	}
	return c.files.prune()
}

// savedAtATime bounds what one round of maintenance writes.
const savedAtATime = 64

// save writes kept answers to disk that are not there: those of days that do not
// move, since an answer to another would be dead when it is written. It reports
// whether some may be left.
func (c *keptSums) save(still func(ids []int64) bool) (more bool) {
	if c.files == nil {
		return false
	}
	type due struct {
		key [32]byte
		k   *keptSum
	}
	var list []due
	c.mu.Lock()
	for key, k := range c.kept {
		if k.size > 0 && k.named && !k.saved {
			list = append(list, due{key, k})
		}
	}
	c.mu.Unlock()
	n := 0
	for _, d := range list {
		if !still(d.k.ids) {
			continue
		}
		if n++; n > savedAtATime {
			return true
		}
		c.files.save(d.key, d.k.ids, d.k.rows)
		c.mu.Lock()
		d.k.saved = true // or it cannot be: it is asked again after a start
		c.mu.Unlock()
	}
	return false
}

func sizeOf(rows [][]any) int {
	n := 300
	for _, row := range rows {
		n += 24 + 24*len(row)
		for _, v := range row {
			switch v := v.(type) {
			case string:
				n += len(v)
			case telemetry.Bins:
				n += 16 * len(v)
			}
		}
	}
	return n
}

// askChild asks and makes plain numbers, and bins, of what comes.
func askChild(ctx context.Context, child *child, sql string, args []any, binned []int) ([][]any, error) {
	a, err := child.query(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	for _, row := range a.Rows {
		for _, i := range binned {
			if row[i], err = readBins(row[i]); err != nil {
				return nil, err
			}
		}
		for i := range row {
			if n, ok := row[i].(json.Number); ok {
				if row[i], err = n.Int64(); err != nil {
					row[i], _ = n.Float64()
				}
			}
		}
	}
	return a.Rows, nil
}

// here is where a condition of an aggregate belongs, in SQL that goes on after it.
const here = "\x00"

// binsSQL is the bins of telemetry.BinKey that rows fall into, as a text: each row's
// key, or keys and then counts. Counting in DuckDB takes 2 us a row, and of numbers
// that are all different saves nothing; keys as they come are counted here. So they are
// while there are not too many to be sent.
func binsSQL(c measureColumn, few bool) string {
	if c.unit == "path" {
		return countedSQL(c.expr, few)
	}
	whole := fmt.Sprintf("round((%s) * %.0f)", c.expr, telemetry.BinParts(c.unit))
	// greatest passes over what is unknown, and what is unknown is not nothing.
	n := fmt.Sprintf("CASE WHEN (%s) IS NOT NULL THEN greatest(%s, 0)::BIGINT END", c.expr, whole)
	// A logarithm that is one too large makes a bin that is coarser, not a wrong one.
	k := fmt.Sprintf("greatest(floor(log2(greatest(%s, 1)))::BIGINT - %d, 0)", whole, telemetry.BinBits)
	return countedSQL(fmt.Sprintf("(%[1]s << %[3]d) + ((%[2]s) >> %[1]s)", k, n, telemetry.BinBits+1), few)
}

// sentKeys is how many keys a statement may send one by one: of up to 20 digits, and a
// third of what an answer has room for.
const sentKeys = maxBytes / 3 / 20

func countedSQL(expr string, few bool) string {
	if few {
		return "string_agg((" + expr + ")::VARCHAR, ',')" + here
	}
	counts := "histogram(" + expr + ")" + here
	return "array_to_string(map_keys(" + counts + "), ',') || ';' || array_to_string(map_values(" + counts + "), ',')"
}

// readBins reads what countedSQL writes; nothing is no row.
func readBins(v any) (telemetry.Bins, error) {
	text, _ := v.(string)
	keys, counts, counted := strings.Cut(text, ";")
	list := make([]uint64, 0, strings.Count(keys, ",")+1)
	for keys != "" {
		var key string
		key, keys, _ = strings.Cut(keys, ",")
		k, err := strconv.ParseUint(key, 10, 64)
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	if !counted {
		return countKeys(list), nil
	}
	out := make(telemetry.Bins, 0, len(list))
	for _, k := range list {
		var count string
		count, counts, _ = strings.Cut(counts, ",")
		n, err := strconv.ParseInt(count, 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, telemetry.Bin{Key: k, N: n})
	}
	slices.SortFunc(out, func(a, b telemetry.Bin) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// countKeys sorts keys, and counts them.
func countKeys(keys []uint64) telemetry.Bins {
	slices.Sort(keys)
	n := 0
	for i := range keys {
		if i == 0 || keys[i] != keys[i-1] {
			n++
		}
	}
	out := make(telemetry.Bins, 0, n)
	for i, k := range keys {
		if i > 0 && k == keys[i-1] {
			out[len(out)-1].N++
			continue
		}
		out = append(out, telemetry.Bin{Key: k, N: 1})
	}
	return out
}

// paths are the runs with a hash of the order in which they called tools: that of
// each place and tool, together. It is hashed twice, since DuckDB joins the hashes of
// two values by xor, and an xor of those has lost which tool had which place.
func (src *source) paths() string {
	return "SELECT run, bit_xor(h) AS path_hash FROM (SELECT run, hash(hash(tool, row_number() OVER (PARTITION BY run ORDER BY start, sid))) AS h FROM " +
		src.from(tableSteps) + " WHERE kind = '" + activity.KindTool.String() + "' AND " + src.within("start", 1) + ") GROUP BY run"
}

// names reports whether a measure is of a field.
func names(q *telemetry.Query, field string) bool {
	return slices.ContainsFunc(q.Select, func(m telemetry.Measure) bool { return m.Field == field || m.With == field })
}

// deepFields are the measures of runs that lie in their steps.
var deepFields = []string{"waiting_ms", "path", "tool_successes"}

// deep reports a measure of runs that looks at their steps.
func deep(m telemetry.Measure) bool {
	ofSteps := func(field string) bool { return slices.Contains(deepFields, field) }
	return ofSteps(m.Field) || ofSteps(m.With) || m.Where != nil && search.LooksAtSteps(m.Where)
}

// deepQuery reports that all of a question about runs looks at their steps.
func deepQuery(q *telemetry.Query) bool {
	return q.Where != nil && search.LooksAtSteps(q.Where) || slices.Contains(q.GroupBy, "path")
}

// adds are the functions whose answers over parts of a time add up, and quantiles
// those that are read from bins, which do.
var (
	adds      = []string{"count", "sum", "squares", "products", "bins", "min", "max"}
	quantiles = map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
)

// addsUp reports a measure that the parts of a time are enough for. Seconds since
// 1970 are too large for bins.
func addsUp(q *telemetry.Query, m telemetry.Measure) bool {
	return !holdsWhole(m.Where) && (slices.Contains(adds, m.Func) || q.Binned && quantiles[m.Func] > 0 && m.Field != "started")
}

// apiece are dimensions with about a value a row.
var apiece = []string{"run", "call", "at", "path", "session", "run_session", "credential", "instance"}

// timePart is a part of a period; those that end on the hour are worth keeping.
type timePart struct {
	from, to time.Time
	whole    bool
}

// partsOf splits a question's period at the first and last full hour in it and at
// every midnight between; nil when its answer does not add up, or nothing is won.
// Of a day that moves, of which parts would not be kept for long, it is one part.
func partsOf(q *telemetry.Query, now time.Time, moves func(day time.Time) bool) []timePart {
	if q.From.IsZero() || q.Table != tableRuns && q.Table != tableSteps && q.Table != tableDecisions {
		return nil
	}
	to := q.To
	if to.IsZero() {
		to = now.Add(time.Second) // clocks of senders are ahead: the last part is open below
	}
	if to.Sub(q.From) < 3*time.Hour || to.Sub(q.From) > 400*24*time.Hour {
		return nil
	}
	if slices.ContainsFunc(q.Select, func(m telemetry.Measure) bool { return !addsUp(q, m) }) ||
		slices.ContainsFunc(q.GroupBy, func(d string) bool { return slices.Contains(apiece, d) }) || holdsWhole(q.Where) {
		return nil
	}
	first, last := ceil(q.From, time.Hour), to.Truncate(time.Hour)
	if day := q.From.Truncate(24 * time.Hour); moves(day) {
		first = sooner(ceil(q.From, 24*time.Hour), last)
	}
	if day := to.Truncate(24 * time.Hour); moves(day) && !day.Before(first) {
		last = day
	}
	if !first.Before(last) {
		return nil
	}
	var out []timePart
	if first.After(q.From) {
		out = append(out, timePart{q.From, first, false})
	}
	for at := first; at.Before(last); {
		next := sooner(at.Truncate(24*time.Hour).Add(24*time.Hour), last)
		out = append(out, timePart{at, next, true})
		at = next
	}
	if q.To.IsZero() || last.Before(to) {
		out = append(out, timePart{last, q.To, false})
	}
	return out
}

func ceil(t time.Time, d time.Duration) time.Time {
	if down := t.Truncate(d); down.Before(t) {
		return down.Add(d)
	}
	return t
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// moving is how long after its last change a day counts as one that changes: its
// first or last hours are then not worth a statement of their own.
const moving = 2 * time.Minute

func (s *Store) moves(day time.Time) bool {
	return time.Since(s.segs.changed(dayOf(day.UnixNano()))) < moving
}

// still reports segments of days that do not move.
func (s *Store) still(ids []int64) bool {
	return !slices.ContainsFunc(ids, func(id int64) bool {
		g, ok := s.segs.get(id)
		return !ok || time.Since(s.segs.changed(g.day)) < moving
	})
}

// holdsWhole reports a search that one part of the time cannot decide: a phrase,
// whose reading depends on who asks, and a step's parent and children.
func holdsWhole(e search.Expr) bool {
	return e != nil && (search.HasText(e) || search.LooksAtKin(e))
}

// partsHold is how many rows the answers to parts have together: what has more is
// asked in one statement, which gives as many as were asked for.
const partsHold = 200_000

var errManyRows = errors.New("too many rows for an answer in parts")

// queryParts asks part by part and adds up; nil when an answer is too long for it, or
// there is nothing to add.
func (s *Store) queryParts(ctx context.Context, q *telemetry.Query, parts []timePart, now time.Time) (*telemetry.Result, error) {
	asked := s.portions(q, slices.DeleteFunc(parts, func(p timePart) bool { return s.nothingIn(q.Table, p) }), now)
	if len(asked) == 0 {
		return nil, nil
	}
	answers := make([]*telemetry.Result, len(asked))
	var rows atomic.Int64
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(3) // as the child does
	for i := range asked {
		g.Go(func() (err error) {
			if answers[i], err = s.queryPart(inner, &asked[i]); err != nil {
				return err
			}
			if answers[i].Cut || rows.Add(int64(len(answers[i].Rows))) > partsHold {
				return errManyRows
			}
			return nil
		})
	}
	err := g.Wait()
	if errors.Is(err, errManyRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return addUp(q, answers), nil
}

// nothingIn reports a part of which a table has no file.
func (s *Store) nothingIn(table string, p timePart) bool {
	src := s.source(p.from, p.to)
	defer src.release()
	src.exact(table)
	return src.empty(table)
}

// portions are the questions that a question is made of: one a part, and where some
// of its measures look at steps, another for those, since it reads other files.
func (s *Store) portions(q *telemetry.Query, parts []timePart, now time.Time) (out []queryPlan) {
	of := slices.Clone(q.Select)
	for i := range of {
		if quantiles[of[i].Func] > 0 {
			of[i].Func = "bins"
		}
	}
	kinds := [][]telemetry.Measure{of}
	if q.Table == tableRuns && !deepQuery(q) {
		var shallow, steps []telemetry.Measure
		for _, m := range of {
			if deep(m) {
				steps = append(steps, m)
			} else {
				shallow = append(shallow, m)
			}
		}
		if len(shallow) > 0 && len(steps) > 0 {
			kinds = [][]telemetry.Measure{shallow, steps}
		}
	}
	// The hours before the first whole part and after the last are asked together: a
	// statement costs more than an hour of rows.
	var and *timePart
	if n := len(parts) - 1; n > 0 && !parts[0].whole && !parts[n].whole {
		and, parts = &parts[n], parts[:n]
	}
	for _, p := range parts {
		for _, measures := range kinds {
			of := *q
			of.From, of.To, of.Select, of.OrderBy, of.Limit = p.from, p.to, measures, "", maxGroups
			plan := queryPlan{Query: &of, now: now, keep: p.whole}
			if !p.whole {
				plan.and = and
			}
			out = append(out, plan)
		}
	}
	return out
}

// addUp makes one answer of those to parts.
func addUp(q *telemetry.Query, answers []*telemetry.Result) *telemetry.Result {
	res := &telemetry.Result{Source: "rows"}
	for _, c := range answers[0].Columns {
		if c.Kind != "measure" {
			res.Columns = append(res.Columns, c)
		}
	}
	dims := len(res.Columns)
	at := map[string]int{} // place of a measure
	for _, m := range q.Select {
		at[m.As] = len(res.Columns)
		res.Columns = append(res.Columns, telemetry.Column{Name: m.As, Kind: "measure"})
	}
	bins := map[[2]int][]telemetry.Bins{} // of a row and column, to be added at the end
	rows := map[string]int{}
	var key []byte
	for _, a := range answers {
		res.Scanned += a.Scanned
		for _, c := range a.Columns[dims:] {
			res.Columns[at[c.Name]].Unit = c.Unit
		}
		for _, row := range a.Rows {
			key = key[:0]
			for _, v := range row[:dims] {
				key = appendKey(key, v)
			}
			i, ok := rows[string(key)]
			if !ok {
				i = len(res.Rows)
				rows[string(key)] = i
				res.Rows = append(res.Rows, append(slices.Clone(row[:dims]), make([]any, len(q.Select))...))
			}
			for j, c := range a.Columns[dims:] {
				place := at[c.Name]
				v := row[dims+j]
				if b, ok := v.(telemetry.Bins); ok {
					bins[[2]int{i, place}] = append(bins[[2]int{i, place}], b)
					continue
				}
				res.Rows[i][place] = addValue(q.Select[place-dims].Func, res.Rows[i][place], v)
			}
		}
	}
	for k, list := range bins {
		res.Rows[k[0]][k[1]] = quantileOf(q.Select[k[1]-dims].Func, res.Columns[k[1]].Unit, telemetry.AddBins(list...))
	}
	nothing(q, res, dims)
	sortRows(q, res)
	return res
}

// appendKey writes a dimension's value so that no two values are written alike.
func appendKey(key []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(key, 'n')
	case string:
		return append(binary.AppendUvarint(append(key, 's'), uint64(len(v))), v...)
	case int64:
		return binary.AppendVarint(append(key, 'i'), v)
	}
	text := fmt.Sprintf("%T %v", v, v)
	return append(binary.AppendUvarint(append(key, 'v'), uint64(len(text))), text...)
}

// quantileOf is what a function makes of bins: for all but quantiles they are the
// answer.
func quantileOf(fn, unit string, bins telemetry.Bins) any {
	q := quantiles[fn]
	if q == 0 {
		return bins
	}
	key, ok := bins.At(q)
	if !ok {
		return nil
	}
	return telemetry.BinValue(key, unit)
}

// nothing gives counts of rows that only some questions had their zero.
func nothing(q *telemetry.Query, res *telemetry.Result, dims int) {
	for _, row := range res.Rows {
		for i, m := range q.Select {
			if v := row[dims+i]; v == nil && m.Func == "count" {
				row[dims+i] = int64(0)
			} else if v == nil && m.Func == "bins" {
				row[dims+i] = telemetry.Bins(nil)
			}
		}
	}
}

// addValue adds what a part says to what is known; nil is unknown.
func addValue(fn string, have, more any) any {
	switch {
	case more == nil:
		return have
	case have == nil:
		return more
	}
	a, aInt := have.(int64)
	b, bInt := more.(int64)
	x, y := toFloat(have), toFloat(more)
	switch fn {
	case "min":
		if y < x {
			return more
		}
		return have
	case "max":
		if y > x {
			return more
		}
		return have
	}
	if aInt && bInt {
		return a + b
	}
	return x + y
}

// fewTests is how many runs of tests a statement names.
const fewTests = 1000

// noTests leaves out runs of mode test, and what belongs to them. Their ids stand in
// the statement: it then reads nothing of runs, and stays the same while other runs
// go on.
func (s *Store) noTests(ctx context.Context, q *queryPlan, src *source) (string, error) {
	if q.Table == tableRuns {
		return "coalesce(mode, '') <> 'test'", nil
	}
	from, to := q.From, q.To
	if q.and != nil {
		to = q.and.to // it is the later one
	}
	if from.IsZero() || from.Before(q.now.AddDate(-2, 0, 0)) {
		if src.empty(tableRuns) {
			return "true", nil
		}
		return "run NOT IN (SELECT run FROM " + src.from(tableRuns) + " x WHERE mode = 'test')", nil
	}
	ids, err := s.tests(ctx, reaching(from), cmp.Or(to, q.now.Add(time.Hour)))
	if err != nil {
		return "", err
	}
	if len(ids) == 0 {
		return "true", nil
	}
	if len(ids) > fewTests {
		all := s.source(reaching(from), to)
		defer all.release() // its files are those of src and older ones: pinned until src is released
		return "run NOT IN (SELECT run FROM " + all.from(tableRuns) + " x WHERE mode = 'test')", nil
	}
	return "run NOT IN (" + strings.Join(ids, ", ") + ")", nil
}

// tests are the ids of runs of mode test, as SQL, day by day.
func (s *Store) tests(ctx context.Context, from, to time.Time) ([]string, error) {
	first, last := dayOf(from.UnixNano()), dayOf(to.UnixNano())
	found := make([][]string, last-first+1)
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(3)
	for i := range found {
		day := timeOf(int64(first+int32(i)) * nsPerDay)
		g.Go(func() error {
			src := s.source(day, day.Add(24*time.Hour-1))
			defer src.release()
			src.exact(tableRuns)
			if src.empty(tableRuns) {
				return nil
			}
			rows, err := s.sums.ask(inner, s.child, "SELECT DISTINCT run::VARCHAR FROM "+src.from(tableRuns)+fmt.Sprintf(" x WHERE mode = 'test' ORDER BY 1 LIMIT %d", fewTests+1), nil, true, nil)
			for _, row := range rows {
				found[i] = append(found[i], quoteText(fmt.Sprint(row[0]))+"::UUID")
			}
			return err
		})
	}
	err := g.Wait()
	return slices.Concat(found...), err
}

// until looks up when the runs of a question that looks at their steps were over,
// so that it reads the files of that time, and no fewer.
func (s *Store) until(ctx context.Context, q *queryPlan, src *source, from, to time.Time) error {
	if q.Table != tableRuns || from.IsZero() || src.empty(tableRuns) || !deepQuery(q.Query) && !slices.ContainsFunc(q.Select, deep) {
		return nil
	}
	if to.IsZero() || to.After(q.now.Add(-slack)) { // until now, anyhow
		src.last = ceil(q.now, time.Hour).UnixNano() // the same statement for an hour
		return nil
	}
	sql := "SELECT max(CASE WHEN status IN ('done', 'stale') THEN greatest(coalesce(start + duration, updated, start), start) END), count(*) FILTER (WHERE status NOT IN ('done', 'stale')) FROM " + src.from(tableRuns) + " WHERE start >= $1"
	args := []any{from.UnixNano(), to.UnixNano()}
	sql += " AND start < $2"
	rows, err := s.sums.ask(ctx, s.child, sql, args, q.keep, nil)
	if err != nil || len(rows) != 1 {
		return err
	}
	src.last = max(int64(toFloat(rows[0][0])), from.UnixNano())
	if n, _ := rows[0][1].(int64); n > 0 {
		src.last = max(src.last, ceil(q.now, time.Hour).UnixNano())
	}
	return nil
}

// exact chooses the files of a table by the times of its own rows: nothing of the
// day before is read for clocks that differ.
func (src *source) exact(table string) {
	if table != tableRuns && table != tableSteps && table != tableDecisions {
		return
	}
	var l []segment
	for _, g := range src.s.segs.of(table, src.days) {
		if g.tmax >= src.since && g.tmin < src.to {
			l = append(l, g)
		}
	}
	src.memo[table] = l
}
