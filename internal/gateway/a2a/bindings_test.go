package a2a_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	sdk "github.com/a2aproject/a2a-go/v2/a2a"

	"reeve/client"
	"reeve/internal/activity"
)

var bindings = []sdk.TransportProtocol{sdk.TransportProtocolJSONRPC, sdk.TransportProtocolHTTPJSON, sdk.TransportProtocolGRPC}

// The official Go client, from the card that the door serves, over each binding
// to a peer over each binding: everything that A2A 1.0 has.
func TestEveryBindingToEveryBinding(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h := newHouse(t, nil)
	key := h.agent("sales")
	for _, to := range bindings {
		h.upstream("to-"+strings.ToLower(strings.ReplaceAll(string(to), "+", "-")), p.url, &client.Peer{Effect: "write", Binding: string(to)})
	}
	for _, from := range bindings {
		for _, to := range bindings {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				t.Parallel()
				c := h.client(t, key, "to-"+strings.ToLower(strings.ReplaceAll(string(to), "+", "-")), from)
				ctx := t.Context()

				r, err := c.SendMessage(ctx, message("hello"))
				if err != nil {
					t.Fatal("message: ", err)
				}
				if m, ok := r.(*sdk.Message); !ok || m.Parts[0].Text() != "hello yourself" {
					t.Fatalf("message: %T %+v", r, r)
				}
				r, err = c.SendMessage(ctx, message("order 1042"))
				task := taskOf(t, r, err)
				if task.Status.State != sdk.TaskStateCompleted || len(task.Artifacts) != 1 || task.Artifacts[0].Parts[0].Text() != "refunded: order 1042" ||
					string(task.Artifacts[0].Parts[2].Raw()) != "\xfb\xff\x01" {
					t.Fatalf("task: %+v", task)
				}
				var kinds []string
				var streamed sdk.TaskID
				for e, err := range c.SendStreamingMessage(ctx, message("order 1043")) {
					if err != nil {
						t.Fatal("stream: ", err)
					}
					switch e := e.(type) {
					case *sdk.Task:
						kinds, streamed = append(kinds, "task"), e.ID
					case *sdk.TaskStatusUpdateEvent:
						kinds = append(kinds, string(e.Status.State))
					case *sdk.TaskArtifactUpdateEvent:
						kinds = append(kinds, "artifact")
					}
				}
				if got, want := strings.Join(kinds, " "), "task TASK_STATE_WORKING artifact TASK_STATE_COMPLETED"; got != want {
					t.Errorf("stream: %s, want %s", got, want)
				}
				got, err := c.GetTask(ctx, &sdk.GetTaskRequest{ID: streamed})
				if err != nil || got.ID != streamed {
					t.Errorf("get: %+v %v", got, err)
				}
				list, err := c.ListTasks(ctx, &sdk.ListTasksRequest{ContextID: got.ContextID})
				if err != nil || len(list.Tasks) != 1 || list.Tasks[0].ID != streamed {
					t.Errorf("list: %+v %v", list, err)
				}
				// A task that goes on: subscribed to, with push configurations, cancelled.
				now := message("slow")
				now.Config = &sdk.SendMessageConfig{ReturnImmediately: true}
				r, err = c.SendMessage(ctx, now)
				slow := taskOf(t, r, err)
				config, err := c.CreateTaskPushConfig(ctx, &sdk.PushConfig{TaskID: slow.ID, URL: "https://93.184.216.34/hook", Token: "t"})
				if err != nil || config.ID == "" || config.URL != "https://93.184.216.34/hook" {
					t.Fatalf("push configuration: %+v %v", config, err)
				}
				if c, err := c.GetTaskPushConfig(ctx, &sdk.GetTaskPushConfigRequest{TaskID: slow.ID, ID: config.ID}); err != nil || c.URL != config.URL {
					t.Errorf("push configuration read: %+v %v", c, err)
				}
				if l, err := c.ListTaskPushConfigs(ctx, &sdk.ListTaskPushConfigRequest{TaskID: slow.ID}); err != nil || len(l) != 1 {
					t.Errorf("push configurations: %+v %v", l, err)
				}
				if err := c.DeleteTaskPushConfig(ctx, &sdk.DeleteTaskPushConfigRequest{TaskID: slow.ID, ID: config.ID}); err != nil {
					t.Errorf("push configuration deleted: %v", err)
				}
				var states []string
				for e, err := range c.SubscribeToTask(ctx, &sdk.SubscribeToTaskRequest{ID: slow.ID}) {
					if err != nil {
						t.Fatal("subscribe: ", err)
					}
					switch e := e.(type) {
					case *sdk.Task:
						states = append(states, "task")
						if _, err := c.CancelTask(ctx, &sdk.CancelTaskRequest{ID: slow.ID}); err != nil {
							t.Fatal("cancel: ", err)
						}
					case *sdk.TaskStatusUpdateEvent:
						states = append(states, string(e.Status.State))
					}
				}
				if s := strings.Join(states, " "); !strings.HasPrefix(s, "task ") || !strings.HasSuffix(s, "TASK_STATE_CANCELED") {
					t.Errorf("subscription: %s", s)
				}
				// Errors are the protocol's own, in the client's binding.
				if _, err := c.CancelTask(ctx, &sdk.CancelTaskRequest{ID: task.ID}); !errors.Is(err, sdk.ErrTaskNotCancelable) {
					t.Errorf("cancel of what is over: %v", err)
				}
				if _, err := c.GetTask(ctx, &sdk.GetTaskRequest{ID: "no-such-task"}); !errors.Is(err, sdk.ErrTaskNotFound) {
					t.Errorf("another's task: %v", err)
				}
				more, err := c.GetExtendedAgentCard(ctx, &sdk.GetExtendedAgentCardRequest{})
				if err != nil || !strings.HasSuffix(more.Description, "those it knows") || !strings.HasPrefix(more.SupportedInterfaces[0].URL, strings.TrimPrefix(h.url, "http://")) && !strings.HasPrefix(more.SupportedInterfaces[0].URL, h.url) {
					t.Errorf("extended card: %+v %v", more, err)
				}
			})
		}
	}
	t.Cleanup(func() {
		for _, head := range p.heads {
			for name, v := range head {
				if strings.Contains(strings.Join(v, " "), key) || strings.HasPrefix(name, "X-Reeve-") {
					t.Errorf("the peer saw %s: %v", name, v)
				}
			}
		}
	})
}

// A message is a handoff in the run, recorded before the peer saw it, and the
// peer's own spans hang on it by traceparent.
func TestHandoff(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h := newHouse(t, nil)
	key := h.agent("sales")
	h.upstream("refunds", p.url, nil)
	a := h.call(key, "POST", "/a2a/refunds/message:send", `{"message":{"messageId":"m1","role":"ROLE_USER","parts":[{"text":"order 7"}]}}`,
		"A2A-Version", "1.0", "Content-Type", "application/json", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if a.status != 200 {
		t.Fatalf("answer: %+v", a)
	}
	d := h.log.Of(t, a.decision)
	if d.Action != "send_task" || d.Resource != "refunds" || d.Effect != "write" || d.Result != activity.ResultOK || d.Pin == "" || d.Agent != "sales" {
		t.Errorf("decision: %+v", d)
	}
	var f activity.Fragment
	until(t, "the step", func() bool {
		all := h.base.Fragments()
		i := slices.IndexFunc(all, func(f activity.Fragment) bool { return f.DecisionID == a.decision && f.WholeFragment })
		if i >= 0 {
			f = all[i]
		}
		return i >= 0
	})
	if f.Kind != activity.KindHandoff || f.Name != "SendMessage refunds" || f.Run != activity.ScopeOf("support", "production").RunOfTrace(d.Trace) || f.FinishReason != "completed" || len(f.Contents) == 0 {
		t.Errorf("step: %+v", f)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	scope := activity.ScopeOf("support", "production")
	if got, want := p.heads[len(p.heads)-1].Get("Traceparent"), "00-0af7651916cd43dd8448eb211c80319c-"+f.Span.String()+"-01"; got != want || f.Step != scope.StepOfSpan(d.Trace, f.Span) {
		t.Errorf("the peer's traceparent: %q, want %q; the step is %s", got, want, f.Step)
	}
	if parent, err := activity.ParseSpanID("b7ad6b7169203331"); err != nil || f.Parent != scope.StepOfSpan(d.Trace, parent) {
		t.Errorf("the step's parent is %s", f.Parent)
	}
}
