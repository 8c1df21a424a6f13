package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/steer"
)

// openApprovals loads what waits for people, before anything listens.
func (a *App) openApprovals(ctx context.Context) error {
	key, err := keyFile(filepath.Join(a.o.Config.Data, "approval-key"), approval.KeySize)
	if err != nil {
		return err
	}
	a.approvals, err = approval.New(ctx, approval.Options{
		DB: a.control, Key: key, Config: a.o.Config.Approvals, Logger: a.log.With("part", "approvals"),
	})
	if err != nil {
		return err
	}
	if a.steer, err = steer.New(ctx, steer.Options{DB: a.control, Logger: a.log.With("part", "steering")}); err != nil {
		return err
	}
	if a.timers == nil {
		a.timers = map[string]control.TimerFunc{}
	}
	a.timers[approval.TimerExpire] = a.approvals.Expire
	return nil
}

// keyFile reads a key of so many bytes, making it at first.
func keyFile(path string, size int) ([]byte, error) {
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) == size:
		return key, nil
	case err == nil:
		return nil, fault.New(fault.KindInternal, "app.key", "the key %s has %d bytes and should have %d", path, len(key), size).WithHint("restore it from a backup")
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading the key %s: %w", path, err)
	}
	key = make([]byte, size)
	rand.Read(key)
	if err := os.WriteFile(path, key, 0o600); err != nil {
		return nil, fault.New(fault.KindUnavailable, "app.data_folder", "the data folder cannot be written").WithCause(err)
	}
	return key, nil
}

// approvalPage is where people see an approval.
func (a *App) approvalPage(id string) string {
	if base := a.o.Config.Approvals.Console; base != "" {
		return base + "/approvals/" + id
	}
	scheme := "http"
	if a.o.Config.TLS.Cert != "" {
		scheme = "https"
	}
	if at := a.Address("listen"); at != "" {
		return scheme + "://" + at + "/approvals/" + id
	}
	return "reeve approval show " + id
}

// voidApprovals ends what an agent was waiting for under another containment, or
// with credentials that are dead.
func (a *App) voidApprovals(before, after *agent.Agent) {
	if a.approvals == nil || before == nil || after == nil {
		return
	}
	now := time.Now()
	contained := after.Contained(now)
	if before.Contained(now) == contained && before.Epoch == after.Epoch && after.Lifecycle != agent.Retired {
		return
	}
	a.approvals.VoidWhere(func(k *approval.Ask) (code, reason string) {
		switch {
		case k.Agent != after.Name:
			return "", ""
		case after.Lifecycle == agent.Retired:
			return "approval.agent", "the agent was retired"
		case k.Containment != contained:
			return "approval.containment", "the agent's containment changed"
		case k.Epoch < after.Epoch:
			return "approval.credential", "the agent's credentials were ended"
		}
		return "", ""
	})
}
