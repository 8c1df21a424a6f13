package policy

import (
	"cmp"

	"reeve/internal/activity"
)

// Effect is what the floor takes an action to be: the resource's effect as a
// person set it, else what its type always is, else the worst.
func (r *Resource) effect() string {
	if r.Effect != "" {
		return r.Effect
	}
	switch r.Type {
	case "Model":
		return "think"
	case "Source":
		return "read"
	}
	return "destructive"
}

// Reaches reports whether an agent may use a resource's upstream at all: it is
// its team's, or shared. In --dev an agent that nobody made and no key stands for
// belongs to no team that could own anything, so it reaches all of them.
func (e *Engine) Reaches(a *Agent, credential string, x *Resource) bool {
	return x.UpstreamShared || x.UpstreamTeam == a.Team || x.Upstream == "" || e.Dev && credential == "dev"
}

// Unreached is the reason of a refusal where Reaches says no.
func Unreached() activity.Reason { return floorReason(floorTeam) }

const (
	floorTeam = "floor.upstream_team"
	floorOut  = "floor.source_out_of_use"
)

// floor is what an agent may do at most, whatever the policies say. Every word
// that it does not know denies.
func (e *Engine) floor(r *Request, effect string) (activity.Verdict, string) {
	const allow, hold, deny = activity.VerdictAllow, activity.VerdictHold, activity.VerdictDeny
	a, risk := &r.Agent, 0
	switch effect {
	case "think", "read":
	case "write":
		risk = 1
	case "destructive":
		risk = 2
	default:
		return deny, "floor.effect"
	}
	switch a.Lifecycle {
	case "pilot", "production":
	case "draft":
		if !e.Dev {
			return deny, "floor.draft"
		}
	case "retired":
		return deny, "floor.retired"
	default:
		return deny, "floor.lifecycle"
	}
	if !e.Reaches(a, r.Call.Credential, &r.Resource) {
		return deny, floorTeam
	}
	if r.Resource.OutOfUse {
		return deny, floorOut
	}
	// holdFrom and denyFrom are the risks from which it holds and denies.
	holdFrom, denyFrom, code := 3, 3, ""
	switch a.Containment {
	case "none", "throttled": // throttled scales limits, which are the gateway's
	case "supervised":
		holdFrom, code = 1, "floor.contained_supervised"
	case "read_only":
		denyFrom, code = 1, "floor.contained_read_only"
	case "quarantined":
		return deny, "floor.quarantined"
	default:
		return deny, "floor.containment"
	}
	if risk >= denyFrom {
		return deny, code
	}
	switch a.Autonomy {
	case "autonomous":
	case "bounded":
		if risk == 2 {
			return hold, "floor.bounded"
		}
	case "supervised":
		if risk >= 1 {
			return hold, "floor.supervised"
		}
	case "read_only":
		if risk >= 1 {
			return deny, "floor.read_only"
		}
	default:
		return deny, "floor.autonomy"
	}
	if risk >= holdFrom {
		return hold, code
	}
	return allow, ""
}

// floorTexts say what the floor refuses, to people.
var floorTexts = map[string]string{
	"floor.effect":               "nobody said what this action does, so it counts as the worst",
	"floor.draft":                "the agent is a draft",
	"floor.retired":              "the agent is retired",
	"floor.lifecycle":            "the agent's lifecycle is not known",
	"floor.contained_supervised": "the agent is contained: each write waits for a person",
	"floor.contained_read_only":  "the agent is contained: it may only think and read",
	"floor.quarantined":          "the agent is quarantined",
	"floor.containment":          "the agent's containment is not known",
	"floor.bounded":              "an agent of autonomy bounded destroys only when a person agrees",
	"floor.supervised":           "an agent of autonomy supervised acts only when a person agrees",
	"floor.read_only":            "an agent of autonomy read_only may only think and read",
	"floor.autonomy":             "the agent's autonomy is not known",
	floorOut:                     "the source was taken out of use",
	floorTeam:                    "the upstream belongs to another team, which does not share it",
}

func floorReason(code string) activity.Reason {
	return activity.Reason{Code: code, Text: cmp.Or(floorTexts[code], "the agent's standing allows no more")}
}
