package a2a_test

import (
	"strings"
	"testing"

	sdk "github.com/a2aproject/a2a-go/v2/a2a"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/testkit"
)

// supervised is an agent whose writes wait for a person, and whose reading passes.
func (h *house) supervised(name string) string {
	h.t.Helper()
	h.permit(permitAll)
	if _, err := h.agents.Create(h.t.Context(), testkit.EveryRole(), agent.Agent{Name: name, Team: "support", Purpose: "tests", Autonomy: agent.Supervised}, ""); err != nil {
		h.t.Fatal(err)
	}
	return h.key(name)
}

// used checks that an approval was used by one decision, as a repeated message is.
func (h *house) used(t *testing.T, book *approval.Book, id string) {
	t.Helper()
	var a *approval.Approval
	until(t, "the approval is done", func() bool {
		var err error
		a, err = book.Get(t.Context(), id)
		return err == nil && a.State == approval.Done
	})
	n := 0
	for _, d := range h.decisions("sales") {
		if d.Approval != id || len(d.Reasons) == 0 || d.Reasons[0].Code != "approval.granted" {
			continue
		}
		n++
		if d.ID != a.UsedBy || d.Verdict != activity.VerdictAllow || d.Action != "send_task" || d.Effect != "write" {
			t.Errorf("the decision that used it (%s): %+v", a.UsedBy, d)
		}
	}
	if n != 1 {
		t.Errorf("%d decisions name the approval as granted", n)
	}
}

// A held message that the peer answers with a message is forwarded once, by
// whatever call, and the task is completed with that message however often and
// in whatever binding it is asked for.
func TestHeldMessageAnsweredByMessage(t *testing.T) {
	t.Parallel()
	for _, binding := range bindings {
		for _, by := range []string{"GetTask", "the same message", "a message to it", "SubscribeToTask"} {
			t.Run(string(binding)+"/"+by, func(t *testing.T) {
				t.Parallel()
				p := newPeer(t)
				h, book := newHeldHouse(t)
				key := h.supervised("sales")
				h.upstream("refunds", p.url, &client.Peer{Effect: "write"})
				c := h.client(t, key, "refunds", binding)
				ctx := t.Context()
				sent := message("hello")
				r, err := c.SendMessage(ctx, sent)
				task := taskOf(t, r, err)
				a := pending(t, book)
				if _, err := book.Approve(ctx, a.ID, security, a.Bound); err != nil {
					t.Fatal(err)
				}
				switch by {
				case "the same message", "a message to it":
					if by == "a message to it" {
						sent = message("and now?")
						sent.Message.TaskID, sent.Message.ContextID = task.ID, task.ContextID
					}
					r, err := c.SendMessage(ctx, sent)
					if m, ok := r.(*sdk.Message); err != nil || !ok || m.Parts[0].Text() != "hello yourself" {
						t.Fatalf("%T %v", r, err)
					}
				case "SubscribeToTask":
					for e, err := range c.SubscribeToTask(ctx, &sdk.SubscribeToTaskRequest{ID: task.ID}) {
						if m, ok := e.(*sdk.Message); err != nil || !ok || m.Parts[0].Text() != "hello yourself" {
							t.Fatalf("%T %v", e, err)
						}
					}
				}
				var first *sdk.Task
				for _, b := range append([]sdk.TransportProtocol{binding, binding}, bindings...) {
					got, err := h.client(t, key, "refunds", b).GetTask(ctx, &sdk.GetTaskRequest{ID: task.ID})
					if err != nil || got.ID != task.ID || got.Status.State != sdk.TaskStateCompleted || got.Status.Message == nil || got.Status.Message.Parts[0].Text() != "hello yourself" {
						t.Fatalf("by %s: %+v %v", b, got, err)
					}
					if first == nil {
						first = got
					} else if got.Status.Message.ID != first.Status.Message.ID {
						t.Errorf("another message: %s, then %s", first.Status.Message.ID, got.Status.Message.ID)
					}
				}
				p.mu.Lock()
				defer p.mu.Unlock()
				if len(p.texts) != 1 || p.texts[0] != "hello" {
					t.Errorf("the peer got %q", p.texts)
				}
				h.used(t, book, a.ID)
			})
		}
	}
}

// Where the floor looks at the effect, the call that asks for the task is no read:
// it forwards the message, and is decided as one. A task that another call made
// of it is found by the held one's id too.
func TestHeldMessageIsDecidedAsOne(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"GetTask", "the same message"} {
		for _, loosened := range []bool{false, true} {
			p := newPeer(t)
			h, book := newHeldHouse(t)
			var key string
			if loosened {
				key = h.agent("sales")
			} else {
				key = h.supervised("sales")
			}
			h.upstream("refunds", p.url, &client.Peer{Effect: "write"})
			c := h.client(t, key, "refunds", sdk.TransportProtocolJSONRPC)
			ctx := t.Context()
			sent := message("order 1042")
			r, err := c.SendMessage(ctx, sent)
			task := taskOf(t, r, err)
			a := pending(t, book)
			if _, err := book.Approve(ctx, a.ID, security, a.Bound); err != nil {
				t.Fatal(err)
			}
			if by == "the same message" {
				r, err := c.SendMessage(ctx, sent)
				taskOf(t, r, err)
			} else if loosened {
				h.permit(permitAll) // what continues a held call uses its approval all the same
			}
			for range 3 {
				got, err := c.GetTask(ctx, &sdk.GetTaskRequest{ID: task.ID})
				if err != nil || got.ID != task.ID || got.Status.State != sdk.TaskStateCompleted {
					t.Fatalf("by %s: %+v %v", by, got, err)
				}
			}
			p.mu.Lock()
			if len(p.texts) != 1 {
				t.Errorf("by %s: the peer got %q", by, p.texts)
			}
			p.mu.Unlock()
			h.used(t, book, a.ID)
		}
	}
}

// People accept a card; they are not asked whether somebody may read it.
func TestHeldCardAsksNobody(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h, book := newHeldHouse(t)
	h.permit(`@id("pinned") permit (principal, action == Action::"send_task", resource) when { resource.pinned };
@id("new") @hold("security") permit (principal, action == Action::"send_task", resource) unless { resource.pinned };`)
	key := h.agent("sales")
	h.upstream("refunds", p.url, nil)
	extended := func() answer { return h.rpc(key, "refunds", "GetExtendedAgentCard", `{}`) }
	card := func() answer {
		return h.call(key, "GET", "/a2a/refunds/.well-known/agent-card.json", "", "A2A-Version", "1.0")
	}
	for _, got := range []answer{card(), extended()} {
		if got.status != 403 || got.problem != "decision.held" || !strings.Contains(got.body, "reeve upstream card refunds") || !strings.Contains(got.body, "reeve tool accept refunds refunds-card") {
			t.Errorf("%d %s %s", got.status, got.problem, got.body)
		}
	}
	list, err := book.List(t.Context(), approval.Filter{})
	if err != nil || len(list) != 0 {
		t.Errorf("%d approvals, %v", len(list), err)
	}
	for _, d := range h.decisions("sales") {
		if d.Verdict != activity.VerdictDeny || d.Effect != "read" {
			t.Errorf("%+v", d)
		}
	}
	// A message is still a question.
	h.rpc(key, "refunds", "SendMessage", `{"message":{"messageId":"m1","role":"ROLE_USER","parts":[{"text":"order 1"}]}}`)
	pending(t, book)
}
