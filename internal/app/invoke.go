package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/dataset"
	"reeve/internal/evaluate"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/genai"
	"reeve/internal/identity/token"
	"reeve/internal/source"
)

// openExperiments opens what is run on cases.
func (a *App) openExperiments(ctx context.Context) (err error) {
	configured := map[string]experiment.Target{}
	for i := range a.o.Config.Invoke {
		c := &a.o.Config.Invoke[i]
		configured[c.Agent] = c.target()
	}
	a.experiments, err = experiment.New(ctx, experiment.Options{
		DB: a.control, Agent: a.versionOfAgent, Cases: a.casesOf, Recording: a.recordingOf, Invoke: a.invoke, Look: a.lookAt, Agrees: source.Agrees, Tell: a.tellBias, StandIns: a.standIns, Rights: a.rightsOf, TellDrill: a.tellDrill, Recorded: replayer{a}.Recorded, Again: replayer{a}.Again, Configured: configured,
		Logger: a.log.With("part", "experiments"),
	})
	return err
}

// versionOfAgent is placeOfAgent with the version that is observed.
func (a *App) versionOfAgent(name string) (team, environment, version string, ok bool) {
	g, ok := a.agents.Lookup(name)
	if !ok || g.Lifecycle == agent.Retired {
		return "", "", "", false
	}
	return g.Team, g.Environment, a.agents.VersionNow(name), true
}

// openTests tells the door which calls are of a test.
type openTests struct{ app *App }

// Of implements gateway.Tests.
func (o openTests) Of(agent, id string, run activity.RunID) gateway.Test {
	if o.app.experiments == nil {
		return nil
	}
	t, ok := o.app.experiments.Tests.Find(agent, id, run)
	if !ok {
		return nil // and not a Test that is nil
	}
	return t
}

// casesOf are the items of a data set as tasks.
func (a *App) casesOf(ctx context.Context, who experiment.Actor, name string, version int64) ([]experiment.Task, int64, error) {
	// Whoever runs cases gives them to an agent: that needs the role reader, which
	// Items asks for, as reading them does.
	s, all, err := a.datasets.Items(ctx, dataset.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: who.Can}, name, version, 0)
	if err != nil {
		return nil, 0, err
	}
	var out []experiment.Task
	may := map[string]bool{"": true}
	for _, i := range all {
		if i.Withdrawn || i.Consent == dataset.ConsentRefused {
			continue
		}
		// What its run's tools answered is served to the agent and stored with the test:
		// without the role reader there, the case stops at the first call.
		ok, looked := may[i.Run]
		if !looked {
			if ok, err = a.mayReadRun(ctx, who, i.Run); err != nil {
				return nil, 0, err
			}
			may[i.Run] = ok
		}
		if !ok {
			i.Run = ""
		}
		t := experiment.Task{Item: i.ID, Run: i.Run, Expected: i.Expected, Contains: i.Contains, Absent: i.Absent}
		for _, m := range i.Input {
			t.Messages = append(t.Messages, experiment.Message(m))
		}
		out = append(out, t)
	}
	return out, s.Version, nil
}

// mayReadRun reports whether somebody may read what was said in a run; of one that is
// gone nothing is.
func (a *App) mayReadRun(ctx context.Context, who experiment.Actor, run string) (bool, error) {
	id, err := activity.ParseRunID(run)
	if err != nil {
		return true, nil
	}
	r, err := a.store.Run(ctx, id)
	if fault.Is(err, fault.KindNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return who.Can("reader", r.Team, r.Environment), nil
}

// recordingOf reads what the tools of a run came to.
func (a *App) recordingOf(ctx context.Context, run string) (*experiment.Recording, error) {
	id, err := activity.ParseRunID(run)
	if err != nil {
		return &experiment.Recording{}, nil
	}
	steps, at, err := textsOf{a}.said(ctx, id)
	if fault.Is(err, fault.KindNotFound) {
		return &experiment.Recording{}, nil // its telemetry is gone: nothing is served, and all is refused
	}
	if err != nil {
		return nil, err
	}
	out := &experiment.Recording{}
	raw := func(s *activity.Step, field activity.ContentField) []byte {
		for k, ref := range s.Refs {
			if ref.Field != field || !activity.Said(s.Refs, k) {
				continue
			}
			for _, n := range ordinalsOf(ref.Messages) {
				if m := at[n]; m != nil {
					if m.Format == "json" || m.Format == "text" {
						return m.Raw
					}
					return []byte(textOfMessage(m, nil))
				}
			}
		}
		return nil
	}
	for i := range steps {
		s := &steps[i]
		if s.Kind != activity.KindTool && s.Kind != activity.KindMCP && s.Kind != activity.KindHTTP || s.Status == activity.StatusError {
			continue
		}
		result := raw(s, activity.ContentResult)
		if result == nil {
			result = raw(s, activity.ContentOutput)
		}
		name := s.ToolName
		if name == "" {
			name = s.Name
		}
		if result != nil && name != "" {
			args := raw(s, activity.ContentArguments)
			if args == nil {
				args = raw(s, activity.ContentInput)
			}
			out.Add(name, args, result)
		}
	}
	recordTold(out, steps, at)
	return out, nil
}

// recordTold adds what tools inside the agent returned, as its model was told in later
// messages: no step of their own may show them.
func recordTold(out *experiment.Recording, steps []activity.Step, at map[int32]*activity.Message) {
	type told struct {
		name, arguments, result string
		has                     bool
	}
	calls, order, seen := map[string]*told{}, []*told{}, map[int32]bool{}
	for i := range steps {
		s := &steps[i]
		if s.Kind != activity.KindModel {
			continue
		}
		for k, ref := range s.Refs {
			if ref.Field != activity.ContentInput || !activity.Said(s.Refs, k) {
				continue
			}
			for _, n := range ordinalsOf(ref.Messages) {
				m := at[n]
				if m == nil || seen[n] {
					continue
				}
				seen[n] = true
				parsed, err := genai.Parse(m.Format, m.Raw)
				if err != nil {
					continue // no message of a model
				}
				for _, p := range parsed.Parts {
					switch {
					case p.Type == genai.PartToolCall && p.ID != "" && calls[p.ID] == nil:
						c := &told{name: p.Name, arguments: p.Arguments}
						calls[p.ID], order = c, append(order, c)
					case p.Type == genai.PartToolResult && calls[p.ID] != nil:
						calls[p.ID].result, calls[p.ID].has = cmp.Or(p.Text, p.Data), true
					}
				}
			}
		}
	}
	known := map[*told]bool{}
	for _, c := range order { // a step's own record goes before
		known[c] = out.Has(c.name, []byte(c.arguments))
	}
	for _, c := range order {
		if c.has && !known[c] {
			out.Add(c.name, []byte(c.arguments), []byte(c.result))
		}
	}
}

// lookAt has an evaluator look at an answer of a test.
func (a *App) lookAt(ctx context.Context, who experiment.Actor, name, agentName string, task *experiment.Task, answer string) (experiment.Check, error) {
	t := evaluate.Texts{Agent: agentName, Answer: answer, Mode: evaluate.Test}
	if n := len(task.Messages); n > 0 {
		t.Prompt = task.Messages[n-1].Content
	}
	if g, ok := a.agents.Lookup(agentName); ok {
		t.Team, t.Environment, t.Version = g.Team, g.Environment, g.Version
	}
	// What the case's run read is what its tools are answered with in the test.
	if id, err := activity.ParseRunID(task.Run); err == nil {
		recorded, ok, err := textsOf{a}.Texts(ctx, id)
		if err != nil {
			return experiment.Check{}, err
		}
		if ok {
			t.Documents = recorded.Documents
		}
	}
	f, err := a.evaluations.LookBy(ctx, evaluate.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: who.Can}, name, &t)
	return experiment.Check{Name: name, Verdict: f.Verdict, Text: f.Text}, err
}

const (
	invokeMost = 1 << 20 // of an answer
	tokenSlack = time.Minute
)

// invoke puts a task to an agent, as a test: by a token that is good for this test
// alone, and by the names of its run, in case the agent comes with its own.
func (a *App) invoke(ctx context.Context, t *experiment.Test, target *experiment.Target, task *experiment.Task) (experiment.Said, error) {
	var said experiment.Said
	g, ok := a.agents.Lookup(t.Agent)
	if !ok || g.Lifecycle == agent.Retired {
		return said, fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.64s", t.Agent)
	}
	life := tokenSlack
	if until, ok := ctx.Deadline(); ok {
		life += time.Until(until)
	}
	issued, err := a.authority.keys.Access(token.Access{
		Subject: token.Subject{Agent: g.Name, Epoch: g.Epoch}, Audience: a.authority.issuer, Scope: "door " + gateway.TestScope(t.ID), Life: life,
	})
	if err != nil {
		return said, err
	}
	var trace, span [16]byte
	_, _ = rand.Read(trace[:]) // never fail
	_, _ = rand.Read(span[:])
	scope := a.doorScope(g)
	a.experiments.Tests.Name(t, scope.RunOfKey(t.Key))
	a.experiments.Tests.Name(t, scope.RunOfTrace(activity.TraceID(trace)))
	a.experiments.Tests.Trace(trace, time.Now())
	parent := "00-" + hex.EncodeToString(trace[:]) + "-" + hex.EncodeToString(span[:8]) + "-01"
	switch target.Kind {
	case experiment.Command:
		said.Answer, err = a.invokeCommand(ctx, t, target, task, issued.Token, parent)
	case experiment.A2A:
		said.Answer, err = a.invokeA2A(ctx, t, target, task, issued.Token, parent)
	default:
		said.Answer, err = a.invokeHTTP(ctx, t, target, task, issued.Token, parent)
	}
	return said, err
}

// send posts JSON to an agent, whose address is checked when it is dialled.
func (a *App) send(ctx context.Context, t *experiment.Test, target *experiment.Target, body, token, parent string) ([]byte, error) {
	to, err := a.upstreams.Outside("invoke", target.URL, nil, nil, target.AllowPrivate, 0)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.URL, strings.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "experiment.invalid", "the agent's address cannot be called").WithCause(err)
	}
	h := req.Header
	h.Set("Content-Type", "application/json")
	h.Set("Traceparent", parent)
	h.Set("X-Reeve-Run", t.Key)
	h.Set("X-Reeve-Test-Token", token)
	resp, err := to.Transport().RoundTrip(req)
	if err != nil {
		return nil, fault.New(fault.KindUnavailable, "experiment.invoke", "the agent cannot be reached").WithCause(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(io.LimitReader(resp.Body, invokeMost+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.KindUnavailable, "experiment.invoke", "the agent's answer broke off").WithCause(err)
	case len(out) > invokeMost:
		return nil, fault.New(fault.KindExhausted, "experiment.invoke", "the agent's answer has more than %d bytes", invokeMost)
	case resp.StatusCode/100 != 2:
		return nil, fault.New(fault.KindUnavailable, "experiment.invoke", "the agent answered with status %d", resp.StatusCode)
	}
	return out, nil
}

func (a *App) invokeHTTP(ctx context.Context, t *experiment.Test, target *experiment.Target, task *experiment.Task, token, parent string) (string, error) {
	body, err := experiment.Fill(target.Body, task, token, t.Key)
	if err != nil {
		return "", err
	}
	out, err := a.send(ctx, t, target, body, token, parent)
	if err != nil || target.Answer == "" {
		return string(out), err
	}
	var v any
	if err := json.Unmarshal(out, &v); err != nil {
		return "", fault.New(fault.KindUnavailable, "experiment.invoke", "the agent's answer is no JSON, and %s is a place in it", target.Answer)
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(target.Answer, "/"), "/") {
		switch x := v.(type) {
		case map[string]any:
			v = x[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		case []any:
			v = nil
			if part == "0" && len(x) > 0 {
				v = x[0]
			} else if part == "-" && len(x) > 0 {
				v = x[len(x)-1]
			}
		default:
			v = nil
		}
	}
	text, ok := v.(string)
	if !ok {
		return "", fault.New(fault.KindUnavailable, "experiment.invoke", "the agent's answer has no text at %s", target.Answer)
	}
	return text, nil
}

// invokeA2A sends one message of A2A and reads the texts of what comes back.
func (a *App) invokeA2A(ctx context.Context, t *experiment.Test, target *experiment.Target, task *experiment.Task, token, parent string) (string, error) {
	last := ""
	if n := len(task.Messages); n > 0 {
		last = task.Messages[n-1].Content
	}
	type obj = map[string]any
	body, err := json.Marshal(obj{"jsonrpc": "2.0", "id": t.ID, "method": "message/send", "params": obj{"message": obj{
		"kind": "message", "role": "user", "messageId": t.ID, "parts": []any{obj{"kind": "text", "text": last}},
		"metadata": obj{"reeve.run.id": t.Key, "reeve.test.token": token, "reeve.messages": task.Messages},
	}}})
	if err != nil {
		return "", err
	}
	out, err := a.send(ctx, t, target, string(body), token, parent)
	if err != nil {
		return "", err
	}
	type parts []struct {
		Text string `json:"text"`
	}
	var x struct {
		Error *struct {
			Message string `json:"message"`
		} `json:"error"`
		Result struct {
			Parts     parts `json:"parts"`
			Artifacts []struct {
				Parts parts `json:"parts"`
			} `json:"artifacts"`
			Status struct {
				Message struct {
					Parts parts `json:"parts"`
				} `json:"message"`
			} `json:"status"`
		} `json:"result"`
	}
	if err := json.Unmarshal(out, &x); err != nil || x.Error != nil {
		return "", fault.New(fault.KindUnavailable, "experiment.invoke", "the agent answered with an error of A2A, or with none of its results")
	}
	all := x.Result.Parts
	for _, f := range x.Result.Artifacts {
		all = append(all, f.Parts...)
	}
	if len(all) == 0 {
		all = x.Result.Status.Message.Parts
	}
	var texts []string
	for _, p := range all {
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return strings.Join(texts, "\n"), nil
}

// invokeCommand runs a process that reads the case on standard input and writes its
// answer. Its way to the door is an address of this test alone: whatever credential
// it shows there, its calls are the test's.
func (a *App) invokeCommand(ctx context.Context, t *experiment.Test, target *experiment.Target, task *experiment.Task, token, parent string) (string, error) {
	door, end, err := a.testDoor(ctx, token)
	if err != nil {
		return "", err
	}
	defer end()
	last := ""
	if n := len(task.Messages); n > 0 {
		last = task.Messages[n-1].Content
	}
	in, err := json.Marshal(map[string]any{"input": last, "messages": task.Messages, "run": t.Key})
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, target.Command[0], target.Command[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "REEVE_DOOR=" + door, "REEVE_RUN=" + t.Key, "TRACEPARENT=" + parent}
	for _, e := range target.Env {
		cmd.Env = append(cmd.Env, strings.ReplaceAll(e, "{{door}}", door))
	}
	cmd.Stdin = bytes.NewReader(in)
	out := limited{most: invokeMost}
	cmd.Stdout = &out // what it says on standard error may be anybody's content: it goes nowhere
	together(cmd)
	cmd.WaitDelay = 5 * time.Second                                 // what it started may hold its pipes
	if cmd.Dir, err = os.MkdirTemp("", "reeve-test-"); err != nil { // its own, and gone with it
		return "", fault.New(fault.KindUnavailable, "experiment.invoke", "no folder for the command of agent %s", t.Agent).WithCause(err)
	}
	defer func() { _ = os.RemoveAll(cmd.Dir) }()
	cmd.Env = append(cmd.Env, "HOME="+cmd.Dir, "TMPDIR="+cmd.Dir)
	if err := cmd.Start(); err != nil {
		return "", fault.New(fault.KindUnavailable, "experiment.invoke", "the command of agent %s cannot be started", t.Agent).WithCause(err)
	}
	err = bound(cmd.Process.Pid)
	if err != nil {
		sweep(cmd.Process.Pid)
	}
	ended(cmd.Process.Pid) // it is not reaped yet: its group is still its own
	sweep(cmd.Process.Pid) // what it started does not outlive it
	err = errors.Join(err, cmd.Wait())
	if err != nil {
		return "", fault.New(fault.KindUnavailable, "experiment.invoke", "the command of agent %s failed: %s", t.Agent, cmd.ProcessState).WithCause(err)
	}
	return strings.TrimSpace(out.String()), nil
}

// testDoor is an address of the door for one test: behind a path that nobody can
// guess, with the test's credential in place of any other.
func (a *App) testDoor(ctx context.Context, token string) (address string, end func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fault.New(fault.KindUnavailable, "experiment.invoke", "no address for the test's door").WithCause(err)
	}
	at, err := url.Parse(a.authority.issuer)
	if err != nil {
		return "", nil, errors.Join(err, l.Close())
	}
	secret := "/" + strings.ToLower(rand.Text())
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.EscapedPath(), secret+"/")
		if !ok {
			http.NotFound(w, r)
			return
		}
		in := r.Clone(r.Context())
		in.URL.Path, in.URL.RawPath = "/"+rest, ""
		if plain, err := url.PathUnescape("/" + rest); err == nil && plain != in.URL.Path {
			in.URL.Path, in.URL.RawPath = plain, "/"+rest
		}
		in.RequestURI, in.Host = in.URL.RequestURI(), at.Host
		for _, h := range []string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Origin", "Cookie", "Dpop", "Forwarded", "X-Real-Ip", "Client-Cert", "Client-Cert-Chain"} {
			in.Header.Del(h)
		}
		for h := range in.Header {
			if strings.HasPrefix(h, "X-Reeve-") || strings.HasPrefix(h, "X-Forwarded-") {
				delete(in.Header, h)
			}
		}
		in.Header.Set("Authorization", "Bearer "+token)
		a.gateway.ServeHTTP(w, in)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // ends with Close
	}()
	return "http://" + l.Addr().String() + secret, func() {
		_ = srv.Close() // what is underway of a test that is over ends with it
		<-done
	}, nil
}

// limited keeps the beginning of what is written.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:max(0, min(len(p), l.most-l.Len()))])
	return len(p), nil
}
