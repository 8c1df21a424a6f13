package duck

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"reeve/internal/activity"
)

// This file looks for a phrase in content without DuckDB, which turns every text
// into a value of its own before it looks: a page's texts lie one after the other,
// and one search passes over them all.

const (
	phraseReaders = 2    // row groups that are read at a time, as DuckDB has threads
	phraseRuns    = 1000 // that a condition names; beyond, DuckDB joins
)

// fixedText looks for an ASCII text whatever its case.
type fixedText struct {
	lower        string
	at           int // of its rarest letter
	first, other byte
}

// byRarity lists what stands in texts, the most frequent first; what is not in it
// is rarer.
const byRarity = ` etaoinsrhldcumfpgwybv",.:_-10253k4678{}9[]xjqz`

// newFixedText reports false for a text that only folding by Unicode's rules finds.
func newFixedText(text string) (fixedText, bool) {
	f := fixedText{lower: strings.ToLower(text)}
	if text == "" {
		return f, false
	}
	rarest := -1
	for i := range len(f.lower) {
		c := f.lower[i]
		if text[i] >= 0x80 || text[i] == 0 {
			return f, false
		}
		rank := strings.IndexByte(byRarity, c)
		if rank < 0 {
			rank = len(byRarity)
		}
		if rank > rarest {
			rarest, f.at, f.first, f.other = rank, i, c, upper(c)
		}
	}
	return f, true
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// each calls visit with where the text stands in b; visit says from where to go on.
func (f *fixedText) each(b []byte, visit func(at int) (next int)) {
	place := func(c byte, from int) int {
		if from < len(b) {
			if i := bytes.IndexByte(b[from:], c); i >= 0 {
				return from + i
			}
		}
		return len(b)
	}
	low, high := place(f.first, f.at), len(b)
	if f.other != f.first {
		high = place(f.other, f.at)
	}
	for low < len(b) || high < len(b) {
		here := min(low, high)
		next := here + 1
		if start := here - f.at; f.stands(b, start) {
			next = max(next, visit(start)+f.at)
		}
		if low < next {
			low = place(f.first, next)
		}
		if high < next {
			high = place(f.other, next)
		}
	}
}

func (f *fixedText) stands(b []byte, at int) bool {
	if at < 0 || at+len(f.lower) > len(b) {
		return false
	}
	for i := range len(f.lower) {
		if c := b[at+i]; c != f.lower[i] && c != upper(f.lower[i]) {
			return false
		}
	}
	return true
}

// phrasePart is a row group of content that may hold rows of the time asked for.
type phrasePart struct {
	o     *openSegment
	group int
	first int64 // its first row
}

// saying finds the runs in which a phrase first stood in content, of those that
// src asks for; false when they are too many to name, or DuckDB must look.
func (s *Store) saying(ctx context.Context, src *source, phrase string) ([]activity.RunID, bool) {
	text, ok := newFixedText(phrase)
	if !ok {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	var parts []phrasePart
	for _, g := range src.segments(tableContent) {
		o, err := s.segs.acquire(g)
		if err != nil {
			return nil, false // DuckDB says what is wrong with it
		}
		defer s.segs.release(o)
		first := int64(0)
		for i, rows := range o.file.RowGroups() {
			if src.mayHold(o.file, i) {
				parts = append(parts, phrasePart{o, i, first})
			}
			first += rows.NumRows()
		}
	}
	found := make([]map[activity.RunID]struct{}, phraseReaders)
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for n := range found {
		found[n] = map[activity.RunID]struct{}{}
		group.Go(func() error {
			for ctx.Err() == nil && len(found[n]) <= phraseRuns {
				i := int(next.Add(1)) - 1
				if i >= len(parts) {
					return nil
				}
				if err := text.inPart(src, &parts[i], found[n]); err != nil {
					return err
				}
			}
			return context.Cause(ctx)
		})
	}
	if group.Wait() != nil {
		return nil, false
	}
	all := found[0]
	for _, more := range found[1:] {
		maps.Copy(all, more)
	}
	return slices.Collect(maps.Keys(all)), len(all) <= phraseRuns
}

// mayHold reports whether a row group of content may have rows of the runs asked for.
func (src *source) mayHold(f *parquet.File, group int) bool {
	if src.last == 0 {
		return true
	}
	for _, c := range f.Metadata().RowGroups[group].Columns {
		md := &c.MetaData
		if len(md.PathInSchema) != 1 || md.PathInSchema[0] != "minute" || len(md.Statistics.MinValue) != 8 || len(md.Statistics.MaxValue) != 8 {
			continue
		}
		from, to := src.minutes()
		return int64(binary.LittleEndian.Uint64(md.Statistics.MaxValue)) >= from && int64(binary.LittleEndian.Uint64(md.Statistics.MinValue)) <= to
	}
	return true
}

// minutes are those of within.
func (src *source) minutes() (from, to int64) {
	return floorDiv(src.since-int64(skew), minuteNanos), floorDiv(src.last+int64(skew), minuteNanos)
}

// inPart adds the runs whose content in a row group has the text.
func (f *fixedText) inPart(src *source, p *phrasePart, found map[activity.RunID]struct{}) (err error) {
	defer recoverDamage(&err)
	chunks := p.o.file.RowGroups()[p.group].ColumnChunks()
	at := slices.IndexFunc(p.o.file.Schema().Fields(), func(c parquet.Field) bool { return c.Name() == "raw" })
	if at < 0 {
		return errCorrupt
	}
	pages := chunks[at].Pages()
	defer func() { _ = pages.Close() }()
	for row := p.first; ; {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		rows := f.inPage(page, row)
		row += page.NumRows()
		parquet.Release(page)
		if err := src.runsOf(p.o, rows, found); err != nil {
			return err
		}
	}
}

// inPage lists the rows of a page whose text has the text, where first is the
// page's first.
func (f *fixedText) inPage(page parquet.Page, first int64) (rows []int64) {
	values := page.Data()
	raw, offsets := values.ByteArray()
	if len(offsets) < 2 {
		return nil
	}
	f.each(raw, func(at int) int {
		n, stands := slices.BinarySearch(offsets, uint32(at))
		if !stands {
			n--
		}
		for n+1 < len(offsets)-1 && offsets[n+1] == offsets[n] { // texts of nothing
			n++
		}
		end := int(offsets[n+1])
		if at+len(f.lower) > end {
			return at + 1 // it goes on in the next text
		}
		rows = append(rows, first+int64(n))
		return end
	})
	return rows
}

// runsOf adds the runs of rows of content that lie within the time asked for.
func (src *source) runsOf(o *openSegment, rows []int64, found map[activity.RunID]struct{}) error {
	from, to := src.minutes()
	for _, row := range rows {
		got, err := content.read(o, row, 1, nil, "run", "minute")
		if err != nil {
			return err
		}
		if m := floorDiv(got[0].Time, minuteNanos); src.last == 0 || m >= from && m <= to {
			found[got[0].Run] = struct{}{}
		}
		if len(found) > phraseRuns {
			return nil
		}
	}
	return nil
}
