package labelled

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// petFolder writes a small set in PetShop's form: shop calls cart calls store,
// and the store is slow.
func petFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	table := func(rows int, from float64, value func(i, node int) float64) string {
		var b strings.Builder
		b.WriteString("microservice,shop,cart,store\nmetric,latency,latency,latency\nstatistic,Average,Average,Average\nunix_timestamp,,,\n")
		for i := range rows {
			fmt.Fprintf(&b, "%g", from+300*float64(i))
			for n := range 3 {
				fmt.Fprintf(&b, ",%g", value(i, n))
			}
			b.WriteString("\n")
		}
		return b.String()
	}
	base := func(i, n int) float64 { return []float64{3, 2, 1}[n] + .01*float64((i*7+n)%5) }
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte(table(400, 0, base)))
	_ = w.Close()
	write(t, filepath.Join(dir, "common", "made", "noissue_metrics.csv.gz"), z.String())
	write(t, filepath.Join(dir, "common", "made", "graph.csv"), ",shop,cart,store\nshop,0,1,0\ncart,0,0,1\nstore,0,0,0\n")
	write(t, filepath.Join(dir, "dev", "made", "issue_0", "metrics.csv"), table(5, 900_000, func(i, n int) float64 {
		if i >= 2 {
			return base(i, n) + 1 + .1*float64(i)
		}
		return base(i, n)
	}))
	write(t, filepath.Join(dir, "dev", "made", "issue_0", "target.json"), `{"target": {"node": "shop", "metric": "latency", "timestamp": 900600}, "root_cause": {"node": "store"}}`)
	return dir
}

func TestPetshop(t *testing.T) {
	t.Parallel()
	r, err := petshop(t.Context(), petFolder(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Figures {
		if strings.HasPrefix(f.Name, "AC@") && f.Value != 1 || strings.HasPrefix(f.Name, "ordinary") && f.Value != 1 {
			t.Errorf("%+v", f)
		}
	}
	broken := petFolder(t)
	write(t, filepath.Join(broken, "dev", "made", "issue_0", "metrics.csv"), "a\nb\nc\nd\n1,x\n")
	lost := petFolder(t)
	write(t, filepath.Join(lost, "dev", "made", "issue_0", "target.json"), "{")
	for _, d := range []string{broken, lost, t.TempDir()} {
		if _, err := petshop(t.Context(), d, 1); err == nil {
			t.Error("a set that is none was read")
		}
	}
}
