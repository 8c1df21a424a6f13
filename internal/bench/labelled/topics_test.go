package labelled

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTopicsBench(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := topics(t.Context(), dir, 1); err == nil || !strings.Contains(err.Error(), "train_val.json") {
		t.Errorf("an empty folder: %v", err)
	}
	var rows [][2]string
	for _, verb := range []string{"show", "tell", "give", "find", "get"} {
		for _, day := range []string{"today", "tomorrow", "on monday", "this weekend"} {
			rows = append(rows, [2]string{verb + " me the weather forecast for " + day, "weather"}, [2]string{"please " + verb + " me the refund for the order I returned " + day, "refund"})
		}
	}
	rows = append(rows, [2]string{"out of scope", "oos"})
	raw, err := json.Marshal(map[string][][2]string{"train": rows})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "train_val.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	rep, err := topics(t.Context(), dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range rep.Figures {
		if strings.HasPrefix(f.Name, "NMI") && f.Value < .99 {
			t.Errorf("%s is %.3f", f.Name, f.Value)
		}
		if f.Name == "  topics found" && f.Value != 2 {
			t.Errorf("%v topics", f.Value)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "train_val.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := topics(t.Context(), dir, 1); err == nil {
		t.Error("a cut file was read")
	}
}

func TestNMI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{{"aabb", "xxyy", 1}, {"aabb", "xyxy", 0}, {"aaaa", "xxxx", 1}, {"aabbcc", "xxyyyy", 2 * .636514168 / (1.098612289 + .636514168)}} {
		if got := nmi(strings.Split(c.a, ""), strings.Split(c.b, "")); math.Abs(got-c.want) > 1e-8 {
			t.Errorf("nmi(%s, %s) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
