package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

const (
	defaultSessions = 50
	// maxSessionRuns bounds the runs read for one page of sessions; a session
	// with more is marked partial.
	maxSessionRuns = 5000
)

// maxSeenSessions keeps a cursor below what a parameter may be long.
const maxSeenSessions = 350

// seenSession stands for a session in a cursor: senders choose ids, and long
// ones would make a cursor that we refuse ourselves.
func seenSession(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}

// listSessions finds the sessions of the newest runs, then reads all runs of
// those sessions in the period, so that the figures of a session are whole.
func listSessions(a *API, ctx context.Context, req *client.ListSessionsRequest) (*client.List[client.Session], error) {
	find, err := a.runsQuery(ctx, &client.ListRunsRequest{
		Agent: req.Agent, Environment: req.Environment, Team: req.Team, Query: req.Query, From: req.From, To: req.To, Limit: 500,
	})
	if err != nil {
		return nil, err
	}
	find.Filter = search.Both(find.Filter, exactly("user", req.User), &search.Not{Of: search.Unknown("session")})
	limit := orDefault(req.Limit, defaultSessions)
	cur := struct {
		Runs string   `json:"r"`
		Seen []string `json:"s"` // sessions whose runs straddle pages
	}{}
	if req.Cursor != "" {
		if err := readCursor(req.Cursor, &cur); err != nil {
			return nil, err
		}
		find.Cursor = cur.Runs
	}
	var order []string
	for more := true; more && len(order) < limit; {
		// A page is asked for by as many runs as sessions are missing, so that
		// none is passed over; at most 500 rows a time.
		find.Limit = min(500, limit-len(order))
		page, err := a.runs(ctx, find)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Runs {
			if !slices.Contains(order, r.Session) && !slices.Contains(cur.Seen, seenSession(r.Session)) {
				order = append(order, r.Session)
			}
		}
		find.Cursor, more = page.Next, page.Next != ""
	}
	out := &client.List[client.Session]{Items: []client.Session{}}
	if len(order) == 0 {
		return out, nil
	}
	all := telemetry.RunsQuery{From: find.From, To: find.To, Teams: find.Teams, Sort: "started", Limit: 500}
	_, only := reachOf(whoOf(ctx), identity.Viewer)
	all.Filter = search.Both(search.Is("session", order...), exactly("environment", req.Environment), exactly("team", req.Team), only)
	byID := map[string]*sessionSum{}
	read := 0
	for {
		page, err := a.runs(ctx, all)
		if err != nil {
			return nil, err
		}
		for i := range page.Runs {
			r := &page.Runs[i]
			if byID[r.Session] == nil {
				byID[r.Session] = newSessionSum(r)
			}
			byID[r.Session].add(r)
		}
		read += len(page.Runs)
		if page.Next == "" {
			break
		}
		if all.Cursor = page.Next; read >= maxSessionRuns {
			for _, s := range byID {
				s.out.Partial = true
			}
			break
		}
	}
	for _, id := range order {
		if s := byID[id]; s != nil {
			out.Items = append(out.Items, s.done())
		}
	}
	slices.SortStableFunc(out.Items, func(x, y client.Session) int { return y.UpdatedAt.Compare(x.UpdatedAt) })
	if find.Cursor != "" {
		cur.Runs = find.Cursor
		for _, id := range order {
			cur.Seen = append(cur.Seen, seenSession(id))
		}
		// Old sessions leave the cursor: by then their runs are far behind.
		cur.Seen = cur.Seen[max(0, len(cur.Seen)-maxSeenSessions):]
		out.Next = writeCursor(cur)
	}
	return out, nil
}

// sessionSum adds up the runs of a session. A sum with an unknown part is
// unknown only where every part is; the runs' own coverage tells the rest.
type sessionSum struct {
	out    client.Session
	usage  activity.Usage
	cost   activity.Cost
	latest int64
}

func newSessionSum(r *activity.Run) *sessionSum {
	return &sessionSum{
		out:   client.Session{ID: r.Session, Agents: []string{}, StartedAt: at(r.Start), UpdatedAt: at(r.Start)},
		usage: activity.NoUsage,
	}
}

func (s *sessionSum) add(r *activity.Run) {
	o := &s.out
	o.Runs++
	if r.RootError || r.Outcome == "failed" {
		o.ErrorRuns++
	}
	if r.Status == activity.RunRunning || r.Status == activity.RunWaiting {
		o.Running++
	}
	if !slices.Contains(o.Agents, r.Agent) && r.Agent != "" {
		o.Agents = append(o.Agents, r.Agent)
	}
	o.User = cmp.Or(o.User, r.User)
	if t := at(r.Start); t.Before(o.StartedAt) {
		o.StartedAt = t
	}
	if t := at(max(r.Start, r.End)); t.After(o.UpdatedAt) {
		o.UpdatedAt = t
	}
	if r.Start >= s.latest {
		s.latest, o.LastStatus = r.Start, r.Status.String()
	}
	for _, p := range []struct{ sum, part *int64 }{
		{&s.usage.InputTotal, &r.Usage.InputTotal},
		{&s.usage.CacheRead, &r.Usage.CacheRead},
		{&s.usage.CacheWrite, &r.Usage.CacheWrite},
		{&s.usage.OutputTotal, &r.Usage.OutputTotal},
		{&s.usage.Reasoning, &r.Usage.Reasoning},
	} {
		if *p.part != activity.Unknown {
			*p.sum = max(*p.sum, 0) + *p.part
		}
	}
	if r.Cost.Basis != activity.CostUnknown {
		if s.cost.Basis == activity.CostUnknown || r.Cost.Basis < s.cost.Basis {
			s.cost.Basis = r.Cost.Basis
		}
		s.cost.Nanos += r.Cost.Nanos
		s.cost.Currency = cmp.Or(s.cost.Currency, r.Cost.Currency)
	}
}

func (s *sessionSum) done() client.Session {
	s.out.Usage, s.out.Cost = usageOf(s.usage), costOf(s.cost)
	slices.Sort(s.out.Agents)
	return s.out
}
