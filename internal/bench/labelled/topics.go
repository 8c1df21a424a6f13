package labelled

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"reeve/internal/encoder"
	"reeve/internal/topic"
)

// intentFiles are the names under which CLINC150's prompts come; each is an object
// of lists of prompt and intent. Prompts of no intent are left out.
var intentFiles = []string{"train_val.json", "data_full.json"}

func readIntents(dir string) (texts, labels []string, err error) {
	for _, name := range intentFiles {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		var parts map[string][][2]string
		if err := json.Unmarshal(raw, &parts); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, part := range sortedKeys(parts) {
			for _, row := range parts[part] {
				if row[1] != "oos" {
					texts, labels = append(texts, row[0]), append(labels, row[1])
				}
			}
		}
		return texts, labels, nil
	}
	return nil, nil, fmt.Errorf("%s has no %s of CLINC150", dir, intentFiles[0])
}

// topics measures grouping against labelled intents: first as the product does it,
// prompt after prompt without knowing how many topics there are; then, for
// comparison with what is published, k-means on the same vectors that is given the
// number of intents.
func topics(ctx context.Context, dir string, _ uint64) (*Report, error) {
	texts, labels, err := readIntents(dir)
	if err != nil {
		return nil, err
	}
	// In an order that no file's order helps.
	rnd := rand.New(rand.NewPCG(1, 2))
	rnd.Shuffle(len(texts), func(i, j int) {
		texts[i], texts[j] = texts[j], texts[i]
		labels[i], labels[j] = labels[j], labels[i]
	})
	began := time.Now()
	vectors, err := encodeAll(ctx, texts)
	if err != nil {
		return nil, err
	}
	encoding := time.Since(began)
	trial := topic.NewTrial()
	began = time.Now()
	for i := range texts {
		if trial.Add(texts[i], &vectors[i]); i%500 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	of, titles := trial.Topics()
	grouping := time.Since(began)
	alone := 0
	cells := trial.Cell()
	for i := range of {
		if of[i] == "" {
			alone++
			of[i] = fmt.Sprint("cell ", cells[i])
		}
	}
	intents := map[string]int{}
	for _, l := range labels {
		if _, ok := intents[l]; !ok {
			intents[l] = len(intents)
		}
	}
	given := kMeans(vectors, len(intents), rnd)
	rep := &Report{About: fmt.Sprintf("%d prompts of %d intents of CLINC150, grouped as they come; nobody says how many topics there are", len(texts), len(intents))}
	rep.add("NMI", nmi(of, labels)).atLeast(.82).of(len(texts))
	rep.add("  topics found", float64(len(titles)))
	rep.add("  prompts in no topic", float64(alone)).of(len(texts))
	rep.add("NMI of k-means on the same vectors, k given", nmi(given, labels)).atLeast(.82).of(len(texts))
	rep.add("time to encode a prompt, ms of one core", encoding.Seconds()*1000*float64(min(runtime.GOMAXPROCS(0), len(texts)))/float64(len(texts)))
	rep.add("time to group a prompt, ms", grouping.Seconds()*1000/float64(len(texts)))
	return rep, nil
}

func encodeAll(ctx context.Context, texts []string) ([]encoder.Vector, error) {
	out := make([]encoder.Vector, len(texts))
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(texts) && ctx.Err() == nil; i += workers {
				out[i] = encoder.Encode(texts[i])
			}
		})
	}
	wg.Wait()
	return out, context.Cause(ctx)
}

// nmi is the mutual information of two groupings over the mean of their entropies.
func nmi(a, b []string) float64 {
	n := float64(len(a))
	as, bs, both := map[string]float64{}, map[string]float64{}, map[[2]string]float64{}
	for i := range a {
		as[a[i]]++
		bs[b[i]]++
		both[[2]string{a[i], b[i]}]++
	}
	shared := 0.0
	for k, v := range both {
		shared += v / n * math.Log(v*n/(as[k[0]]*bs[k[1]]))
	}
	entropy := func(m map[string]float64) (h float64) {
		for _, v := range m {
			h -= v / n * math.Log(v/n)
		}
		return h
	}
	if h := entropy(as) + entropy(bs); h > 0 {
		return 2 * shared / h
	}
	return 1
}

const kMeansRounds = 15

// kMeans groups directions around k middles, which k-means++ begins.
func kMeans(x []encoder.Vector, k int, rnd *rand.Rand) []string {
	middles := make([]encoder.Vector, 0, k)
	far := make([]float64, len(x))
	for i := range far {
		far[i] = 4
	}
	pick := rnd.IntN(len(x))
	for len(middles) < k {
		middles = append(middles, x[pick])
		m := &middles[len(middles)-1]
		total := 0.0
		for i := range x {
			far[i] = min(far[i], max(0, 2-2*float64(encoder.Cosine(m, &x[i]))))
			total += far[i]
		}
		left := rnd.Float64() * total
		for pick = 0; pick < len(x)-1; pick++ {
			if left -= far[pick]; left <= 0 {
				break
			}
		}
	}
	of := make([]int, len(x))
	for range kMeansRounds {
		nearest(x, middles, of)
		for j := range middles {
			middles[j] = encoder.Vector{}
		}
		for i, j := range of {
			for d := range x[i] {
				middles[j][d] += x[i][d]
			}
		}
		for j := range middles {
			scale := 1 / max(math.Sqrt(float64(encoder.Cosine(&middles[j], &middles[j]))), 1e-9)
			for d := range middles[j] {
				middles[j][d] *= float32(scale)
			}
		}
	}
	out := make([]string, len(x))
	for i, j := range of {
		out[i] = fmt.Sprint(j)
	}
	return out
}

func nearest(x, middles []encoder.Vector, of []int) {
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(x); i += workers {
				best := float32(-2)
				for j := range middles {
					if c := encoder.Cosine(&middles[j], &x[i]); c > best {
						best, of[i] = c, j
					}
				}
			}
		})
	}
	wg.Wait()
}
