package duck

import (
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"reeve/internal/telemetry/duck/columnar"
)

// What a row group made by encoding again holds at most.
const (
	groupRows  = 64 << 10
	groupBytes = 16 << 20
)

// recoder makes one file of the row groups of others: it copies those that are
// large enough and gathers the rows of small ones.
type recoder struct {
	to      *columnar.Joiner
	layout  []columnar.Column
	w       *columnar.Writer // made when it is needed
	pending groupRow         // what w holds
	groups  []groupRow       // written
	rows    int64            // of the file so far
}

func newRecoder(f *os.File, layout []columnar.Column) (*recoder, error) {
	to, err := columnar.NewJoiner(f, layout)
	return &recoder{to: to, layout: layout}, err
}

func (r *recoder) flush() error {
	if r.pending.rows == 0 {
		return nil
	}
	r.w.Flush(int(r.pending.rows))
	r.groups = append(r.groups, r.pending)
	r.pending = groupRow{}
	return r.to.Append(r.w)
}

// close ends the file with its index and tells where that begins.
func (r *recoder) close(x *segmentIndex) (at, size int64, err error) {
	if err := r.flush(); err != nil {
		return 0, 0, err
	}
	x.groups = r.groups
	b := x.encode()
	if at, err = r.to.Extra(b); err != nil {
		return 0, 0, err
	}
	return at, int64(len(b)), r.to.Close()
}

// copy adds a row group as it is.
func (r *recoder) copy(from *os.File, g *columnar.RowGroup, about groupRow) error {
	if err := r.flush(); err != nil {
		return err
	}
	if err := r.to.Copy(from, g); err != nil {
		return err
	}
	r.rows += g.NumRows
	r.groups = append(r.groups, about)
	return nil
}

// exchange adds a row group with the columns that w holds in place of its own.
func (r *recoder) exchange(from *os.File, g *columnar.RowGroup, about groupRow, w *columnar.Writer) error {
	if err := r.flush(); err != nil {
		return err
	}
	if err := r.to.Exchange(from, g, w); err != nil {
		return err
	}
	r.rows += g.NumRows
	r.groups = append(r.groups, about)
	return nil
}

// recode adds rows of a row group: row i stays when stay[i+1] > stay[i]; nil
// means that all do. A column that the file lacks is null, or empty.
func (r *recoder) recode(schema *parquet.Schema, g parquet.RowGroup, stay []uint32, about groupRow) (err error) {
	defer recoverDamage(&err)
	if r.w == nil {
		r.w = columnar.NewWriter(r.layout)
	}
	n := int(g.NumRows())
	if stay != nil {
		n = int(stay[len(stay)-1] - stay[0])
	}
	if r.pending.rows > 0 && (int(r.pending.rows)+n > groupRows || r.w.Buffered() > groupBytes) {
		if err := r.flush(); err != nil {
			return err
		}
	}
	place := make(map[string]int)
	for i, f := range schema.Fields() {
		place[f.Name()] = i
	}
	chunks := g.ColumnChunks()
	for c := range r.layout {
		r.w.Rest()
		b := r.w.Column(c)
		i, ok := place[r.layout[c].Name]
		if !ok {
			for range n {
				b.Value(parquet.Value{})
			}
			continue
		}
		if err := recodeChunk(b, chunks[i], stay); err != nil {
			return fmt.Errorf("%w: column %s: %w", errCorrupt, r.layout[c].Name, err)
		}
	}
	if r.pending.rows == 0 {
		r.pending.tmin, r.pending.tmax = about.tmin, about.tmax
	}
	r.pending.tmin, r.pending.tmax = min(r.pending.tmin, about.tmin), max(r.pending.tmax, about.tmax)
	r.pending.rows += uint32(n)
	r.rows += int64(n)
	return nil
}

func recodeChunk(b *columnar.Buffer, chunk parquet.ColumnChunk, stay []uint32) error {
	pages := chunk.Pages()
	defer func() { _ = pages.Close() }()
	var buf [256]parquet.Value
	for row := 0; ; {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		values := page.Values()
		for {
			n, err := values.ReadValues(buf[:])
			for i := range n {
				if stay == nil || stay[row+1] > stay[row] {
					b.Value(buf[i])
				}
				row++
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				parquet.Release(page)
				return err
			}
		}
		parquet.Release(page)
	}
}
