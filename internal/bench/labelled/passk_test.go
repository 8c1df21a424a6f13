package labelled

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// pass^k of rewards by hand: two tasks of four tries, 4 and 2 passed.
func TestPassK(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "task_id,trial,reward\n"
	for trial := range 4 {
		text += "a," + string(rune('0'+trial)) + ",1.0\n"
		if trial < 2 {
			text += "b," + string(rune('0'+trial)) + ",1.0\n"
		} else {
			text += "b," + string(rune('0'+trial)) + ",0.0\n"
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "rewards.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rep, err := passK(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range rep.Figures {
		got[f.Name] = f.Value
	}
	for name, want := range map[string]float64{"pass^1": 0.75, "pass^2": (1 + 1.0/6) / 2, "pass^3": 0.5, "pass^4": 0.5, "spread": (4.0 / 6) / 2} {
		if math.Abs(got[name]-want) > 1e-12 {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	for name, bad := range map[string]string{"empty": "", "words": "a,0,high\n", "columns": "a,0\n"} {
		if err := os.WriteFile(filepath.Join(dir, "rewards.csv"), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := passK(t.Context(), dir, 0); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
