package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/approval"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Rehearser decides on an approval's action with other arguments; the door is
// one.
type Rehearser interface {
	Rehearse(ctx context.Context, a *approval.Approval, body []byte) (to approval.Request, bound string, err error)
}

func (a *API) approvals() (*approval.Book, error) {
	if a.o.Approvals == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no door").WithHint("start it with a gateway listener")
	}
	return a.o.Approvals, nil
}

// seesApproval reports whether somebody may know of an approval: the team's
// people, and who is of a group that is asked.
func seesApproval(who identity.Principal, a *approval.Approval, groups []string) bool {
	return who.Can(identity.Viewer, a.Ask.Team, a.Ask.Environment) || len(groups) > 0
}

// groupsOf are those groups of an approval that a person stands for: teams that
// they are in and may approve for, and roles that they have.
func (a *API) groupsOf(ctx context.Context, ap *approval.Approval, teams []string) (groups []string, any bool) {
	who, k := whoOf(ctx), &ap.Ask
	any = who.Can(identity.Approver, k.Team, k.Environment)
	for _, g := range k.Groups {
		name := g.Name
		if name == "" {
			continue
		}
		member := slices.Contains(teams, name) && (any || who.Can(identity.Approver, name, k.Environment))
		role, isRole := roleOf(name)
		if member || isRole && who.Can(role, k.Team, k.Environment) || who.Kind == identity.KindDev {
			groups = append(groups, name)
		}
	}
	return groups, any
}

// roleOf is the role that a group stands for: its name, or the name of many,
// as in "approvers".
func roleOf(group string) (identity.Role, bool) {
	for _, r := range identity.Roles() {
		if group == string(r) || group == string(r)+"s" {
			return r, true
		}
	}
	return "", false
}

// teamsOf are the teams that the asker is in.
func (a *API) teamsOf(ctx context.Context) ([]string, error) {
	who := whoOf(ctx)
	if who.PersonID == "" || who.Kind != identity.KindPerson {
		return nil, nil
	}
	p, err := a.o.Identity.Person(ctx, who.PersonID)
	return p.Teams, err
}

// person is the asker, as approvals know people.
func (a *API) approverOf(ctx context.Context, ap *approval.Approval, teams []string, reason string) approval.Person {
	who := whoOf(ctx)
	groups, any := a.groupsOf(ctx, ap, teams)
	return approval.Person{ID: actor(ctx), Name: who.Name, Groups: groups, Any: any, Dev: who.Kind == identity.KindDev, Reason: reason}
}

// approvalOf finds an approval that the asker may see.
func (a *API) approvalOf(ctx context.Context, id string) (*approval.Book, *approval.Approval, []string, error) {
	book, err := a.approvals()
	if err != nil {
		return nil, nil, nil, err
	}
	teams, err := a.teamsOf(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	ap, err := book.Get(ctx, id)
	if err != nil {
		return nil, nil, nil, err
	}
	if groups, _ := a.groupsOf(ctx, ap, teams); !seesApproval(whoOf(ctx), ap, groups) {
		return nil, nil, nil, fault.New(fault.KindNotFound, "approval.not_found", "there is no such approval").WithHint("`reeve approval list` lists those that wait")
	}
	return book, ap, teams, nil
}

// statesOf reads a list of states.
func statesOf(text string) ([]approval.State, error) {
	all := []approval.State{
		approval.Pending, approval.Approved, approval.Executing, approval.Done, approval.Unknown, approval.Denied, approval.Expired, approval.Void, approval.Taken,
	}
	switch text {
	case "":
		return []approval.State{approval.Pending}, nil
	case "all":
		return nil, nil
	}
	var out []approval.State
	for word := range strings.SplitSeq(text, ",") {
		s := approval.State(strings.TrimSpace(word))
		if !slices.Contains(all, s) {
			return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "state is %q", clip(word, 40)).WithHint("%v, or all", all)
		}
		out = append(out, s)
	}
	return out, nil
}

type approvalPlace struct {
	At int64  `json:"a"`
	ID string `json:"i"`
}

func listApprovals(a *API, ctx context.Context, req *client.ListApprovalsRequest) (*client.List[client.Approval], error) {
	book, err := a.approvals()
	if err != nil {
		return nil, err
	}
	f := approval.Filter{Agent: req.Agent, Resource: req.Resource, Run: req.Run}
	if f.States, err = statesOf(req.State); err != nil {
		return nil, err
	}
	limit := orDefault(req.Limit, 100)
	if req.Cursor != "" {
		var at approvalPlace
		if err := readCursor(req.Cursor, &at); err != nil {
			return nil, err
		}
		f.Before, f.BeforeID = time.UnixMicro(at.At), at.ID
	}
	teams, err := a.teamsOf(ctx)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Approval]{Items: []client.Approval{}}
	// Rows that the asker may not see are passed over; what is read for one page
	// is bounded all the same.
	for pages := 0; len(out.Items) < limit; pages++ {
		f.Limit = max(limit, 100)
		list, err := book.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, ap := range list {
			f.Before, f.BeforeID = ap.CreatedAt, ap.ID
			if groups, _ := a.groupsOf(ctx, ap, teams); seesApproval(whoOf(ctx), ap, groups) {
				out.Items = append(out.Items, a.viewApproval(ctx, book, ap, teams, false))
			}
			if len(out.Items) == limit {
				break
			}
		}
		if len(list) < f.Limit && len(out.Items) < limit {
			return out, nil
		}
		if pages == 20 {
			break
		}
	}
	out.Next = writeCursor(approvalPlace{f.Before.UnixMicro(), f.BeforeID})
	return out, nil
}

func getApproval(a *API, ctx context.Context, req *client.IDRequest) (*client.Approval, error) {
	book, ap, teams, err := a.approvalOf(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return a.wholeApproval(ctx, book, ap, teams)
}

// wholeApproval is an approval with what only its own page shows.
func (a *API) wholeApproval(ctx context.Context, book *approval.Book, ap *approval.Approval, teams []string) (*client.Approval, error) {
	out := a.viewApproval(ctx, book, ap, teams, true)
	past, err := book.List(ctx, approval.Filter{Agent: ap.Ask.Agent, Resource: ap.Ask.Resource, Limit: 50})
	if err != nil {
		return nil, err
	}
	for _, p := range past {
		if p.ID == ap.ID || p.State == approval.Pending || len(out.Similar) == maxSimilar {
			continue
		}
		one := client.PastAnswer{ID: p.ID, State: string(p.State), At: p.CreatedAt, By: []string{}, Reason: p.Reason, Same: p.Ask.Arguments == ap.Ask.Arguments}
		for _, v := range p.Votes {
			one.By = append(one.By, v.Name)
		}
		out.Similar = append(out.Similar, one)
	}
	return &out, nil
}

const maxSimilar = 10

func openApproval(a *API, ctx context.Context, req *client.IDRequest) (*struct{}, error) {
	book, ap, _, err := a.approvalOf(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Opened(ctx, ap.ID, actor(ctx))
}

// answered reads an approval again after it was answered.
func (a *API) answeredApproval(ctx context.Context, book *approval.Book, ap *approval.Approval, teams []string, err error) (*client.Approval, error) {
	if err != nil {
		return nil, err
	}
	return a.wholeApproval(ctx, book, ap, teams)
}

func approve(a *API, ctx context.Context, req *client.ApproveRequest) (*client.Approval, error) {
	book, ap, teams, err := a.approvalOf(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	p := a.approverOf(ctx, ap, teams, req.Reason)
	if err := ap.May(&p); err != nil {
		return nil, err
	}
	if unopened, err := a.unopened(ctx, book, ap); err != nil || unopened {
		if err == nil {
			err = fault.New(fault.KindConflict, "approval.unopened", "it has %d bytes, more than a list shows: open it before you agree", argumentBytes(book, ap)).
				WithHint("`reeve approval show %s`, or its page in the console", ap.ID)
		}
		return nil, err
	}
	ap, err = book.Approve(ctx, req.ID, p, req.Hash)
	return a.answeredApproval(ctx, book, ap, teams, err)
}

func argumentBytes(book *approval.Book, ap *approval.Approval) int {
	r, err := book.Open(ap)
	if err != nil {
		return 0
	}
	return len(r.Arguments())
}

// unopened reports whether the asker has yet to open an approval that no list
// shows whole.
func (a *API) unopened(ctx context.Context, book *approval.Book, ap *approval.Approval) (bool, error) {
	if argumentBytes(book, ap) <= listedBytes {
		return false, nil
	}
	opened, err := book.HasOpened(ctx, ap.ID, actor(ctx))
	return !opened, err
}

func denyApproval(a *API, ctx context.Context, req *client.ApprovalReasonRequest) (*client.Approval, error) {
	book, ap, teams, err := a.approvalOf(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	p := a.approverOf(ctx, ap, teams, req.Reason)
	if !p.Any && len(p.Groups) == 0 {
		return nil, ap.May(&approval.Person{})
	}
	ap, err = book.Deny(ctx, req.ID, p)
	return a.answeredApproval(ctx, book, ap, teams, err)
}

func editApproval(a *API, ctx context.Context, req *client.EditApprovalRequest) (*client.Approval, error) {
	book, ap, teams, err := a.approvalOf(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	p := a.approverOf(ctx, ap, teams, req.Reason)
	if err := ap.May(&p); err != nil {
		return nil, err
	}
	if !ap.Ask.Editable || a.o.Rehearser == nil {
		return nil, fault.New(fault.KindInvalid, "approval.not_editable", "the arguments of this action cannot be edited here").
			WithHint("deny it and say why: whoever asked is told the reason")
	}
	body, err := editedBody(book, ap, req)
	if err != nil {
		return nil, err
	}
	to, bound, err := a.o.Rehearser.Rehearse(ctx, ap, body)
	if err != nil {
		return nil, err
	}
	ap, err = book.Edit(ctx, req.ID, p, req.Hash, to, bound)
	return a.answeredApproval(ctx, book, ap, teams, err)
}

// editedBody is the request's body with the edits made.
func editedBody(book *approval.Book, ap *approval.Approval, req *client.EditApprovalRequest) ([]byte, error) {
	r, err := book.Open(ap)
	if err != nil {
		return nil, err
	}
	args := r.Arguments()
	switch {
	case req.Whole != nil && len(req.Edits) == 0:
		args = []byte(*req.Whole)
	case req.Whole == nil && len(req.Edits) > 0:
		edits := make([]approval.Replacement, len(req.Edits))
		for i, e := range req.Edits {
			edits[i] = approval.Replacement{Path: e.Path, Value: e.Value}
		}
		if args, err = approval.Replace(args, edits); err != nil {
			return nil, err
		}
	default:
		return nil, fault.New(fault.KindInvalid, "approval.edit", "an edit has either edits or whole").WithHint(`{"edits": [{"path": "/amount", "value": 20}]}`)
	}
	if r.To == 0 {
		return args, nil
	}
	return slices.Concat(r.Body[:r.From], args, r.Body[r.To:]), nil
}

func takeOver(a *API, ctx context.Context, req *client.TakeOverRequest) (*client.Approval, error) {
	book, ap, teams, err := a.approvalOf(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	p := a.approverOf(ctx, ap, teams, req.Reason)
	if err := ap.May(&p); err != nil {
		return nil, err
	}
	answer, err := handAnswer(req.Answer)
	if err != nil {
		return nil, err
	}
	ap, err = book.TakeOver(ctx, req.ID, p, answer, !req.LetGoOn)
	return a.answeredApproval(ctx, book, ap, teams, err)
}

const maxHandAnswer = 256 << 10

// handAnswer is a person's result as the agent gets it.
func handAnswer(h *client.HandAnswer) (*approval.Answer, error) {
	if h == nil {
		return nil, nil
	}
	status, kind := orDefault(h.Status, http.StatusOK), h.ContentType
	if kind == "" {
		kind = "text/plain; charset=utf-8"
		if json.Valid([]byte(h.Body)) {
			kind = "application/json"
		}
	}
	if status < 200 || status > 599 || len(h.Body) > maxHandAnswer || strings.ContainsAny(kind, "\r\n") || len(kind) > 200 {
		return nil, fault.New(fault.KindInvalid, "approval.invalid", "a result has a status from 200 to 599 and at most %d bytes", maxHandAnswer)
	}
	return &approval.Answer{Status: status, Header: map[string][]string{"Content-Type": {kind}}, Body: []byte(h.Body)}, nil
}

func giveBack(a *API, ctx context.Context, req *client.ApprovalReasonRequest) (*client.Approval, error) {
	book, ap, teams, err := a.approvalOf(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	p := a.approverOf(ctx, ap, teams, req.Reason)
	if t := book.Taken(ap.Ask.Run); t == nil || t.Person != p.ID {
		if err := ap.May(&p); err != nil {
			return nil, err
		}
	}
	ap, err = book.GiveBack(ctx, req.ID, p)
	return a.answeredApproval(ctx, book, ap, teams, err)
}
