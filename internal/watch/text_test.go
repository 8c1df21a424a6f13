package watch

import (
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/testkit"
)

// What is measured keeps no text of the writes it comes from, or each run that
// is remembered would keep a whole write in memory. Going on with a word that is
// known is where it happens: m[k]++ takes k's memory into the map.
func TestKeepsNoTextOfAWrite(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	x.usual("clerk", 30)
	r := x.run("clerk")
	for range 6 {
		text := testkit.NewText()
		for _, kind := range []activity.Kind{activity.KindModel, activity.KindTool, activity.KindTool, activity.KindRetrieval, activity.KindHandoff} {
			r.step(kind, text.Word("search_orders"), 200*time.Millisecond, func(s *activity.Step) {
				s.Agent, s.Team, s.Environment = text.Word("clerk"), text.Word("core"), text.Word("production")
				s.AgentVersion, s.Task, s.Session, s.User = text.Word("v7"), text.Word("refund"), text.Word("s-1"), text.Word("u-1")
				s.ModelRequested, s.Provider = text.Word("gpt-4o-latest"), text.Word("openai")
				if kind == activity.KindTool {
					s.Status, s.ErrorType = activity.StatusError, text.Word("timeout")
				}
			})
		}
		x.flush()
		if text.Let() {
			t.Fatal("a word of a write is still held")
		}
	}
}
