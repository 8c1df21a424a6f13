// Package analyst is an example agent that answers questions with figures: it
// queries the orders database step by step.
//
// It asks an OpenAI model and speaks the first generation of the GenAI
// conventions: spans without content, one log record a message.
package analyst

import (
	"fmt"
	"math/rand/v2"
	"time"

	"reeve/examples/agentkit"
)

// Spec is what the agent is made of.
func Spec() agentkit.Spec {
	return agentkit.Spec{
		Service:     agentkit.Service{Name: "data-analyst", Namespace: "data", Version: "0.14.2", Environment: "staging"},
		Dialect:     agentkit.GenAIEvents{},
		Provider:    "openai",
		Model:       "gpt-4o",
		Mode:        "interactive",
		Description: "Answers questions about orders with figures.",
		System: "You are a data analyst. Answer with figures from run_query only. State the query behind each figure. " +
			"Look at the definitions in the knowledge base before you report revenue.",
		Orders: true, KB: true,
		Tools:    []string{"run_query", "search_articles"},
		MaxTurns: 12,
		Task:     task,
		Every:    30 * time.Second,
	}
}

func task(r *rand.Rand) agentkit.Task {
	prompts := []string{
		"Which category brings the most revenue, and which country?",
		"How many orders are in transit, and how does that compare with returns?",
		"What is the average order by category?",
		"Give me revenue by product and the number of orders by country.",
		"Do returns differ between countries?",
	}
	return agentkit.Task{
		Name: "figures", Prompt: prompts[r.IntN(len(prompts))],
		Session: fmt.Sprintf("analysis-%d", r.IntN(1_000_000)), User: fmt.Sprintf("user-%d", 3000+r.IntN(12)),
	}
}
