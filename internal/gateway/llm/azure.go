package llm

import (
	"slices"

	"reeve/internal/activity"
)

// azure is Azure OpenAI: a deployment in the path stands for the model, or the
// newer /openai/v1 with OpenAI's own shapes. Claude lives below /anthropic.
var azure = dialect{
	name: "azure", refuse: refuseOpenAI, provider: "azure.ai.openai", snake: true,
	operations: slices.Concat(
		[]operation{
			{method: "POST", path: "/openai/deployments/{model}/chat/completions", endpoint: "chat.completions", name: "chat", kind: activity.KindModel, read: deployed(readChat), answer: newChat},
			{method: "POST", path: "/openai/deployments/{model}/completions", endpoint: "completions", name: "text_completion", kind: activity.KindModel, read: deployed(readCompletions), answer: newCompletions},
			{method: "POST", path: "/openai/deployments/{model}/embeddings", endpoint: "embeddings", name: "embeddings", kind: activity.KindEmbedding, read: deployed(readEmbeddings), answer: newEmbeddings, silent: true},
		},
		both("/openai", "/openai/v1", openaiOperations...),
		below("/anthropic/v1", "anthropic", refuseAnthropic, anthropicOperations[:2]...),
	),
}

// deployed reads a body whose model the path has named already; the body's own
// is what the agent calls it, and nothing that Azure obeys.
func deployed(read func(*request)) func(*request) {
	return func(r *request) {
		model := r.model
		read(r)
		r.model = model
	}
}

// below lists another dialect's operations under a prefix.
func below(prefix, provider string, refuse refusal, list ...operation) []operation {
	out := slices.Clone(list)
	for i := range out {
		out[i].path = prefix + out[i].path
		out[i].refuse, out[i].provider = refuse, provider
	}
	return out
}
