// Package experiment runs agents on cases, as tests: golden tasks, comparisons of
// versions, bias pairs, and what a gate asks for.
//
// What for: whether a change helps is known before users meet it, on cases that
// were real.
//
// Who calls it: api for people; the gate reads results; the door asks which calls
// are of a test (Tests); app carries invocations out (Invoke) and has evaluators
// look at answers (Look).
//
// Promises: a test's run has mode test and an id of its own, so that it counts
// nowhere else. What its door answers comes from the recording of its case; what is
// not in it is refused and noted with the result, and nothing is called for real but
// models and what a person named as a sandbox. An agent that did not come through
// the door with a test's identity has no result that counts. Experiments run one
// after the other, in bounded time. Safe for concurrent use.
//
// How it fails: experiment.invalid, not_found, denied, not_possible (the agent has
// no way to be invoked), too_many. An invocation that fails is a failed item with
// its reason. After a restart what was running is failed, not repeated.
//
// Failovers are tried in the same way (drills): the cases once as ever, and once with an
// upstream taken as down for that test alone.
//
// Start reading at Target and Plan, then Book.run.
package experiment

import (
	"math"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/stat"
)

// Ways to invoke an agent.
const (
	A2A     = "a2a"     // message/send of the protocol, to a URL
	HTTP    = "http"    // a request of a template
	Command = "command" // a process; from the configuration file alone
)

// Target is how an agent is invoked for tests.
type Target struct {
	Agent     string    `json:"-"`
	Revision  int64     `json:"-"`
	UpdatedAt time.Time `json:"-"`

	Kind         string   `json:"kind"`
	URL          string   `json:"url,omitempty"`
	Body         string   `json:"body,omitempty"`   // http: JSON with {{input}}, {{messages}}, {{token}}, {{run}}
	Answer       string   `json:"answer,omitempty"` // http: JSON pointer to the answer; "" the whole body
	AllowPrivate bool     `json:"allow_private,omitempty"`
	Command      []string `json:"command,omitempty"`
	Env          []string `json:"env,omitempty"`     // NAME=value, with {{door}} for the test's own address of the door
	Sandbox      []string `json:"sandbox,omitempty"` // upstreams whose calls are made
	Local        []string `json:"local,omitempty"`   // tools of its own that may run
	TimeoutS     int      `json:"timeout_s,omitempty"`
}

const (
	maxBody      = 32 << 10
	maxList      = 100
	maxTimeout   = 600
	usualTimeout = 60
	maxRepeats   = 20
	maxPlanItems = 500
	maxAnswer    = 64 << 10
	maxWaiting   = 20
	maxOfTeam    = 8 // of those that wait

	answersKept     = 90 * 24 * time.Hour  // as evaluations are
	experimentsKept = 400 * 24 * time.Hour // with their figures
	lookEvery       = 30 * time.Second
	firstLook       = 2 * time.Second // after the start: the door opens first

	maxExperiment = time.Hour // of one: others wait
)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "experiment.invalid", format, args...)
}

// Check refuses a target that cannot be kept. Commands are for the configuration
// file: whoever may write it may run what they like on this host.
func (t *Target) Check(configured bool) error {
	switch {
	case t.Kind == Command && !configured:
		return fault.New(fault.KindDenied, "experiment.command", "a command is set in the configuration file alone").WithHint("invoke: {%s: {command: [...]}}", t.Agent)
	case t.Kind == Command && (len(t.Command) == 0 || t.URL != ""), t.Kind != Command && (t.URL == "" || len(t.Command)+len(t.Env) > 0):
		return invalid("a2a and http have a url, command a command")
	case t.Kind != A2A && t.Kind != HTTP && t.Kind != Command:
		return invalid("an agent is invoked by a2a, http or command, not %.20q", t.Kind)
	case t.Kind == HTTP && !strings.Contains(t.Body, "{{input}}") && !strings.Contains(t.Body, "{{messages}}"):
		return invalid("the body has {{input}} or {{messages}} where the case's text goes").WithHint(`{"message": "{{input}}", "token": "{{token}}"}`)
	case t.Kind != HTTP && t.Body+t.Answer != "":
		return invalid("only http has a body and a place of its answer")
	case len(t.Body) > maxBody || len(t.Command) > maxList || len(t.Env) > maxList || len(t.Sandbox) > maxList || len(t.Local) > maxList || len(t.URL) > 2000:
		return invalid("an invocation has at most %d bytes of body and %d words of a kind", maxBody, maxList)
	case t.TimeoutS < 0 || t.TimeoutS > maxTimeout:
		return invalid("an invocation takes at most %d seconds", maxTimeout)
	}
	return nil
}

func (t *Target) timeout() time.Duration {
	if t.TimeoutS == 0 {
		return usualTimeout * time.Second
	}
	return time.Duration(t.TimeoutS) * time.Second
}

// Task is a case as it is put to an agent.
type Task struct {
	Item, Run string // Run: that it was recorded in; its tools' results are served
	Messages  []Message
	Expected  string
	Contains  []string
	Absent    []string
	Group     string // of a bias pair: a or b
	Pair      string
	Private   bool // of an audit: a user's own question, to which no answer is kept here
}

// Message is one of a conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Result is what came of a task.
type Result struct {
	Experiment string    `json:"-"`
	Item       string    `json:"item"`
	Repeat     int       `json:"repeat,omitempty"`
	Pair       string    `json:"pair,omitempty"`
	Group      string    `json:"group,omitempty"`
	Run        string    `json:"run"` // of the test: its key
	RunID      string    `json:"-"`   // and its id, by which its page is found; "" of before it was kept
	Forgotten  bool      `json:"-"`   // what was said in it is gone
	Passed     bool      `json:"passed"`
	Valid      bool      `json:"valid"`            // it came through the door as a test
	Failed     bool      `json:"failed,omitempty"` // it gave no answer that could be looked at
	Why        string    `json:"why,omitempty"`
	Answer     string    `json:"answer,omitempty"`
	Calls      int       `json:"calls"`
	Refused    []string  `json:"refused,omitempty"` // calls that were not in the recording, or not allowed in a test
	Checks     []Check   `json:"checks,omitempty"`
	TookMS     int64     `json:"took_ms"`
	Cost       *int64    `json:"cost_nanos,omitempty"` // USD; nil unknown
	Upstreams  []string  `json:"upstreams,omitempty"`  // of a drill: that answered calls of it
	Avoided    bool      `json:"avoided,omitempty"`    // it asked for the upstream that was taken as down
	Stopped    bool      `json:"stopped,omitempty"`    // it came to a call that is not in the recording
	Unclear    bool      `json:"unclear,omitempty"`    // of a drill: it says nothing of the failover
	At         time.Time `json:"at"`
}

// Check is one thing that was looked at.
type Check struct {
	Name    string `json:"name"` // contains, absent, expected, or an evaluator's
	Verdict string `json:"verdict"`
	Text    string `json:"text,omitempty"`
}

// checkWords looks at what a task says itself of its answer; agrees compares two texts.
func checkWords(t *Task, answer string, agrees func(answer, truth string) bool) (out []Check) {
	low := strings.ToLower(answer)
	verdict := func(ok bool) string {
		if ok {
			return "pass"
		}
		return "fail"
	}
	missing, there := 0, 0
	for _, w := range t.Contains {
		if !strings.Contains(low, strings.ToLower(w)) {
			missing++
		}
	}
	for _, w := range t.Absent {
		if strings.Contains(low, strings.ToLower(w)) {
			there++
		}
	}
	if len(t.Contains) > 0 {
		out = append(out, Check{Name: "contains", Verdict: verdict(missing == 0)})
	}
	if len(t.Absent) > 0 {
		out = append(out, Check{Name: "absent", Verdict: verdict(there == 0)})
	}
	if t.Expected != "" && len(t.Contains) == 0 {
		out = append(out, Check{Name: "expected", Verdict: verdict(agrees(answer, t.Expected))})
	}
	return out
}

// near tells without a model whether two texts say the same, by their words alone: half
// of them shared is near, and a case that needs more says what it must contain.
func near(answer, expected string) bool { return overlap(expected, answer) >= 0.5 }

// overlap is the F1 of the words of two texts.
func overlap(a, b string) float64 {
	count := func(s string) map[string]int {
		m := map[string]int{}
		for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127)
		}) {
			m[w]++
		}
		return m
	}
	x, y := count(a), count(b)
	both, nx, ny := 0, 0, 0
	for w, n := range x {
		both += min(n, y[w])
		nx += n
	}
	for _, n := range y {
		ny += n
	}
	if nx+ny == 0 {
		return 0
	}
	return 2 * float64(both) / float64(nx+ny)
}

// Figures sum up an experiment's results.
type Figures struct {
	N, Passed, Invalid int64 // Invalid ones are in neither of the others
	PassHat            []float64
}

func figures(all []Result, repeats int) (f Figures) {
	trials := map[string]*stat.Trials{}
	var order []string
	for i := range all {
		r := &all[i]
		if !r.Valid {
			f.Invalid++
			continue
		}
		t := trials[r.Item]
		if t == nil {
			t = &stat.Trials{}
			trials[r.Item] = t
			order = append(order, r.Item)
		}
		t.Of++
		f.N++
		if r.Passed {
			t.Passed++
			f.Passed++
		}
	}
	if repeats < 2 {
		return f
	}
	list := make([]stat.Trials, 0, len(order))
	for _, item := range order {
		list = append(list, *trials[item])
	}
	for k := int64(1); k <= int64(repeats); k++ {
		share, _, _, _, ok := stat.PassHat(list, k)
		if !ok {
			break
		}
		f.PassHat = append(f.PassHat, share)
	}
	return f
}

// Paired compares two results of each of the same things: how many only the first
// passed, and only the second.
type Paired struct {
	Pairs, OnlyFirst, OnlySecond int64
	P                            float64 // exact McNemar test, two-sided: as likely as this or less if there were no difference
}

func paired(pairs, first, second int64) Paired {
	return Paired{Pairs: pairs, OnlyFirst: first, OnlySecond: second, P: McNemar(first, second)}
}

// Change is the share that passed of the second less that of the first, with its 95 %
// interval for pairs; ok is false without pairs.
func (p *Paired) Change() (d, low, high float64, ok bool) {
	if p.Pairs == 0 {
		return 0, 0, 0, false
	}
	d, low, high = pairedDifference(p)
	return d, low, high, true
}

// McNemar is the exact two-sided probability of b and c discordant pairs, or of
// less likely ones, if either way were as likely: a sign test on them.
func McNemar(b, c int64) float64 {
	n := b + c
	if n == 0 {
		return 1
	}
	return min(1, 2*stat.AtLeast(max(b, c), n, 0.5))
}

// FourFifths is the ratio of the lower share to the higher, with the 95 % interval
// of the logarithm of a ratio (Katz); ok is false without results in both groups.
// A ratio under .8 is what the rule of the same name calls adverse.
func FourFifths(a, na, b, nb int64) (ratio, low, high float64, ok bool) {
	if na == 0 || nb == 0 || a+b == 0 {
		return 0, 0, 0, false
	}
	// Half a result is added to each: a group without any has an interval, too.
	pa, pb := (float64(a)+.5)/(float64(na)+.5), (float64(b)+.5)/(float64(nb)+.5)
	raw := math.Min(float64(a)/float64(na), float64(b)/float64(nb)) / math.Max(float64(a)/float64(na), float64(b)/float64(nb))
	if pa > pb {
		pa, pb, a, b, na, nb = pb, pa, b, a, nb, na
	}
	v := 1/(float64(a)+.5) - 1/(float64(na)+.5) + 1/(float64(b)+.5) - 1/(float64(nb)+.5)
	e := 1.959963984540054 * math.Sqrt(math.Max(v, 0))
	r := pa / pb
	return raw, r * math.Exp(-e), r * math.Exp(e), true
}
