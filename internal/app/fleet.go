package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/fleet"
	"reeve/internal/stop"
)

// openFleet loads what was observed of the agents, and the standard.
func (a *App) openFleet(ctx context.Context) error {
	standard, err := a.o.Config.Standard.read()
	if err != nil {
		return err
	}
	a.fleet, err = fleet.New(ctx, fleet.Options{
		DB: a.control, Agents: a.agents, Stops: nameStops{a}, Logger: a.log.With("part", "fleet"),
		Standard: standard, Known: a.knownPart, Policies: a.policiesAbout,
	})
	return err
}

func (c StandardConfig) read() (*fleet.Standard, error) {
	if c.File == "" {
		return fleet.ReadStandard(nil)
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "config.invalid", "standard.file: %s cannot be read", c.File).WithCause(err)
	}
	s, err := fleet.ReadStandard(text)
	if err != nil {
		return nil, fmt.Errorf("reading the standard from %s: %w", c.File, err)
	}
	return s, nil
}

// agentChanged tells who follows the register.
func (a *App) agentChanged(before, after *agent.Agent) {
	if a.fleet != nil { // nil only while the process is built, when nothing changes
		a.fleet.Changed(before, after)
	}
	a.cutContained(before, after)
	a.voidApprovals(before, after)
	a.authority.agentChanged(before, after)
}

// knownPart reports whether an upstream offers a model or is a server.
func (a *App) knownPart(_ *agent.Agent, kind, name, detail string) bool {
	switch kind {
	case fleet.KindServer:
		_, ok := a.upstreams.Lookup(name)
		return ok
	case fleet.KindModel:
		return slices.ContainsFunc(a.upstreams.List(), func(u client.Upstream) bool { return offers(&u, name, detail) })
	}
	return false
}

// offers reports whether an upstream serves a model: one that it lists, or with
// no list any of the provider whose wire format it speaks.
func offers(u *client.Upstream, model, provider string) bool {
	if u.Kind != "llm" {
		return false
	}
	for _, m := range u.Models {
		if prefix, ok := strings.CutSuffix(m.Name, "*"); m.Name == model || ok && strings.HasPrefix(model, prefix) {
			return true
		}
	}
	return len(u.Models) == 0 && u.Dialect != "" && strings.Contains(provider, u.Dialect)
}

// policiesAbout names the policies that can be about an agent, with a hash of
// their text.
func (a *App) policiesAbout(g *agent.Agent) (names []string, hash string) {
	if a.policies == nil {
		return nil, ""
	}
	sum := sha256.New()
	for _, p := range a.policies.About(g.Name, g.Team) {
		names = append(names, p.Name)
		for i := range p.Statements {
			fmt.Fprintf(sum, "%s\x00%s\x00%v\n", p.Name, p.Statements[i].Hash, p.Observe)
		}
	}
	return names, hex.EncodeToString(sum.Sum(nil)[:8])
}

// nameStops lets the fleet stop a name at the door.
type nameStops struct{ app *App }

func (s nameStops) StopName(ctx context.Context, by, name, reason string) (string, error) {
	st, err := s.app.stops.Stop(ctx, by, client.StopTarget{Kind: stop.KindAgent, Value: name}, reason, time.Time{})
	return st.ID, err
}

func (s nameStops) LiftStop(ctx context.Context, by, id, reason string) error {
	_, err := s.app.stops.Lift(ctx, by, id, reason)
	if fault.Is(err, fault.KindNotFound) || fault.Is(err, fault.KindConflict) {
		return nil // it was lifted, or ended by itself
	}
	return err
}
