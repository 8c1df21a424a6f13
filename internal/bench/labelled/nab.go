package labelled

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
	"unsafe"

	"reeve/internal/detect/series"
)

// splits of the series into two halves at random, for cross-validation.
const splits = 100

// nab scores series.Detector by the Numenta benchmark's rules.
func nab(ctx context.Context, dir string, _ uint64) (*Report, error) {
	all, err := readNAB(dir)
	if err != nil {
		return nil, err
	}
	scores := make([][]float64, len(all))
	rows, alarms, spent, weeks := 0, 0, time.Duration(0), 0.0
	for i, s := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		began := time.Now()
		told := 0
		scores[i], told = s.scores()
		spent += time.Since(began)
		alarms, rows, weeks = alarms+told, rows+len(s.values), weeks+float64(len(s.values))/s.perWeek()
	}
	r := &Report{About: fmt.Sprintf("%d series of the Numenta Anomaly Benchmark, %d values, one configuration, no look-ahead", len(all), rows)}
	for _, p := range nabProfiles {
		points, windows := nabAll(all, scores, p)
		score, threshold := nabScore(join(points), p, math.NaN())
		f := r.add("score, "+p.Name, score).of(windows)
		if p.Name == "standard" {
			f.atLeast(62)
			r.Notes = append(r.Notes, fmt.Sprintf("The benchmark picks one threshold for all series, here a share of %.2g of values.", math.Pow(10, -threshold)))
			r.add("cross-validated, standard: threshold of one half of the series on the other, mean of 100 splits", nabCross(points, p))
		}
	}
	r.add("µs a value", float64(spent.Microseconds())/float64(rows)).atMost(2)
	r.add("KiB a series", float64(unsafe.Sizeof(series.Detector{}))/1024).atMost(8)
	r.add("alarms a series and week, where one false one is asked for", float64(alarms)/weeks)
	r.Notes = append(r.Notes, "Numenta's HTM, CAD OSE, Skyline and ARTime are told each file's range in advance.")
	r.Peers = nabPeers
	return r, nil
}

// perWeek is how many values of a series a week has.
func (s *nabSeries) perWeek() float64 { return 7 * 24 * 3600 / max(1, s.interval().Seconds()) }

// scores gives what the detector says of each value, and how often it told somebody.
func (s *nabSeries) scores() (scores []float64, alarms int) {
	d := series.New(series.Options{LooksPerWeek: s.perWeek()})
	scores = make([]float64, len(s.values))
	for j, v := range s.values {
		out := d.Look(v)
		scores[j] = out.Score
		if out.Alarm {
			alarms++
		}
	}
	return scores, alarms
}

// nabScoresFor writes the scores for the benchmark's own scorer: a file of the series'
// path for each, a score from 0 to 1 a line. That of a value is one less the share of
// values that are as odd, so its order is that of ours.
func nabScoresFor(ctx context.Context, dir, into string) error {
	all, err := readNAB(dir)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		scores, _ := s.scores()
		var b bytes.Buffer
		for _, v := range scores {
			b.WriteString(strconv.FormatFloat(-math.Expm1(-v*math.Ln10), 'g', -1, 64))
			b.WriteByte('\n')
		}
		file := filepath.Join(into, filepath.FromSlash(s.name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("making the folder of scores: %w", err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("writing scores: %w", err)
		}
	}
	return nil
}

var nabPeers = []Peer{
	{"ARTime", map[string]float64{"standard": 79.14}},
	{"CAD OSE", map[string]float64{"standard": 69.43}},
	{"Numenta HTM", map[string]float64{"standard": 68.92}},
	{"Skyline (Earthgecko)", map[string]float64{"standard": 68.29}},
	{"random cut forest", map[string]float64{"standard": 60.93}},
	{"KNN-CAD", map[string]float64{"standard": 57.95}},
	{"Twitter ADVec", map[string]float64{"standard": 51.71}},
	{"windowed Gaussian", map[string]float64{"standard": 42.39}},
}

// interval is the usual time between two values.
func (s *nabSeries) interval() time.Duration {
	if len(s.times) < 2 {
		return time.Minute
	}
	return s.times[len(s.times)-1].Sub(s.times[0]) / time.Duration(len(s.times)-1)
}

// nabAll gives the points of each series, windows numbered through.
func nabAll(all []*nabSeries, scores [][]float64, p nabProfile) (points [][]nabPoint, windows int) {
	for i, s := range all {
		points = append(points, thin(nabPoints(s, scores[i], p, windows)))
		windows += len(s.windows)
	}
	return points, windows
}

// thin leaves out what no threshold worth having would take for an alarm, all but
// one point of each window: the score is the same, and is found sooner.
func thin(points []nabPoint) (out []nabPoint) {
	seen := map[int]bool{}
	for _, p := range points {
		if p.score <= 1 && (p.window < 0 || seen[p.window]) {
			continue
		}
		seen[p.window] = true
		out = append(out, p)
	}
	return out
}

func join(points [][]nabPoint) (out []nabPoint) {
	for _, p := range points {
		out = append(out, p...)
	}
	return out
}

// nabCross takes the threshold that is best on one half of the series to the
// other half, over random halves.
func nabCross(points [][]nabPoint, p nabProfile) float64 {
	r := rand.New(rand.NewPCG(1, 1))
	sum, n := 0.0, 0.0
	for range splits {
		var halves [2][]nabPoint
		for k, i := range r.Perm(len(points)) {
			halves[k%2] = append(halves[k%2], points[i]...)
		}
		for k := range halves {
			_, threshold := nabScore(halves[1-k], p, math.NaN())
			score, _ := nabScore(halves[k], p, threshold)
			if w := float64(windowsIn(halves[k])); w > 0 {
				sum, n = sum+score*w, n+w
			}
		}
	}
	return sum / n
}

func windowsIn(points []nabPoint) int {
	seen := map[int]bool{}
	for _, p := range points {
		if p.window >= 0 {
			seen[p.window] = true
		}
	}
	return len(seen)
}
