package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/pin"
)

// Tools are the tools of MCP servers as people accepted them; *pin.Book is one.
type Tools interface {
	List() []pin.View
	Get(upstream, tool string) (pin.View, error)
	Versions(ctx context.Context, upstream, tool string) ([]pin.Version, error)
	Findings(ctx context.Context, open bool, before int64, limit int) ([]pin.FindingRow, error)
	Digest(upstream string) string
	Breaks(upstream, tool string, arguments []byte) string
	ByAlias(alias string) (pin.Pin, bool)
	Accept(ctx context.Context, who pin.Actor, upstream, tool string, a pin.Acceptance) (pin.View, error)
	AcceptAll(ctx context.Context, who pin.Actor, upstream, digest, reason string, suggested bool) (accepted, waiting []pin.View, err error)
	Hold(ctx context.Context, who pin.Actor, upstream, tool, reason string) (pin.View, error)
	Forget(ctx context.Context, who pin.Actor, upstream, tool, reason string) error
}

func (a *API) tools() (Tools, error) {
	if a.o.Tools == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no door").WithHint("start it with a gateway listener")
	}
	return a.o.Tools, nil
}

func toolActor(ctx context.Context) pin.Actor {
	who := whoOf(ctx)
	return pin.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID}
}

// visibleTools are the tools of upstreams that the asker may see.
func (a *API) visibleTools(ctx context.Context, all []pin.View) []pin.View {
	may := a.upstreamsSeen(ctx)
	return slices.DeleteFunc(all, func(v pin.View) bool { return !may(v.Upstream) })
}

// upstreamsSeen tells whose tools the asker may see. What is left of an upstream
// that is gone only who sees everything.
func (a *API) upstreamsSeen(ctx context.Context) func(upstream string) bool {
	who := whoOf(ctx)
	seen := map[string]bool{}
	known := map[string]bool{}
	if a.o.Upstreams != nil {
		for _, u := range a.o.Upstreams.List() {
			known[u.Name] = true
			seen[u.Name] = maySeeUpstream(who, u)
		}
	}
	everything := who.Everywhere(identity.Viewer)
	return func(upstream string) bool { return seen[upstream] || !known[upstream] && everything }
}

// mayChangeTools is nil for who answers for an upstream's tools.
func (a *API) mayChangeTools(ctx context.Context, upstream string, roles ...identity.Role) error {
	team, environment := identity.Everything, identity.Everything
	if a.o.Upstreams != nil {
		u, ok := findUpstream(ctx, a.o.Upstreams, upstream)
		if ok {
			team, environment = u.Team, u.Environment
		} else if !whoOf(ctx).Everywhere(roles[0]) {
			return noUpstream(upstream)
		}
	}
	return where(roles...).allowNamed(whoOf(ctx), team, environment)
}

func listTools(a *API, ctx context.Context, req *client.ListToolsRequest) (*client.List[client.Tool], error) {
	tools, err := a.tools()
	if err != nil {
		return nil, err
	}
	if req.State != "" && req.State != pin.Accepted && req.State != pin.Held {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "state is accepted or held")
	}
	all := a.visibleTools(ctx, tools.List())
	q := strings.ToLower(req.Q)
	all = slices.DeleteFunc(all, func(v pin.View) bool {
		return req.Upstream != "" && v.Upstream != req.Upstream || req.State != "" && v.State != req.State ||
			q != "" && !strings.Contains(strings.ToLower(v.Tool+"\n"+v.Definition.Title+"\n"+v.Definition.Description), q)
	})
	if req.Cursor != "" {
		upstream, tool, _ := strings.Cut(req.Cursor, "/")
		all = slices.DeleteFunc(all, func(v pin.View) bool {
			return cmp.Or(cmp.Compare(v.Upstream, upstream), cmp.Compare(v.Tool, tool)) <= 0
		})
	}
	limit := min(orDefault(req.Limit, 200), 1000)
	next := ""
	if len(all) > limit {
		all = all[:limit]
		next = all[limit-1].Upstream + "/" + all[limit-1].Tool
	}
	out, err := listOf(all, nil, a.toolShape(ctx))
	if err == nil {
		out.Next = next
	}
	return out, err
}

// toolShape is how a tool is shown, people by name.
func (a *API) toolShape(ctx context.Context) func(v pin.View) client.Tool {
	names := a.personNames(ctx)
	return func(v pin.View) client.Tool {
		t := client.Tool{
			Upstream: v.Upstream, Name: v.Tool, Alias: v.Alias, Title: pin.Visible(v.Definition.Title), Description: pin.Visible(v.Definition.Description),
			State: v.State, Reason: v.Reason, Findings: make([]client.ToolFinding, len(v.Findings)), Listed: v.Listed, Accepted: v.Hash,
			Effect: cmp.Or(v.Effect, "unknown"), Classes: list(v.Classes), Paths: client.ToolPaths(v.Paths), Vouches: v.Vouches,
			FirstSeen: v.FirstSeen, ChangedAt: v.ChangedAt, AcceptedAt: optionalTime(v.AcceptedAt), AcceptedBy: names(v.AcceptedBy), Revision: v.Revision,
		}
		for i, f := range v.Findings {
			t.Findings[i] = findingShape(f)
		}
		return t
	}
}

// personNames gives people's names by id, each looked up once.
func (a *API) personNames(ctx context.Context) func(id string) string {
	known := map[string]string{"": "", pin.FirstUse: pin.FirstUse}
	return func(id string) string {
		name, ok := known[id]
		if !ok {
			name = id // of somebody who is gone, or of no account
			if p, err := a.o.Identity.Person(ctx, id); err == nil {
				name = p.Name
			}
			known[id] = name
		}
		return name
	}
}

func findingShape(f pin.Finding) client.ToolFinding {
	return client.ToolFinding{Code: f.Code, Serious: pin.Serious(f.Code), Text: f.Text, Detail: f.Detail, Hash: f.Hash, At: f.At}
}

func getTool(a *API, ctx context.Context, req *client.ToolRequest) (*client.ToolDetail, error) {
	tools, v, err := a.toolSeen(ctx, req.Upstream, req.Tool)
	if err != nil {
		return nil, err
	}
	versions, err := tools.Versions(ctx, req.Upstream, req.Tool)
	if err != nil {
		return nil, err
	}
	return a.toolDetail(ctx, v, versions)
}

// toolSeen is a tool that the asker may see.
func (a *API) toolSeen(ctx context.Context, upstream, tool string) (Tools, pin.View, error) {
	tools, err := a.tools()
	if err != nil {
		return nil, pin.View{}, err
	}
	v, err := tools.Get(upstream, tool)
	if err == nil && !a.upstreamsSeen(ctx)(upstream) {
		err = fault.New(fault.KindNotFound, "pin.not_found", "no server listed the tool %.80s of upstream %.60s", tool, upstream)
	}
	return tools, v, err
}

func (a *API) toolDetail(ctx context.Context, v pin.View, versions []pin.Version) (*client.ToolDetail, error) {
	definition, err := v.Definition.JSON()
	if err != nil {
		return nil, err
	}
	s := pin.Suggest(&v.Definition)
	out := &client.ToolDetail{
		Tool: a.toolShape(ctx)(v), Definition: definition, Versions: []client.ToolVersion{},
		Suggested:  client.ToolSuggestion{Effect: s.Effect, Why: s.Why, Classes: list(s.Classes), Paths: client.ToolPaths(s.Paths)},
		Difference: differenceShape(pin.Difference{}),
	}
	names := a.personNames(ctx)
	for _, o := range versions {
		text, err := o.Definition.JSON()
		if err != nil {
			return nil, err
		}
		out.Versions = append(out.Versions, client.ToolVersion{
			Hash: o.Hash, Definition: text, FirstSeen: o.FirstSeen, LastSeen: o.LastSeen, AcceptedAt: optionalTime(o.AcceptedAt), AcceptedBy: names(o.AcceptedBy),
		})
		if o.Hash == v.Hash && v.Hash != v.Listed {
			out.Difference = differenceShape(pin.Compare(&o.Definition, &v.Definition))
			out.Difference.From, out.Difference.To = v.Hash, v.Listed
		}
	}
	return out, nil
}

func differenceShape(d pin.Difference) client.ToolDifference {
	out := client.ToolDifference{Texts: []client.TextDifference{}, Parts: []client.PartDifference{}}
	for _, t := range d.Texts {
		shape := client.TextDifference{Path: t.Path, Words: make([]client.WordPiece, len(t.Words))}
		for i, w := range t.Words {
			shape.Words[i] = client.WordPiece(w)
		}
		out.Texts = append(out.Texts, shape)
	}
	for _, p := range d.Parts {
		out.Parts = append(out.Parts, client.PartDifference(p))
	}
	return out
}

func toolDifference(a *API, ctx context.Context, req *client.ToolDifferenceRequest) (*client.ToolDifference, error) {
	tools, v, err := a.toolSeen(ctx, req.Upstream, req.Tool)
	if err != nil {
		return nil, err
	}
	versions, err := tools.Versions(ctx, req.Upstream, req.Tool)
	if err != nil {
		return nil, err
	}
	find := func(hash string) (*pin.Tool, error) {
		i := slices.IndexFunc(versions, func(o pin.Version) bool { return o.Hash == hash })
		if i < 0 {
			return nil, fault.New(fault.KindNotFound, "pin.version", "no definition of %s with the hash %.80q is kept", v.Tool, hash).WithHint("GET the tool to see its versions")
		}
		return &versions[i].Definition, nil
	}
	from, to := cmp.Or(req.From, v.Hash), cmp.Or(req.To, v.Listed)
	var before pin.Tool // of a tool that nobody accepted all is new
	if from != "" {
		t, err := find(from)
		if err != nil {
			return nil, err
		}
		before = *t
	}
	after, err := find(to)
	if err != nil {
		return nil, err
	}
	out := differenceShape(pin.Compare(&before, after))
	out.From, out.To = from, to
	return &out, nil
}

func acceptTool(a *API, ctx context.Context, req *client.AcceptToolRequest) (*client.Tool, error) {
	tools, err := a.tools()
	if err != nil {
		return nil, err
	}
	if err := a.mayChangeTools(ctx, req.Upstream, identity.Security); err != nil {
		return nil, err
	}
	v, err := tools.Accept(ctx, toolActor(ctx), req.Upstream, req.Tool, pin.Acceptance{
		Hash: req.Hash, Effect: req.Effect, Classes: req.Classes, Paths: pin.Paths(req.Paths), Vouches: req.Vouches, Acknowledge: req.Acknowledge, Reason: req.Reason,
	})
	if err != nil {
		return nil, err
	}
	t := a.toolShape(ctx)(v)
	return &t, nil
}

func holdTool(a *API, ctx context.Context, req *client.HoldToolRequest) (*client.Tool, error) {
	tools, err := a.tools()
	if err != nil {
		return nil, err
	}
	if err := a.mayChangeTools(ctx, req.Upstream, identity.Security, identity.Responder); err != nil {
		return nil, err
	}
	v, err := tools.Hold(ctx, toolActor(ctx), req.Upstream, req.Tool, req.Reason)
	if err != nil {
		return nil, err
	}
	t := a.toolShape(ctx)(v)
	return &t, nil
}

func forgetTool(a *API, ctx context.Context, req *client.ForgetToolRequest) (*struct{}, error) {
	tools, err := a.tools()
	if err != nil {
		return nil, err
	}
	if err := a.mayChangeTools(ctx, req.Upstream, identity.Security); err != nil {
		return nil, err
	}
	return &struct{}{}, tools.Forget(ctx, toolActor(ctx), req.Upstream, req.Tool, req.Reason)
}

func upstreamTools(a *API, ctx context.Context, req *client.UpstreamToolsRequest) (*client.UpstreamTools, error) {
	tools, err := a.tools()
	if err != nil {
		return nil, err
	}
	// The digest first: what comes to it afterwards is not in it.
	out := &client.UpstreamTools{Upstream: req.Upstream, Digest: tools.Digest(req.Upstream), Items: []client.Tool{}}
	shape := a.toolShape(ctx)
	for _, v := range a.visibleTools(ctx, tools.List()) {
		if v.Upstream == req.Upstream {
			out.Items = append(out.Items, shape(v))
		}
	}
	return out, nil
}

func acceptTools(a *API, ctx context.Context, req *client.AcceptToolsRequest) (*client.AcceptedTools, error) {
	tools, err := a.tools()
	if err != nil {
		return nil, err
	}
	if err := a.mayChangeTools(ctx, req.Upstream, identity.Security); err != nil {
		return nil, err
	}
	accepted, waiting, err := tools.AcceptAll(ctx, toolActor(ctx), req.Upstream, req.Digest, req.Reason, req.Suggested)
	if err != nil {
		return nil, err
	}
	shape := a.toolShape(ctx)
	out := &client.AcceptedTools{Accepted: []client.Tool{}, Waiting: []client.Tool{}}
	for _, v := range accepted {
		out.Accepted = append(out.Accepted, shape(v))
	}
	for _, v := range waiting {
		out.Waiting = append(out.Waiting, shape(v))
	}
	return out, nil
}

func listToolFindings(a *API, ctx context.Context, req *client.ListToolFindingsRequest) (*client.List[client.ToolFinding], error) {
	tools, err := a.tools()
	if err != nil {
		return nil, err
	}
	var before int64
	if req.Cursor != "" {
		if before, err = strconv.ParseInt(req.Cursor, 10, 64); err != nil || before <= 0 {
			return nil, errCursor
		}
	}
	limit := min(orDefault(req.Limit, 100), 1000)
	rows, err := tools.Findings(ctx, req.Open, before, limit)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.ToolFinding]{Items: []client.ToolFinding{}}
	may := a.upstreamsSeen(ctx)
	for _, r := range rows {
		if !may(r.Upstream) {
			continue
		}
		f := findingShape(r.Finding)
		f.ID, f.Upstream, f.Tool, f.ClosedAt, f.Resolution = r.ID, r.Upstream, r.Tool, optionalTime(r.ClosedAt), r.Resolution
		out.Items = append(out.Items, f)
	}
	if len(rows) == limit {
		out.Next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	return out, nil
}
