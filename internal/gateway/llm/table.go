package llm

import (
	"net/url"
	"strings"

	"reeve/internal/activity"
)

// operation is one thing that a provider does: a line of a dialect's table.
type operation struct {
	method string
	// path is below the upstream; {model} takes one segment or what stands before
	// the suffix that follows it.
	path string
	// endpoint is what policies call it: context.model.endpoint.
	endpoint string
	// name is what its step is called, before the model.
	name string
	kind activity.Kind
	// read reads the body; nil for one without.
	read func(*request)
	// answer makes what reads its answers; nil reads errors alone.
	answer func(*request) family
	// silent says that no model writes anything: nothing to bound.
	silent bool
	// stored says that the path's {model} is an answer that the provider keeps, of
	// a background job.
	stored bool
	// refuse and provider are those of another dialect that is spoken here too.
	refuse   refusal
	provider string
}

// dialect is one provider's wire format.
type dialect struct {
	name       string
	operations []operation
	refuse     refusal
	// provider names it for prices and policies, unless byHost says that others
	// speak the format too and their host tells who they are.
	provider string
	byHost   bool
	// snake says that names are written in lower case: one in another case is
	// read by some servers and not by others.
	snake bool
}

// find is the operation of a path as it stands in the request line, with the
// model that the path names.
func (d *dialect) find(method, path string) (op *operation, model string) {
	for i := range d.operations {
		o := &d.operations[i]
		if o.method != method {
			continue
		}
		if model, ok := match(o.path, path); ok {
			return o, model
		}
	}
	return nil, ""
}

// match compares segment by segment, so that an encoded slash is part of a
// model's name (Bedrock's ARNs) and of nothing else.
func match(pattern, path string) (model string, ok bool) {
	for {
		var p, s string
		var morePattern, morePath bool
		p, pattern, morePattern = strings.Cut(pattern, "/")
		s, path, morePath = strings.Cut(path, "/")
		if suffix, is := strings.CutPrefix(p, "{model}"); is {
			m, found := strings.CutSuffix(s, suffix)
			text, err := url.PathUnescape(m)
			if !found || err != nil || text == "" || suffix == "" && strings.HasPrefix(text, ".") {
				return "", false
			}
			model = text
		} else if p != s {
			return "", false
		}
		if morePattern != morePath {
			return "", false
		}
		if !morePath {
			return model, true
		}
	}
}
