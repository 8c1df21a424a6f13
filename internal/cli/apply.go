package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/objective/openslo"
)

func applyCommands() []command {
	return []command{
		{name: "apply", args: "-f FILE|DIR [flags]", short: "make upstreams, agents, policies, budgets and content rules as YAML says; plan first", long: applyHelp, run: runApply},
	}
}

const applyHelp = `
Reads YAML documents and makes the server match them: what is missing is made,
what differs is changed, what is the same stays. Nothing is deleted. The plan is
shown first. A folder is read with everything below it (*.yaml, *.yml, *.json).

  reeve: upstream                # what the document is about
  name: openai
  team: core
  environment: production
  kind: llm
  dialect: openai
  url: https://api.openai.com
  credential: {kind: bearer, source: env, ref: OPENAI_API_KEY}
  ---
  reeve: agent
  name: refund
  team: core
  purpose: gives money back
  lifecycle: pilot               # or production
  ---
  reeve: policy
  name: refund-orders
  team: core
  mode: observe
  cedar: |
    @id("orders") permit (principal == Agent::"refund", action, resource in Upstream::"orders");
  ---
  reeve: budget
  name: refund-day
  scope: agent
  match: refund
  unit: money
  limit: 20
  period: day
  hard: true

Fields are those of the API (docs/openapi.json). Documents are about an upstream,
agent, policy, budget, content-rule, kpi, objective or compliance-framework. They are applied in this
order, whatever the files'. Documents of OpenSLO (v1, v2alpha) are read as
objectives: docs/objectives.md.`

// applied is one document: what it wishes for, and where it stands.
type applied struct {
	kind, name, file string
	fields           map[string]any
	directions       []openslo.Direction // of an objective that OpenSLO wrote
}

var applyOrder = []string{"upstream", "agent", "policy", "budget", "content-rule", "kpi", "objective", "compliance-framework"}

func runApply(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var file, reason string
	var yes bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&file, "f", "", "`file` or folder to read; - is standard input")
	fs.StringVar(&reason, "reason", "reeve apply", "stands in the record of each change")
	fs.BoolVar(&yes, "yes", false, "do not ask")
	if err := parse(fs, args); err != nil {
		return err
	}
	if file == "" {
		return fmt.Errorf("%w: reeve apply -f FILE", errUsage)
	}
	docs, err := readDocuments(e.stdin, file)
	if err != nil {
		return err
	}
	api := r.client()
	var steps []step
	for _, d := range docs {
		s, err := plan(ctx, api, d, reason)
		if err != nil {
			return fmt.Errorf("%s: %s %s: %w", d.file, d.kind, d.name, err)
		}
		steps = append(steps, s)
	}
	changes := 0
	for _, s := range steps {
		if s.do != nil {
			changes++
		}
	}
	if err := r.print(e.stdout, steps, func(w io.Writer) {
		for _, s := range steps {
			fmt.Fprintf(w, "%s %s %s\t%s\n", s.Sign, s.Kind, word(s.Name), word(s.What))
		}
	}); err != nil || changes == 0 {
		return err
	}
	if !yes {
		if file == "-" {
			return fmt.Errorf("%w: with -f - the plan is confirmed by --yes", errUsage)
		}
		fmt.Fprintf(e.stderr, "apply %d changes? [y/N] ", changes)
		var answer string
		if _, err := fmt.Fscanln(e.stdin, &answer); err != nil || !strings.EqualFold(answer, "y") {
			return fault.New(fault.KindDenied, "cli.not_applied", "nothing was changed").WithHint("answer y, or give --yes")
		}
	}
	var failed []error
	for _, s := range steps {
		if s.do == nil {
			continue
		}
		var waits *client.Pending
		switch err := s.do(); {
		case errors.As(err, &waits):
			fmt.Fprintf(e.stderr, "%s %s: %v\n", s.Kind, s.Name, waits)
		case err != nil:
			failed = append(failed, fmt.Errorf("%s %s: %w", s.Kind, s.Name, err))
		}
	}
	return errors.Join(failed...)
}

// readDocuments reads every document of a file or folder, in the order in which
// they are applied.
func readDocuments(stdin io.Reader, path string) ([]applied, error) {
	var out []applied
	var slos []openslo.Document
	add := func(name string, r io.Reader) error {
		dec := yaml.NewDecoder(io.LimitReader(r, 16<<20))
		for {
			var m map[string]any
			err := dec.Decode(&m)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fault.New(fault.KindInvalid, "cli.apply", "%s: %s", name, yaml.FormatError(err, false, true))
			}
			if len(m) == 0 {
				continue
			}
			if openslo.Is(m) {
				slos = append(slos, openslo.Document{File: name, Fields: m})
				continue
			}
			d := applied{file: name, fields: m}
			d.kind, _ = m["reeve"].(string)
			d.name, _ = m["name"].(string)
			if !slices.Contains(applyOrder, d.kind) || d.name == "" {
				return fault.New(fault.KindInvalid, "cli.apply", "%s: a document about %q named %q", name, d.kind, d.name).
					WithHint("each says reeve: with one of %s, and a name", strings.Join(applyOrder, ", "))
			}
			delete(m, "reeve")
			delete(m, "name")
			out = append(out, d)
		}
	}
	open := func(name string) error {
		f, err := os.Open(name)
		if err != nil {
			return fault.New(fault.KindInvalid, "cli.apply", "%s cannot be read", name).WithCause(err)
		}
		defer f.Close()
		return add(name, f)
	}
	var err error
	if info, statErr := os.Stat(path); path == "-" {
		err = add("standard input", stdin)
	} else if statErr == nil && info.IsDir() {
		err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)) {
				return err
			}
			return open(name)
		})
	} else {
		err = open(path)
	}
	if err == nil && len(slos) > 0 {
		var more []applied
		if more, err = fromOpenSLO(slos); err == nil {
			out = append(out, more...)
		}
	}
	if err == nil && len(out) == 0 && len(slos) == 0 {
		err = fault.New(fault.KindInvalid, "cli.apply", "there is no document in %s", path)
	}
	slices.SortStableFunc(out, func(a, b applied) int {
		return cmp.Compare(slices.Index(applyOrder, a.kind), slices.Index(applyOrder, b.kind))
	})
	return out, err
}

// step is what is to be done with one document.
type step struct {
	Sign string `json:"sign"` // + make, ~ change, = the same
	Kind string `json:"kind"`
	Name string `json:"name"`
	What string `json:"what"`
	do   func() error
}

// into reads a document's fields into a request; a field it does not have is an
// error.
func into(d applied, req any) error {
	raw, err := json.Marshal(d.fields)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(req); err != nil {
		return fault.New(fault.KindInvalid, "cli.apply", "%v", err).WithHint("the fields are those of the API: docs/openapi.json")
	}
	return nil
}

// differs lists the fields of a document whose values the server's object does
// not have. What the document does not name is left alone.
func differs(d applied, have any) ([]string, error) {
	now, err := asJSON(have)
	if err != nil {
		return nil, err
	}
	wish, err := asJSON(d.fields)
	if err != nil {
		return nil, err
	}
	var out []string
	for k, v := range wish {
		if !covered(v, now[k]) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out, nil
}

// asJSON is a value as its JSON reads.
func asJSON(v any) (m map[string]any, err error) {
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	return m, err
}

// covered reports whether have says all that want says.
func covered(want, have any) bool {
	switch w := want.(type) {
	case map[string]any:
		h, _ := have.(map[string]any)
		for k, v := range w {
			if !covered(v, h[k]) {
				return false
			}
		}
		return true
	case []any:
		h, _ := have.([]any)
		if len(w) != len(h) {
			return false
		}
		for i := range w {
			if !covered(w[i], h[i]) {
				return false
			}
		}
		return true
	case string:
		h, _ := have.(string)
		return strings.TrimSpace(w) == strings.TrimSpace(h)
	case nil, bool, float64:
		return reflect.DeepEqual(want, have) || have == nil && (w == false || w == 0.0)
	}
	return false
}

func missing(err error) bool {
	var p *client.Problem
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}

// settled makes the step of a document that is put whole: made when have is
// missing, changed when it differs.
func settled(d applied, have any, getErr error, put func() error) (step, error) {
	s := step{Kind: d.kind, Name: d.name}
	if missing(getErr) {
		s.Sign, s.What, s.do = "+", "is made", put
		return s, nil
	}
	if getErr != nil {
		return s, getErr
	}
	changed, err := differs(d, have)
	if err != nil {
		return s, err
	}
	if len(changed) == 0 {
		s.Sign, s.What = "=", "is so"
		return s, nil
	}
	s.Sign, s.What, s.do = "~", strings.Join(changed, ", "), put
	return s, nil
}

func plan(ctx context.Context, api *client.Client, d applied, reason string) (step, error) {
	switch d.kind {
	case "upstream":
		var req client.PutUpstreamRequest
		if err := into(d, &req); err != nil {
			return step{}, err
		}
		have, err := api.GetUpstream(ctx, client.UpstreamRequest{Name: d.name})
		if err == nil {
			req.Revision = have.Revision
		}
		req.Name = d.name
		return settled(d, have, err, func() error { _, err := api.PutUpstream(ctx, req); return err })
	case "agent":
		return planAgent(ctx, api, d, reason)
	case "kpi":
		return planKPI(ctx, api, d, reason)
	case "compliance-framework":
		var req client.PutComplianceFrameworkRequest
		if err := into(d, &req); err != nil {
			return step{}, err
		}
		have, err := api.GetComplianceFramework(ctx, client.ComplianceFrameworkRequest{ID: d.name})
		if err == nil {
			req.Revision = have.Revision
		}
		req.ID = d.name
		return settled(d, have, err, func() error { _, err := api.PutComplianceFramework(ctx, req); return err })
	case "objective":
		return planObjective(ctx, api, d, reason)
	case "policy":
		var req client.PutPolicyRequest
		if err := into(d, &req); err != nil {
			return step{}, err
		}
		have, err := api.GetPolicy(ctx, client.PolicyRequest{Name: d.name})
		if err == nil {
			req.Revision = have.Revision
		}
		req.Name, req.Reason = d.name, cmp.Or(req.Reason, reason)
		delete(d.fields, "reason")
		return settled(d, have, err, func() error { _, err := api.PutPolicy(ctx, req); return err })
	case "budget":
		var req client.PutBudgetRequest
		if err := into(d, &req); err != nil {
			return step{}, err
		}
		have, err := api.GetBudget(ctx, client.BudgetRequest{Name: d.name})
		if err == nil {
			req.Revision = have.Revision
		}
		req.Name = d.name
		return settled(d, have, err, func() error { _, err := api.PutBudget(ctx, req); return err })
	}
	var req client.PutContentRuleRequest
	if err := into(d, &req); err != nil {
		return step{}, err
	}
	have, err := api.GetContentRule(ctx, client.ContentRuleRequest{Name: d.name})
	if err == nil {
		req.Revision = have.Revision
	}
	req.Name, req.Reason = d.name, cmp.Or(req.Reason, reason)
	delete(d.fields, "reason")
	return settled(d, have, err, func() error { _, err := api.PutContentRule(ctx, req); return err })
}

// planAgent: an agent's team and environment never change, and its lifecycle has
// steps of its own.
func planAgent(ctx context.Context, api *client.Client, d applied, reason string) (step, error) {
	wish, _ := d.fields["lifecycle"].(string)
	// As with `reeve agent promote`: who goes past the gate says so.
	ungated, _ := d.fields["ungated"].(bool)
	delete(d.fields, "ungated")
	var made client.CreateAgentRequest
	if err := into(d, &made); err != nil {
		return step{}, err
	}
	made.Name, made.Reason = d.name, cmp.Or(made.Reason, reason)
	delete(d.fields, "reason")
	promote := func() error {
		_, err := api.PromoteAgent(ctx, client.PromoteAgentRequest{Name: d.name, To: wish, Reason: made.Reason, Ungated: ungated && wish == "production"})
		return err
	}
	have, err := api.GetAgent(ctx, client.AgentRequest{Name: d.name})
	if missing(err) {
		return step{Sign: "+", Kind: d.kind, Name: d.name, What: "is registered", do: func() error {
			if wish == "production" {
				made.Lifecycle = "pilot"
			}
			if _, err := api.CreateAgent(ctx, made); err != nil || wish != "production" {
				return err
			}
			return promote()
		}}, nil
	}
	if err != nil {
		return step{}, err
	}
	changed, err := differs(d, have)
	if err != nil {
		return step{}, err
	}
	for _, fixed := range []string{"team", "environment"} {
		if slices.Contains(changed, fixed) {
			return step{}, fault.New(fault.KindConflict, "cli.apply", "the %s of an agent never changes", fixed).WithHint("register another agent")
		}
	}
	if len(changed) == 0 {
		return step{Sign: "=", Kind: d.kind, Name: d.name, What: "is so"}, nil
	}
	return step{Sign: "~", Kind: d.kind, Name: d.name, What: strings.Join(changed, ", "), do: func() error {
		rest := applied{fields: map[string]any{"reason": made.Reason, "revision": have.Revision}}
		for _, k := range changed {
			if k != "lifecycle" {
				rest.fields[k] = d.fields[k]
			}
		}
		if len(rest.fields) > 2 {
			var req client.UpdateAgentRequest
			if err := into(rest, &req); err != nil {
				return err
			}
			req.Name = d.name
			if _, err := api.UpdateAgent(ctx, req); err != nil {
				return err
			}
		}
		if slices.Contains(changed, "lifecycle") {
			return promote()
		}
		return nil
	}}, nil
}
