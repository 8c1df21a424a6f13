package labelled

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// nabFolder writes a small set in the benchmark's form: noise with one spike.
func nabFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "data", "made"), 0o755); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	stamp := func(i int) string { return at.Add(time.Duration(i) * 5 * time.Minute).Format(time.DateTime) }
	for i := range 2000 {
		v := 10 + math.Sin(float64(i*i))
		if i == 1200 {
			v = 100
		}
		fmt.Fprintf(&b, "%s,%g\n", stamp(i), v)
	}
	write(t, filepath.Join(dir, "data", "made", "spike.csv"), b.String())
	write(t, filepath.Join(dir, "windows.json"), fmt.Sprintf(`{"made/spike.csv": [["%s.000000", "%s.000000"]]}`, stamp(1190), stamp(1290)))
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// recorded are what the benchmark's own scorer (score.py beside the data set) prints for
// testdata/nab, best threshold and one of .9: four made series with many equal scores, a
// window within probation, a time that comes twice, windows that touch, none at all.
var recorded = map[string][2]float64{
	"standard": {91.88, 78.99}, "reward_low_FP_rate": {85.40, 59.09}, "reward_low_FN_rate": {94.59, 85.99},
}

func TestScoresAsTheirScorer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("testdata", "nab")
	all, err := readNAB(dir)
	if err != nil {
		t.Fatal(err)
	}
	var scores [][]float64
	for _, s := range all {
		scores = append(scores, readScores(t, filepath.Join(dir, "scores", filepath.FromSlash(s.name))))
	}
	for _, p := range nabProfiles {
		var points []nabPoint
		windows := 0
		for i, s := range all {
			points = append(points, nabPoints(s, scores[i], p, windows)...)
			windows += len(s.windows)
		}
		best, at := nabScore(points, p, math.NaN())
		fixed, _ := nabScore(points, p, .9)
		if want := recorded[p.Name]; math.Abs(best-want[0]) > .005 || math.Abs(fixed-want[1]) > .005 || at != .97 {
			t.Errorf("%s: %.2f at %v and %.2f at .9, theirs %v at .97", p.Name, best, at, fixed, want)
		}
	}
}

func readScores(t *testing.T, file string) (out []float64) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.Fields(string(text)) {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// What is written for their scorer orders values as ours, from 0 to 1, a line each.
func TestWriteScores(t *testing.T) {
	t.Parallel()
	dir, into := nabFolder(t), filepath.Join(t.TempDir(), "scores")
	var stdout, stderr strings.Builder
	if err := Main(t.Context(), "nab", []string{dir, "--scores", into}, &stdout, &stderr); err != nil {
		t.Fatal(err, stderr.String())
	}
	all, err := readNAB(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := readScores(t, filepath.Join(into, "made", "spike.csv"))
	want, _ := all[0].scores()
	if len(got) != len(want) {
		t.Fatalf("%d scores of %d values", len(got), len(want))
	}
	for i := range got {
		if got[i] < 0 || got[i] >= 1 || math.Abs(-math.Log10(1-got[i])-want[i]) > 1e-6 {
			t.Fatalf("value %d: %v of %v", i, got[i], want[i])
		}
	}
	if err := Main(t.Context(), "nab", []string{dir, "--scores", filepath.Join(dir, "windows.json")}, &stdout, &stderr); err == nil {
		t.Error("scores were written into a file")
	}
	if err := Main(t.Context(), "loghub", []string{dir, "--scores", into}, &stdout, &stderr); !errors.Is(err, ErrUsage) {
		t.Errorf("a set without a scorer takes --scores: %v", err)
	}
}

// The figures are worked out by hand from the benchmark's published rules.
func TestNABScore(t *testing.T) {
	t.Parallel()
	s := &nabSeries{values: make([]float64, 100), windows: [][2]int{{40, 49}, {80, 89}}}
	p := nabProfiles[0]
	run := func(alarms ...int) float64 {
		scores := make([]float64, 100)
		for _, i := range alarms {
			scores[i] = .9
		}
		got, _ := nabScore(nabPoints(s, scores, p, 0), p, .5)
		return got
	}
	early := 1.0                       // at a window's first row: y = -1
	late := sigmoid(-.1) / sigmoid(-1) // at its last: y = -1/10
	for _, c := range []struct {
		name   string
		alarms []int
		raw    float64
	}{
		{"nothing", nil, -2},
		{"perfect", []int{40, 80}, 2 * early},
		{"the best of a window counts", []int{40, 41, 45, 80}, 2 * early},
		{"late", []int{49}, late - 1},
		{"before any window", []int{20}, -2 - .11},
		{"just behind a window", []int{50}, -2 + .11*sigmoid(1.0/9)},
		{"far behind one", []int{79}, -2 - .11},
		{"within probation", []int{3, 14}, -2},
	} {
		if got, want := run(c.alarms...), 100*(c.raw+2)/4; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
	scores := make([]float64, 100)
	scores[20], scores[40], scores[80] = .95, .9, .2
	if got, at := nabScore(nabPoints(s, scores, p, 0), p, math.NaN()); at != .2 || math.Abs(got-100*(4-.11)/4) > 1e-9 {
		t.Errorf("best threshold %v gives %v", at, got)
	}
}

func TestNAB(t *testing.T) {
	t.Parallel()
	r, err := nab(t.Context(), nabFolder(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Figures[0]; f.Value < 80 || f.N != 1 {
		t.Errorf("a spike in noise: %+v", f)
	}
	dir := nabFolder(t)
	write(t, filepath.Join(dir, "data", "made", "spike.csv"), "timestamp,value\nyesterday,1\n")
	for _, d := range []string{dir, t.TempDir()} {
		if _, err := nab(t.Context(), d, 1); err == nil {
			t.Error("a set that is none was read")
		}
	}
}
