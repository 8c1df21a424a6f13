package api

import (
	"context"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Proofs show that the audit logs were not changed.
type Proofs interface {
	Keys() []client.AuditKey
	Rotate(ctx context.Context, by, reason string) ([]client.AuditKey, error)
	Checkpoints() []client.AuditCheckpoint
	Receipt(ctx context.Context, d *activity.Decision, content bool) (*client.DecisionReceipt, error)
	// ProveChange is the receipt of the newest record of a kind in the log of changes
	// that is about exactly that object; not_found when there is none.
	ProveChange(ctx context.Context, kind, object string) ([]byte, error)
	Verify(ctx context.Context) ([]client.AuditReport, error)
	Erase(ctx context.Context, user, by, reason string) (*client.ErasedUser, error)
	EraseRuns(ctx context.Context, runs []activity.RunID, by, reason string) (records int, err error)
}

var errNoProofs = fault.New(fault.KindUnavailable, "api.audit", "there is no audit log here")

func decisionReceipt(a *API, ctx context.Context, req *client.IDRequest) (*client.DecisionReceipt, error) {
	d, err := a.decision(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if a.o.Proofs == nil {
		return nil, errNoProofs
	}
	return a.o.Proofs.Receipt(ctx, d, whoOf(ctx).Can(identity.Reader, d.Team, d.Environment))
}

func listAuditKeys(a *API, _ context.Context, _ *struct{}) (*client.List[client.AuditKey], error) {
	if a.o.Proofs == nil {
		return nil, errNoProofs
	}
	return &client.List[client.AuditKey]{Items: a.o.Proofs.Keys()}, nil
}

func rotateAuditKey(a *API, ctx context.Context, req *client.RotateAuditKeyRequest) (*client.List[client.AuditKey], error) {
	if a.o.Proofs == nil {
		return nil, errNoProofs
	}
	if req.Reason == "" {
		return nil, errReason
	}
	keys, err := a.o.Proofs.Rotate(ctx, actor(ctx), req.Reason)
	if err != nil {
		return nil, err
	}
	return &client.List[client.AuditKey]{Items: keys}, nil
}

var errReason = fault.New(fault.KindInvalid, "api.reason_missing", "say why, for the record")

func listAuditCheckpoints(a *API, _ context.Context, _ *struct{}) (*client.List[client.AuditCheckpoint], error) {
	if a.o.Proofs == nil {
		return nil, errNoProofs
	}
	list := a.o.Proofs.Checkpoints()
	if list == nil {
		list = []client.AuditCheckpoint{}
	}
	return &client.List[client.AuditCheckpoint]{Items: list}, nil
}

func verifyAudit(a *API, ctx context.Context, _ *struct{}) (*client.AuditVerification, error) {
	if a.o.Proofs == nil {
		return nil, errNoProofs
	}
	list, err := a.o.Proofs.Verify(ctx)
	if err != nil {
		return nil, err
	}
	out := &client.AuditVerification{OK: true, Items: list}
	for _, r := range list {
		out.OK = out.OK && r.Break == nil
	}
	return out, nil
}

func eraseUser(a *API, ctx context.Context, req *client.EraseUserRequest) (*client.ErasedUser, error) {
	if a.o.Proofs == nil {
		return nil, errNoProofs
	}
	if req.User == "" || req.Reason == "" {
		return nil, errReason.WithHint("user and reason are needed")
	}
	items, exports, more := a.withdraw(ctx, "", req.User, req.Reason)
	out, err := a.o.Proofs.Erase(ctx, req.User, actor(ctx), req.Reason)
	if out != nil {
		out.Cases, out.Exports = items, exports
	}
	return erasedEverywhere(out, err, more)
}

func listSIEM(a *API, _ context.Context, _ *struct{}) (*client.List[client.SIEMTarget], error) {
	if a.o.SIEM == nil {
		return nil, errNoProofs
	}
	return &client.List[client.SIEMTarget]{Items: a.o.SIEM()}, nil
}
