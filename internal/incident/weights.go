package incident

import (
	"math"
	"slices"
)

// The rules by which a signal belongs to an incident.
const (
	sameAlert    = "same_alert" // from another instance
	sameRun      = "same_run"
	sameTool     = "same_tool"
	sameServer   = "same_server"
	sameSource   = "same_source"
	samePolicy   = "same_policy"
	sameVersion  = "same_version"
	sameModel    = "same_model"
	sameProvider = "same_provider"
	sameAgent    = "same_agent"
	symptom      = "symptom"    // of the same agent, one of both names no cause
	adjacent     = "adjacent"   // the agent uses what the incident is about
	delegation   = "delegation" // one agent acts for the other, or calls it
	labels       = "labels"
	text         = "text"

	otherThing = "other_thing" // against: the same kind of thing, another one
	otherPlace = "other_place" // against: another environment
)

// Weights say how far each rule alone is believed, from 0 to 1; the last two
// count against.
type Weights map[string]float64

// Defaults are the weights before anybody judged.
func Defaults() Weights {
	return Weights{
		sameAlert: 0.95, sameRun: 0.95, sameTool: 0.85, sameServer: 0.70, sameSource: 0.85, samePolicy: 0.85, sameVersion: 0.80,
		sameModel: 0.70, sameProvider: 0.62, sameAgent: 0.72, symptom: 0.72, adjacent: 0.50, delegation: 0.50,
		labels: 0.45, text: 0.35, otherThing: 0.45, otherPlace: 0.35,
	}
}

// Threshold is what a signal must reach to join an incident.
const Threshold = 0.5

// RuleTexts say what each rule looks at, for people who read weights.
var RuleTexts = map[string]string{
	sameAlert: "the same alert from another instance", sameRun: "the same run", sameTool: "the same tool", sameServer: "tools of the same server", sameSource: "the same source of data",
	samePolicy: "the same policy", sameVersion: "the same version of an agent", sameModel: "the same model", sameProvider: "the same provider of models",
	sameAgent: "the same agent", symptom: "the same agent, and one of both names no cause", adjacent: "an agent that uses what the incident is about",
	delegation: "agents that work for each other", labels: "labels with the same values", text: "similar words",
	otherThing: "against: another thing of the same kind", otherPlace: "against: another environment",
}

const (
	lowest, highest = 0.05, 0.97
	// learn is how far one verdict moves a weight, in log-odds: four of them take
	// 0.60 to 0.38.
	learn = 0.22
)

// moved is the weights after a verdict on joins: those of rules that people
// agreed with grow, those of rules that misled shrink. A rule counts for as much
// as it did in the join.
func (w Weights) moved(reasons []Reason, right bool) Weights {
	out := make(Weights, len(w))
	for k, v := range w {
		out[k] = v
	}
	share := map[string]float64{}
	for _, r := range reasons {
		if _, ok := w[r.Rule]; ok {
			share[r.Rule] = max(share[r.Rule], min(math.Abs(r.Weight), 1))
		}
	}
	for rule, s := range share {
		against := rule == otherThing || rule == otherPlace
		step := learn * s
		if right == against {
			step = -step
		}
		v := min(max(out[rule], lowest), highest)
		odds := math.Log(v/(1-v)) + step
		out[rule] = min(max(math.Round(1e4/(1+math.Exp(-odds)))/1e4, lowest), highest)
	}
	return out
}

// Change is the difference of one weight.
type Change struct {
	Rule   string  `json:"rule"`
	Before float64 `json:"before"`
	After  float64 `json:"after"`
}

// Diff lists what differs between two sets of weights, by rule.
func Diff(before, after Weights) []Change {
	var out []Change
	for _, rule := range sortedKeys(after) {
		if before[rule] != after[rule] {
			out = append(out, Change{rule, before[rule], after[rule]})
		}
	}
	return slices.Clip(out)
}
