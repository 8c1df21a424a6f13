package llm

import (
	"strings"

	"reeve/internal/activity"
)

// mostOutput is the most output tokens of a model as its provider documents it
// (read in October 2026), for calls that say no bound and upstreams whose rules
// say none. A name stands for itself and for what follows it after a dash; a
// generation that is not listed is not guessed at.
var mostOutput = []struct {
	name string
	most int64
}{
	{"gpt-3.5-turbo", 4096},
	{"gpt-4-turbo", 4096},
	{"gpt-4", 8192},
	{"gpt-4o", 16384},
	{"chatgpt-4o", 16384},
	{"gpt-4.1", 32768},
	{"gpt-5", 128000},
	{"gpt-5.1", 128000},
	{"gpt-5.2", 128000},
	{"gpt-oss", 131072},
	{"o1", 100000},
	{"o3", 100000},
	{"o4-mini", 100000},
	{"gemini-1.5", 8192},
	{"gemini-2.0", 8192},
	{"gemini-2.5", 65536},
	{"gemini-3", 65536},
	{"claude-3", 128000},
	{"claude-3-5", 8192},
	{"claude-opus-4", 128000},
	{"claude-sonnet-4", 128000},
	{"claude-haiku-4", 128000},
	{"nova-micro", 10000},
	{"nova-lite", 10000},
	{"nova-pro", 10000},
	{"deepseek-chat", 8192},
	{"deepseek-reasoner", 65536},
}

// documented is the most output tokens of a model; Unknown when nobody says.
func documented(model string) int64 {
	name := strings.TrimPrefix(model, "ft:") // fine-tuned: ft:gpt-4o-mini:org
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:] // openai/gpt-4o, or an ARN
	}
	for _, maker := range []string{"anthropic.", "amazon.", "openai."} { // Bedrock's: eu.anthropic.claude-…
		if i := strings.Index(name, maker); i >= 0 {
			name = name[i+len(maker):]
		}
	}
	name, _, _ = strings.Cut(name, ":")
	most, length := activity.Unknown, 0
	for _, m := range mostOutput {
		rest, ok := strings.CutPrefix(name, m.name)
		if ok && (rest == "" || rest[0] == '-') && len(m.name) > length {
			most, length = m.most, len(m.name)
		}
	}
	return most
}
