// Package support is an example agent that answers refund questions: it looks
// the order up, reads the policy, and refunds or explains.
//
// It asks an OpenAI model, speaks the current GenAI conventions, and has
// sessions: a customer may come back with a second question.
//
//	go run ./examples/modelserver/cmd &
//	go run ./examples/shop/cmd &
//	go run ./examples/support/cmd -count 3
package support

import (
	"fmt"
	"math/rand/v2"
	"time"

	"reeve/examples/agentkit"
)

// Spec is what the agent is made of.
func Spec() agentkit.Spec {
	return agentkit.Spec{
		Service:     agentkit.Service{Name: "refund-agent", Namespace: "support", Version: "3.2.0", Environment: "production"},
		Dialect:     agentkit.GenAI{},
		Provider:    "openai",
		Model:       "gpt-4o-mini",
		Stream:      true,
		Mode:        "interactive",
		Description: "Answers questions about orders and refunds.",
		System: "You are the refund agent of an online shop. Look the order up before you answer. Follow the refund policy in the " +
			"knowledge base and name it. Refund at most what was paid. If a person has to agree, say so and hand over with a summary. " +
			"Never ask for names or addresses: the customer number is enough. Answer in at most four sentences.",
		Orders: true, KB: true,
		Tools:    []string{"lookup_order", "search_articles", "issue_refund"},
		MaxTurns: 10,
		Task:     task,
		Every:    14 * time.Second,
	}
}

func task(r *rand.Rand) agentkit.Task {
	order := 1000 + r.IntN(420) // some do not exist
	prompts := []string{
		"I want my money back for order %d, it does not fit on my table.",
		"Order %d arrived damaged. What now?",
		"Please refund order %d.",
		"Where is my order %d? If it is lost I want a refund.",
		"The item in order %d stopped working after a week, I would like a refund.",
		"Can I still return order %d?",
	}
	customer := 1000 + r.IntN(200)
	return agentkit.Task{
		Name: "refund", Prompt: fmt.Sprintf(prompts[r.IntN(len(prompts))], order),
		Session: fmt.Sprintf("chat-%d-%d", customer, r.IntN(1_000_000)), User: fmt.Sprintf("user-%d", customer),
	}
}
