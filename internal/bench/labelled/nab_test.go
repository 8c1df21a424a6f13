package labelled

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
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

// The figures are worked out by hand from the benchmark's published rules (and
// agree with its own scorer on real series).
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
