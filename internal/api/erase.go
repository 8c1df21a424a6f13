package api

import (
	"context"
	"fmt"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
)

// This file is the one door through which a person is erased. Each part erases in
// its own way and is asked on its own: one that fails leaves the others done, and
// the receipt says what is left, so that asking again finishes it.

// holder is a part that may hold something of a user.
type holder struct {
	part string
	here func(*API) bool
	// holds counts what is there; nil when the part cannot tell beforehand.
	holds func(a *API, ctx context.Context, user string) (n, left int64, err error)
	erase func(a *API, ctx context.Context, user, reason string) (n, left int64, err error)
	note  string
}

var holders = []holder{
	{
		part: "telemetry", note: "runs made for them, with steps, messages and logs; what rollups count stays, since it names nobody. A run that still goes on is left: ask again once it ended.",
		here: func(a *API) bool { return a.o.Keeping != nil },
		holds: func(a *API, ctx context.Context, user string) (int64, int64, error) {
			return a.o.Keeping.HoldsOf(ctx, user)
		},
		erase: func(a *API, ctx context.Context, user, _ string) (int64, int64, error) {
			return a.o.Keeping.ForgetUser(ctx, user)
		},
	},
	{
		part: "cases", note: "what was kept of their runs in data sets, what agents answered to it in experiments, files that were exported of it, and in what topics they asked",
		here: func(a *API) bool { return a.o.Keeping != nil },
		erase: func(a *API, ctx context.Context, user, reason string) (int64, int64, error) {
			items, exports, err := a.withdraw(ctx, "", user, reason)
			return items + int64(len(exports)), 0, err
		},
	},
	{
		part: "decisions", note: "their name, and the content of decisions made for them; the records stay, and one says what was erased",
		here: func(a *API) bool { return a.o.Proofs != nil },
		erase: func(a *API, ctx context.Context, user, reason string) (int64, int64, error) {
			out, err := a.o.Proofs.Erase(ctx, user, actor(ctx), reason)
			if fault.From(err).Code == "decision.no_user" {
				return 0, 0, nil
			}
			if err != nil {
				return 0, 0, err
			}
			return int64(out.Records), 0, nil
		},
	},
	{
		part: "feedback", note: "what they said and how to reach them; that something was said, and its verdict, stays",
		here: func(a *API) bool { return a.o.Feedback != nil },
		erase: func(a *API, ctx context.Context, user, reason string) (total, left int64, err error) {
			teams, err := a.o.Identity.Teams(ctx)
			if err != nil {
				return 0, 0, err
			}
			names := []string{""} // given without a team
			for _, t := range teams {
				names = append(names, t.Name)
			}
			for _, team := range names {
				n, err := a.o.Feedback.Erase(ctx, feedbackActor(ctx), "", team, user, reason)
				if total += int64(n); err != nil {
					return total, 0, err
				}
			}
			return total, 0, nil
		},
	},
	{
		part: "backups", note: "backups made before hold it until they are replaced; erase again after restoring one",
		here: func(a *API) bool { return a.o.Backups != nil },
		holds: func(a *API, ctx context.Context, _ string) (int64, int64, error) {
			l, err := a.o.Backups.List(ctx)
			n := int64(0)
			for _, b := range l.Items {
				if b.State == "whole" {
					n++
				}
			}
			return n, n, err
		},
	},
	{part: "elsewhere", note: "not looked into: words of incidents, findings and evaluations that quote a run; runs of others in which a step names the user; what waits in the log and in the relay's queue. Not ours: what was relayed, sent to a SIEM, to channels or to an upstream.", here: func(*API) bool { return true }},
}

const maxUser = 500

func erasePerson(a *API, ctx context.Context, req *client.ErasePersonRequest) (*client.Erasure, error) {
	k, err := a.keeping()
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(req.User) == "" || len(req.User) > maxUser {
		return nil, fault.New(fault.KindInvalid, "erase.user", "say whom: the user as telemetry and calls name them").WithHint("the user of a run, such as user:kim in a search")
	}
	if !req.DryRun && strings.TrimSpace(req.Reason) == "" {
		return nil, errReason
	}
	out := client.Erasure{At: a.o.Now().UTC(), Reason: req.Reason, DryRun: req.DryRun, Whole: !req.DryRun, Parts: []client.ErasurePart{}}
	ctx = context.WithoutCancel(ctx) // half an erasure helps nobody
	for _, h := range holders {
		if !h.here(a) {
			continue
		}
		p := h.ask(a, ctx, req)
		if p.Part != "backups" && (p.Error != "" || p.Left > 0) {
			out.Whole = false
		}
		out.Parts = append(out.Parts, p)
	}
	out.Text = erasureText(out)
	if req.DryRun {
		return &out, nil
	}
	who := actorOf(ctx)
	out.By = who.Name
	out, err = k.Erased(ctx, out, who.Person, who.Via)
	return &out, err
}

func (h holder) ask(a *API, ctx context.Context, req *client.ErasePersonRequest) client.ErasurePart {
	p := client.ErasurePart{Part: h.part, Note: h.note}
	fail := func(err error) {
		p.Error = fault.From(err).Message
		a.o.Logger.WarnContext(ctx, "a part could not erase a user", "part", h.part, "err", err)
	}
	if h.holds != nil {
		n, left, err := h.holds(a, ctx, req.User)
		if err != nil {
			fail(err)
			return p
		}
		p.Holds, p.Left = &n, left
	}
	if req.DryRun || h.erase == nil {
		return p
	}
	n, left, err := h.erase(a, ctx, req.User, req.Reason)
	p.Erased, p.Left = &n, left
	if err != nil {
		fail(err)
	}
	return p
}

func erasureText(e client.Erasure) string {
	var n, left int64
	failed := 0
	for _, p := range e.Parts {
		if p.Part == "backups" {
			continue
		}
		if p.Erased != nil {
			n += *p.Erased
		} else if p.Holds != nil {
			n += *p.Holds
		}
		if left += p.Left; p.Error != "" {
			failed++
		}
	}
	switch {
	case e.DryRun:
		return fmt.Sprintf("At least %s would be erased; nothing was.", many(n, "record"))
	case failed > 0:
		return fmt.Sprintf("%s erased, and %s failed: ask again.", many(n, "record"), many(failed, "part"))
	case left > 0:
		return fmt.Sprintf("%s erased; %s still going on: ask again once they ended.", many(n, "record"), many(left, "run"))
	}
	return many(n, "record") + " erased: nothing is left in the parts that were asked, but for backups. Elsewhere tells what was not asked."
}
