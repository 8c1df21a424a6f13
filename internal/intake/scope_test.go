package intake

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"reeve/internal/activity"
)

// A trace id is no secret, and names such as "order-1" are taken twice: who
// sends another team's must not reach that team's run or step.
func TestAnotherTeamsTraceIsAnotherRun(t *testing.T) {
	t.Parallel()
	as := func(team, environment string) func(*Options) {
		return func(o *Options) { o.Anonymous = &Sender{ID: team + environment, Team: team, Environment: environment} }
	}
	senders := []func(*Options){nil, as("alpha", "prod"), as("beta", "prod"), as("alpha", "staging")}
	for name, change := range map[string]func(ptrace.Span){
		"trace": func(ptrace.Span) {},
		"named": func(s ptrace.Span) { s.Attributes().PutStr("reeve.run.id", "order-1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runs, steps := map[activity.RunID]bool{}, map[activity.StepID]bool{}
			body := one(t, change)
			for _, sender := range senders {
				f := only(t, body, sender)
				if again := only(t, body, sender); again.Run != f.Run || again.Step != f.Step || again.Parent != f.Parent {
					t.Errorf("a resend got other ids: %v, want %v", again, f)
				}
				runs[f.Run], steps[f.Step], steps[f.Parent] = true, true, true
			}
			if n := len(senders); len(runs) != n || len(steps) != 2*n {
				t.Errorf("%d senders of the same span got %d runs, and %d ids of steps and their parents; want none to be shared", n, len(runs), len(steps))
			}
		})
	}
}

func TestAnotherTeamsLogIsOfAnotherRun(t *testing.T) {
	t.Parallel()
	ld := plog.NewLogs()
	l := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	l.SetTraceID([16]byte{1})
	l.SetSpanID([8]byte{3})
	l.Body().SetStr("a line")
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	span := one(t, func(s ptrace.Span) { s.SetTraceID([16]byte{1}); s.SetSpanID([8]byte{3}) })
	sent := func(team string) activity.LogRecord {
		in, log := fixture(t, func(o *Options) { o.Anonymous = &Sender{ID: team, Team: team, Environment: "prod"} })
		if w := post(in, "/v1/logs", protobuf, body); w.Code != 200 {
			t.Fatal(w.Body)
		}
		return log.batches(t)[0].Logs[0]
	}
	alpha, beta := sent("alpha"), sent("beta")
	f := only(t, span, func(o *Options) { o.Anonymous = &Sender{ID: "alpha", Team: "alpha", Environment: "prod"} })
	if alpha.Run != f.Run || alpha.Step != f.Step {
		t.Errorf("the log of %v, %v, want its span's %v, %v", alpha.Run, alpha.Step, f.Run, f.Step)
	}
	if beta.Run == f.Run || beta.Step == f.Step {
		t.Error("another team's log got the run or step of this team")
	}
}
