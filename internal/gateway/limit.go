package gateway

import (
	"context"

	"reeve/internal/activity"
	"reeve/internal/budget"
	"reeve/internal/fault"
)

// limit takes the call from rates and reserves its upper bound in budgets.
func (d *Door) limit(_ context.Context, x *passage) error {
	// One that uses an approval was counted when it asked.
	if x.granted == nil {
		if err := d.rates(x); err != nil {
			return err
		}
	}
	if d.o.Budgets == nil {
		return nil
	}
	held, err := d.o.Budgets.Reserve(x.started, d.use(x))
	x.reservation = held
	x.record.Reserved = held.Amounts()
	if err != nil {
		return x.would(err)
	}
	return nil
}

// rates counts the call where policy, a pilot or a containment sets how often.
func (d *Door) rates(x *passage) error {
	if d.o.Rates == nil {
		return nil
	}
	r, c := &x.record, &x.Caller
	var buf [8]budget.Rate
	list := buf[:0]
	for _, l := range x.verdict.Limits {
		list = append(list, budget.Rate(l))
	}
	for _, l := range d.o.Limits.Rates(r.Lifecycle, r.Containment) {
		list = append(list, budget.Rate{Text: l, Statement: "limits"})
	}
	keys := budget.Keys{Agent: r.Agent, Instance: c.Instance, User: c.User, Team: r.Team, Resource: r.Resource}
	if err := d.o.Rates.TakeRates(x.started, list, keys, d.o.Limits.Scale(r.Containment)); err != nil {
		return x.would(err)
	}
	return nil
}

// would is a refusal that observing only notes; a containment is no policy and
// refuses all the same.
func (x *passage) would(err error) error {
	if !x.observed || x.record.Containment != "none" && x.record.Containment != "" {
		return err
	}
	f := fault.From(err)
	x.record.Would, x.record.Enforced = activity.VerdictDeny, false
	x.record.Reasons = append(x.record.Reasons, activity.Reason{Code: f.Code, Text: f.Message})
	return nil
}

// use is what the call may come to at most.
func (d *Door) use(x *passage) budget.Use {
	r, p := &x.record, x.proposal
	return budget.Use{
		Agent: r.Agent, User: x.Caller.User, Task: x.Caller.Agent.Task, Team: r.Team, Pilot: r.Lifecycle == "pilot", Observe: x.observed,
		Calls: 1, Tokens: p.MaxTokens, MoneyNanos: d.most(x),
	}
}

// most is the most money that the call can cost: unknown when its tokens or its
// price are.
func (d *Door) most(x *passage) int64 {
	p := x.proposal
	switch {
	case p.MaxTokens == 0:
		return 0
	case d.o.Prices == nil:
		return activity.Unknown
	}
	provider, model := p.model()
	nanos, currency, ok := d.o.Prices.Bound(provider, model, x.started, p.MaxInput, p.MaxOutput)
	if !ok || currency != budget.Currency {
		return activity.Unknown // and so refused under a hard budget in money
	}
	return nanos
}

// cost is what the price book makes of usage; its Nanos are Unknown when it has
// no price.
func (d *Door) cost(x *passage, u activity.Usage, answered string) activity.Cost {
	unknown := activity.Cost{Nanos: activity.Unknown}
	if d.o.Prices == nil || !u.Known() {
		return unknown
	}
	provider, model := x.proposal.model()
	// A dated name that the book does not have yet costs what was asked for does.
	for _, name := range []string{answered, model} {
		if c := d.o.Prices.Cost(provider, name, x.started, u); name != "" && c.Basis != activity.CostUnknown {
			return c
		}
	}
	return unknown
}

// spent ends the reservation with what the call came to.
func (d *Door) spent(x *passage) {
	r := &x.record
	if x.hasFacts {
		r.Usage = x.facts.Usage
	}
	r.Cost = activity.Cost{}
	if c := d.cost(x, r.Usage, x.facts.Model); c.Basis != activity.CostUnknown {
		r.Cost = c
	}
	if x.reservation == nil {
		return
	}
	tokens, money := activity.Unknown, activity.Unknown
	switch {
	case !x.forwarded:
		x.reservation.Release()
	case r.Usage.InputTotal >= 0 && r.Usage.OutputTotal >= 0:
		tokens = r.Usage.InputTotal + r.Usage.OutputTotal
		if r.Cost.Basis != activity.CostUnknown && r.Cost.Currency == budget.Currency {
			money = r.Cost.Nanos
		}
	case r.Status >= 400:
		tokens, money = 0, 0 // no provider bills a call that it refused
	}
	x.reservation.Settle(x.started, tokens, money)
	r.Reserved = x.reservation.Amounts()
}
