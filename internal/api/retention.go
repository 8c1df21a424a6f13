package api

import (
	"context"
	"net/http"
	"time"

	"reeve/client"
	"reeve/internal/erase"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/retention"
)

// Keeping is how long telemetry is kept, and what the store holds of a user.
type Keeping interface {
	Show(ctx context.Context) (client.Retention, error)
	Preview(ctx context.Context, in client.PutRetentionRequest) (client.RetentionPreview, error)
	Put(ctx context.Context, who retention.Actor, in client.PutRetentionRequest) error
	Delete(ctx context.Context, who retention.Actor, in client.DeleteRetentionRequest) error
	// KeptSince is from when on all records of a table are there; what is older may
	// be gone by its age, by the store's size or by a former rule. Zero: nothing is. With
	// content it is from when on what was said in them is there, too.
	KeptSince(ctx context.Context, table string, content bool) (time.Time, error)
	// Subject finds what an erasure is of, before anything goes.
	Subject(ctx context.Context, req client.ErasePersonRequest) (*erase.Subject, error)
	// Copies cuts words of it out of what other parts copied.
	Copies(ctx context.Context, s *erase.Subject, dry bool) ([]erase.Found, error)
	Learned(s *erase.Subject, dry bool) int64
	Decided(ctx context.Context, s *erase.Subject) (int64, error)
	ForgetRuns(ctx context.Context, s *erase.Subject, dry bool) (n, left int64, err error)
	// Scrub writes the databases anew, without what went.
	Scrub(ctx context.Context) error
	Erased(ctx context.Context, e client.Erasure, by, via string) (client.Erasure, error)
	Erasures(ctx context.Context) ([]client.Erasure, error)
}

func retentionOperations() []operation {
	get, post := http.MethodGet, http.MethodPost
	return []operation{
		define(operation{Name: "GetRetention", Method: get, Path: "/retention", Permission: everywhere(identity.Viewer), Summary: "tells how long telemetry is kept, by environment, team and kind"}, getRetention),
		define(operation{Name: "PreviewRetention", Method: post, Path: "/retention/preview", Permission: everywhere(identity.Admin).reading(), Summary: "counts what a rule of retention would drop; nothing changes"}, previewRetention),
		define(operation{Name: "PutRetention", Method: http.MethodPut, Path: "/retention", Permission: everywhere(identity.Admin).freshly(), Audit: AuditChange, Summary: "says how long something is kept; what is older goes within the hour, for good"}, putRetention),
		define(operation{Name: "DeleteRetention", Method: http.MethodDelete, Path: "/retention", Permission: everywhere(identity.Admin).freshly(), Audit: AuditChange, Summary: "drops a rule of retention; the less specific one holds again"}, deleteRetention),
		define(operation{Name: "ListErasures", Method: get, Path: "/erasures", Permission: everywhere(identity.Admin), Summary: "lists the receipts of erasures, the newest first"}, listErasures),
		define(operation{Name: "ErasePerson", Method: post, Path: "/erasures", Permission: everywhere(identity.Admin).freshly(), Audit: AuditChange, Status: http.StatusCreated, Summary: "erases what every part holds of a user of agents, of a session or of a run, or with dry_run tells what that is"}, erasePerson),
	}
}

func (a *API) keeping() (Keeping, error) {
	if a.o.Keeping == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no telemetry")
	}
	return a.o.Keeping, nil
}

func getRetention(a *API, ctx context.Context, _ *struct{}) (*client.Retention, error) {
	k, err := a.keeping()
	if err != nil {
		return nil, err
	}
	out, err := k.Show(ctx)
	return &out, err
}

func previewRetention(a *API, ctx context.Context, req *client.PutRetentionRequest) (*client.RetentionPreview, error) {
	k, err := a.keeping()
	if err != nil {
		return nil, err
	}
	out, err := k.Preview(ctx, *req)
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func retentionActor(ctx context.Context) retention.Actor {
	who := actorOf(ctx)
	return retention.Actor{Person: who.Person, Name: who.Name, Via: who.Via}
}

func putRetention(a *API, ctx context.Context, req *client.PutRetentionRequest) (*client.Retention, error) {
	k, err := a.keeping()
	if err != nil {
		return nil, err
	}
	if req.Team != "" {
		if err := a.needTeam(ctx, whoOf(ctx), req.Team); err != nil {
			return nil, err
		}
	}
	if err := k.Put(ctx, retentionActor(ctx), *req); err != nil {
		return nil, err
	}
	return getRetention(a, ctx, nil)
}

func deleteRetention(a *API, ctx context.Context, req *client.DeleteRetentionRequest) (*client.Retention, error) {
	k, err := a.keeping()
	if err != nil {
		return nil, err
	}
	if err := k.Delete(ctx, retentionActor(ctx), *req); err != nil {
		return nil, err
	}
	return getRetention(a, ctx, nil)
}

func listErasures(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Erasure], error) {
	k, err := a.keeping()
	if err != nil {
		return nil, err
	}
	list, err := k.Erasures(ctx)
	return listOf(list, err, func(e client.Erasure) client.Erasure { return e })
}
