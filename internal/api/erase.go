package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/erase"
	"reeve/internal/fault"
)

// This file is the one door through which a user, a session or a run is erased. Each
// part erases in its own way and is asked on its own: one that fails leaves the others
// done, and the receipt says what is left, so that asking again finishes it. What was
// said is known from the runs, so copies of it go first and the runs last: a run is
// left when copies could not be looked for, or nobody would find them again.

// erasing is one erasure on its way.
type erasing struct {
	*client.ErasePersonRequest
	of *erase.Subject

	copies []erase.Found // by place
	failed error         // of copies
}

// whose are the names of those who said it.
func (e *erasing) whose() []string {
	return slices.Concat([]string{e.User}, e.of.Users, e.of.Sessions)
}

// holder is a part that may hold something.
type holder struct {
	part string
	note string
	here func(*API) bool
	// holds counts what is there; nil when the part cannot tell beforehand.
	holds func(a *API, ctx context.Context, e *erasing) (n, left int64, err error)
	erase func(a *API, ctx context.Context, e *erasing) (n, left int64, err error)
}

func always(*API) bool { return true }

// holders are asked in this order.
var holders = []holder{
	{
		part: "cases", note: "what was kept of the runs in data sets, what agents answered to it in experiments, files that were exported of it, and in what topics was asked",
		here: func(a *API) bool { return a.o.Datasets != nil || a.o.Topics.Topics != nil },
		holds: func(a *API, ctx context.Context, e *erasing) (n, left int64, err error) {
			if a.o.Datasets != nil {
				if n, err = a.o.Datasets.HeldOf(ctx, e.of.Names); err != nil {
					return n, 0, err
				}
			}
			if a.o.Topics.Topics == nil {
				return n, 0, nil
			}
			asked, err := a.o.Topics.Topics.EraseRuns(ctx, e.of.Names, e.whose(), true)
			return n + asked, 0, err
		},
		erase: (*API).eraseCases,
	},
	{
		part: "decisions", note: "the user's name, and the content of decisions made for them and in the runs; the records stay, with the name of their session, and one says what was erased",
		here: func(a *API) bool { return a.o.Proofs != nil },
		holds: func(a *API, ctx context.Context, e *erasing) (int64, int64, error) {
			n, err := a.o.Keeping.Decided(ctx, e.of)
			return n, 0, err
		},
		erase: func(a *API, ctx context.Context, e *erasing) (n, left int64, err error) {
			if e.User != "" {
				out, err := a.o.Proofs.Erase(ctx, e.User, actor(ctx), e.Reason)
				if err != nil && fault.From(err).Code != "decision.no_user" {
					return 0, 0, err
				}
				if err == nil {
					n = int64(out.Records)
				}
			}
			ids, _ := e.of.List()
			more, err := a.o.Proofs.EraseRuns(ctx, ids, actor(ctx), e.Reason)
			return n + int64(more), 0, err
		},
	},
	{
		part: "feedback", note: "what was said of the runs, by the user of others, and how to reach them; that something was said, and its verdict, stays",
		here: func(a *API) bool { return a.o.Feedback != nil },
		holds: func(a *API, ctx context.Context, e *erasing) (int64, int64, error) {
			n, err := a.o.Feedback.EraseRuns(ctx, feedbackActor(ctx), e.of.Names, e.Reason, true)
			if err != nil || e.User == "" {
				return int64(n), 0, err
			}
			teams, err := a.teamNames(ctx)
			if err != nil {
				return 0, 0, err
			}
			given, err := a.o.Feedback.HeldOf(ctx, teams, e.User)
			return max(given, int64(n)), 0, err
		},
		erase: func(a *API, ctx context.Context, e *erasing) (total, left int64, err error) {
			if e.User != "" {
				teams, err := a.teamNames(ctx)
				if err != nil {
					return 0, 0, err
				}
				for _, team := range append(teams, "") { // given without a team, too
					n, err := a.o.Feedback.Erase(ctx, feedbackActor(ctx), "", team, e.User, e.Reason)
					if total += int64(n); err != nil {
						return total, 0, err
					}
				}
			}
			n, err := a.o.Feedback.EraseRuns(ctx, feedbackActor(ctx), e.of.Names, e.Reason, false)
			return total + int64(n), 0, err
		},
	},
	{
		part: "approvals", note: "what people were asked to agree to, edited and answered, and for whom; one that still waits is left",
		here: func(a *API) bool { return a.o.Approvals != nil },
		holds: func(a *API, ctx context.Context, e *erasing) (int64, int64, error) {
			return a.o.Approvals.Forget(ctx, e.User, e.of.Names, true)
		},
		erase: func(a *API, ctx context.Context, e *erasing) (int64, int64, error) {
			return a.o.Approvals.Forget(ctx, e.User, e.of.Names, false)
		},
	},
	{
		part: "learned", note: "addresses and names that agents were seen to use, and what data the user's and the sessions' calls had touched; they are new when they come again",
		here: always,
		holds: func(a *API, _ context.Context, e *erasing) (int64, int64, error) {
			return a.o.Keeping.Learned(e.of, true), 0, nil
		},
		erase: func(a *API, _ context.Context, e *erasing) (int64, int64, error) {
			return a.o.Keeping.Learned(e.of, false), 0, nil
		},
	},
	{
		part: "telemetry", note: "runs, with steps, messages and logs; log records and metric points of no run that hold words of them. What rollups count stays, since it names nobody. A run that still goes on is left: ask again once it ended.",
		here: always,
		holds: func(a *API, ctx context.Context, e *erasing) (int64, int64, error) {
			return a.o.Keeping.ForgetRuns(ctx, e.of, true)
		},
		erase: func(a *API, ctx context.Context, e *erasing) (int64, int64, error) {
			if e.failed != nil {
				return 0, int64(len(e.of.Runs)), fault.New(fault.KindUnavailable, "erase.copies", "copies of it could not be looked for, and without the runs nobody would know what to look for").WithHint("ask again")
			}
			n, left, err := a.o.Keeping.ForgetRuns(ctx, e.of, false)
			if err == nil {
				// Who read the runs while they were there may have copied again.
				_, err = a.o.Keeping.Copies(ctx, e.of, false)
			}
			return n, left, err
		},
	},
	{
		part: "free pages", note: "the two databases are written anew, so that nothing of it is in their files; what live views were told is dropped",
		here: always,
		erase: func(a *API, ctx context.Context, _ *erasing) (int64, int64, error) {
			return 0, 0, a.o.Keeping.Scrub(ctx)
		},
	},
	{
		part: "backups", note: "backups made before hold it until they are replaced; erase again after restoring one",
		here: func(a *API) bool { return a.o.Backups != nil },
		holds: func(a *API, ctx context.Context, _ *erasing) (int64, int64, error) {
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
	{part: "elsewhere", here: always, note: "not looked into: what came in the last second and waits in the log, what waits in the relay's queue, and files of the log that still hold newer records beside it. Not ours: what was relayed, sent to a SIEM, to channels or to an upstream."},
}

func (a *API) teamNames(ctx context.Context) (names []string, err error) {
	teams, err := a.o.Identity.Teams(ctx)
	for _, t := range teams {
		names = append(names, t.Name)
	}
	return names, err
}

// eraseCases takes cases and topics.
func (a *API) eraseCases(ctx context.Context, e *erasing) (n, left int64, err error) {
	items, exports, err := a.withdraw(ctx, "", e.User, e.Reason) // of a user, also what has no run any more
	if n = items + int64(len(exports)); err != nil {
		return n, 0, err
	}
	_, names := e.of.List()
	if a.o.Datasets != nil {
		w, err := a.o.Datasets.WithdrawRuns(ctx, datasetActor(ctx), names, e.Reason)
		if n += w.Items + int64(len(w.Exports)); err != nil {
			return n, 0, err
		}
		if a.o.Experiments != nil {
			if _, err := a.o.Experiments.Forget(ctx, w.IDs); err != nil {
				return n, 0, err
			}
		}
	}
	if a.o.Topics.Topics != nil {
		asked, err := a.o.Topics.Topics.EraseRuns(ctx, e.of.Names, e.whose(), false)
		return n + asked, 0, err
	}
	return n, 0, nil
}

const maxUser = 500

func erasePerson(a *API, ctx context.Context, req *client.ErasePersonRequest) (*client.Erasure, error) {
	k, err := a.keeping()
	if err != nil {
		return nil, err
	}
	of, err := erasureOf(req)
	if err != nil {
		return nil, err
	}
	if !req.DryRun && strings.TrimSpace(req.Reason) == "" {
		return nil, errReason
	}
	out := client.Erasure{Of: of, At: a.o.Now().UTC(), Reason: req.Reason, DryRun: req.DryRun, Whole: !req.DryRun, Parts: []client.ErasurePart{}}
	ctx = context.WithoutCancel(ctx) // half an erasure helps nobody
	e := &erasing{ErasePersonRequest: req}
	if e.of, err = k.Subject(ctx, *req); err != nil {
		return nil, err
	}
	// The reason may say of whom: neither the receipt nor any record does.
	plain := *req
	plain.Reason, _ = e.of.Words.Cut(req.Reason)
	e.ErasePersonRequest, out.Reason = &plain, plain.Reason
	out.Parts = a.eraseCopies(ctx, k, e)
	for _, h := range holders {
		if h.here(a) {
			out.Parts = append(out.Parts, h.ask(a, ctx, e))
		}
	}
	for _, p := range out.Parts {
		out.Whole = out.Whole && (p.Part == "backups" || p.Error == "" && p.Left == 0)
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

// erasureOf says what is to be erased: one of a user, a session and a run.
func erasureOf(req *client.ErasePersonRequest) (of string, err error) {
	for name, value := range map[string]string{"user": req.User, "session": req.Session, "run": req.Run} {
		switch {
		case value == "":
		case of != "" || strings.TrimSpace(value) == "" || len(value) > maxUser:
			return "", errErase
		default:
			of = name
		}
	}
	if of == "" {
		return "", errErase
	}
	return of, nil
}

var errErase = fault.New(fault.KindInvalid, "erase.user", "say whom: the user as telemetry and calls name them, or a session, or a run's id; one of the three").
	WithHint("the user of a run, such as user:kim in a search")

// eraseCopies looks through all text of the control database, and tells by place.
func (a *API) eraseCopies(ctx context.Context, k Keeping, e *erasing) (out []client.ErasurePart) {
	e.copies, e.failed = k.Copies(ctx, e.of, e.DryRun)
	if len(e.copies) == 0 {
		for _, p := range erase.Places() {
			e.copies = append(e.copies, erase.Found{Place: p})
		}
	}
	for _, f := range e.copies {
		n := f.Records
		p := client.ErasurePart{Part: f.Name, Note: f.Note, Holds: &n, Left: f.Left}
		if f.Name == erase.ChangeLog && f.Left > 0 {
			p.Note += fmt.Sprintf(": %s of it, with its proof", many(f.Left, "record"))
			p.Left = 0 // it never goes: asking again helps nothing
		}
		if !e.DryRun {
			p.Erased = &n
		}
		if e.failed != nil {
			p.Error = fault.From(e.failed).Message
		}
		out = append(out, p)
	}
	if e.failed != nil {
		a.o.Logger.WarnContext(ctx, "copies could not be looked for", "err", e.failed)
	}
	return out
}

func (h holder) ask(a *API, ctx context.Context, e *erasing) client.ErasurePart {
	p := client.ErasurePart{Part: h.part, Note: h.note}
	fail := func(err error) {
		p.Error = fault.From(err).Message
		a.o.Logger.WarnContext(ctx, "a part could not erase", "part", h.part, "err", err)
	}
	if h.holds != nil {
		n, left, err := h.holds(a, ctx, e)
		if err != nil {
			fail(err)
			return p
		}
		p.Holds, p.Left = &n, left
	}
	if e.DryRun || h.erase == nil {
		return p
	}
	n, left, err := h.erase(a, ctx, e)
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
