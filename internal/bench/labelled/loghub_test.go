package labelled

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func TestGroupingAccuracy(t *testing.T) {
	t.Parallel()
	events := []string{"a", "a", "a", "b", "b", "c"}
	for _, c := range []struct {
		groups []int
		want   float64
	}{
		{[]int{7, 7, 7, 2, 2, 9}, 1},
		{[]int{7, 7, 7, 2, 2, 2}, .5},
		{[]int{7, 7, 1, 2, 2, 9}, .5},
		{[]int{1, 1, 1, 1, 1, 1}, 0},
	} {
		if got := groupingAccuracy(events, c.groups); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v: %v, want %v", c.groups, got, c.want)
		}
	}
}

func TestLoghub(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("LineId,EventId,EventTemplate,Content\n")
	for i := range 100 {
		fmt.Fprintf(&b, "%d,E1,took <*> ms,took %d ms\n%d,E2,all is well,all is well\n", i, i, i)
	}
	write(t, filepath.Join(dir, "made", "structured_min.csv"), b.String())
	r, err := loghub(t.Context(), dir, 1)
	if err != nil || r.Figures[0].Value != 1 || r.Figures[0].N != 200 {
		t.Errorf("%+v, %v", r, err)
	}
	write(t, filepath.Join(dir, "made", "structured_min.csv"), "LineId\n1\n")
	for _, d := range []string{dir, t.TempDir()} {
		if _, err := loghub(t.Context(), d, 1); err == nil {
			t.Error("a set that is none was read")
		}
	}
}
