package a2a_test

import (
	"encoding/json"
	"strings"
	"testing"

	sdk "github.com/a2aproject/a2a-go/v2/a2a"

	"reeve/client"
	"reeve/internal/approval"
)

// byHand is what a completed task says that a person answered.
func byHand(t *testing.T, what string, task *sdk.Task, id sdk.TaskID, want string) {
	t.Helper()
	if task == nil || task.ID != id || task.Status.State != sdk.TaskStateCompleted || len(task.Artifacts) != 1 || task.Artifacts[0].Parts[0].Text() != want {
		t.Fatalf("%s: %+v", what, task)
	}
}

// A message that a person takes over is a task that they completed: in every
// binding, however it is asked for and however often, and nothing was forwarded.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	const words = "refunded by hand: 49,90 € \x00 <b>"
	for _, binding := range bindings {
		t.Run(string(binding), func(t *testing.T) {
			t.Parallel()
			p := newPeer(t)
			h, book := newHeldHouse(t)
			key := h.supervised("sales")
			h.upstream("refunds", p.url, &client.Peer{Effect: "write"})
			c := h.client(t, key, "refunds", binding)
			ctx := t.Context()
			sent := message("order 1042")
			r, err := c.SendMessage(ctx, sent)
			task := taskOf(t, r, err)
			a := pending(t, book)
			if _, err := book.TakeOver(ctx, a.ID, security, &approval.Answer{Status: 200, Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: []byte(words)}, false); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				for _, b := range bindings {
					c := h.client(t, key, "refunds", b)
					got, err := c.GetTask(ctx, &sdk.GetTaskRequest{ID: task.ID})
					if err != nil {
						t.Fatalf("by %s: %v", b, err)
					}
					byHand(t, "GetTask by "+string(b), got, task.ID, words)
					if got.ContextID != task.ContextID {
						t.Errorf("context %s, want %s", got.ContextID, task.ContextID)
					}
					n := 0
					for e, err := range c.SubscribeToTask(ctx, &sdk.SubscribeToTaskRequest{ID: task.ID}) {
						got, ok := e.(*sdk.Task)
						if n++; err != nil || !ok {
							t.Fatalf("SubscribeToTask by %s: %T %v", b, e, err)
						}
						byHand(t, "SubscribeToTask by "+string(b), got, task.ID, words)
					}
					if n != 1 {
						t.Errorf("SubscribeToTask by %s: %d events", b, n)
					}
					more := message("and now?")
					more.Message.TaskID, more.Message.ContextID = task.ID, task.ContextID
					r, err := c.SendMessage(ctx, more)
					byHand(t, "a message to it by "+string(b), taskOf(t, r, err), task.ID, words)
				}
				r, err := c.SendMessage(ctx, sent)
				byHand(t, "the same message", taskOf(t, r, err), task.ID, words)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.texts) != 0 {
				t.Errorf("the peer got %q", p.texts)
			}
		})
	}
}

// JSON is given as data, a status of an error as a task that failed, and a client
// of 0.3 gets it in its own words.
func TestTakenOverInOtherWords(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h, book := newHeldHouse(t)
	key := h.supervised("sales")
	h.upstream("refunds", p.url, &client.Peer{Effect: "write"})
	ctx := t.Context()
	old := func(id, method, params string) string {
		got := h.call(key, "POST", "/a2a/refunds", `{"jsonrpc":"2.0","id":"`+id+`","method":"`+method+`","params":`+params+`}`, "Content-Type", "application/json")
		if got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return got.body
	}
	send := func(text string) string {
		return old("a", "message/send", `{"message":{"kind":"message","messageId":"m1","role":"user","parts":[{"kind":"text","text":"`+text+`"}]}}`)
	}
	send("order 1")
	a := pending(t, book)
	if _, err := book.TakeOver(ctx, a.ID, security, &approval.Answer{Status: 200, Body: []byte(`{"refunded": 49.90}`)}, false); err != nil {
		t.Fatal(err)
	}
	var e struct {
		ID     string
		Result struct {
			Kind, ID  string
			Status    struct{ State string }
			Artifacts []struct {
				Parts []struct {
					Kind string
					Data json.RawMessage
				}
			}
		}
	}
	for _, body := range []string{send("order 1"), old("b", "tasks/get", `{"id":"`+a.ID+`"}`)} {
		if err := json.Unmarshal([]byte(body), &e); err != nil || e.Result.Kind != "task" || e.Result.ID != a.ID || e.Result.Status.State != "completed" ||
			e.Result.Artifacts[0].Parts[0].Kind != "data" || string(e.Result.Artifacts[0].Parts[0].Data) != `{"refunded":49.90}` {
			t.Errorf("%s: %v", body, err)
		}
	}
	if e.ID != "b" {
		t.Errorf("the answer has the id %s", e.ID)
	}
	// An error.
	send("order 2")
	a = pending(t, book)
	if _, err := book.TakeOver(ctx, a.ID, security, &approval.Answer{Status: 422, Body: []byte("no such order")}, false); err != nil {
		t.Fatal(err)
	}
	got, err := h.client(t, key, "refunds", sdk.TransportProtocolGRPC).GetTask(ctx, &sdk.GetTaskRequest{ID: sdk.TaskID(a.ID)})
	if err != nil || got.Status.State != sdk.TaskStateFailed || got.Status.Message.Parts[0].Text() != "no such order" {
		t.Errorf("%+v %v", got, err)
	}
	if body := old("c", "tasks/get", `{"id":"`+a.ID+`"}`); !strings.Contains(body, `"state":"failed"`) || !strings.Contains(body, "no such order") {
		t.Errorf("%s", body)
	}
	// Nothing at all.
	send("order 3")
	a = pending(t, book)
	if _, err := book.TakeOver(ctx, a.ID, security, nil, false); err != nil {
		t.Fatal(err)
	}
	if body := old("d", "tasks/get", `{"id":"`+a.ID+`"}`); !strings.Contains(body, `"state":"rejected"`) || !strings.Contains(body, "a person does this instead") {
		t.Errorf("%s", body)
	}
}

// An approval is of the message with its version, extensions and headers: the call
// that makes it happen brings none of its own, and the same message with others is
// another question.
func TestHeldMessageBindsHeaders(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h, book := newHeldHouse(t)
	key := h.supervised("sales")
	h.upstream("refunds", p.url, &client.Peer{Effect: "write"})
	const params = `{"message":{"messageId":"m1","role":"ROLE_USER","parts":[{"text":"order 1"}]}}`
	call := func(method, params string, headers ...string) answer {
		t.Helper()
		got := h.call(key, "POST", "/a2a/refunds", `{"jsonrpc":"2.0","id":7,"method":"`+method+`","params":`+params+`}`,
			append([]string{"A2A-Version", "1.0", "Content-Type", "application/json"}, headers...)...)
		if got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return got
	}
	first := []string{"A2A-Extensions", "https://ext.example/quiet", "X-Order-Scope", "one"}
	call("SendMessage", params, first...)
	a := pending(t, book)
	for _, other := range [][]string{
		{"A2A-Extensions", "https://ext.example/all", "X-Order-Scope", "one"},
		{"A2A-Extensions", "https://ext.example/quiet", "X-Order-Scope", "all"},
		{"X-Order-Scope", "one"},
	} {
		if got := call("SendMessage", params, other...); strings.Contains(got.body, a.ID) {
			t.Errorf("%v joined: %s", other, got.body)
		}
	}
	if got := call("SendMessage", params, append(first, "X-Request-Id", "another")...); !strings.Contains(got.body, a.ID) {
		t.Errorf("its own retry did not join: %s", got.body)
	}
	if _, err := book.Approve(t.Context(), a.ID, security, a.Bound); err != nil {
		t.Fatal(err)
	}
	got := call("GetTask", `{"id":"`+a.ID+`"}`, "A2A-Extensions", "https://ext.example/all", "X-Order-Scope", "all", "X-More", "1", "Traceparent", "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-01")
	if !strings.Contains(got.body, `"TASK_STATE_COMPLETED"`) {
		t.Fatalf("%s", got.body)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.heads[len(p.heads)-1]
	if len(p.texts) != 1 || last.Get("A2A-Extensions") != "https://ext.example/quiet" || last.Get("X-Order-Scope") != "one" || last.Get("X-More") != "" || !strings.HasPrefix(last.Get("Traceparent"), "00-0af7651916cd43dd8448eb211c80319d-") || last.Get("Authorization") != "Bearer "+secret {
		t.Errorf("the peer got %q with %v", p.texts, last)
	}
}
