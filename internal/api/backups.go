package api

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Backups copies everything while the process goes on.
type Backups interface {
	List(ctx context.Context) (client.Backups, error)
	Make(ctx context.Context, by string) (client.Backup, error)
	Try(ctx context.Context, by, id string) (client.BackupTrial, error)
	// Send makes one and writes it as one file to what begin gives.
	Send(ctx context.Context, by string, begin func(size int64) io.Writer) error
}

func backupOperations() []operation {
	get, post := http.MethodGet, http.MethodPost
	return []operation{
		define(operation{Name: "ListBackups", Method: get, Path: "/backups", Permission: everywhere(identity.Viewer), Summary: "lists backups, the newest first, and when a restore was last tried"}, listBackups),
		define(operation{Name: "MakeBackup", Method: post, Path: "/backups", Permission: everywhere(identity.Admin), Audit: AuditChange, Status: http.StatusCreated, Summary: "makes a backup of everything into the folder of backups"}, makeBackup),
		define(operation{Name: "TryBackup", Method: post, Path: "/backups/{id}/try", Permission: everywhere(identity.Admin), Audit: AuditChange, Summary: "restores a backup on trial and checks its records; nothing of it stays"}, tryBackup),
		// Whoever has it has the keys of the house.
		events(operation{Name: "DownloadBackup", Method: post, Path: "/backup-file", Permission: everywhere(identity.Admin).freshly(), Audit: AuditChange, Summary: "makes a backup and sends it as one tar file"}, sendBackup),
	}
}

func (a *API) backups() (Backups, error) {
	if a.o.Backups == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server makes no backups")
	}
	return a.o.Backups, nil
}

func listBackups(a *API, ctx context.Context, _ *struct{}) (*client.Backups, error) {
	b, err := a.backups()
	if err != nil {
		return nil, err
	}
	l, err := b.List(ctx)
	if err != nil {
		return nil, err
	}
	if l.Items == nil {
		l.Items = []client.Backup{} // a list, also of none
	}
	names := a.personNames(ctx)
	for i := range l.Items {
		l.Items[i].By = names(l.Items[i].By)
	}
	return &l, nil
}

// A backup takes as long as it takes: whoever asked may go meanwhile.
func makeBackup(a *API, ctx context.Context, _ *struct{}) (*client.Backup, error) {
	b, err := a.backups()
	if err != nil {
		return nil, err
	}
	out, err := b.Make(context.WithoutCancel(ctx), actor(ctx))
	if err != nil {
		return nil, err
	}
	out.By = a.personNames(ctx)(out.By)
	return &out, nil
}

func tryBackup(a *API, ctx context.Context, req *client.BackupRequest) (*client.BackupTrial, error) {
	b, err := a.backups()
	if err != nil {
		return nil, err
	}
	out, err := b.Try(context.WithoutCancel(ctx), actor(ctx), req.ID)
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func sendBackup(a *API, w http.ResponseWriter, r *http.Request, _ *struct{}) error {
	b, err := a.backups()
	if err != nil {
		return err
	}
	return b.Send(r.Context(), actor(r.Context()), func(size int64) io.Writer {
		h := w.Header()
		h.Set("Content-Type", "application/x-tar")
		h.Set("Content-Disposition", `attachment; filename="reeve-backup.tar"`)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Reeve-Backup-Bytes", strconv.FormatInt(size, 10))
		return w
	})
}
