package a2a_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/a2aproject/a2a-go/v2/a2a"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/control"
)

const isSending = `context.args.text.hasTag("path:operation") && (context.args.text.getTag("path:operation").contains("SendMessage") || context.args.text.getTag("path:operation").contains("SendStreamingMessage"))`

const holdSending = `@id("reads") permit (principal, action == Action::"send_task", resource) unless { ` + isSending + ` };
@id("sends") @hold("security") @reason("another agent acts") permit (principal, action == Action::"send_task", resource) when { ` + isSending + ` };`

// newHeldHouse is a house whose policy holds messages to peers.
func newHeldHouse(t *testing.T) (*house, *approval.Book) {
	t.Helper()
	var book *approval.Book
	h := newHouse(t, func(h *house, s *setup) {
		c := approval.Default()
		c.Wait = 50 * time.Millisecond
		var err error
		if book, err = approval.New(t.Context(), approval.Options{DB: h.db, Key: make([]byte, approval.KeySize), Config: c}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var loops sync.WaitGroup
		loops.Go(func() { _ = book.Run(ctx) })
		loops.Go(func() {
			_ = control.NewTimers(h.db, map[string]control.TimerFunc{approval.TimerExpire: book.Expire}, nil).Run(ctx)
		})
		t.Cleanup(func() { cancel(); loops.Wait() })
		s.gateway.Approvals, s.peers.Approvals = book, book
		s.gateway.Page = func(id string) string { return "https://reeve.example/approvals/" + id }
	})
	h.permit(holdSending)
	return h, book
}

var security = approval.Person{ID: "per_sec", Name: "sec", Groups: []string{"security"}, Any: true}

func pending(t *testing.T, b *approval.Book) *approval.Approval {
	t.Helper()
	list, err := b.List(t.Context(), approval.Filter{States: []approval.State{approval.Pending}})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d approvals wait, %v", len(list), err)
	}
	return list[0]
}

// A held message is a task in input-required, in each binding; what the client
// says to it changes nothing; once a person agreed, whoever asks for it gets the
// peer's task under the same id, and the message was forwarded once.
func TestHeldMessageIsATask(t *testing.T) {
	t.Parallel()
	for _, binding := range bindings {
		t.Run(string(binding), func(t *testing.T) {
			t.Parallel()
			p := newPeer(t)
			h, book := newHeldHouse(t)
			key := h.agent("sales")
			h.upstream("refunds", p.url, &client.Peer{Effect: "write"})
			c := h.client(t, key, "refunds", binding)
			ctx := t.Context()
			r, err := c.SendMessage(ctx, message("order 1042"))
			task := taskOf(t, r, err)
			a := pending(t, book)
			if task.Status.State != sdk.TaskStateInputRequired || string(task.ID) != a.ID || !strings.Contains(task.Status.Message.Parts[0].Text(), "https://reeve.example/approvals/"+a.ID) {
				t.Fatalf("held: %+v", task)
			}
			got, err := c.GetTask(ctx, &sdk.GetTaskRequest{ID: task.ID})
			if err != nil || got.Status.State != sdk.TaskStateInputRequired {
				t.Fatalf("while it waits: %+v %v", got, err)
			}
			// The held party does not agree to its own hold.
			yes := message("yes, go on, approved")
			yes.Message.TaskID, yes.Message.ContextID = task.ID, task.ContextID
			r, err = c.SendMessage(ctx, yes)
			if again := taskOf(t, r, err); again.ID != task.ID || again.Status.State != sdk.TaskStateInputRequired {
				t.Fatalf("its own answer: %+v", again)
			}
			other := h.client(t, h.agent("other"), "refunds", binding)
			if _, err := other.GetTask(ctx, &sdk.GetTaskRequest{ID: task.ID}); err == nil {
				t.Error("another agent sees the held task")
			}
			p.mu.Lock()
			if len(p.texts) != 0 {
				t.Fatalf("the peer got %q before a person agreed", p.texts)
			}
			p.mu.Unlock()
			if _, err := book.Approve(ctx, a.ID, security, a.Bound); err != nil {
				t.Fatal(err)
			}
			got, err = c.GetTask(ctx, &sdk.GetTaskRequest{ID: task.ID})
			if err != nil || got.ID != task.ID || got.Status.State != sdk.TaskStateCompleted || got.Artifacts[0].Parts[0].Text() != "refunded: order 1042" {
				t.Fatalf("agreed: %+v %v", got, err)
			}
			if got, err = c.GetTask(ctx, &sdk.GetTaskRequest{ID: task.ID}); err != nil || got.ID != task.ID || got.Status.State != sdk.TaskStateCompleted {
				t.Errorf("afterwards: %+v %v", got, err)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.texts) != 1 || p.texts[0] != "order 1042" {
				t.Errorf("the peer got %q", p.texts)
			}
			done := 0
			for _, d := range h.decisions("sales") {
				if d.Approval == a.ID && d.Verdict == activity.VerdictAllow {
					done++
				}
			}
			if done != 1 {
				t.Errorf("%d decisions used the approval", done)
			}
		})
	}
}

// A stream that is held is one task event; agreed to, it streams.
func TestHeldStream(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h, book := newHeldHouse(t)
	key := h.agent("sales")
	h.upstream("refunds", p.url, nil)
	c := h.client(t, key, "refunds", sdk.TransportProtocolJSONRPC)
	var held sdk.TaskID
	for e, err := range c.SendStreamingMessage(t.Context(), message("order 7")) {
		task, ok := e.(*sdk.Task)
		if err != nil || !ok || held != "" || task.Status.State != sdk.TaskStateInputRequired {
			t.Fatalf("%+v %v", e, err)
		}
		held = task.ID
	}
	a := pending(t, book)
	if _, err := book.Approve(t.Context(), a.ID, security, a.Bound); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for e, err := range c.SubscribeToTask(t.Context(), &sdk.SubscribeToTaskRequest{ID: held}) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := e.(type) {
		case *sdk.Task:
			kinds = append(kinds, "task")
			if e.ID != held {
				t.Errorf("task %s, want %s", e.ID, held)
			}
		case *sdk.TaskStatusUpdateEvent:
			kinds = append(kinds, string(e.Status.State))
			if e.TaskID != held {
				t.Errorf("update of %s, want %s", e.TaskID, held)
			}
		}
	}
	if len(kinds) < 2 || kinds[len(kinds)-1] != "TASK_STATE_COMPLETED" {
		t.Errorf("%v", kinds)
	}
}

// Denied is rejected, and cancelled by its sender is void.
func TestHeldMessageEnds(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h, book := newHeldHouse(t)
	key := h.agent("sales")
	h.upstream("refunds", p.url, nil)
	c := h.client(t, key, "refunds", sdk.TransportProtocolHTTPJSON)
	r, err := c.SendMessage(t.Context(), message("order 1"))
	task := taskOf(t, r, err)
	if _, err := book.Deny(t.Context(), pending(t, book).ID, security); err != nil {
		t.Fatal(err)
	}
	if got, err := c.GetTask(t.Context(), &sdk.GetTaskRequest{ID: task.ID}); err != nil || got.Status.State != sdk.TaskStateRejected {
		t.Errorf("denied: %+v %v", got, err)
	}
	r, err = c.SendMessage(t.Context(), message("order 2"))
	task = taskOf(t, r, err)
	a := pending(t, book)
	if got, err := c.CancelTask(t.Context(), &sdk.CancelTaskRequest{ID: task.ID}); err != nil || got.Status.State != sdk.TaskStateCanceled {
		t.Errorf("cancelled: %+v %v", got, err)
	}
	if b, err := book.Get(t.Context(), a.ID); err != nil || b.State != approval.Void {
		t.Errorf("the approval: %+v %v", b, err)
	}
	if len(p.texts) != 0 {
		t.Errorf("the peer got %q", p.texts)
	}
}

// A person edits the message: what is forwarded has exactly that changed, and the
// client, of 0.3 at that, gets the answer to its own call.
func TestHeldMessageEdited(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h, book := newHeldHouse(t)
	key := h.agent("sales")
	h.upstream("refunds", p.url, nil)
	send := func(id, method, params string) (task struct {
		ID     string
		Kind   string
		Status struct{ State string }
	},
	) {
		t.Helper()
		got := h.call(key, "POST", "/a2a/refunds", `{"jsonrpc":"2.0","id":"`+id+`","method":"`+method+`","params":`+params+`}`, "Content-Type", "application/json", "X-Reeve-Run", "r1")
		var e struct {
			ID     string
			Result json.RawMessage
		}
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || e.ID != id || json.Unmarshal(e.Result, &task) != nil {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return task
	}
	const old = `{"message":{"kind":"message","messageId":"m1","role":"user","parts":[{"kind":"text","text":"order 1042, 500 EUR"}]}}`
	task := send("a", "message/send", old)
	if task.Kind != "task" || task.Status.State != "input-required" {
		t.Fatalf("%+v", task)
	}
	a := pending(t, book)
	request, err := book.Original(a)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(request.Arguments()); !strings.HasPrefix(text, `{"kind":"message"`) {
		t.Errorf("a person is shown %s", text)
	}
	edited, err := approval.Replace(request.Arguments(), []approval.Replacement{{Path: "/parts/0/text", Value: []byte(`"order 1042, 50 EUR"`)}})
	if err != nil {
		t.Fatal(err)
	}
	body := string(request.Body[:request.From]) + string(edited) + string(request.Body[request.To:])
	to, bound, err := h.door.Rehearse(t.Context(), a, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Edit(t.Context(), a.ID, security, a.Bound, to, bound); err != nil {
		t.Fatal(err)
	}
	if got := send("b", "tasks/get", `{"id":"`+task.ID+`"}`); got.ID != task.ID || got.Status.State != "completed" {
		t.Errorf("%+v", got)
	}
	if len(p.texts) != 1 || p.texts[0] != "order 1042, 50 EUR" {
		t.Errorf("the peer got %q", p.texts)
	}
}
