package app

import (
	"context"
	"unsafe"

	"reeve/internal/content"
	"reeve/internal/finding"
	"reeve/internal/telemetry"
)

// This file ends keys of ours that are seen where they do not belong.

// leak is a key of ours in a text. What the door saw has no run yet.
type leak struct{ key, place, run, step string }

// openContent reads what content may hold. A key of ours that is seen in content
// dies: the door tells of it and goes on, killing writes to the database.
func (a *App) openContent(ctx context.Context) (err error) {
	a.leaks = make(chan leak, 256)
	a.content, err = content.New(ctx, content.Options{DB: a.control, Leaked: func(key string) {
		a.leaked(leak{key: key, place: "a call at the door"})
	}})
	return err
}

func (a *App) leaked(l leak) {
	select {
	case a.leaks <- l:
	default: // more at once than can be killed: they are seen again
	}
}

// seeKeys looks for keys of ours in what was stored: each message once, however
// often it is sent again.
func (a *App) seeKeys(w *telemetry.Write) {
	for i := range w.Messages {
		m := &w.Messages[i]
		content.EachOwnKey(m.Raw, func(key string) {
			a.leaked(leak{key, "a message of telemetry", m.Run.String(), m.Step.String()})
		})
	}
	var resource []byte // of the step before: those of a batch share theirs
	for i := range w.Steps {
		s := &w.Steps[i]
		parts := [...][]byte{s.Attributes, s.Events, s.Layers, s.Resource}
		look := parts[:]
		if len(s.Resource) == len(resource) && unsafe.SliceData(s.Resource) == unsafe.SliceData(resource) {
			look = parts[:3]
		}
		resource = s.Resource
		for _, b := range look {
			content.EachOwnKey(b, func(key string) {
				a.leaked(leak{key, "an attribute of telemetry", s.Run.String(), s.Step.String()})
			})
		}
	}
	for i := range w.Logs {
		l := &w.Logs[i]
		for _, b := range [][]byte{[]byte(l.Body), l.Attributes, l.Resource} {
			content.EachOwnKey(b, func(key string) { a.leaked(leak{key: key, place: "a log record"}) })
		}
	}
}

// killLeaked ends the keys that were seen in content.
func (a *App) killLeaked(ctx context.Context) error {
	for {
		select {
		case l := <-a.leaks:
			if err := a.kill(ctx, l); err != nil && ctx.Err() == nil {
				a.log.Error("a key that was seen in content could not be killed", "err", err)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// kill ends a key and tells people. Nothing follows from that by itself: whoever
// held the key could have said so, not the agent alone.
func (a *App) kill(ctx context.Context, l leak) error {
	id := l.key[:16] // rvk_ and its public part
	f := finding.Finding{Detector: "leaked_key", Severity: finding.Critical, Subject: id}
	died, err := a.agents.Leaked(ctx, l.key)
	switch {
	case err != nil:
		return err
	case died:
		if of, ok := a.agents.KeyOf(l.key); ok {
			f.Agent, f.Team, f.Environment = of.Name, of.Team, of.Environment
		}
	default:
		if died, err = a.identity.Leaked(ctx, l.key); err != nil || !died {
			return err
		}
	}
	a.log.Warn("a key was seen in content and is dead now", "key", id, "place", l.place)
	if f.Text = "left its key " + id + " in " + l.place + "; the key is dead now"; f.Agent == "" {
		f.Text = "the key " + id + " was seen in " + l.place + "; it is dead now"
	}
	f.Seen, f.Expected = l.place, "keys only in the header of a call"
	if l.run != "" {
		f.Runs, f.Steps = []string{l.run}, []string{l.step}
	}
	_, _, err = a.watching.findings.See(ctx, f)
	return err
}
