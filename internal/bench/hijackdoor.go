package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/behaviour"
	"reeve/internal/control"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm"
	"reeve/internal/gateway/mcp"
	"reeve/internal/pin"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/upstream"
)

// stage is what recorded runs are played on: registers, policies and pins as in
// a house, a door for each fold, and upstreams that answer as recorded.
type stage struct {
	dir     string
	db      *control.DB
	o       gateway.Options // of each fold's door, but for its memory
	keys    map[string]string
	log     *verdicts
	workers chan *player
	group   sync.WaitGroup
	end     context.CancelFunc
	closing []io.Closer
}

// verdicts keeps what was decided until it is asked for.
type verdicts struct {
	n    atomic.Int64
	mu   sync.Mutex
	held map[string]bool
	took []int64 // µs until a tool call was decided
}

func (v *verdicts) NewID() string { return fmt.Sprintf("dec_%016d", v.n.Add(1)) }

func (v *verdicts) Commit(b []byte) string { return strconv.Itoa(len(b)) }

func (v *verdicts) Propose(_ context.Context, d *activity.Decision) error {
	if d.Action != "call_tool" {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held[d.ID] = d.Verdict != activity.VerdictAllow
	v.took = append(v.took, d.DecideUS)
	return nil
}

func (v *verdicts) Complete(*activity.Decision) {}

// take gives the verdict on a call once.
func (v *verdicts) take(id string) (held, known bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	held, known = v.held[id]
	delete(v.held, id)
	return held, known
}

func (v *verdicts) percentiles() map[string]int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.took) == 0 {
		return nil
	}
	slices.Sort(v.took)
	return map[string]int64{"p50": v.took[len(v.took)/2], "p99": v.took[len(v.took)*99/100]}
}

// pinned gives the door's MCP part the book of pins.
type pinned struct{ book *pin.Book }

func (p pinned) See(ctx context.Context, upstream string, tools []mcp.Tool, whole bool) ([]mcp.Pin, error) {
	list := make([]pin.Tool, len(tools))
	for i, t := range tools {
		list[i] = pin.Tool{Name: t.Name, Title: t.Title, Description: t.Description, InputSchema: t.InputSchema, OutputSchema: t.OutputSchema, Annotations: t.Annotations}
	}
	pins, err := p.book.See(ctx, upstream, list, whole)
	out := make([]mcp.Pin, len(pins))
	for i := range pins {
		out[i] = asPin(pins[i])
	}
	return out, err
}

func asPin(p pin.Pin) mcp.Pin {
	return mcp.Pin{Hash: p.Hash, Effect: p.Effect, Classes: p.Classes, Accepted: p.State == pin.Accepted}
}

func (p pinned) Lookup(upstream, tool string) (mcp.Pin, bool) {
	found, ok := p.book.Lookup(upstream, tool)
	return asPin(found), ok
}

func (p pinned) Tools(upstream string) []string { return p.book.Tools(upstream) }

func (p pinned) Alias(name string) (upstream, tool string, ok bool) {
	found, ok := p.book.ByAlias(name)
	return found.Upstream, found.Tool, ok
}

// person is who set the stage: it registers agents and accepts tools.
func person() agent.Actor {
	return agent.Actor{Person: "bench", Name: "bench", Can: func(string, string, string) bool { return true }}
}

func newStage(ctx context.Context, runs []*recordedRun, workers int) (_ *stage, err error) {
	s := &stage{keys: map[string]string{}, log: &verdicts{held: map[string]bool{}}, workers: make(chan *player, workers)}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "reeve-bench-hijack-"); err != nil {
		return nil, err
	}
	if s.db, err = control.Open(ctx, filepath.Join(s.dir, "control.db")); err != nil {
		return nil, err
	}
	agents, err := agent.New(ctx, agent.Options{DB: s.db})
	if err != nil {
		return nil, err
	}
	ups, err := upstream.New(ctx, upstream.Options{DB: s.db, Dir: s.dir})
	if err != nil {
		return nil, err
	}
	stops, err := stop.New(ctx, stop.Options{DB: s.db, Node: "bench", Agents: agents})
	if err != nil {
		return nil, err
	}
	pins, err := pin.New(ctx, pin.Options{DB: s.db})
	if err != nil {
		return nil, err
	}
	engine, err := shipped()
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	steps := gateway.NewSteps(func(context.Context, []byte) error { return nil }, quiet)
	protocol := mcp.New(mcp.Options{Pins: pinned{pins}, Logger: quiet})
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	s.end = end
	s.group.Go(func() { _ = steps.Run(running) })
	s.group.Go(func() { _ = protocol.Run(running) })
	s.o = gateway.Options{
		Agents: agents, Upstreams: ups, Policies: engine, Stops: stops, Decisions: s.log, Steps: steps, Pins: pins, Node: "bench", Logger: quiet,
		Protocols: []gateway.Protocol{protocol, llm.New(nil)},
	}
	tools := toolsOf(runs)
	for suite := range tools {
		a := agent.Agent{Name: suite, Team: "bench", Purpose: "recorded runs", Autonomy: agent.Autonomous}
		if _, err := agents.Create(ctx, person(), a, ""); err != nil {
			return nil, err
		}
		_, key, err := agents.CreateKey(ctx, person(), suite, agent.NewKey{Label: "bench"})
		if err != nil {
			return nil, err
		}
		s.keys[suite] = key
	}
	for i := range workers {
		p, err := s.player(ctx, i, tools, ups, pins)
		if err != nil {
			return nil, err
		}
		s.workers <- p
	}
	return s, nil
}

// shipped is the policies that a new installation begins with, in force.
func shipped() (*policy.Engine, error) {
	c, err := policy.NewCompiler()
	if err != nil {
		return nil, err
	}
	docs, err := policy.Starters()
	if err != nil {
		return nil, err
	}
	var all []policy.Statement
	for _, d := range docs {
		list, err := c.Compile(d)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	e := &policy.Engine{}
	e.Replace(1, all)
	return e, nil
}

// close ends what was started and removes the folder.
func (s *stage) close() {
	if s.end != nil {
		s.end()
	}
	for _, c := range slices.Backward(s.closing) {
		_ = c.Close() // it is all thrown away
	}
	s.group.Wait()
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// toolsOf are the tools of each suite's recorded calls, with the names of their
// arguments.
func toolsOf(runs []*recordedRun) map[string][]byte {
	type schema struct {
		Type       string         `json:"type"`
		Properties map[string]any `json:"properties"`
	}
	type tool struct {
		Name   string `json:"name"`
		Schema schema `json:"inputSchema"`
	}
	all := map[string]map[string]*tool{}
	for _, r := range runs {
		of := all[r.Suite]
		if of == nil {
			of = map[string]*tool{}
			all[r.Suite] = of
		}
		for _, st := range r.Steps {
			if st.Kind != "call" || st.Tool == "" {
				continue
			}
			t := of[st.Tool]
			if t == nil {
				t = &tool{st.Tool, schema{"object", map[string]any{}}}
				of[st.Tool] = t
			}
			var args map[string]json.RawMessage
			_ = json.Unmarshal(st.Args, &args) // none then
			for name := range args {
				t.Schema.Properties[name] = struct{}{}
			}
		}
	}
	out := map[string][]byte{}
	for suite, of := range all {
		var list []*tool
		for _, name := range sortedNames(of) {
			list = append(list, of[name])
		}
		text, err := json.Marshal(list)
		if err != nil {
			panic(err) // of strings
		}
		out[suite] = text
	}
	return out
}

// player plays one run at a time, through a listener of its own.
type player struct {
	stage   *stage
	name    string
	door    atomic.Pointer[gateway.Door]
	memory  *behaviour.Memory // of that door
	url     string
	client  *http.Client
	answers atomic.Pointer[recordedStep] // what the next tool says
	words   atomic.Pointer[[]byte]       // what the model says next
	calls   int
}

func (s *stage) player(ctx context.Context, i int, tools map[string][]byte, ups *upstream.Registry, pins *pin.Book) (*player, error) {
	p := &player{stage: s, name: "w" + strconv.Itoa(i), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: time.Minute}}
	serve := func(h http.Handler) (string, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		s.closing = append(s.closing, server)
		s.group.Go(func() { _ = server.Serve(l) })
		return "http://" + l.Addr().String(), nil
	}
	var err error
	if p.url, err = serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.door.Load().ServeHTTP(w, r) })); err != nil {
		return nil, err
	}
	model, err := serve(http.HandlerFunc(p.speak))
	if err != nil {
		return nil, err
	}
	put := func(u client.Upstream) error {
		u.Team, u.Environment, u.AllowPrivate = "bench", "production", true
		_, err := ups.Put(ctx, "bench", u)
		return err
	}
	if err := put(client.Upstream{Name: p.name + "-model", Kind: "llm", Dialect: "openai", URL: model}); err != nil {
		return nil, err
	}
	for suite, list := range tools {
		at, err := serve(p.server(list))
		if err != nil {
			return nil, err
		}
		name := p.upstream(suite)
		if err := put(client.Upstream{Name: name, Kind: "mcp", URL: at + "/mcp"}); err != nil {
			return nil, err
		}
		if err := p.accept(ctx, suite, pins); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *player) upstream(suite string) string { return p.name + "-" + suite }

// accept lists a suite's tools through the door and accepts them as a person
// would: what only reads as a read, all else as a write.
func (p *player) accept(ctx context.Context, suite string, pins *pin.Book) error {
	if err := p.begin(); err != nil {
		return err
	}
	if _, _, err := p.rpc(ctx, suite, "", "tools/list", ""); err != nil {
		return err
	}
	name := p.upstream(suite)
	for _, tool := range pins.Tools(name) {
		v, err := pins.Get(name, tool)
		if err != nil {
			return err
		}
		effect := pin.Suggest(&v.Definition).Effect
		if effect != "read" {
			effect = "write"
		}
		var codes []string
		for _, f := range v.Findings {
			codes = append(codes, f.Code) // the suites have tools of the same names
		}
		if _, err := pins.Accept(ctx, pin.Actor{Person: "bench"}, name, tool, pin.Acceptance{Hash: v.Listed, Effect: effect, Acknowledge: codes, Reason: "bench"}); err != nil {
			return err
		}
	}
	if len(pins.Tools(name)) == 0 {
		return fmt.Errorf("the tools of %s were not listed", suite)
	}
	return nil
}

// begin opens a door whose agents did nothing yet.
func (p *player) begin() error {
	o := p.stage.o
	var err error
	if o.Behaviour, err = behaviour.New(behaviour.Options{}); err != nil {
		return err
	}
	d, err := gateway.New(o)
	if err != nil {
		return err
	}
	p.memory = o.Behaviour
	p.door.Store(d)
	return nil
}

// speak is the model: it says what was recorded.
func (p *player) speak(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(*p.words.Load()) // the door's end is seen by who asked
}

const modernVersion = "2026-07-28"

// server is a suite's MCP server: it says what was recorded.
func (p *player) server(tools []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&m) != nil || m.ID == nil {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		say := func(result string) { fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID, result) }
		switch m.Method {
		case "server/discover":
			say(`{"resultType":"complete","supportedVersions":["` + modernVersion + `"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"public"}`)
		case "tools/list":
			say(`{"resultType":"complete","ttlMs":0,"cacheScope":"public","tools":` + string(tools) + `}`)
		default:
			a := p.answers.Load()
			text, err := json.Marshal(a.Text + a.Error)
			if err != nil {
				text = []byte(`""`)
			}
			say(fmt.Sprintf(`{"resultType":"complete","content":[{"type":"text","text":%s}],"isError":%t}`, text, a.Error != ""))
		}
	})
}

// rpc sends one request to a suite's server and gives the decision on it.
func (p *player) rpc(ctx context.Context, suite, run, method, params string) (decision string, status int, err error) {
	p.calls++
	if params != "" {
		params += ","
	}
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":{%s"_meta":{"io.modelcontextprotocol/protocolVersion":%q,"io.modelcontextprotocol/clientCapabilities":{}}}}`,
		p.calls, method, params, modernVersion)
	h := http.Header{"Mcp-Protocol-Version": {modernVersion}, "Mcp-Method": {method}, "Accept": {"application/json, text/event-stream"}}
	if method == "tools/call" {
		var named struct{ Name string }
		_ = json.Unmarshal([]byte("{"+params[:len(params)-1]+"}"), &named) // "" then
		h["Mcp-Name"] = []string{named.Name}
	}
	return p.post(ctx, "/mcp/"+p.upstream(suite), suite, run, h, []byte(body))
}

func (p *player) post(ctx context.Context, path, suite, run string, h http.Header, body []byte) (decision string, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, bytes.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	req.Header = h
	req.Header["Content-Type"] = []string{"application/json"}
	req.Header["Authorization"] = []string{"Bearer " + p.stage.keys[suite]}
	if run != "" {
		req.Header["X-Reeve-Run"] = []string{run}
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 400 && resp.Header.Get("X-Reeve-Decision") == "" {
		err = fmt.Errorf("%s: %d %s", path, resp.StatusCode, text)
	}
	return resp.Header.Get("X-Reeve-Decision"), resp.StatusCode, err
}

// play plays folds and counts.
func (s *stage) play(ctx context.Context, folds []fold) (HijackSuite, error) {
	var sum HijackSuite
	var errs []error
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, f := range folds {
		if ctx.Err() != nil {
			break
		}
		p := <-s.workers
		all.Go(func() {
			defer func() { s.workers <- p }()
			one, err := p.fold(ctx, f)
			mu.Lock()
			defer mu.Unlock()
			sum.add(one)
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	all.Wait()
	return sum, errors.Join(append(errs, ctx.Err())...)
}

// fold lets an agent live through its history, then tests it.
func (p *player) fold(ctx context.Context, f fold) (out HijackSuite, err error) {
	if err := p.begin(); err != nil {
		return out, err
	}
	for i, r := range f.history {
		// Of what was held then, a person was asked and agreed.
		err := p.run(ctx, f.suite, "h"+strconv.Itoa(i)+r.ID, r, true, func(_ int, held bool) {
			out.History++
			if held {
				out.HistoryHeld++
			}
		})
		if err != nil {
			return out, err
		}
	}
	for _, r := range f.tests {
		if err := p.run(ctx, f.suite, "t"+r.ID, r, false, func(step int, held bool) { out.count(r, step, held) }); err != nil {
			return out, err
		}
	}
	return out, nil
}

// run plays one run: the model is asked with all that was said, and each call of
// a tool goes through the door and gets the recorded result.
func (p *player) run(ctx context.Context, suite, id string, r *recordedRun, agreed bool, told func(step int, held bool)) error {
	var c conversation
	c.say("user", r.Prompt)
	asked := false
	for i := range r.Steps {
		st := &r.Steps[i]
		switch st.Kind {
		case "user":
			c.say("user", st.Text)
			asked = false
		case "say", "call":
			if !asked {
				if err := p.ask(ctx, suite, id, &c); err != nil {
					return err
				}
				asked = true
			}
			if st.Kind == "say" {
				c.say("assistant", st.Text)
				continue
			}
			call := "call_" + strconv.Itoa(i)
			c.call(call, st.Tool, st.Args)
			result := &recordedStep{}
			if i+1 < len(r.Steps) && r.Steps[i+1].Kind == "result" {
				result = &r.Steps[i+1]
			}
			held, err := p.call(ctx, suite, id, st, result)
			if err != nil {
				return fmt.Errorf("run %s, step %d: %w", r.ID, i, err)
			}
			told(i, held)
			if held && agreed {
				p.agree(suite, st)
			}
			c.result(call, result.Text+result.Error)
		case "result":
			asked = false
		}
	}
	return nil
}

// ask asks the model what comes next; its answer is played by the caller.
func (p *player) ask(ctx context.Context, suite, run string, c *conversation) error {
	said := []byte(`{"id":"x","object":"chat.completion","model":"recorded","choices":[{"index":0,"message":{"role":"assistant","content":"."},"finish_reason":"stop"}]}`)
	p.words.Store(&said)
	body, err := c.body()
	if err != nil {
		return err
	}
	_, status, err := p.post(ctx, "/llm/"+p.name+"-model/v1/chat/completions", suite, run, http.Header{}, body)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the model's call was answered %d", status)
	}
	return err
}

// call makes a tool call at the door.
func (p *player) call(ctx context.Context, suite, run string, st, result *recordedStep) (held bool, err error) {
	p.answers.Store(result)
	args := st.Args
	if len(args) == 0 || string(args) == "null" {
		args = json.RawMessage(`{}`)
	}
	name, err := json.Marshal(st.Tool)
	if err != nil {
		return false, err
	}
	id, _, err := p.rpc(ctx, suite, run, "tools/call", fmt.Sprintf(`"name":%s,"arguments":%s`, name, args))
	if err != nil {
		return false, err
	}
	held, known := p.stage.log.take(id)
	if !known {
		return false, fmt.Errorf("no decision on a call of %s (%q)", st.Tool, id)
	}
	return held, nil
}

// agree is a person who lets a held call of an earlier run pass: its destinations
// are known from then on.
func (p *player) agree(suite string, st *recordedStep) {
	var args []behaviour.Argument
	for path, list := range gateway.ArgsOf(st.Args).Text {
		for _, text := range list {
			args = append(args, behaviour.Argument{Path: path, Text: text})
		}
	}
	who := behaviour.Who{Credential: "person"}
	p.memory.Used(who, suite, p.memory.Origins(who, suite, args, nil), true)
}
