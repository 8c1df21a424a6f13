package experiment

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/jcs"
)

// Recording is what the tools of a run came to, to be served in a test of its case.
type Recording struct {
	mu    sync.Mutex
	calls map[string][][]byte // results by tool and arguments, in their order
}

// Add keeps what a call came to.
func (r *Recording) Add(tool string, arguments, result []byte) {
	if r.calls == nil {
		r.calls = map[string][][]byte{}
	}
	k := callKey(tool, arguments)
	r.calls[k] = append(r.calls[k], result)
}

// Has reports whether a call of a tool with these arguments is recorded.
func (r *Recording) Has(tool string, arguments []byte) bool {
	return len(r.calls[callKey(tool, arguments)]) > 0
}

// take is the next result of a call; the last one stays, since a call that is made
// again may be a retry.
func (r *Recording) take(tool string, arguments []byte) ([]byte, bool) {
	if r == nil {
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := callKey(tool, arguments)
	list := r.calls[k]
	if len(list) == 0 {
		return nil, false
	}
	if len(list) > 1 {
		r.calls[k] = list[1:]
	}
	return list[0], true
}

// callKey is a call by its tool's own name and its arguments, however they are
// written down. An upstream's name before it differs between entrances.
func callKey(tool string, arguments []byte) string {
	if i := strings.LastIndex(tool, "__"); i >= 0 {
		tool = tool[i+2:]
	}
	if len(strings.TrimSpace(string(arguments))) == 0 {
		arguments = []byte("{}")
	}
	if plain, err := (jcs.Form{}).Append(nil, arguments); err == nil {
		arguments = plain
	}
	return tool + "\x00" + string(arguments)
}

// Test is one task's run, while it is underway.
type Test struct {
	ID, Agent, Key string // Key: of its run
	target         *Target
	recording      *Recording
	replay         bool   // nobody runs what its model proposes: it is looked for in the recording
	down           string // the upstream that is taken as down in it; "" none

	mu      sync.Mutex
	calls   int
	refused []string
	id      string // of its run; "" until it is named
	avoided bool   // a call asked for the upstream that is down
	sent    int    // calls that went to an upstream
	reached []string
	cost    int64 // nano-USD of them
	unknown bool  // one of them has no price
}

// runID is the id of the test's run.
func (t *Test) runID() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.id
}

// Run is the key of the test's run.
func (t *Test) Run() string { return t.Key }

// Sandbox reports whether calls of an upstream may be made.
func (t *Test) Sandbox(upstream string) bool { return slices.Contains(t.target.Sandbox, upstream) }

// Local reports whether the agent may run a tool of its own.
func (t *Test) Local(tool string) bool { return t.replay || slices.Contains(t.target.Local, tool) }

// Recorded is what a call came to when its case was recorded.
func (t *Test) Recorded(tool string, arguments []byte) ([]byte, bool) {
	return t.recording.take(tool, arguments)
}

// Called takes note of a call that came to the door, and with a code that it was
// refused.
func (t *Test) Called(_, resource, code string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if code == "" {
		t.calls++
	} else if len(t.refused) < 50 {
		t.refused = append(t.refused, code+" "+resource)
	}
}

// Down reports whether an upstream is taken for one that cannot be reached.
func (t *Test) Down(upstream string) bool { return t.down != "" && t.down == upstream }

// Avoided takes note of a call that asked for the upstream that is down.
func (t *Test) Avoided(string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.avoided = true
}

// Ended takes note of how a call that was sent to an upstream went.
func (t *Test) Ended(upstream string, failed bool, _ time.Duration, cost activity.Cost) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent++
	switch {
	case failed: // no provider bills a call that failed
	case cost.Basis == activity.CostUnknown || cost.Currency != "USD":
		t.unknown = true
	default:
		t.cost += cost.Nanos
	}
	if !failed && !slices.Contains(t.reached, upstream) {
		t.reached = append(t.reached, upstream)
	}
}

// tell puts what came of the test's calls into its result.
func (t *Test) tell(r *Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Calls, r.Refused, r.RunID = t.calls, slices.Clone(t.refused), t.id
	r.Upstreams, r.Avoided = slices.Clone(t.reached), t.avoided
	r.Valid = t.calls > 0 || t.avoided
	if t.sent > 0 && !t.unknown {
		r.Cost = new(t.cost)
	}
}

// Tests are those that are open.
type Tests struct {
	mu   sync.RWMutex
	byID map[string]*Test
	runs map[activity.RunID]*Test

	traces map[activity.TraceID]time.Time // that tests were given, and until when they are known
	traced atomic.Bool                    // whether there is any
}

// traceKept is for how long what an agent reports of a test is known as a test's:
// exporters send late, and a run's last spans come after its answer.
const traceKept = time.Hour

// Trace notes the trace that a test's agent was given: what anybody reports within
// it is the test's, and in no figure about people.
func (s *Tests) Trace(trace activity.TraceID, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.traces == nil {
		s.traces = map[activity.TraceID]time.Time{}
	}
	for t, until := range s.traces {
		if now.After(until) {
			delete(s.traces, t)
		}
	}
	s.traces[trace] = now.Add(traceKept)
	s.traced.Store(true)
}

// Traced reports whether a trace is a test's.
func (s *Tests) Traced(trace activity.TraceID) bool {
	if !s.traced.Load() {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, is := s.traces[trace]
	return is
}

// open opens a test, in which an upstream may be taken as down.
func (s *Tests) open(agent string, target *Target, r *Recording, down string) *Test {
	t := &Test{ID: "tst_" + strings.ToLower(rand.Text()[:24]), Agent: agent, target: target, recording: r, down: down}
	t.Key = t.ID
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID, s.runs = map[string]*Test{}, map[activity.RunID]*Test{}
	}
	s.byID[t.ID] = t
	return t
}

// Name adds an id under which a test's run may be known at the door, when the agent
// comes with its own credential: it makes such a call stricter, never freer.
func (s *Tests) Name(t *Test, run activity.RunID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID[t.ID] != t {
		return // it is over
	}
	s.runs[run] = t
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.id == "" {
		t.id = run.String() // the first is that of its key
	}
}

func (s *Tests) close(t *Test) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, t.ID)
	for run, of := range s.runs {
		if of == t {
			delete(s.runs, run)
		}
	}
}

// Find is an open test of an agent, by its id, or by a run where that is "".
func (s *Tests) Find(agent, id string, run activity.RunID) (*Test, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.byID[id]
	if id == "" {
		t = s.runs[run]
	}
	return t, t != nil && t.Agent == agent
}

// fill puts a task's texts into a template of JSON.
func fill(template string, task *Task, token, run string) (string, error) {
	messages, err := json.Marshal(task.Messages)
	if err != nil {
		return "", err
	}
	last := ""
	if n := len(task.Messages); n > 0 {
		last = task.Messages[n-1].Content
	}
	inside := func(s string) string { // within the quotes of the template
		b, _ := json.Marshal(s) // a string
		return string(b[1 : len(b)-1])
	}
	return strings.NewReplacer("{{input}}", inside(last), "{{messages}}", string(messages), "{{token}}", inside(token), "{{run}}", inside(run)).Replace(template), nil
}

// Fill is fill for who carries invocations out.
func Fill(template string, task *Task, token, run string) (string, error) {
	return fill(template, task, token, run)
}
