package decision

import (
	"unicode/utf8"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
)

// told is what a record says, kept beside its line for as long as that is in
// memory: those who follow the log in the writer's own process (index, budgets)
// need not read what was just written. It is exactly what reading the line
// gives; a record of which that is not certain has none.
type told struct {
	d     *activity.Decision // shared: never changed; nil: read the line
	ended bool               // d is how a decision ended, else what was proposed
	of    int64              // ended: the proposal's sequence
}

// toldBytes is about what one takes in memory.
const toldBytes = 1400

// proposal is what a record of d as proposed will say. user is its pseudonym.
func proposal(d *activity.Decision, user string) told {
	c := *d
	c.User = user
	if !verbatim(&c) {
		return told{}
	}
	if c.Result == activity.ResultPending {
		begin := blank()
		begin.Result = activity.ResultPending
		conclude(&c, &begin)
		c.Reserved = keepReserved(d.Reserved, false)
	} else {
		conclude(&c, d)
		c.Completed, c.Reserved = wholeMicros(c.Completed), keepReserved(d.Reserved, true)
	}
	c.At = wholeMicros(c.At)
	c.Chain, c.Redacted = keepList(c.Chain), keepList(c.Redacted)
	c.Reasons, c.Policies = keepList(c.Reasons), keepList(c.Policies)
	c.ArgumentsHash, c.Context, c.Node, c.Seq, c.EndSeq = "", nil, "", activity.Unknown, activity.Unknown
	return told{d: &c}
}

// ending is what a record of d as completed will say; of is the proposal's
// sequence.
func ending(d *activity.Decision, of int64) told {
	if !verbatim(d) {
		return told{}
	}
	c := activity.Decision{ID: d.ID}
	conclude(&c, d)
	c.Completed = wholeMicros(c.Completed)
	c.Redacted, c.Reserved = keepList(c.Redacted), keepReserved(d.Reserved, true)
	return told{d: &c, ended: true, of: of}
}

// conclude adds to d how it ended, as with says it.
func conclude(d, with *activity.Decision) {
	d.Completed, d.Result, d.Status, d.ErrorCode = with.Completed, with.Result, with.Status, with.ErrorCode
	d.LatencyUS, d.UpstreamUS, d.DecideUS = with.LatencyUS, with.UpstreamUS, with.DecideUS
	d.BytesIn, d.BytesOut, d.Usage = with.BytesIn, with.BytesOut, with.Usage
	d.Cost = activity.Cost{}
	if with.Cost.Basis != activity.CostUnknown {
		d.Cost = with.Cost
	}
	if len(with.Redacted) > 0 {
		d.Redacted = with.Redacted
	}
	if len(with.Reserved) > 0 {
		d.Reserved = with.Reserved
	}
}

func wholeMicros(ns int64) int64 {
	if ns < 0 {
		return activity.Unknown
	}
	return ns / 1000 * 1000
}

// keepList copies a list that its owner may change; an empty one reads as none.
func keepList[T any](list []T) []T { return append([]T(nil), list...) }

func keepReserved(list []activity.Reserve, spent bool) []activity.Reserve {
	out := keepList(list)
	for i := range out {
		out[i].Since = out[i].Since / 1000 * 1000
		if !spent {
			out[i].Spent = activity.Unknown
		}
	}
	return out
}

// verbatim reports whether d's record says every text, list and number as it
// is: nothing is too long, replaced or left out.
func verbatim(d *activity.Decision) bool {
	for _, s := range [...]string{
		d.ID, d.Agent, d.Instance, d.Version, d.Team, d.Environment, d.Lifecycle, d.Autonomy, d.Containment, d.Credential, d.CredentialID,
		d.User, d.Action, d.Resource, d.Upstream, d.Tool, d.Model, d.Effect, d.Pin, d.Session, d.Approval, d.ErrorCode, d.Parent,
		d.Cost.Currency, d.Cost.Price,
	} {
		if !plain(s) {
			return false
		}
	}
	if len(d.Chain) > maxList || len(d.Redacted) > maxList || len(d.Reasons) > maxList || len(d.Policies) > maxList || len(d.Reserved) > maxList || d.At < 0 {
		return false
	}
	for _, s := range d.Chain {
		if !plain(s) {
			return false
		}
	}
	for _, s := range d.Redacted {
		if !plain(s) {
			return false
		}
	}
	for _, r := range d.Reasons {
		if !plain(r.Code) || !plain(r.Text) {
			return false
		}
	}
	for _, p := range d.Policies {
		if !plain(p.Policy) || !plain(p.Statement) || !plain(p.Hash) {
			return false
		}
	}
	for _, r := range d.Reserved {
		if !plain(r.Budget) || !plain(r.Key) || !plain(r.Unit) || !exact(r.Count, r.Amount, r.Spent) || r.Since < 0 {
			return false
		}
	}
	u := &d.Usage
	return exact(d.ArgumentsBytes, d.PolicyVersion, d.LatencyUS, d.UpstreamUS, d.DecideUS, d.BytesIn, d.BytesOut, d.Cost.Nanos,
		u.InputTotal, u.CacheRead, u.CacheWrite, u.OutputTotal, u.Reasoning)
}

func plain(s string) bool { return len(s) <= maxText && utf8.ValidString(s) }

func exact(list ...int64) bool {
	for _, v := range list {
		if v > record.MaxInteger || v < -record.MaxInteger {
			return false
		}
	}
	return true
}
