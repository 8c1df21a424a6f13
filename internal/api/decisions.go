package api

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Decisions is what was decided of proposed actions, as the log of decisions
// and its index know it.
type Decisions interface {
	List(ctx context.Context, q telemetry.DecisionsQuery) (telemetry.DecisionsPage, error)
	Get(ctx context.Context, id string) (*activity.Decision, error)
	// Content fills in the context and the digest of the arguments.
	Content(ctx context.Context, d *activity.Decision) error
	// UserName is who is behind a pseudonym; Pseudonyms are those of a name.
	UserName(ctx context.Context, pseudonym string) (string, error)
	Pseudonyms(ctx context.Context, name string) ([]string, error)
}

var errNoDoor = fault.New(fault.KindUnavailable, "api.decisions", "there is no log of decisions here")

func listDecisions(a *API, ctx context.Context, req *client.ListDecisionsRequest) (*client.List[client.Decision], error) {
	if a.o.Decisions == nil {
		return nil, errNoDoor
	}
	q := telemetry.DecisionsQuery{Limit: orDefault(req.Limit, 50)}
	var err error
	if q.From, q.To, err = a.period(req.From, req.To); err != nil {
		return nil, err
	}
	typed, err := a.parseRows(ctx, search.ScopeDecision, req.Query, q.From, q.To)
	if err != nil {
		return nil, err
	}
	user, err := a.decisionUser(ctx, req.User)
	if err != nil {
		return nil, err
	}
	if req.Enforced != "" && req.Enforced != "true" && req.Enforced != "false" {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "enforced is %q", clip(req.Enforced, 50)).WithHint("true or false")
	}
	if req.Run != "" {
		if q.Run, err = activity.ParseRunID(req.Run); err != nil {
			return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "run is %q, which is no run's id", clip(req.Run, 50))
		}
	}
	q.Filter = search.Both(words("agent", req.Agent), words("verdict", req.Verdict), words("would", req.Would), exactly("enforced", req.Enforced),
		words("action", req.Action), words("tool", req.Tool), words("upstream", req.Upstream), words("reason", req.Code), words("result", req.Result),
		exactly("session", req.Session), exactly("team", req.Team), user, typed)
	return a.decisionsPage(ctx, q, req.Cursor)
}

// decisionUser turns a name into the pseudonyms that it has; only who may read
// content may ask for names.
func (a *API) decisionUser(ctx context.Context, user string) (search.Expr, error) {
	if user == "" || strings.HasPrefix(user, "usr_") {
		return exactly("user", user), nil
	}
	if !whoOf(ctx).Everywhere(identity.Reader) {
		return nil, fault.New(fault.KindDenied, "api.user_names", "asking for a user by name needs the role reader for all teams").
			WithHint("ask by the pseudonym, usr_...")
	}
	pseudonyms, err := a.o.Decisions.Pseudonyms(ctx, user)
	if err != nil {
		return nil, err
	}
	if len(pseudonyms) == 0 {
		pseudonyms = []string{"nobody"} // no decision has it
	}
	return search.Is("user", pseudonyms...), nil
}

// decisionsPage answers within the caller's reach.
func (a *API) decisionsPage(ctx context.Context, q telemetry.DecisionsQuery, cursor string) (*client.List[client.Decision], error) {
	who := whoOf(ctx)
	var only search.Expr
	q.Teams, only = reachOf(who, identity.Viewer)
	q.Filter = search.Both(q.Filter, only)
	if cursor != "" {
		if err := readCursor(cursor, &q.After); err != nil || q.After == (telemetry.DecisionPlace{}) {
			return nil, errCursor
		}
	}
	page, err := a.o.Decisions.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Decision]{Items: make([]client.Decision, len(page.Decisions))}
	for i := range page.Decisions {
		out.Items[i] = decisionOf(&page.Decisions[i])
	}
	if n := len(page.Decisions); page.More && n > 0 {
		last := &page.Decisions[n-1]
		out.Next = writeCursor(telemetry.DecisionPlace{At: last.At, ID: last.ID})
	}
	return out, nil
}

func listRunDecisions(a *API, ctx context.Context, req *client.ListRunDecisionsRequest) (*client.List[client.Decision], error) {
	if a.o.Decisions == nil {
		return nil, errNoDoor
	}
	id, err := activity.ParseRunID(req.ID)
	if err != nil {
		return nil, fault.New(fault.KindNotFound, "api.run_not_found", "there is no run %s", clip(req.ID, 50))
	}
	return a.decisionsPage(ctx, telemetry.DecisionsQuery{Run: id, Limit: orDefault(req.Limit, 200)}, req.Cursor)
}

func getDecision(a *API, ctx context.Context, req *client.IDRequest) (*client.Decision, error) {
	d, err := a.decision(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if !whoOf(ctx).Can(identity.Reader, d.Team, d.Environment) {
		out := decisionOf(d)
		return &out, nil
	}
	if err := a.o.Decisions.Content(ctx, d); err != nil {
		return nil, err
	}
	out := decisionOf(d)
	out.ArgumentsHash = d.ArgumentsHash
	if json.Valid(d.Context) {
		out.Context = d.Context
		var kept struct{ Origins []activity.Origin }
		if err := json.Unmarshal(d.Context, &kept); err == nil {
			for _, o := range kept.Origins {
				out.Origins = append(out.Origins, client.Origin(o))
			}
		}
	}
	if out.UserName, err = a.o.Decisions.UserName(ctx, d.User); err != nil {
		return nil, err
	}
	return &out, nil
}

// decision reads a decision that the caller may know of.
func (a *API) decision(ctx context.Context, id string) (*activity.Decision, error) {
	if a.o.Decisions == nil {
		return nil, errNoDoor
	}
	// One that others may see answers as one that is not there.
	gone := fault.New(fault.KindNotFound, "decision.unknown", "there is no decision %s", clip(id, 50)).
		WithHint("`reeve decision list` lists them; an answer of the door names its own in X-Reeve-Decision")
	d, err := a.o.Decisions.Get(ctx, id)
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Kind == fault.KindNotFound {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	if !whoOf(ctx).Can(identity.Viewer, d.Team, d.Environment) {
		return nil, gone
	}
	return d, nil
}

// decisionOf shapes a decision without its content.
func decisionOf(d *activity.Decision) client.Decision {
	out := client.Decision{
		ID: d.ID, At: at(d.At), CompletedAt: knownAt(d.Completed), Agent: d.Agent, Registered: d.Registered, Instance: d.Instance, Version: d.Version,
		Team: d.Team, Environment: d.Environment, Lifecycle: d.Lifecycle, Autonomy: d.Autonomy, Containment: d.Containment,
		Credential: d.Credential, CredentialID: d.CredentialID, Bound: d.Bound, OnBehalfOf: orEmpty(d.Chain), User: d.User,
		Action: d.Action, Resource: d.Resource, Upstream: d.Upstream, Tool: d.Tool, Model: d.Model, Effect: d.Effect, Pin: d.Pin,
		Verdict: d.Verdict.String(), Would: d.Would.String(), Enforced: d.Enforced, Floor: d.Floor.String(),
		Reasons: make([]client.Reason, len(d.Reasons)), Policies: make([]client.PolicyRef, len(d.Policies)), PolicyVersion: d.PolicyVersion,
		Redacted: d.Redacted, TraceID: d.Trace.String(), SpanID: d.Span.String(), Session: d.Session, ApprovalID: d.Approval,
		Reserved: make([]client.Reserve, len(d.Reserved)), Result: d.Result.String(), Status: int(d.Status), ErrorCode: d.ErrorCode,
		LatencyUS: known(d.LatencyUS), UpstreamUS: known(d.UpstreamUS), DecideUS: known(d.DecideUS), BytesIn: d.BytesIn, BytesOut: d.BytesOut,
		Usage: usageOf(d.Usage), Cost: costOf(d.Cost), Node: d.Node, LocalTool: d.LocalTool, Point: gateway.PointOf(d), ParentID: d.Parent, Seq: known(d.Seq), EndSeq: known(d.EndSeq),
	}
	for i, r := range d.Reasons {
		out.Reasons[i] = client.Reason{Code: r.Code, Text: r.Text}
	}
	for i, p := range d.Policies {
		out.Policies[i] = client.PolicyRef{Policy: p.Policy, Statement: p.Statement, Hash: p.Hash}
	}
	for i, r := range d.Reserved {
		out.Reserved[i] = client.Reserve{Budget: r.Budget, Unit: r.Unit, Amount: r.Amount, Spent: known(r.Spent)}
	}
	if !d.Run.IsZero() {
		out.RunID = d.Run.String()
	}
	if !d.Step.IsZero() {
		out.StepID = d.Step.String()
	}
	return out
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
