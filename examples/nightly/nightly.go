// Package nightly is an example of an asynchronous job without a user: it
// walks through open returns, checks each and leaves notes for people.
//
// It asks an Anthropic model and speaks OpenLLMetry's flattened attributes.
package nightly

import (
	"fmt"
	"math/rand/v2"
	"time"

	"reeve/examples/agentkit"
)

// Spec is what the agent is made of.
func Spec() agentkit.Spec {
	return agentkit.Spec{
		Service:     agentkit.Service{Name: "returns-nightly", Namespace: "logistics", Version: "2.0.7", Environment: "production"},
		Dialect:     agentkit.OpenLLMetry{},
		Provider:    "anthropic",
		Model:       "claude-haiku-4-5",
		Mode:        "asynchronous",
		Description: "Checks open returns and leaves notes for people.",
		System: "You check open returns. List them, look every order up, flag those that need a person and say why. " +
			"Finish with a summary of how many were checked and flagged.",
		Orders:   true,
		Tools:    []string{"list_open_returns", "lookup_order", "flag_order"},
		MaxTurns: 20,
		Task:     task,
		Every:    75 * time.Second,
	}
}

func task(r *rand.Rand) agentkit.Task {
	n := 4 + r.IntN(6)
	return agentkit.Task{
		Name: "returns", Prompt: fmt.Sprintf("Check up to %d open returns of today.", n),
		Session: fmt.Sprintf("batch-%d", r.IntN(1_000_000)),
	}
}
