package app

import (
	"context"
	"fmt"

	"reeve/internal/identity"
	"reeve/internal/intake"
	"reeve/internal/source"
)

// buildIntake wires the letter box to the log (through health, which says when
// to refuse) and to the intake keys.
func (a *App) buildIntake(ctx context.Context) (err error) {
	a.health = &health{a: a}
	o := intake.Options{
		Config: a.o.Config.intakeLimits(),
		Log:    a.health,
		Keys:   senders{a.identity},
		Logger: a.log.With("part", "intake"),
		Stages: &a.stages,
		Table:  a.o.Table,
		Slow:   a.health.slow,
		Keeps:  a.keeping.longest,
	}
	if a.sources, err = source.New(source.Options{DB: a.control, Logger: a.log.With("part", "sources"), Auditor: auditor{a}}); err != nil {
		return err
	}
	if err := a.sources.Load(ctx); err != nil {
		return err
	}
	o.Sources, o.Relay, o.Install = a.sources, a.relays, a.control.Install()
	if err := a.openAlerts(ctx); err != nil {
		return err
	}
	o.Hooks, o.Alerts, o.Changes, o.Feedback = a.hooks, a.alerts, a.changes, a.feedback
	if a.o.Config.Dev {
		o.Anonymous = &intake.Sender{ID: "dev"}
	}
	a.intake, err = intake.New(o)
	return err
}

// intakeLimits are the limits as intake takes them.
func (c *Config) intakeLimits() intake.Config {
	return intake.Config{MaxBody: int64(c.Intake.MaxBody), MaxAttribute: int64(c.Intake.MaxAttribute), InFlight: int64(c.Intake.InFlight)}
}

// senders lets intake check its keys against identity.
type senders struct{ *identity.Directory }

func (s senders) Sender(ctx context.Context, credential string) (intake.Sender, error) {
	k, err := s.IntakeKey(ctx, credential)
	if err != nil {
		return intake.Sender{}, fmt.Errorf("checking an intake key: %w", err)
	}
	return intake.Sender{
		ID: k.ID, Team: k.Team, Environment: k.Environment,
		SpansPerSecond: float64(k.SpansPerSecond), BytesPerSecond: float64(k.BytesPerSecond),
	}, nil
}
