package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// reloadable are the keys of the configuration that take force without a
// restart; the rest are parts that other parts were built on.
var reloadable = map[string]bool{"log": true}

// reloaded is what the last look at the configuration came to.
type reloaded struct {
	failed  error    // the file cannot be used: nothing was changed
	restart []string // keys that differ and need a restart
}

// Reload takes over what changed in the configuration, which the caller read
// anew, and reads the files of policies again. With an error of reading it
// changes nothing. It never fails: what was before stays, and health, log and an
// event say why.
func (a *App) Reload(ctx context.Context, c Config, failed error) {
	state := &reloaded{failed: failed}
	if failed == nil {
		state.restart = changedKeys(a.o.Config, c)
		if a.o.Level != nil {
			a.o.Level.Set(level(c.Log))
		}
		if err := a.policies.Reload(ctx); err != nil {
			a.log.Error("the files of policies are not in force; what was before stays", "err", err)
		}
	}
	a.config.Store(state)
	switch {
	case failed != nil:
		a.log.Error("configuration not reloaded; what was before stays", "err", failed)
		a.event(ctx, "config.rejected", map[string]any{"problem": failed.Error()})
	default:
		a.log.Info("configuration reloaded", "needs_restart", state.restart)
		a.event(ctx, "config.reloaded", map[string]any{"needs_restart": state.restart})
	}
}

// changedKeys are the keys that differ and do not take force by themselves.
func changedKeys(old, now Config) (out []string) {
	x, y := reflect.ValueOf(old), reflect.ValueOf(now)
	for i := range x.NumField() {
		key, _, _ := strings.Cut(x.Type().Field(i).Tag.Get("yaml"), ",")
		if !reloadable[key] && !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			out = append(out, key)
		}
	}
	if old.Log.Format != now.Log.Format {
		out = append(out, "log.format")
	}
	return out
}

// event tells everybody who follows the events; a failure is logged, since what
// it is about has happened already.
func (a *App) event(ctx context.Context, kind string, data map[string]any) {
	raw, err := json.Marshal(data)
	if err == nil {
		err = a.control.Write(ctx, func(tx *control.Tx) error { return tx.Event(ctx, control.Event{Type: kind, Data: raw}) })
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("an event was not told", "event", kind, "err", err)
	}
}

// watchPolicyFiles tells when the files of policies stop being in force, and when
// they are again.
func (h *health) watchPolicyFiles(ctx context.Context) {
	var now string
	if err := h.a.policies.FileError(); err != nil {
		now = fault.From(err).Message
	}
	if now == h.policyFiles {
		return
	}
	h.policyFiles = now
	if now != "" {
		h.a.event(ctx, "policies.rejected", map[string]any{"problem": now})
		return
	}
	h.a.event(ctx, "policies.files", map[string]any{"in_force": true})
}

func level(c LogConfig) (l slog.Level) {
	_ = l.UnmarshalText([]byte(c.Level)) // Validate has refused any other word
	return l
}
