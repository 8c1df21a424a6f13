// Package advisor is an example agent that tells customers how long they may
// return something: it reads the table of return policies and answers from it.
//
// It asks an OpenAI model, speaks the GenAI conventions, and names the table that
// it reads (gen_ai.data_source.id), so that its answers can be traced to data.
package advisor

import (
	"fmt"
	"math/rand/v2"
	"time"

	"reeve/examples/agentkit"
	"reeve/examples/warehouse"
)

// Spec is what the agent is made of; name is its own, table what it reads.
func Spec(name, table string) agentkit.Spec {
	return agentkit.Spec{
		Service:     agentkit.Service{Name: name, Namespace: "support", Version: "1.4.0", Environment: "production"},
		Dialect:     agentkit.GenAI{},
		Provider:    "openai",
		Model:       "gpt-4o-mini",
		Mode:        "interactive",
		Description: "Tells customers how long they may return something.",
		System:      "You tell customers in how many days they may return a product. Read the policy of its category first, and answer with the number of days that it says.",
		KB:          true,
		Tools:       []string{"read_policy"},
		Reads:       map[string]string{"read_policy": table},
		MaxTurns:    6,
		Task:        task,
		Every:       10 * time.Second,
	}
}

func task(r *rand.Rand) agentkit.Task {
	category := warehouse.Categories[r.IntN(len(warehouse.Categories))]
	customer := 1000 + r.IntN(200)
	return agentkit.Task{
		Name: "returns", Prompt: fmt.Sprintf("How many days do I have to return something of the category %s?", category),
		Session: fmt.Sprintf("advice-%d-%d", customer, r.IntN(1_000_000)), User: fmt.Sprintf("user-%d", customer),
	}
}
