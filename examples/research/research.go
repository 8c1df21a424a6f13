// Package research is an example agent that answers questions from the
// knowledge base with sources: it searches, reads several articles at once,
// and writes.
//
// It asks an Anthropic model and speaks OpenInference.
package research

import (
	"fmt"
	"math/rand/v2"
	"time"

	"reeve/examples/agentkit"
)

// Spec is what the agent is made of.
func Spec() agentkit.Spec {
	return agentkit.Spec{
		Service:     agentkit.Service{Name: "research-agent", Namespace: "research", Version: "1.9.4", Environment: "production"},
		Dialect:     agentkit.OpenInference{},
		Provider:    "anthropic",
		Model:       "claude-sonnet-4-5",
		Mode:        "interactive",
		MaxTokens:   2048,
		Description: "Answers questions from the knowledge base with sources.",
		System: "You are a research assistant. Search the knowledge base, read the most promising articles, then answer in a short " +
			"paragraph. Every statement names its article. If a search is incomplete, ask for the next page. Say what you could not find.",
		KB:       true,
		Tools:    []string{"search_articles", "read_article"},
		MaxTurns: 80,
		Task:     task,
		Every:    25 * time.Second,
	}
}

func task(r *rand.Rand) agentkit.Task {
	prompts := []string{
		"What do we know about retrieval quality and how teams measure it?",
		"When does prompt caching pay off?",
		"How should tools for agents report errors?",
		"Which latency do users accept from agents?",
		"What did we learn from the carrier outage?",
		"How are token costs allocated between teams?",
		"What makes a handover to people work?",
		"Is a vector index worth it for our knowledge base?",
	}
	return agentkit.Task{
		Name: "question", Prompt: prompts[r.IntN(len(prompts))],
		Session: fmt.Sprintf("research-%d", r.IntN(1_000_000)), User: fmt.Sprintf("user-%d", 2000+r.IntN(40)),
	}
}
