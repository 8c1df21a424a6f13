package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/pin"
)

// Failed runs are of version 7 more often than the others; the answer names it
// first, nothing that the selection is made of, and only what the caller may see.
func TestDifferent(t *testing.T) {
	t.Parallel()
	store := &memStore{}
	for n := range 400 {
		store.runs = append(store.runs, testRun(n, func(r *activity.Run) {
			r.Version, r.Models, r.Tools = []string{"6", "7"}[n/2%2], []string{"m"}, []string{"search", fmt.Sprint("t", n%5)}
			if r.Version == "7" && n%3 == 0 || n%41 == 0 {
				r.ErrorType, r.Errors = "timeout", 1
			}
			if n >= 300 {
				r.Team = "shop"
			}
		}))
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	ask := func(body, token string) answer { return send(a, "POST", Prefix+"/runs/different", token, body) }
	got := ask(`{"selection": "errors>0", "from": "-30d"}`, "as admin")
	out := decode[client.Different](t, got, http.StatusOK)
	if out.Selected+out.Rest != 400 || len(out.Items) == 0 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if d := out.Items[0]; d.Name != "error_type" {
		t.Errorf("%+v is first", d)
	}
	out = decode[client.Different](t, ask(`{"selection": "error_type:timeout", "from": "-30d", "limit": 5}`, "as admin"), http.StatusOK)
	if len(out.Items) == 0 || out.Items[0].Name != "version" || out.Items[0].Low <= 0 && out.Items[0].High >= 0 {
		t.Errorf("%+v", out.Items)
	}
	for _, d := range out.Items {
		if d.Name == "error_type" {
			t.Error("the selection's own field is told")
		}
	}
	if out = decode[client.Different](t, ask(`{"selection": "error_type:timeout", "query": "version:6", "from": "-30d"}`, "as admin"), http.StatusOK); out.Selected+out.Rest != 200 {
		t.Errorf("within a version: %d and %d", out.Selected, out.Rest)
	}
	for body, code := range map[string]string{
		`{"selection": " "}`: "api.query_invalid", `{"selection": "agnt:x"}`: "search.syntax", `{"selection": "a", "query": "("}`: "search.syntax",
		`{"runs": []}`: "api.query_invalid", `{"selection": "a", "runs": ["run_x"]}`: "api.query_invalid", `{"selected_from": "soon"}`: "api.parameter_invalid",
		`{"selected_from": "-2h", "selected_to": "-3h"}`: "api.period", `{"selected_to": "-3d"}`: "api.period",
		`{"runs": [` + strings.Repeat(`"a",`, 1000) + `"a"]}`: "api.query_invalid",
		`{"selection": "a", "limit": 9999}`:                   "api.query_invalid", `{"selection": "a", "from": "soon"}`: "api.parameter_invalid", `{"selektion": "a"}`: "",
	} {
		if got := ask(body, "as admin"); got.status != http.StatusBadRequest || !strings.Contains(string(got.body), code) {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
}

func TestSuspects(t *testing.T) {
	t.Parallel()
	step := func(n byte, kind activity.Kind, name string, alter func(*activity.Step)) activity.Step {
		s := activity.Step{Fragment: activity.Fragment{
			Step: activity.StepID{n}, Kind: kind, Name: name, Start: int64(n), TTFT: activity.Unknown, End: activity.Unknown, Usage: activity.NoUsage,
		}}
		if alter != nil {
			alter(&s)
		}
		return s
	}
	message := func(ordinal int32, n byte, field activity.ContentField, role, text string) activity.Message {
		return activity.Message{Ordinal: ordinal, Step: activity.StepID{n}, Field: field, Role: role, Format: "text", Raw: []byte(text)}
	}
	id := runID(0)
	store := &memStore{
		runs: []activity.Run{testRun(0, func(r *activity.Run) { r.Outcome = "failed" })},
		steps: map[activity.RunID][]activity.Step{id: {
			step(1, activity.KindAgent, "agent", nil),
			step(2, activity.KindModel, "chat", nil),
			step(3, activity.KindTool, "orders", func(s *activity.Step) { s.Status, s.ErrorType = activity.StatusError, "policy.denied" }),
			step(4, activity.KindRetrieval, "handbook", nil),
			step(5, activity.KindModel, "chat", nil),
		}},
		messages: map[activity.RunID][]activity.Message{id: {
			message(0, 2, activity.ContentInput, "user", "refund order 1234 please"),
			message(1, 2, activity.ContentOutput, "assistant", "I look at order 1234 for you"),
			message(2, 3, activity.ContentArguments, "", `{"order": "1234"}`),
			message(3, 4, activity.ContentQuery, "", "rule for refunds of order 1234"),
			message(4, 4, activity.ContentDocuments, "", "[]"),
			message(5, 5, activity.ContentOutput, "assistant", "The order 1234 was refunded"),
		}},
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	out := get[client.Suspects](t, a, "/runs/"+id.String()+"/suspects", "as reader")
	if out.Steps != 5 || len(out.Items) != 4 || out.Agent != "a" {
		t.Fatalf("%+v", out)
	}
	first, second := out.Items[0], out.Items[1]
	if first.Name != "orders" || !strings.Contains(strings.Join(first.Reasons, ";"), "it was denied") {
		t.Errorf("first: %+v", first)
	}
	if second.Name != "handbook" || !strings.Contains(strings.Join(second.Reasons, ";"), "its retrieval brought nothing") {
		t.Errorf("second: %+v", second)
	}
	store.runs[0].Outcome, store.runs[0].RootError = "resolved", false
	if out := get[client.Suspects](t, a, "/runs/"+id.String()+"/suspects", "as reader"); len(out.Items)+len(out.Asked) > 0 {
		t.Errorf("a run that went well is blamed: %+v", out)
	}
	if got := send(a, "GET", Prefix+"/runs/run_x/suspects", "as reader", ""); got.status != http.StatusNotFound {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := send(a, "GET", Prefix+"/runs/"+id.String()+"/suspects", "as viewer", ""); got.status != http.StatusForbidden {
		t.Errorf("a viewer reads content: %d %s", got.status, got.body)
	}
}

// A call whose arguments break the accepted definition of its tool is the first
// suspect, also where the tool answered all the same; an answer that says so is as good,
// and a tool that nobody accepted says nothing.
func TestSuspectsOfSchema(t *testing.T) {
	t.Parallel()
	id := runID(0)
	ask := func(name string, alter func(*pin.Book, []activity.Step, memDecisions) ([]activity.Step, memDecisions)) client.Suspects {
		t.Helper()
		steps := make([]activity.Step, 4)
		for i := range steps {
			steps[i] = activity.Step{Fragment: activity.Fragment{
				Step: activity.StepID{byte(i + 1)}, Kind: activity.KindMCP, Name: fmt.Sprint("orders.t", i), ToolName: "look", Start: int64(i), TTFT: activity.Unknown,
				End: activity.Unknown, Usage: activity.NoUsage,
			}}
		}
		var messages []activity.Message
		for i, args := range []string{`{"order": "1234"}`, `{"order": "1234"}`, `{"order": 1234}`, `{"order": "1234"}`} {
			messages = append(messages, activity.Message{Ordinal: int32(i), Step: steps[i].Step, Field: activity.ContentArguments, Format: "text", Raw: []byte(args)})
		}
		store := &memStore{
			runs: []activity.Run{testRun(0, func(r *activity.Run) { r.Outcome = "failed" })}, steps: map[activity.RunID][]activity.Step{id: steps}, messages: map[activity.RunID][]activity.Message{id: messages},
		}
		a := newTestAPI(t, func(o *Options) { o.Store = store })
		book, err := pin.New(t.Context(), pin.Options{DB: a.house.db})
		if err != nil {
			t.Fatal(err)
		}
		tool := pin.Tool{Name: "look", InputSchema: []byte(`{"type": "object", "properties": {"order": {"type": "string"}}}`)}
		pins, err := book.See(t.Context(), "orders", []pin.Tool{tool}, true)
		if err != nil {
			t.Fatal(err)
		}
		if name != "not accepted" {
			if _, err := book.Accept(t.Context(), pin.Actor{Person: "usr_a"}, "orders", "look", pin.Acceptance{Hash: pins[0].Listed, Effect: "read", Reason: "needed"}); err != nil {
				t.Fatal(err)
			}
		}
		var decided memDecisions
		for i := range steps {
			decided = append(decided, activity.Decision{ID: fmt.Sprint("dec_", i), At: int64(i), Run: id, Step: steps[i].Step, Team: "core", Environment: "production", Upstream: "orders", Tool: "look"})
		}
		store.steps[id], decided = alter(book, steps, decided)
		a.o.Tools, a.o.Decisions = book, decided
		return get[client.Suspects](t, a, "/runs/"+id.String()+"/suspects", "as reader")
	}
	broken := func(s client.Suspect) bool {
		return strings.Contains(strings.Join(s.Reasons, ";"), "does not fit its schema")
	}
	same := func(_ *pin.Book, s []activity.Step, d memDecisions) ([]activity.Step, memDecisions) { return s, d }
	for name, alter := range map[string]func(*pin.Book, []activity.Step, memDecisions) ([]activity.Step, memDecisions){
		"accepted": same,
		"by alias": func(_ *pin.Book, s []activity.Step, _ memDecisions) ([]activity.Step, memDecisions) {
			for i := range s {
				s[i].ToolName = "orders__look"
			}
			return s, nil
		},
	} {
		out := ask(name, alter)
		if len(out.Items) != 4 || out.Items[0].Name != "orders.t2" || !broken(out.Items[0]) || broken(out.Items[1]) {
			t.Errorf("%s: %+v", name, out.Items)
		}
	}
	for name, alter := range map[string]func(*pin.Book, []activity.Step, memDecisions) ([]activity.Step, memDecisions){
		"not accepted": same,
		"another tool": func(_ *pin.Book, s []activity.Step, _ memDecisions) ([]activity.Step, memDecisions) { return s, nil },
	} {
		if out := ask(name, alter); slices.ContainsFunc(out.Items, broken) {
			t.Errorf("%s: %+v", name, out.Items)
		}
	}
	for code, want := range map[string]bool{"jsonrpc_-32602": true, "http_422": true, "pydantic.ValidationError": true, "timeout": false, "jsonrpc_-32603": false} {
		out := ask("by answer", func(_ *pin.Book, s []activity.Step, _ memDecisions) ([]activity.Step, memDecisions) {
			s[1].Status, s[1].ErrorType = activity.StatusError, code
			return s, nil
		})
		if out.Items[0].Name != "orders.t1" || broken(out.Items[0]) != want {
			t.Errorf("%s: %+v", code, out.Items[0])
		}
	}
}
