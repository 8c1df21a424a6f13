package gateway

import (
	"time"

	"reeve/internal/activity"
	"reeve/internal/approval"
)

// humanWords are what people did, by the kind of the approval's record.
var humanWords = map[string]string{
	"approved": "approve", "edited": "edit and approve", "denied": "deny", "taken": "take over", "given_back": "give back",
}

// ApprovalChanged puts what a person did about a held call into its run, as a
// step of that person. It is approval.Options.Changed.
func (d *Door) ApprovalChanged(a *approval.Approval, kind string) {
	word, k := humanWords[kind], &a.Ask
	if word == "" {
		return
	}
	run, err1 := activity.ParseRunID(k.Run)
	parent, err2 := activity.ParseStepID(k.Step)
	trace, err3 := activity.ParseTraceID(k.Trace)
	if err1 != nil || err2 != nil || err3 != nil {
		return // asked from outside of the door, with no run
	}
	at, who := d.o.Now(), ""
	if n := len(a.Votes); n > 0 {
		at, who = a.Votes[n-1].At, a.Votes[n-1].Name
	}
	f := activity.Fragment{
		Run: run, Step: activity.StepOfKey(a.ID + " " + kind + " " + who), Parent: parent, Trace: trace,
		Source: activity.SourceGateway, Kind: activity.KindHuman, Status: activity.StatusOK, Start: a.CreatedAt.UnixNano(), End: at.UnixNano(),
		Name: word + " " + k.Name, Agent: k.Agent, AgentVersion: k.Version, AgentExplicit: true, Environment: k.Environment, Session: k.Session, User: k.User,
		TTFT: activity.Unknown, Usage: activity.NoUsage, DecisionID: k.Decision, Dialect: activity.DialectDoor, WholeFragment: true,
		Tags: []string{"approval:" + a.ID, "person:" + who},
	}
	if a.Reason != "" {
		f.Contents = append(f.Contents, activity.Content{Field: activity.ContentOutput, Format: "text", From: "reason", Raw: []byte(a.Reason)})
	}
	if kind == "edited" {
		if r, err := d.o.Approvals.Open(a); err == nil {
			f.Contents = append(f.Contents, activity.Content{Field: activity.ContentInput, Format: "text", From: "arguments", Raw: r.Arguments()})
		}
	}
	if kind == "taken" {
		if answer, ok, err := d.o.Approvals.Answer(a); ok && err == nil {
			f.Contents = append(f.Contents, activity.Content{Field: activity.ContentOutput, Format: "text", From: "result", Raw: answer.Body})
		}
	}
	d.o.Steps.tell(&activity.Batch{Received: time.Now().UnixNano(), Sender: "door", Team: k.Team, Environment: k.Environment, Fragments: []activity.Fragment{f}})
}
