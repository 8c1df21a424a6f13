package llm

import (
	"reeve/internal/activity"
	"reeve/internal/gateway/llm/wire"
)

// plain reads what all answers have in common: errors, and usage where there is
// nothing else.
type plain struct {
	// noOutput says that nothing is written: an embedding.
	noOutput bool
}

func newEmbeddings(*request) family { return &plain{noOutput: true} }

func (p *plain) event(w *watcher, ev *wire.Event) error {
	if ev.Failure != "" {
		w.frameFailure(ev)
		w.pass(ev)
		return nil
	}
	if ev.Data != nil {
		c := wire.NewCursor(ev.Data)
		for o := c.Object(); o.Next(); {
			if wanted(o.Key) > 0 || string(o.Key) == invocationMetrics {
				key := o.Key
				p.member(w, key, c.Raw())
			}
		}
	}
	w.token()
	w.pass(ev)
	return nil
}

func (p *plain) done(*watcher) error { return nil }

func (p *plain) rewrite(_ *watcher, body []byte) ([]byte, error) { return body, nil }

func (p *plain) contents() []activity.Content { return nil }

func (p *plain) member(w *watcher, key, value []byte) {
	w.common(key, value)
	if p.noOutput && w.facts.Usage.InputTotal >= 0 && w.facts.Usage.OutputTotal < 0 {
		w.facts.Usage.OutputTotal = 0
	}
}

const invocationMetrics = "amazon-bedrock-invocationMetrics"

// common reads a member that means the same in every shape.
func (w *watcher) common(key, value []byte) {
	c := wire.Inner(value)
	switch string(key) {
	case "id", "responseId":
		w.facts.ResponseID = c.Text()
	case "model", "modelVersion":
		w.facts.Model = c.Text()
	case "usage", "usageMetadata":
		w.count(value, false)
	case "error":
		w.errorValue(value)
	case "inputTextTokenCount":
		if n, ok := c.Int(); ok {
			w.facts.Usage.InputTotal = n
		}
	case "message", "Message": // of an Amazon error; a model's message is an object
		if c.Kind() == '"' {
			w.failed("", c.Text())
		}
	case invocationMetrics:
		w.metrics(value)
	}
}

// errorValue reads an error in any provider's words: {type or code or status,
// message}, or a text.
func (w *watcher) errorValue(value []byte) {
	c := wire.Inner(value)
	switch c.Kind() {
	case '"':
		w.failed("", c.Text())
		return
	case '{':
	default:
		return
	}
	var kind, code, status, message string
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "type":
			kind = c.Text()
		case "code":
			code = c.Text()
		case "status":
			status = c.Text()
		case "message":
			message = c.Text()
		}
	}
	for _, k := range []string{code, status} {
		if kind == "" || k != "" && kind == "error" {
			kind = k
		}
	}
	w.failed(kind, message)
}

// frameFailure reads an exception of Amazon's event stream.
func (w *watcher) frameFailure(ev *wire.Event) {
	message := ""
	c := wire.NewCursor(ev.Data)
	for o := c.Object(); o.Next(); {
		if string(o.Key) == "message" {
			message = c.Text()
		}
	}
	w.failed(ev.Failure, message)
}

// metrics reads what Bedrock adds to the last event of a model's own.
func (w *watcher) metrics(value []byte) {
	c := wire.Inner(value)
	u := activity.NoUsage
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "inputTokenCount":
			amount(&c, &u.InputTotal)
		case "outputTokenCount":
			amount(&c, &u.OutputTotal)
		case "cacheReadInputTokenCount":
			amount(&c, &u.CacheRead)
		case "cacheWriteInputTokenCount":
			amount(&c, &u.CacheWrite)
		}
	}
	if u.InputTotal >= 0 {
		u.InputTotal += max(u.CacheRead, 0) + max(u.CacheWrite, 0)
	}
	w.usage = u
}

func amount(c *wire.Cursor, to *int64) {
	if n, ok := c.Int(); ok && n >= 0 {
		*to = n
	}
}

// counts are the numbers of a usage in all providers' words; a stream may say
// them one by one.
type counts struct {
	input    int64 // with caches
	read     int64
	write    int64
	output   int64 // with reasoning
	written  int64 // without
	thoughts int64
	tools    int64 // input of a provider's tools
}

var noCounts = counts{-1, -1, -1, -1, -1, -1, -1}

// count reads a usage and puts it into our partitions; exclusive says that what
// came from a cache is not in the input.
func (w *watcher) count(value []byte, exclusive bool) {
	n := noCounts
	c := wire.Inner(value)
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "prompt_tokens", "promptTokenCount":
			amount(&c, &n.input)
		case "input_tokens", "inputTokens":
			amount(&c, &n.input)
		case "completion_tokens", "output_tokens", "outputTokens":
			amount(&c, &n.output)
		case "candidatesTokenCount":
			amount(&c, &n.written)
		case "thoughtsTokenCount":
			amount(&c, &n.thoughts)
		case "toolUsePromptTokenCount":
			amount(&c, &n.tools)
		case "cachedContentTokenCount", "prompt_cache_hit_tokens":
			amount(&c, &n.read)
		case "cache_read_input_tokens", "cacheReadInputTokens":
			amount(&c, &n.read)
		case "cache_creation_input_tokens", "cacheWriteInputTokens":
			amount(&c, &n.write)
		case "prompt_tokens_details", "input_tokens_details":
			for d := c.Object(); d.Next(); {
				switch string(d.Key) {
				case "cached_tokens":
					amount(&c, &n.read)
				case "cache_write_tokens", "cache_creation_tokens":
					amount(&c, &n.write)
				}
			}
		case "completion_tokens_details", "output_tokens_details":
			for d := c.Object(); d.Next(); {
				if string(d.Key) == "reasoning_tokens" {
					amount(&c, &n.thoughts)
				}
			}
		}
	}
	w.add(n, exclusive)
}

// add puts counts into the facts; what they do not say stays.
func (w *watcher) add(n counts, exclusive bool) {
	u := &w.facts.Usage
	set := func(to *int64, v int64) {
		if v >= 0 {
			*to = v
		}
	}
	set(&u.CacheRead, n.read)
	set(&u.CacheWrite, n.write)
	set(&u.Reasoning, n.thoughts)
	if n.input >= 0 {
		in := n.input + max(n.tools, 0)
		if exclusive {
			in += max(u.CacheRead, 0) + max(u.CacheWrite, 0)
		}
		u.InputTotal = in
	}
	set(&u.OutputTotal, n.output)
	if n.written >= 0 || n.input >= 0 && n.thoughts >= 0 && n.output < 0 {
		u.OutputTotal = max(n.written, 0) + max(n.thoughts, 0)
	}
}
