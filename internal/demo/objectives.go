package demo

import (
	"context"
	"fmt"
	"net/http"

	"reeve/client"
)

// objectives says how good is good enough: one that is kept, one that is nearly
// spent, and one that the new version of an agent burns since yesterday.
func (d *Demo) objectives(ctx context.Context, at Endpoints) error {
	limit := 60_000.0
	for name, o := range map[string]client.PutObjectiveRequest{
		"triage-resolved": {
			Title: "Chats are resolved", Text: "Of the chats whose outcome is known, those that needed nobody else to be resolved.", KPI: "task_completion", Team: "support", Environment: "production", Agent: "chat-triage",
			Target: 0.5, Window: &client.ObjectiveWindow{Rolling: "7d"}, Coverage: 0.5, Stream: &client.ObjectiveStream{}, Propose: true,
		},
		"support-people": {
			Title: "People are asked seldom", Text: "Of the runs of support whose outcome is known, those that a person took over.", KPI: "escalation_rate", Team: "support", Environment: "production",
			Target: 0.4, Window: &client.ObjectiveWindow{Calendar: "month", Zone: "Europe/Berlin"},
		},
		"research-time": {
			Title: "Research takes a minute", KPI: "run_latency_p95", Team: "research", Environment: "production", Limit: &limit, Target: 0.9,
		},
	} {
		o.Reason = "part of the demo"
		if err := call(ctx, at, http.MethodPut, "/objectives/"+name, o, nil); err != nil && !conflict(err) {
			return fmt.Errorf("setting the objective %s: %w", name, err)
		}
	}
	return nil
}
