package labelled

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// nabSeries is one series of the benchmark with the windows in which an alarm is
// right: first and last row of each.
type nabSeries struct {
	name    string
	times   []time.Time
	values  []float64
	windows [][2]int
}

// probation is how many rows at the start are not scored.
func (s *nabSeries) probation() int { return min(int(.15*float64(len(s.values))), 750) }

// readNAB reads a half of the benchmark: dir/windows.json and dir/data.
func readNAB(dir string) ([]*nabSeries, error) {
	if _, err := os.Stat(filepath.Join(dir, "windows.json")); err != nil {
		dir = filepath.Join(dir, "dev")
	}
	text, err := os.ReadFile(filepath.Join(dir, "windows.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the benchmark's windows: %w", err)
	}
	var windows map[string][][2]string
	if err := json.Unmarshal(text, &windows); err != nil {
		return nil, fmt.Errorf("reading windows.json: %w", err)
	}
	var out []*nabSeries
	for name, spans := range windows {
		s, err := readNABSeries(filepath.Join(dir, "data", filepath.FromSlash(name)), spans)
		if err != nil {
			return nil, fmt.Errorf("series %s: %w", name, err)
		}
		s.name = name
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *nabSeries) int { return cmp.Compare(a.name, b.name) })
	return out, nil
}

func readNABSeries(path string, spans [][2]string) (*nabSeries, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	s := &nabSeries{}
	first := map[string]int{}
	for i, row := range rows {
		if i == 0 {
			continue
		}
		if len(row) != 2 {
			return nil, fmt.Errorf("row %d has %d fields", i, len(row))
		}
		stamp, _, _ := strings.Cut(row[0], ".")
		at, err := time.Parse(time.DateTime, stamp)
		if err != nil {
			return nil, err
		}
		v, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return nil, err
		}
		if _, ok := first[stamp]; !ok {
			first[stamp] = i - 1
		}
		s.times, s.values = append(s.times, at), append(s.values, v)
	}
	for _, span := range spans {
		var w [2]int
		for i, text := range span {
			stamp, _, _ := strings.Cut(text, ".")
			at, ok := first[stamp]
			if !ok {
				return nil, fmt.Errorf("no row at %s, where a window ends", stamp)
			}
			w[i] = at
		}
		s.windows = append(s.windows, w)
	}
	return s, nil
}

// nabProfile weighs hits, misses and false alarms.
type nabProfile struct {
	Name       string
	tp, fn, fp float64
}

var nabProfiles = []nabProfile{
	{"standard", 1, 1, .11},
	{"reward_low_FP_rate", 1, 1, .22},
	{"reward_low_FN_rate", 1, 2, .11},
}

// nabPoint is a scored row: what an alarm there is worth, and in which window; -1
// outside of all.
type nabPoint struct {
	score, credit float64
	window        int
}

// sigmoid is the benchmark's credit by place: near 1 at a window's start, 0 at
// its end, -1 far behind it.
func sigmoid(y float64) float64 {
	if y > 3 {
		return -1
	}
	return 2/(1+math.Exp(5*y)) - 1
}

// nabPoints gives the rows after probation. Windows are numbered from base on.
func nabPoints(s *nabSeries, scores []float64, p nabProfile, base int) (out []nabPoint) {
	k, previous := 0, -1
	for i := range s.values {
		for k < len(s.windows) && i > s.windows[k][1] {
			previous, k = k, k+1
		}
		pt := nabPoint{score: scores[i], window: -1}
		if k < len(s.windows) && s.windows[k][0] <= i {
			l, r := float64(s.windows[k][0]), float64(s.windows[k][1])
			pt.credit, pt.window = sigmoid(-(r-float64(i)+1)/(r-l+1))*p.tp/sigmoid(-1), base+k
		} else {
			y := -1.0
			if previous >= 0 {
				l, r := float64(s.windows[previous][0]), float64(s.windows[previous][1])
				y = sigmoid((float64(i) - r) / (r - l))
			}
			pt.credit = y * p.fp
		}
		if i >= s.probation() {
			out = append(out, pt)
		}
	}
	return out
}

// nabScore gives the benchmark's normalised score (100 is perfect, 0 no alarm at
// all) at the threshold that suits these points best, and that threshold. With a
// fixed threshold (not NaN) that one is used.
func nabScore(points []nabPoint, p nabProfile, fixed float64) (score, threshold float64) {
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(a, b nabPoint) int { return cmp.Compare(b.score, a.score) })
	hit := map[int]float64{}
	for _, pt := range points {
		if pt.window >= 0 {
			hit[pt.window] = -p.fn
		}
	}
	n := float64(len(hit))
	total := -p.fn * n
	best, bestAt, at, current := total, 1.1, total, 1.1
	for _, pt := range append(points, nabPoint{score: -1, window: -1}) {
		if pt.score != current {
			if total > best {
				best, bestAt = total, current
			}
			if current >= fixed {
				at = total
			}
			current = pt.score
		}
		if pt.window < 0 {
			total += pt.credit
		} else if old := hit[pt.window]; pt.credit > old {
			total += pt.credit - old
			hit[pt.window] = pt.credit
		}
	}
	if n == 0 {
		return math.NaN(), bestAt
	}
	if !math.IsNaN(fixed) {
		best, bestAt = at, fixed
	}
	return 100 * (best + p.fn*n) / (p.tp*n + p.fn*n), bestAt
}
