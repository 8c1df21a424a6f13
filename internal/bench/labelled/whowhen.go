package labelled

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"reeve/internal/detect/chance"
	"reeve/internal/provenance"
)

// whoRun is a failed run with the agent and the step that failed it.
type whoRun struct {
	kind, question string
	agent          string
	step           int
	steps          []provenance.Step
}

// readWhoWhen reads runs.jsonl of a half.
func readWhoWhen(dir string) ([]whoRun, error) {
	var out []whoRun
	err := eachLine(dir, "runs.jsonl", func(line []byte) error {
		var r struct {
			Kind, Question string
			History        []struct {
				Agent, Role, Content string
			}
			Agent string `json:"mistake_agent"`
			Step  int    `json:"mistake_step"`
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if r.Step < 0 || r.Step >= len(r.History) {
			return fmt.Errorf("step %d of %d", r.Step, len(r.History))
		}
		w := whoRun{kind: r.Kind, question: r.Question, agent: strings.ToLower(r.Agent), step: r.Step}
		for i, h := range r.History {
			w.steps = append(w.steps, whoStep(i, h.Agent, h.Content))
		}
		for i := range w.steps {
			if i+1 < len(w.steps) && w.steps[i+1].Kind == provenance.Tells {
				w.steps[i].Kind = provenance.Calls
				w.steps[i].Failed = failedOutput(w.steps[i+1].Text)
			}
		}
		out = append(out, w)
		return nil
	})
	return out, err
}

// whoStep reads a message's kind off the roles of the two systems that made the
// runs: one where experts talk and a terminal runs code, one where a coordinator
// thinks and hands work on.
func whoStep(i int, agent, text string) provenance.Step {
	s := provenance.Step{Agent: strings.ToLower(strings.TrimSpace(strings.SplitN(agent, " (", 2)[0])), Text: text}
	switch {
	case strings.EqualFold(agent, "human"):
		s.Kind = provenance.Asks
	case strings.Contains(strings.ToLower(agent), "terminal"):
		s.Kind = provenance.Tells
	case strings.Contains(agent, "(thought)"):
		s.Kind = provenance.Plans
	case strings.Contains(agent, "(->"):
		s.Kind = provenance.Hands
	}
	return s
}

// failedOutput says that a program's output tells of a failure.
func failedOutput(text string) bool {
	head, _, _ := strings.Cut(text, "\n")
	return strings.Contains(head, "exitcode") && !strings.Contains(head, "exitcode: 0") || strings.Contains(text, "Traceback (most recent call last)")
}

// whoCounts are right answers of one kind of run.
type whoCounts struct{ n, step, agent, priorStep, priorAgent int }

// Questions are cut into folds in several ways, since with so few runs one way
// may be lucky.
const whoFolds, whoWays = 10, 3

func foldOf(question string, way int) int {
	h := fnv.New32a()
	fmt.Fprint(h, question, way)
	return int(h.Sum32() % whoFolds)
}

// whowhen blames steps with weights fitted on the runs of other questions.
func whowhen(ctx context.Context, dir string, _ uint64) (*Report, error) {
	all, err := readWhoWhen(dir)
	if err != nil {
		return nil, err
	}
	kinds := map[string][]whoRun{}
	for _, r := range all {
		kinds[r.kind] = append(kinds[r.kind], r)
	}
	rep := &Report{About: fmt.Sprintf("%d failed multi-agent runs (Who&When): which agent, which step; no model, weights fitted on the runs of other questions (%d folds, mean of %d ways to cut them)", len(all), whoFolds, whoWays)}
	aims := map[string][2]float64{"Algorithm-Generated": {.33, .60}, "Hand-Crafted": {.20, .70}}
	for _, kind := range sortedKeys(kinds) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := whoCross(kinds[kind])
		aim := aims[kind]
		for i, k := range []int{c.step, c.agent} {
			n := float64(len(kinds[kind])) // the ways share their runs
			share := float64(k) / float64(c.n)
			low, high := chance.Wilson(share*n, n)
			f := rep.add([]string{"step", "agent"}[i]+", "+kind, share).of(int(n)).interval(low, high)
			if aim[i] > 0 {
				f.atLeast(aim[i])
			}
		}
		rep.add("  best constant step, fitted on the rest", float64(c.priorStep)/float64(c.n))
		rep.add("  best of first, last, most frequent agent, fitted on the rest", float64(c.priorAgent)/float64(c.n))
		d := whoDefault(kinds[kind])
		rep.add("  step by the weights Reeve is shipped with", float64(d.step)/float64(d.n))
		rep.add("  agent by these", float64(d.agent)/float64(d.n))
	}
	rep.Peers = []Peer{
		{"GPT-4o all at once, knows the right answer", map[string]float64{"step alg": .125, "step hand": .0526, "agent alg": .5433, "agent hand": .5517}},
		{"GPT-4o step by step, knows the right answer", map[string]float64{"step alg": .2551, "step hand": .0702, "agent alg": .3520, "agent hand": .3448}},
		{"random", map[string]float64{"step alg": .1906, "step hand": .0416, "agent alg": .2910, "agent hand": .12}},
	}
	return rep, nil
}

func whoCross(runs []whoRun) (c whoCounts) {
	for k := range whoFolds * whoWays {
		fold, way := k%whoFolds, k/whoFolds
		var verdicts []provenance.Verdict
		var rest, test []whoRun
		for _, r := range runs {
			if foldOf(r.question, way) == fold {
				test = append(test, r)
			} else {
				rest = append(rest, r)
				verdicts = append(verdicts, provenance.Verdict{Run: r.steps, Step: r.step})
			}
		}
		w := provenance.Fit(verdicts, provenance.DefaultWeights, 0)
		step, agent := bestStep(rest), bestAgent(rest)
		for _, r := range test {
			c.count(r, w)
			c.priorStep += whole(r.step == step)
			c.priorAgent += whole(agent(r) == r.agent)
		}
	}
	return c
}

func whoDefault(runs []whoRun) (c whoCounts) {
	for _, r := range runs {
		c.count(r, provenance.DefaultWeights)
	}
	return c
}

func (c *whoCounts) count(r whoRun, w provenance.Weights) {
	suspects := provenance.Blame(r.steps, w)
	c.n++
	if len(suspects) == 0 {
		return
	}
	agent, _ := provenance.BlameAgent(suspects)
	c.step += whole(suspects[0].Step == r.step)
	c.agent += whole(agent == r.agent)
}

func whole(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bestStep is the constant that is right most often.
func bestStep(runs []whoRun) int {
	n := map[int]int{}
	for _, r := range runs {
		n[r.step]++
	}
	return mostFrequent(n)
}

func mostFrequent[K cmp.Ordered](n map[K]int) (best K) {
	for _, k := range sortedKeysOf(n) {
		if n[k] > n[best] {
			best = k
		}
	}
	return best
}

func sortedKeysOf[K cmp.Ordered, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// bestAgent is the rule among three that is right most often: the first agent to
// speak, the last, the most frequent.
func bestAgent(runs []whoRun) func(whoRun) string {
	speaks := func(r whoRun) (out []string) {
		for _, s := range r.steps {
			if s.Kind != provenance.Asks && s.Kind != provenance.Tells {
				out = append(out, s.Agent)
			}
		}
		return append(out, "")
	}
	rules := []func(whoRun) string{
		func(r whoRun) string { return speaks(r)[0] },
		func(r whoRun) string { s := speaks(r); return s[max(0, len(s)-2)] },
		func(r whoRun) string {
			n := map[string]int{}
			for _, a := range speaks(r) {
				n[a]++
			}
			return mostFrequent(n)
		},
	}
	best, top := rules[0], -1
	for _, rule := range rules {
		n := 0
		for _, r := range runs {
			n += whole(rule(r) == r.agent)
		}
		if n > top {
			best, top = rule, n
		}
	}
	return best
}

// eachLine reads a file of JSON lines in a folder or its dev/.
func eachLine(dir, name string, f func(line []byte) error) error {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join(dir, "dev", name)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	s := bufio.NewScanner(file)
	s.Buffer(nil, 64<<20)
	for n := 1; s.Scan(); n++ {
		if len(s.Bytes()) == 0 {
			continue
		}
		if err := f(s.Bytes()); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
	}
	return s.Err()
}
