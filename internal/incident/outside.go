package incident

import (
	"context"
	"errors"
	"time"

	"reeve/internal/fault"
)

// Outside is a change of an incident in another system that was told of it.
type Outside struct {
	Where string // "channel pager (pagerduty)"
	By    string // who did it there, in its words
	To    string // who has it there now
	State string // acknowledge, resolve, unacknowledge, reassign
}

// FromOutside follows what people did in another system. Who acts is the channel,
// with the roles that it stands for. Done before, or over already, it does nothing:
// changed is false then.
func (b *Book) FromOutside(ctx context.Context, who Actor, id string, o Outside) (i Incident, changed bool, err error) {
	by := o.Where
	if o.By != "" {
		by = o.By + " in " + o.Where
	}
	if o.State == "resolve" {
		// The other system is told that nothing was done, not that it did wrong: it would
		// say it again and again.
		err := b.recovered(ctx, who, id)
		if f := fault.From(err); err != nil && f.Code == "incident.not_recovered" {
			return i, false, b.Tell(ctx, id, Entry{Kind: "state", Text: "Resolved elsewhere by " + by + ", and open here: " + f.Message})
		}
		if err != nil {
			return i, false, err
		}
	}
	i, err = b.act(ctx, who, id, 0, "outside_"+o.State, by, func(g *group, now time.Time) (Entry, error) {
		text := outside(&g.inc, o, now)
		if text == "" {
			return Entry{}, errNothing
		}
		return Entry{Kind: "state", Text: text}, nil
	})
	if errors.Is(err, errNothing) {
		return i, false, nil
	}
	return i, err == nil, err
}

var errNothing = errors.New("it stands so already")

// outside changes the state as another system says and gives the sentence for it,
// "" for nothing.
func outside(i *Incident, o Outside, now time.Time) string {
	switch {
	case o.State == "acknowledge" && i.State == Open:
		i.State, i.AcknowledgedAt = Acknowledged, now
		return "Acknowledged elsewhere"
	case o.State == "resolve" && i.Live():
		i.State, i.ResolvedAt = Resolved, now
		return "Resolved elsewhere"
	case o.State == "unacknowledge" && i.State == Acknowledged && i.AcknowledgedBy == "":
		i.State, i.AcknowledgedAt = Open, time.Time{} // what a person here has stays theirs
		return "Nobody has it any more elsewhere"
	case o.State == "reassign" && i.Live():
		if o.To == "" {
			return "Given to somebody else elsewhere"
		}
		return "Given to " + o.To + " elsewhere"
	}
	return ""
}
