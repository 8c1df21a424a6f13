package mcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
)

// Tasks across the eras. With sessions (2025-11-25) the client asks for a task,
// polls it with tasks/get, and fetches what came of it with tasks/result, on
// whose stream the server asks. In 2026-07-28 the server makes one for a client
// that takes them; tasks/get brings questions and result, tasks/update answers.
//
//	2025-11-25                            2026-07-28
//	tools/call with task: {}              tools/call of a client that takes tasks
//	{task: {taskId, ttl, pollInterval}}   {resultType: task, taskId, ttlMs, pollIntervalMs}
//	tasks/get, tasks/result               tasks/get with result, error, inputRequests
//	requests on the stream of tasks/result  tasks/update
//	tasks/cancel gives the task           tasks/cancel gives nothing
//	tasks/list                            no such: the door lists what it saw made
//	notifications/tasks/status            notifications/tasks, of tasks that were subscribed to

const (
	keyTasks   = "io.modelcontextprotocol/tasks"
	keyRelated = "io.modelcontextprotocol/related-task"

	maxTasks     = 10_000
	maxTasksOf   = 200            // of one caller at one upstream
	taskFor      = 24 * time.Hour // at most, whatever the server says
	firstAsk     = 2 * time.Second
	taskPoll     = time.Second
	leastPoll    = 100 * time.Millisecond
	mostPoll     = 5 * time.Second
	maxTaskBytes = 4 << 20 // of a result that is kept for a client with a session
)

var (
	errTasksWanted = fault.New(fault.KindInvalid, "mcp.tasks_wanted", "the request is about tasks, which the client does not say that it takes").
			WithHint("declare the extension %s in clientCapabilities", keyTasks)
	errManyTasks = fault.New(fault.KindExhausted, "mcp.tasks", "the caller has too many tasks at this server").
			WithHint("end some with tasks/cancel, or wait until they are over")
)

// takesTasks reports whether a client of 2026-07-28 says that it takes tasks.
func takesTasks(caps []byte) (yes bool) {
	c := wire.NewCursor(caps)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "extensions" {
			continue
		}
		for in := c.Object(); in.Next(); {
			yes = yes || string(in.Key) == keyTasks
		}
	}
	return yes && c.End() == nil
}

// hasTasks reports whether a server with sessions runs tools as tasks, by its
// InitializeResult.
func hasTasks(said []byte) bool {
	var r struct {
		Capabilities struct {
			Tasks struct {
				Requests struct {
					Tools struct {
						Call json.RawMessage `json:"call"`
					} `json:"tools"`
				} `json:"requests"`
			} `json:"tasks"`
		} `json:"capabilities"`
	}
	return json.Unmarshal(said, &r) == nil && len(r.Capabilities.Tasks.Requests.Tools.Call) > 0
}

// tasks are those that are carried from one era to the other.
type tasks struct {
	mu   sync.Mutex
	all  map[taskKey]*task
	of   map[owner]int
	made uint64 // so far
	room int    // for all; 0 is maxTasks
}

func (s *tasks) most() int { return cmp.Or(s.room, maxTasks) }

type taskKey struct {
	of owner
	id string // the server's
}

// task is one of them.
type task struct {
	key          taskKey
	caps, client []byte // with which the connection to the server was made
	until        time.Time
	n            uint64     // of all that were made; tasks.mu guards it
	last         taskFields // as the server without sessions said last; tasks.mu guards it
	listed       bool       // it is kept to be listed only: the server has everything of it

	mu    sync.Mutex   // one looks after it at a time
	w     *waiting     // tasks/result at a server with sessions, on which it asks; nil: not open
	final *message     // its response, once it came
	asks  []pendingAsk // that no client answered
	asked int          // so far
	done  []byte       // the result, as the client's session has it; nil: the server has the task
}

// put remembers a task. Those that are over make room.
func (s *tasks) put(t *task, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all, s.of = map[taskKey]*task{}, map[owner]int{}
	}
	if old := s.all[t.key]; old != nil {
		s.drop(old)
	}
	if s.of[t.key.of] >= maxTasksOf || len(s.all) >= s.most() {
		s.sweepLocked(now)
	}
	if s.of[t.key.of] >= maxTasksOf || len(s.all) >= s.most() {
		s.unlistLocked(t.key.of, s.of[t.key.of] >= maxTasksOf)
	}
	if s.of[t.key.of] >= maxTasksOf || len(s.all) >= s.most() {
		return errManyTasks
	}
	s.made++
	t.n = s.made
	s.all[t.key] = t
	s.of[t.key.of]++
	return nil
}

// find gives a task of a caller; nil for another's, and for one that is over.
func (s *tasks) find(k taskKey, now time.Time) *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.all[k]
	if t == nil || now.After(t.until) {
		return nil
	}
	return t
}

// drop forgets a task; s.mu is held.
func (s *tasks) drop(t *task) {
	delete(s.all, t.key)
	if s.of[t.key.of]--; s.of[t.key.of] <= 0 {
		delete(s.of, t.key.of)
	}
	go t.leave() // whoever looks after it may wait for its server
}

func (s *tasks) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweepLocked(now)
}

func (s *tasks) sweepLocked(now time.Time) {
	for _, t := range s.all {
		if now.After(t.until) {
			s.drop(t)
		}
	}
}

// end forgets all.
func (s *tasks) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.all {
		s.drop(t)
	}
}

// leave ends what is open for the task at its server.
func (t *task) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.w != nil {
		t.w.end()
		t.w = nil
	}
}

// taskFields are those of a task in both eras.
type taskFields struct {
	ID       string          `json:"taskId"`
	Status   string          `json:"status"`
	Message  string          `json:"statusMessage,omitempty"`
	Created  string          `json:"createdAt"`
	Updated  string          `json:"lastUpdatedAt"`
	TTL      json.RawMessage `json:"ttl,omitempty"`
	Poll     json.RawMessage `json:"pollInterval,omitempty"`
	TTLMs    json.RawMessage `json:"ttlMs,omitempty"`
	PollMs   json.RawMessage `json:"pollIntervalMs,omitempty"`
	Type     string          `json:"resultType,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    json.RawMessage `json:"error,omitempty"`
	Requests json.RawMessage `json:"inputRequests,omitempty"`
}

// modern turns the fields of 2025-11-25 into those of 2026-07-28.
func (f *taskFields) modern() {
	f.TTLMs, f.PollMs, f.TTL, f.Poll = whole(f.TTL), whole(f.Poll), nil, nil
	if f.TTLMs == nil {
		f.TTLMs = json.RawMessage("null")
	}
}

// old is the other way.
func (f *taskFields) old() {
	f.TTL, f.Poll, f.TTLMs, f.PollMs = f.TTLMs, f.PollMs, nil, nil
	f.Type, f.Result, f.Error, f.Requests = "", nil, nil, nil
	if f.TTL == nil {
		f.TTL = json.RawMessage("null")
	}
}

// whole is a number of milliseconds as a positive whole number; nil for none.
func whole(n json.RawMessage) json.RawMessage {
	var ms float64
	if json.Unmarshal(n, &ms) != nil || ms < 1 || ms > 1<<53 {
		return nil
	}
	return json.RawMessage(fmt.Sprint(int64(ms)))
}

// over reports whether a status is a task's last.
func (f *taskFields) over() bool {
	return f.Status == "completed" || f.Status == "failed" || f.Status == "cancelled"
}

// every is how often the server wants to be asked.
func every(poll json.RawMessage) time.Duration {
	var ms float64
	if json.Unmarshal(poll, &ms) != nil || ms <= 0 {
		return taskPoll
	}
	return min(max(time.Duration(ms)*time.Millisecond, leastPoll), mostPoll)
}

// life is how long a task is remembered.
func life(ttl json.RawMessage) time.Duration {
	var ms float64
	if json.Unmarshal(ttl, &ms) != nil || ms <= 0 || ms > float64(taskFor/time.Millisecond) {
		return taskFor
	}
	return time.Duration(ms) * time.Millisecond
}

func readTask(raw []byte) (f taskFields, err error) {
	if err := json.Unmarshal(raw, &f); err != nil || f.ID == "" || len(f.ID) > maxToolName || f.Status == "" {
		return f, errAnswer.WithCause(err)
	}
	return f, nil
}

// once makes a request of ours at a server and gives its response.
func (x *exchange) once(ctx context.Context, req *http.Request, l link, build func(id []byte) []byte) (*message, error) {
	f, err := l.call(ctx, req, x.m, build)
	if err != nil {
		return nil, err
	}
	defer f.end()
	for {
		msg, err := f.next(ctx)
		switch {
		case ended(err):
			return nil, errSilent
		case err != nil:
			return nil, err
		}
		m, err := parse(msg)
		switch {
		case err != nil:
			return nil, errAnswer.WithCause(err)
		case m.isRequest():
			// It asks on the stream of tasks/result.
		case m.isNotification():
		case !sameID(m.id, f.id):
			return nil, errForeign
		default:
			return m, nil
		}
	}
}

// about is a request about a task; meta are members of its _meta.
func about(id []byte, method, taskID string, meta, params []byte) []byte {
	out := append(append([]byte(`{"jsonrpc":"2.0","id":`), id...), `,"method":"`+method+`","params":{"taskId":`...)
	out = append(out, quote(taskID)...)
	if len(params) > 0 {
		out = append(append(out, ','), params...)
	}
	if len(meta) > 0 {
		out = append(append(append(out, `,"_meta":{`...), meta...), '}')
	}
	return append(out, `}}`...)
}

// unrelated is an object without the mark in its _meta that says for which task
// it is.
func unrelated(object []byte) []byte {
	if !bytes.Contains(object, []byte(keyRelated)) {
		return object
	}
	var edits []wire.Edit
	c := wire.NewCursor(object)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "_meta" {
			continue
		}
		for in := c.Object(); in.Next(); {
			if string(in.Key) == keyRelated {
				at := in.KeyAt
				c.Skip()
				edits = append(edits, wire.Cut(object, at, c.Pos()))
			}
		}
	}
	if c.End() != nil || len(edits) != 1 {
		return object
	}
	return wire.Apply(nil, object, edits)
}

// withoutTask is the request without its wish for a task, which a client of the
// other era may leave in.
func (m *message) withoutTask() (*message, error) {
	if m.wish.to == 0 {
		return m, nil
	}
	return parse(wire.Apply(nil, m.raw, []wire.Edit{wire.Cut(m.raw, m.wishKey, m.wish.to)}))
}
