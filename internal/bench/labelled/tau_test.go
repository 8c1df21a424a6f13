package labelled

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func TestAUROC(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scores   []float64
		positive []bool
		want     float64
	}{
		{[]float64{1, 2, 3, 4}, []bool{false, false, true, true}, 1},
		{[]float64{4, 3, 2, 1}, []bool{false, false, true, true}, 0},
		{[]float64{1, 1, 1, 1}, []bool{false, true, false, true}, .5},
		{[]float64{1, 2, 2, 3}, []bool{false, true, false, true}, .875},
	} {
		if got := auroc(c.scores, c.positive); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v %v: %v, want %v", c.scores, c.positive, got, c.want)
		}
	}
}

func TestTau(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var b strings.Builder
	for i := range 80 {
		steps := `{"kind": "user", "text": "hello"}, {"kind": "call", "tool": "look", "args": {"id": 7}}, {"kind": "result", "tool": "look", "text": "7"}`
		if i%2 == 0 {
			steps += `, {"kind": "say", "text": "I am sorry, I cannot do that"}`
		}
		fmt.Fprintf(&b, `{"domain": "made", "task_id": %d, "reward": %d, "steps": [%s]}`+"\n", i, i%2, steps)
	}
	write(t, filepath.Join(dir, "dev", "runs.jsonl"), b.String())
	r, err := tau(t.Context(), dir, 1)
	if err != nil || r.Figures[0].Value < .99 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, text := range []string{"{", `{"domain": "x"}`, `{"domain": "x", "reward": 1, "steps": [{"kind": "dance"}]}`, `{"domain": "x", "reward": 1}`, ""} {
		write(t, filepath.Join(dir, "runs.jsonl"), text)
		if _, err := tau(t.Context(), dir, 1); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
