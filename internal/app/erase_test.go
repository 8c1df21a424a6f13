package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/erase"
	"reeve/internal/finding"
)

// What a user said, and how they are called: nothing of it may be found once they are
// erased, whoever copied it, in no file of the data folder.
const (
	erasedUser    = "usr-kim-7731"
	erasedSession = "chat-kim-8841957"
	erasedWords   = "my lavender piano is haunted by seven velvet otters"
	erasedOrder   = "ZQ-5517723"
	keptWords     = "where is the green umbrella that was ordered in march"
)

// erasedMarks are looked for as bytes, also in pieces.
var erasedMarks = []string{erasedUser, erasedSession, "lavender", "velvet", erasedOrder}

// conversation is a run as an SDK sends it.
func conversation(t *testing.T, n int, user, session, said, answered string) []byte {
	t.Helper()
	text := func(k, v string) *common.KeyValue {
		return &common.KeyValue{Key: k, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}}}
	}
	parts := func(role, s string) string {
		b, err := json.Marshal([]any{map[string]any{"role": role, "parts": []any{map[string]any{"type": "text", "content": s}}, "finish_reason": "stop"}})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	id := []byte(fmt.Sprintf("erase-test-%05d", n))
	now := uint64(time.Now().UnixNano())
	root, call, tool := id[8:], append([]byte("c"), id[9:]...), append([]byte("t"), id[9:]...)
	with := func(more ...*common.KeyValue) []*common.KeyValue {
		out := []*common.KeyValue{text("gen_ai.agent.name", "refund"), text("gen_ai.conversation.id", session), text("note", "about "+said)}
		if user != "" {
			out = append(out, text("user.id", user))
		}
		return append(out, more...)
	}
	body, err := proto.Marshal(&trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{
		{TraceId: id, SpanId: root, Name: "invoke_agent refund", StartTimeUnixNano: now - 9e6, EndTimeUnixNano: now, Attributes: with(text("gen_ai.operation.name", "invoke_agent"))},
		{TraceId: id, SpanId: call, ParentSpanId: root, Name: "chat gpt-4o", StartTimeUnixNano: now - 8e6, EndTimeUnixNano: now - 5e6, Attributes: with(
			text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "gpt-4o"), text("gen_ai.input.messages", parts("user", said)), text("gen_ai.output.messages", parts("assistant", answered)))},
		{
			TraceId: id, SpanId: tool, ParentSpanId: root, Name: "execute_tool refund", StartTimeUnixNano: now - 4e6, EndTimeUnixNano: now - 3e6,
			Status: &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: "no order for: " + said}, Attributes: with(
				text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", "refund"), text("gen_ai.tool.call.arguments", `{"note":"`+said+`"}`)),
		},
	}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// looseLog is a log record that belongs to no run.
func looseLog(t *testing.T, said string) []byte {
	t.Helper()
	body, err := proto.Marshal(&logspb.LogsData{ResourceLogs: []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: []*logspb.LogRecord{{
		TimeUnixNano: uint64(time.Now().UnixNano()), Body: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: "a customer wrote: " + said}},
	}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// traces of marks in the files of a folder: as bytes, and in the columns of segments,
// which are compressed.
func marksIn(t *testing.T, dir string, marks []string) (out []string) {
	t.Helper()
	records := func(name string) bool { // of decisions: chained, they name their session
		return strings.HasPrefix(name, "decisions"+string(filepath.Separator)) || strings.Contains(name, string(filepath.Separator)+"decisions"+string(filepath.Separator))
	}
	look := func(where string, b []byte) {
		for _, m := range marks {
			if m == erasedSession && records(where) {
				continue
			}
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(m))) {
				out = append(out, where+": "+m)
			}
		}
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // replaced meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		look(name, b)
		if !bytes.HasPrefix(b, []byte("PAR1")) {
			return nil
		}
		f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return err
		}
		for _, g := range f.RowGroups() {
			for i, c := range g.ColumnChunks() {
				where := name + " " + f.Schema().Fields()[i].Name()
				pages := c.Pages()
				for {
					p, err := pages.ReadPage()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						return err
					}
					if dict := p.Dictionary(); dict != nil {
						for k := range dict.Len() {
							look(where+" (dictionary)", dict.Index(int32(k)).Bytes())
						}
					}
					values := make([]parquet.Value, p.NumValues())
					n, _ := p.Values().ReadValues(values)
					for _, v := range values[:n] {
						look(where, v.Bytes())
					}
					parquet.Release(p)
				}
				_ = pages.Close()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rowsWith tells in which columns of the control database marks are.
func rowsWith(t *testing.T, db *control.DB, marks []string) (out []string) {
	t.Helper()
	text := func(r control.Row) (s string, err error) { return s, r.Scan(&s) }
	for table := range erase.Columns {
		columns, err := control.All(t.Context(), db, text, `SELECT name FROM pragma_table_info(?)`, table)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range columns {
			for _, m := range marks {
				rows, err := control.All(t.Context(), db, text, `SELECT substr(CAST(`+c+` AS TEXT), 1, 300) FROM `+table+` WHERE CAST(`+c+` AS TEXT) LIKE ? LIMIT 2`, "%"+m+"%")
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rows {
					out = append(out, "\n"+table+"."+c+": "+r)
				}
			}
		}
	}
	return out
}

func TestEraseReachesEveryCopy(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	register(t, a, "refund")
	intake := "http://" + a.Address("otlp_http_listen")
	said := erasedWords + " and order " + erasedOrder + " never came"
	for n, x := range [][4]string{
		{erasedUser, erasedSession, said, "I see that your lavender piano is haunted, I am sorry about " + erasedOrder},
		{"", erasedSession, said, "Again: seven velvet otters."}, // of the session, of nobody
		{"usr-ada", "chat-ada", keptWords, "It is on its way."},
	} {
		if r := post(ctx, intake+"/v1/traces", protobuf, conversation(t, n, x[0], x[1], x[2], x[3])); r.status != http.StatusOK {
			t.Fatalf("%+v", r)
		}
	}
	for _, s := range []string{said, keptWords} {
		if r := post(ctx, intake+"/v1/logs", protobuf, looseLog(t, s)); r.status != http.StatusOK {
			t.Fatalf("%+v", r)
		}
	}
	// And through the door, where a decision has it.
	_, key, err := a.agents.CreateKey(ctx, everyRole(), "refund", agent.NewKey{Label: "test"})
	must(err)
	provider(t, a, "openai", "openai", func(string, string) string {
		return `{"id":"c1","model":"gpt-4o-mini","choices":[{"message":{"role":"assistant","content":"Seven velvet otters, I see."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}`
	})
	req, err := http.NewRequestWithContext(ctx, "POST", a.Door()+"/llm/openai/v1/chat/completions", strings.NewReader(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"`+said+`"}]}`))
	must(err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Reeve-Session", erasedSession)
	resp, err := http.DefaultClient.Do(req)
	must(err)
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()

	var run, other string
	eventually(t, "the runs", func() bool {
		l, err := c.ListRuns(ctx, client.ListRunsRequest{From: "-1h", Status: "done"})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range l.Items {
			switch r.User {
			case erasedUser:
				run = r.ID
			case "usr-ada":
				other = r.ID
			}
		}
		return run != "" && other != "" && len(l.Items) == 4
	})

	// It gets everywhere: each copy is one that people or parts make in their work.
	quote := `A user wrote "` + erasedWords + `" about ` + erasedOrder
	var told atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	t.Cleanup(hook.Close)
	_, err = c.PutChannel(ctx, client.PutChannelRequest{Name: "hook", Kind: "webhook", Settings: client.ChannelSettings{URL: hook.URL}, Token: strings.Repeat("s", 32), Incidents: "info"})
	must(err)
	thumb := 0.0
	for _, r := range []string{run, other} {
		_, err = c.CreateFeedback(ctx, client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Run: r}, Kind: "thumb", Value: &thumb, User: map[string]string{run: erasedUser, other: "usr-ada"}[r], Comment: quote})
		must(err)
	}
	_, err = c.PutDataset(ctx, client.PutDatasetRequest{Name: "refunds", Team: "core", Environment: "production"})
	must(err)
	eventually(t, "a case of the run", func() bool {
		_, err := c.AddDatasetItem(ctx, client.AddDatasetItemRequest{Name: "refunds", Run: run, Expected: quote, Consent: "given"})
		return err == nil
	})
	_, err = c.AddDatasetItem(ctx, client.AddDatasetItemRequest{Name: "refunds", Input: []client.ChatMessage{{Role: "user", Content: erasedWords}}, Expected: "An apology.", Consent: "given"})
	must(err)
	_, err = c.LabelRun(ctx, client.LabelRunRequest{Run: run, Evaluator: "right", Verdict: "fail", Why: "The poor soul is troubled, see the lavender one."})
	must(err)
	_, err = c.LabelRun(ctx, client.LabelRunRequest{Run: other, Evaluator: "right", Verdict: "pass", Why: "better than what was said to " + erasedUser})
	must(err)
	_, err = c.ReportOutcome(ctx, client.ReportOutcomeRequest{Source: "desk", RunID: run, Outcome: "escalated", Text: quote})
	must(err)
	_, err = c.CreateChange(ctx, client.CreateChangeRequest{Kind: "prompt", Title: "a prompt for " + erasedUser, Text: quote, Agent: "refund"})
	must(err)
	_, fresh, err := a.watching.findings.See(ctx, finding.Finding{Detector: "loop", Agent: "refund", Team: "core", Text: "refund called with the order " + erasedOrder + " again and again", Why: quote, Runs: []string{run}})
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	inc, err := c.OpenIncident(ctx, client.OpenIncidentRequest{Title: "Piano of " + erasedUser, Text: quote, Severity: "warning", Team: "core", Environment: "production", Agents: []string{"refund"}})
	must(err)
	_, err = c.NoteIncident(ctx, client.IncidentNoteRequest{ID: inc.ID, Note: "They are in " + erasedSession + ". " + quote})
	must(err)
	tomorrow := time.Now().Add(24 * time.Hour)
	_, err = c.AddIncidentTask(ctx, client.AddIncidentTaskRequest{ID: inc.ID, Kind: "action", Text: "Call " + erasedUser, Owner: "dev", DueAt: &tomorrow})
	must(err)
	review, err := c.GetIncidentReview(ctx, client.IncidentRequest{ID: inc.ID})
	must(err)
	_, err = c.SaveIncidentReview(ctx, client.SaveReviewRequest{ID: inc.ID, Text: review.Text + "\n\n" + quote, Revision: review.Revision})
	must(err)
	_, err = c.CreateLesson(ctx, client.CreateLessonRequest{Title: "Pianos", Text: quote, Team: "core", Owner: "me", ExpiresAt: time.Now().Add(24 * time.Hour)})
	must(err)
	_, err = c.CreateSilence(ctx, client.CreateSilenceRequest{Kind: "silence", Matchers: []client.SilenceMatcher{{Name: "agent", Value: "nobody", IsEqual: true}}, Reason: "nobody runs", EndsAt: time.Now().Add(time.Hour)})
	must(err)
	eventually(t, "the message of the incident", func() bool { return told.Load() > 0 })
	eventually(t, "all in the store's files", func() bool {
		found := strings.Join(marksIn(t, filepath.Join(a.o.Config.Data, "telemetry"), erasedMarks), " ")
		return strings.Contains(found, "velvet")
	})

	// Looking changes nothing, and tells where it is.
	look, err := c.ErasePerson(ctx, client.ErasePersonRequest{User: erasedUser, DryRun: true})
	must(err)
	holds := map[string]int64{}
	for _, p := range look.Parts {
		if p.Error != "" {
			t.Errorf("%s: %s", p.Part, p.Error)
		}
		if p.Holds != nil {
			holds[p.Part] = *p.Holds
		}
	}
	for _, part := range []string{"telemetry", "cases", "feedback", "incidents", "findings", "alerts", "messages", "evaluations", "lessons", "log of changes"} {
		if holds[part] == 0 {
			t.Errorf("looking finds nothing in %s: %v", part, holds)
		}
	}
	if x, err := c.GetIncident(ctx, client.IncidentRequest{ID: inc.ID}); err != nil || !strings.Contains(x.Title, erasedUser) || look.ID != "" {
		t.Errorf("looking changed something: %+v, %v", x, err)
	}

	x, err := c.ErasePerson(ctx, client.ErasePersonRequest{User: erasedUser, Reason: "asked for it, " + erasedUser})
	must(err)
	if !x.Whole || x.ID == "" || x.Of != "user" || strings.Contains(x.Reason, erasedUser) {
		t.Errorf("%+v", x)
	}
	for _, p := range x.Parts {
		if p.Error != "" || p.Left > 0 && p.Part != "backups" {
			t.Errorf("%+v", p)
		}
		if p.Erased != nil && holds[p.Part] > 0 && *p.Erased == 0 {
			t.Errorf("%s held %d and erased none", p.Part, holds[p.Part])
		}
	}

	// What is left of the records is there and says that something went.
	y, err := c.GetIncident(ctx, client.IncidentRequest{ID: inc.ID})
	must(err)
	if b, _ := json.Marshal(y); y.Title != "Piano of [erased]" || !bytes.Contains(b, []byte(`A user wrote \"[erased]\" about [erased]`)) || y.State != inc.State {
		t.Errorf("%s", b)
	}
	if l, err := c.ListRuns(ctx, client.ListRunsRequest{From: "-1h"}); err != nil || len(l.Items) != 1 || l.Items[0].ID != other {
		t.Errorf("runs that are left: %+v, %v", l, err)
	}
	if l, err := c.ListEvaluations(ctx, client.ListEvaluationsRequest{}); err != nil || len(l.Items) != 2 || slices.ContainsFunc(l.Items, func(e client.Evaluation) bool { return !strings.Contains(e.Text, "[erased]") }) {
		t.Errorf("evaluations: %+v, %v", l, err)
	}
	// Memory writes what it holds again, and so does a part that looks again.
	must(a.incidents.Cut(ctx, func(s string) (string, bool) { return s, false }))
	again, err := c.ErasePerson(ctx, client.ErasePersonRequest{User: erasedUser, DryRun: true})
	must(err)
	for _, p := range again.Parts {
		if p.Holds != nil && *p.Holds > 0 && p.Part != "backups" {
			t.Errorf("%s holds %d again", p.Part, *p.Holds)
		}
	}
	// What waits for its turn to be written, or is being replaced, has some seconds.
	nothing := func(marks ...string) {
		t.Helper()
		var left []string
		until := time.Now().Add(15 * time.Second)
		eventually(t, "an answer", func() bool {
			left = marksIn(t, a.o.Config.Data, marks)
			return len(left) == 0 || time.Now().After(until)
		})
		for _, l := range left {
			t.Error("it is still there: " + l)
		}
		if len(left) > 0 {
			t.Error(rowsWith(t, a.control, marks))
		}
	}
	nothing(erasedMarks...)
	if found := marksIn(t, a.o.Config.Data, []string{"umbrella"}); len(found) == 0 {
		t.Error("what somebody else said is gone, too, or nobody looks into files")
	}
	if v, err := c.VerifyAudit(ctx); err != nil || !v.OK {
		t.Errorf("the logs: %+v, %v", v, err)
	}

	// A run alone: the other one.
	for what, bad := range map[string]client.ErasePersonRequest{
		"two of them": {User: "x", Run: other, Reason: "r"}, "none": {Reason: "r"}, "no run": {Run: "nonsense", Reason: "r"}, "no reason": {Run: other},
	} {
		var p *client.Problem
		if _, err := c.ErasePerson(ctx, bad); !errors.As(err, &p) || p.Status != http.StatusBadRequest {
			t.Errorf("%s: %v", what, err)
		}
	}
	z, err := c.ErasePerson(ctx, client.ErasePersonRequest{Run: other, Reason: "sent by mistake"})
	if err != nil || !z.Whole || z.Of != "run" {
		t.Errorf("%+v, %v", z, err)
	}
	if l, err := c.ListErasures(ctx); err != nil || len(l.Items) != 2 || l.Items[0].Of != "run" {
		t.Errorf("%+v, %v", l, err)
	}
	nothing("umbrella")

	// Evidence says what it is without; it changes no result.
	putHouse(t, c, "  - {id: runs, title: Runs, article: a, about: x, evidence: [{id: e, title: x, count: {table: runs, where: \"failed:false\"}, at_least: 0}]}\n")
	for from, want := range map[string]bool{"-1h": true, time.Now().Format(time.RFC3339Nano): false} {
		r, err := c.AssessCompliance(ctx, client.AssessComplianceRequest{ID: "house", From: from})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(r.Controls[0])
		if got := strings.Contains(string(text), "2 erasures") && strings.Contains(string(text), z.ID); got != want {
			t.Errorf("evidence since %s names the erasures: %v, want %v: %s", from, got, want, text)
		}
	}
}
