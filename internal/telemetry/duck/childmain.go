package duck

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"strings"
	"sync"

	"github.com/duckdb/duckdb-go/v2"
)

// ChildMain is the query child: it reads questions from stdin and writes their
// answers to stdout until stdin ends, and returns the exit code. cli runs it as
// `reeve query-child`. It reads the segments' folder and nothing else.
func ChildMain(_ []string, stdin io.Reader, stdout io.Writer) int {
	if err := serve(bufio.NewReader(stdin), stdout); err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, "query child:", err)
		return 1
	}
	return 0
}

func serve(in io.Reader, out io.Writer) error {
	var first request
	if err := readFrame(in, &first); err != nil {
		return err
	}
	if first.Hello == nil {
		return errors.New("no hello")
	}
	db, err := openDuck(first.Hello)
	if err != nil {
		return err
	}
	c := &childServer{db: db, out: out, cancels: make(map[uint64]context.CancelFunc), slots: make(chan struct{}, 3)}
	defer func() {
		c.mu.Lock()
		for _, cancel := range c.cancels {
			cancel()
		}
		c.mu.Unlock()
		c.wg.Wait()
		_ = db.Close()
	}()
	for {
		var r request
		if err := readFrame(in, &r); err != nil {
			return err
		}
		if r.Cancel {
			c.mu.Lock()
			if cancel := c.cancels[r.ID]; cancel != nil {
				cancel()
			}
			c.mu.Unlock()
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		c.mu.Lock()
		c.cancels[r.ID] = cancel
		c.mu.Unlock()
		c.wg.Add(1)
		go c.handle(ctx, r)
	}
}

// openDuck opens DuckDB in memory and locks it up. The order matters: after
// enable_external_access=false neither folder can be set any more.
func openDuck(h *hello) (*sql.DB, error) {
	con, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(con)
	for _, s := range []string{
		fmt.Sprintf("SET memory_limit='%dMB'", h.Memory>>20),
		"SET temp_directory=" + quoteText(h.Temp),
		"SET max_temp_directory_size='2GB'",
		"SET autoload_known_extensions=false",
		"SET autoinstall_known_extensions=false",
		"SET threads=2",
		"SET preserve_insertion_order=false",
		"SET parquet_metadata_cache=true",
		"SET allowed_directories=[" + quoteText(h.Dir) + "]",
		"SET enable_external_access=false",
		"SET lock_configuration=true",
	} {
		if _, err := db.Exec(s); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", s, err), db.Close())
		}
	}
	db.SetMaxIdleConns(3)
	return db, nil
}

type childServer struct {
	db    *sql.DB
	slots chan struct{} // questions at a time
	wg    sync.WaitGroup

	mu      sync.Mutex
	out     io.Writer
	cancels map[uint64]context.CancelFunc
}

func (c *childServer) handle(ctx context.Context, r request) {
	defer c.wg.Done()
	a := answer{ID: r.ID}
	select {
	case c.slots <- struct{}{}:
		err := c.run(ctx, &r, &a)
		<-c.slots
		if err != nil {
			a = answer{ID: r.ID, Error: err.Error(), Kind: kindOf(ctx, err)}
		}
	case <-ctx.Done():
		a.Error, a.Kind = "canceled", "canceled"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.cancels[r.ID]; cancel != nil {
		cancel()
		delete(c.cancels, r.ID)
	}
	if err := writeFrame(c.out, a); err != nil {
		// The parent is gone; reading its end will tell the main loop too.
		fmt.Fprintln(os.Stderr, "query child: answering:", err)
	}
}

func kindOf(ctx context.Context, err error) string {
	var e *duckdb.Error
	switch {
	case ctx.Err() != nil:
		return "canceled"
	case errors.As(err, &e) && e.Type == duckdb.ErrorTypeOutOfMemory:
		return "memory"
	case errors.Is(err, errLarge), strings.Contains(err.Error(), "Out of Memory"):
		return "memory"
	}
	return ""
}

// What an answer holds, at most: a frame has room for it.
const (
	maxRows  = 1_000_000
	maxBytes = maxFrame / 4
)

var errLarge = errors.New("the answer is too large")

func (c *childServer) run(ctx context.Context, r *request, a *answer) error {
	args := make([]any, len(r.Args))
	for i, v := range r.Args {
		args[i] = argument(v)
	}
	rows, err := c.db.QueryContext(ctx, r.SQL, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	if a.Columns, err = rows.Columns(); err != nil {
		return err
	}
	size := 0
	for rows.Next() {
		if len(a.Rows) >= maxRows {
			return fmt.Errorf("more than %d rows", maxRows)
		}
		vals := make([]any, len(a.Columns))
		ptrs := make([]any, len(vals))
		for i := range vals {
			ptrs[i] = &vals[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return err
		}
		for i := range vals {
			vals[i] = plainValue(vals[i])
			size += 16
			if text, ok := vals[i].(string); ok {
				size += len(text)
			}
		}
		if size > maxBytes {
			return errLarge
		}
		a.Rows = append(a.Rows, vals)
	}
	return rows.Err()
}

func argument(v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64()
	return f
}

// plainValue makes a value that JSON has.
func plainValue(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f
	case duckdb.Decimal:
		return v.Float64()
	}
	return v
}
