package llm

import (
	"strings"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/genai"
)

func readResponses(r *request) {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "model":
			r.model = c.Text()
		case "input":
			r.responsesInput()
		case "instructions":
			r.content(activity.ContentSystem, genai.Parts)
		case "tools":
			r.responsesTools()
		case "stream":
			r.stream = c.True()
		case "max_output_tokens":
			r.limit()
		case "background":
			if c.True() {
				r.host("background") // goes on when the call has ended
				r.later = true
			}
		case "previous_response_id", "conversation", "prompt":
			r.unbounded = r.unbounded || c.Kind() != 'n' // what they stand for is stored at the provider
		default:
			r.strange(&o, "model", "input", "instructions", "tools", "stream", "max_output_tokens", "background", "previous_response_id", "conversation", "prompt")
		}
	}
	if strings.HasSuffix(r.model, ":online") || strings.Contains(r.model, "deep-research") {
		r.host("web_search")
	}
}

// background finds the job that a path names: an answer that the provider keeps is
// given to the agent that left it there, and to nobody else.
func (r *request) background() error {
	id := r.model
	model, ok := r.call.Job(id)
	if r.model, r.job = model, id; !ok {
		return fault.New(fault.KindNotFound, "llm.unknown_job", "the agent has no background job %s at upstream %s", shown(id), r.call.Upstream.Name).
			WithHint("only answers that were begun with background: true through this door are given, and only to the agent that asked for them")
	}
	r.host("background")
	return nil
}

func (r *request) responsesInput() {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		r.responsesItem()
	}
	r.note(activity.ContentInput, genai.Responses, listed(c.Since(from)))
}

func (r *request) responsesItem() {
	c := &r.cur
	var kind, role, id, name, output []byte
	parts := true // all of them are bounded
	before := r.unbounded
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "type":
			kind = c.Word()
		case "role":
			role = c.Word()
		case "call_id":
			id, _ = c.Quoted()
		case "name":
			name, _ = c.Quoted()
		case "content":
			r.parts(textParts)
		case "output":
			output = r.parts(textParts)
		}
	}
	parts, r.unbounded = !r.unbounded || before, before
	if len(kind) == 0 {
		kind = []byte("message")
	}
	switch string(kind) {
	case "message":
		r.unbounded = r.unbounded || !parts
		if string(role) == "assistant" {
			r.spoke(len(r.called))
		}
	case "reasoning": // its content is told apart by no type that matters
	case "function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call":
		if len(r.results) > 0 {
			r.spoke(len(r.called)) // calls after results are the next words of the model
		}
		if name == nil {
			name = []byte(strings.TrimSuffix(string(kind), "_call"))
		}
		r.called = append(r.called, called{id, name})
	case "function_call_output", "custom_tool_call_output", "local_shell_call_output", "shell_call_output", "apply_patch_call_output":
		r.unbounded = r.unbounded || !parts && string(kind) != "shell_call_output"
		r.results = append(r.results, result{id: id, text: output})
	case "computer_call_output":
		r.unbounded = true // a picture
		r.results = append(r.results, result{id: id, name: []byte("computer"), text: output})
	default:
		r.unbounded = true
	}
}

func (r *request) responsesTools() {
	c := &r.cur
	from := c.Pos()
	for a := c.Array(); a.Next(); {
		r.responsesTool()
	}
	r.note(activity.ContentTools, genai.Tools, c.Since(from))
}

func (r *request) responsesTool() {
	c := &r.cur
	var kind, name, place string
	var nested bool
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "type":
			kind = c.Text()
		case "name":
			name = c.Text()
		case "environment":
			for e := c.Object(); e.Next(); {
				if string(e.Key) == "type" {
					place = c.Text()
				}
			}
		case "tools":
			nested = nested || c.Kind() == '['
			for a := c.Array(); a.Next(); {
				r.responsesTool()
			}
		}
	}
	switch plain := plainTool(kind); {
	case kind == "function" || kind == "custom":
		r.offer(name)
	case kind == "local_shell" || kind == "apply_patch" || kind == "shell" && place == "local":
		r.offer(kind)
	case plain == "computer_use" || plain == "computer":
		r.offer("computer") // the agent's own screen
	case kind == "namespace" && nested:
	default:
		r.host(plain)
	}
}
