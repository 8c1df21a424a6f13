package labelled

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"reeve/internal/detect/template"
)

// loghub measures the grouping accuracy of template.Miner: the share of lines
// whose group holds exactly the lines of their true event.
func loghub(ctx context.Context, dir string, _ uint64) (*Report, error) {
	if _, err := os.Stat(filepath.Join(dir, "dev")); err == nil {
		dir = filepath.Join(dir, "dev")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "structured_min.csv"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("there is no SYSTEM/structured_min.csv below %s", dir)
	}
	r := &Report{About: fmt.Sprintf("Log templates of %d systems (Loghub-2k), one configuration: share of lines in exactly the right group", len(files))}
	sum, total, spent := 0.0, 0, time.Duration(0)
	type system struct {
		name  string
		share float64
	}
	var systems []system
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		events, lines, err := readLoghub(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		m := template.New(template.Options{})
		groups := make([]int, len(lines))
		began := time.Now()
		for i, l := range lines {
			groups[i] = m.Add(l).ID
		}
		spent += time.Since(began)
		for i, id := range groups {
			groups[i] = m.Current(id)
		}
		share := groupingAccuracy(events, groups)
		sum, total = sum+share, total+len(lines)
		systems = append(systems, system{filepath.Base(filepath.Dir(f)), share})
	}
	r.add("grouping accuracy, mean of systems", sum/float64(len(files))).atLeast(.87).of(total)
	for _, s := range systems {
		r.add("  "+s.name, s.share)
	}
	r.add("µs a line", float64(spent.Microseconds())/float64(total))
	return r, nil
}

func readLoghub(path string) (events, lines []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	c := csv.NewReader(f)
	c.FieldsPerRecord = -1
	rows, err := c.ReadAll()
	if err != nil {
		return nil, nil, err
	}
	for i, row := range rows {
		if len(row) < 4 {
			return nil, nil, fmt.Errorf("row %d has %d fields, want LineId, EventId, EventTemplate, Content", i+1, len(row))
		}
		if i > 0 {
			events, lines = append(events, row[1]), append(lines, row[3])
		}
	}
	return events, lines, nil
}

// groupingAccuracy is the share of lines whose group has the same lines as their
// event.
func groupingAccuracy[E, G comparable](events []E, groups []G) float64 {
	type pair struct {
		e E
		g G
	}
	byEvent, byGroup, both := map[E]int{}, map[G]int{}, map[pair]int{}
	for i := range events {
		byEvent[events[i]]++
		byGroup[groups[i]]++
		both[pair{events[i], groups[i]}]++
	}
	right := 0
	for p, n := range both {
		if byEvent[p.e] == n && byGroup[p.g] == n {
			right += n
		}
	}
	return float64(right) / float64(max(1, len(events)))
}
