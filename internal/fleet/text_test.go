package fleet

import (
	"testing"

	"reeve/internal/activity"
	"reeve/internal/testkit"
)

// What is known of agents keeps no text of the writes it comes from: one word
// held is a whole write held.
func TestKeepsNoTextOfAWrite(t *testing.T) {
	h := open(t)
	for range 6 {
		text := testkit.NewText()
		for _, kind := range []activity.Kind{activity.KindModel, activity.KindTool, activity.KindRetrieval, activity.KindHandoff, activity.KindMCP} {
			h.observe(h.said(func(s *activity.Step) {
				s.Kind, s.Name, s.Agent, s.AgentVersion, s.Environment = kind, text.Word("look"), text.Word("clerk"), text.Word("v7"), text.Word("production")
				s.Team, s.Service = text.Word("core"), text.Word("desk")
				s.Model, s.ModelRequested, s.Provider, s.ToolName = text.Word("gpt-4o"), text.Word("gpt-4o-latest"), text.Word("openai"), text.Word("look")
			}))
		}
		h.flushed()
		if text.Let() {
			t.Fatal("a word of a write is still held")
		}
	}
}
