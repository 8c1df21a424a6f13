package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/notify"
	"reeve/internal/notify/channel"
	"reeve/internal/oncall"
)

// OnCall is who is called, and by what.
type OnCall struct {
	Book    *oncall.Book
	Notices *notify.Book
	// Address is where a path of this server is reached from outside.
	Address func(path string) string
	// Link reads a token that a chat gave to somebody without a linked account.
	Link func(token string) (channel, account string, err error)
}

func onCallOperations() []operation {
	get, post, put, del := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	view, act := rows(identity.Viewer), rows(identity.Responder, identity.Security)
	return []operation{
		define(operation{Name: "ListChannelKinds", Method: get, Path: "/channel-kinds", Permission: view, Summary: "lists the kinds of channels"}, listChannelKinds),
		define(operation{Name: "ListChannels", Method: get, Path: "/channels", Permission: view, Summary: "lists the ways to tell people, never their secrets"}, listChannels),
		define(operation{Name: "PutChannel", Method: put, Path: "/channels/{name}", Permission: act.freshly(), Audit: AuditChange, Summary: "makes or changes a channel; one that leads elsewhere needs its secret anew"}, putChannel),
		define(operation{Name: "RemoveChannel", Method: del, Path: "/channels/{name}", Permission: act.onlyPeople(), Audit: AuditChange, Summary: "ends a channel"}, removeChannel),
		define(operation{Name: "TryChannel", Method: post, Path: "/channels/{name}/try", Permission: act, Audit: AuditChange, Summary: "sends a test message and tells what came of it"}, tryChannel),
		define(operation{Name: "ListChannelStates", Method: get, Path: "/channels/{name}/states", Permission: view, Summary: "lists what a channel's receiver told of what it was sent, and what became of it"}, listChannelStates),
		define(operation{Name: "ListDeliveries", Method: get, Path: "/deliveries", Permission: view, Summary: "lists what was sent, with each answer, the newest first"}, listDeliveries),
		define(operation{Name: "ListSchedules", Method: get, Path: "/on-call", Permission: view, Summary: "lists who is on call now and next"}, listSchedules),
		define(operation{Name: "GetSchedule", Method: get, Path: "/on-call/{name}", Permission: view, Summary: "reads a schedule with its shifts of the next days"}, getSchedule),
		define(operation{Name: "PutSchedule", Method: put, Path: "/on-call/{name}", Permission: act, Audit: AuditChange, Summary: "makes or changes a schedule: rotations, zone"}, putSchedule),
		define(operation{Name: "DeleteSchedule", Method: del, Path: "/on-call/{name}", Permission: act, Audit: AuditChange, Summary: "ends a schedule that no policy calls"}, deleteSchedule),
		define(operation{Name: "OverrideOnCall", Method: post, Path: "/on-call/{name}/overrides", Permission: view, Audit: AuditChange, Summary: "puts somebody on call for a time; oneself always"}, overrideOnCall),
		define(operation{Name: "EndOverride", Method: del, Path: "/on-call/{name}/overrides/{id}", Permission: view, Audit: AuditChange, Summary: "takes an override away"}, endOverride),
		define(operation{Name: "ListEscalationPolicies", Method: get, Path: "/escalation-policies", Permission: view, Summary: "lists who is called, and who next"}, listPoliciesOfCall),
		define(operation{Name: "PutEscalationPolicy", Method: put, Path: "/escalation-policies/{name}", Permission: act, Audit: AuditChange, Summary: "makes or changes an escalation policy"}, putPolicyOfCall),
		define(operation{Name: "DeleteEscalationPolicy", Method: del, Path: "/escalation-policies/{name}", Permission: act, Audit: AuditChange, Summary: "ends an escalation policy"}, deletePolicyOfCall),
		define(operation{Name: "ListPages", Method: get, Path: "/pages", Permission: view, Summary: "lists whom Reeve called about what, and whether it arrived"}, listPages),
		define(operation{Name: "GetContacts", Method: get, Path: "/contacts/{person}", Permission: signedIn(), Summary: "tells how one is reached; me is oneself"}, getContacts),
		define(operation{Name: "PutContacts", Method: put, Path: "/contacts/{person}", Permission: signedIn(), Audit: AuditChange, Summary: "says how one is reached"}, putContacts),
		define(operation{Name: "LinkChat", Method: post, Path: "/chat-links", Permission: signedIn().freshly(), Audit: AuditChange, Summary: "says that an account in a chat is one's own, by the token that the chat was given"}, linkChat),
	}
}

func (a *API) onCall() (*OnCall, error) {
	if a.o.OnCall == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server calls nobody")
	}
	return a.o.OnCall, nil
}

func can(ctx context.Context) func(role, team, environment string) bool {
	who := whoOf(ctx)
	return func(role, team, environment string) bool { return who.Can(identity.Role(role), team, environment) }
}

func noticeActor(ctx context.Context) notify.Actor {
	who := whoOf(ctx)
	return notify.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID, Can: can(ctx)}
}

func onCallActor(ctx context.Context) oncall.Actor {
	who := whoOf(ctx)
	return oncall.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID, Can: can(ctx)}
}

// mayKnowTeam: a team's own, and those of the house.
func mayKnowTeam(ctx context.Context, team string) bool { return maySeeSource(whoOf(ctx), team) }

// mayReadCall: a call and its title are for who sees its team, and for who was called.
// One of no team is about what is for who sees all teams, as seesPlace says.
func mayReadCall(ctx context.Context, team, person string) bool {
	who := whoOf(ctx)
	if person != "" && person == actor(ctx) {
		return true
	}
	return team != "" && mayKnowTeam(ctx, team) || who.Everywhere(identity.Viewer)
}

func listChannelKinds(_ *API, _ context.Context, _ *struct{}) (*client.List[client.ChannelKind], error) {
	return listOf(channel.Kinds(), nil, func(k channel.Kind) client.ChannelKind {
		return client.ChannelKind{Name: k.Name, Title: k.Title, Keyed: k.Keyed, Address: k.Address}
	})
}

func (o *OnCall) channelShape(c notify.Channel) client.Channel {
	k, _ := channel.Find(c.Kind)
	out := client.Channel{Name: c.Name, Kind: c.Kind, Team: c.Team, Settings: client.ChannelSettings(c.Settings), Incidents: c.Incidents, Off: c.Off, Keyed: k.Keyed, Revision: c.Revision, UpdatedAt: c.UpdatedAt}
	if o.Address != nil && (c.Kind == "slack" || channel.Tells(c.Kind)) {
		out.Answers = o.Address("/chat/" + c.Kind + "/" + c.Name)
	}
	return out
}

func listChannels(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Channel], error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(o.Notices.List(), func(c notify.Channel) bool { return !mayKnowTeam(ctx, c.Team) })
	return listOf(all, nil, o.channelShape)
}

func putChannel(a *API, ctx context.Context, req *client.PutChannelRequest) (*client.Channel, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	c, err := o.Notices.Put(ctx, noticeActor(ctx), notify.Change{
		Name: req.Name, Kind: req.Kind, Team: req.Team, Settings: channel.Settings(req.Settings), Token: req.Token, Signing: req.Signing, Off: req.Off, Incidents: req.Incidents, Revision: req.Revision,
	})
	if err != nil {
		return nil, err
	}
	out := o.channelShape(c)
	return &out, nil
}

func removeChannel(a *API, ctx context.Context, req *client.ChannelRequest) (*struct{}, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, o.Notices.Remove(ctx, noticeActor(ctx), req.Name)
}

func (a *API) deliveryShape(ctx context.Context) func(d notify.Delivery) client.Delivery {
	names := a.personNames(ctx)
	return func(d notify.Delivery) client.Delivery {
		out := client.Delivery{
			ID: d.ID, Channel: d.Channel, Purpose: d.Purpose, Object: d.Object, Page: d.Page, Person: names(d.Person), State: d.State, Title: d.Message.Title, Action: d.Message.Action,
			Key: d.Message.Key, CreatedAt: d.CreatedAt, DoneAt: optionalTime(d.DoneAt), Attempts: d.Attempts, Tries: []client.DeliveryAttempt{},
		}
		if d.State == notify.Queued {
			out.NextAt = optionalTime(d.NextAt)
		}
		for _, t := range d.Tries {
			out.Tries = append(out.Tries, client.DeliveryAttempt{At: t.At, TookMS: float64(t.Took) / 1e6, Outcome: t.Answer.Outcome, Status: t.Answer.Status, Text: t.Answer.Text, Ref: t.Answer.Ref})
		}
		return out
	}
}

func tryChannel(a *API, ctx context.Context, req *client.TryChannelRequest) (*client.Delivery, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	url := ""
	if o.Address != nil {
		url = o.Address("/settings/channels")
	}
	d, err := o.Notices.Try(ctx, noticeActor(ctx), req.Name, req.To, url)
	if err != nil {
		return nil, err
	}
	out := a.deliveryShape(ctx)(d)
	return &out, nil
}

func listDeliveries(a *API, ctx context.Context, req *client.ListDeliveriesRequest) (*client.List[client.Delivery], error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	f := notify.Filter{Channel: req.Channel, State: req.State, Object: req.Object, Limit: req.Limit}
	if req.Before != nil {
		f.Before = *req.Before
	}
	list, err := o.Notices.Deliveries(ctx, f)
	list = slices.DeleteFunc(list, func(d notify.Delivery) bool { return !mayReadCall(ctx, d.Team, d.Person) })
	return listOf(list, err, a.deliveryShape(ctx))
}

func listChannelStates(a *API, ctx context.Context, req *client.ChannelRequest) (*client.List[client.ChannelState], error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	c, err := o.Notices.Get(req.Name)
	if err != nil {
		return nil, err
	}
	if !mayKnowTeam(ctx, c.Team) {
		return nil, fault.New(fault.KindNotFound, "notify.not_found", "there is no such channel")
	}
	list, err := o.Notices.States(ctx, req.Name, 0)
	return listOf(list, err, func(t notify.Told) client.ChannelState {
		return client.ChannelState{At: t.Change.At, ArrivedAt: t.ArrivedAt, State: t.Change.State, Object: t.Object, By: t.Change.By, To: t.Change.To, Outcome: t.Outcome, Text: t.Text}
	})
}

// ahead is how far on-call looks ahead for who is next.
const ahead = 90 * 24 * time.Hour

func (a *API) scheduleShape(ctx context.Context, o *OnCall) func(s oncall.Schedule) client.OnCallSchedule {
	names, now, may := a.personNames(ctx), a.o.Now(), can(ctx)
	return func(s oncall.Schedule) client.OnCallSchedule {
		out := client.OnCallSchedule{Name: s.Name, Team: s.Team, Zone: s.Zone, Rotations: []client.Rotation{}, Overrides: []client.OnCallOverride{}, Revision: s.Revision, UpdatedAt: s.UpdatedAt}
		for _, r := range s.Rotations {
			x := client.Rotation{Start: r.Start, Every: r.Every, Days: r.Days, Hours: r.Hours, People: []string{}}
			for _, p := range r.People {
				x.People = append(x.People, names(p))
			}
			out.Rotations = append(out.Rotations, x)
		}
		for _, v := range s.Overrides {
			if v.To.After(now) {
				out.Overrides = append(out.Overrides, client.OnCallOverride{ID: v.ID, Person: names(v.Person), From: v.From, To: v.To, By: names(v.By), Reason: v.Reason})
			}
		}
		for _, x := range s.Shifts(now, now.Add(ahead)) {
			shape := &client.OnCallShift{Person: names(x.Person), From: x.From, To: x.To, Further: !x.To.Before(now.Add(ahead)), Override: x.Override}
			switch {
			case x.From.Equal(now) && x.Person != "":
				out.Now = shape
				out.Reached = len(o.Book.Contacts(x.Person)) > 0
			case x.From.After(now) && x.Person != "" && out.Next == nil:
				out.Next = shape
			}
		}
		if o.Address != nil && (may("responder", s.Team, "*") || may("responder", "*", "*")) {
			out.Calendar = o.Address("/calendar/" + s.Name + ".ics?key=" + s.Feed)
		}
		return out
	}
}

func listSchedules(a *API, ctx context.Context, _ *struct{}) (*client.List[client.OnCallSchedule], error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(o.Book.Schedules(), func(s oncall.Schedule) bool { return !mayKnowTeam(ctx, s.Team) })
	return listOf(all, nil, a.scheduleShape(ctx, o))
}

func getSchedule(a *API, ctx context.Context, req *client.ScheduleRequest) (*client.OnCallScheduleDetail, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	s, err := o.Book.Schedule(req.Name)
	if err == nil && !mayKnowTeam(ctx, s.Team) {
		err = fault.New(fault.KindNotFound, "oncall.not_found", "there is no such schedule")
	}
	return a.scheduleDetail(ctx, o, s, orDefault(req.Days, 28), err)
}

func (a *API) scheduleDetail(ctx context.Context, o *OnCall, s oncall.Schedule, days int, err error) (*client.OnCallScheduleDetail, error) {
	if err != nil {
		return nil, err
	}
	out := &client.OnCallScheduleDetail{OnCallSchedule: a.scheduleShape(ctx, o)(s), Shifts: []client.OnCallShift{}}
	names, now := a.personNames(ctx), a.o.Now()
	for _, x := range s.Shifts(now, now.AddDate(0, 0, days)) {
		out.Shifts = append(out.Shifts, client.OnCallShift{Person: names(x.Person), From: x.From, To: x.To, Override: x.Override})
	}
	return out, nil
}

func putSchedule(a *API, ctx context.Context, req *client.PutScheduleRequest) (*client.OnCallScheduleDetail, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	s := oncall.Schedule{Name: req.Name, Team: req.Team, Zone: req.Zone, Revision: req.Revision}
	for _, r := range req.Rotations {
		x := oncall.Rotation{Start: r.Start.UTC(), Every: r.Every, Days: r.Days, Hours: r.Hours}
		for _, name := range r.People {
			id, err := a.personID(ctx, name)
			if err != nil {
				return nil, err
			}
			x.People = append(x.People, id)
		}
		s.Rotations = append(s.Rotations, x)
	}
	s, err = o.Book.PutSchedule(ctx, onCallActor(ctx), s)
	return a.scheduleDetail(ctx, o, s, 28, err)
}

func deleteSchedule(a *API, ctx context.Context, req *client.NameRequest) (*struct{}, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, o.Book.DeleteSchedule(ctx, onCallActor(ctx), req.Name)
}

func overrideOnCall(a *API, ctx context.Context, req *client.OverrideRequest) (*client.OnCallScheduleDetail, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	v := oncall.Override{From: a.o.Now(), To: req.To, Reason: req.Reason}
	if req.From != nil {
		v.From = *req.From
	}
	if v.Person, err = a.personID(ctx, req.Person); err != nil {
		return nil, err
	}
	s, err := o.Book.Override(ctx, onCallActor(ctx), req.Name, v)
	return a.scheduleDetail(ctx, o, s, 28, err)
}

func endOverride(a *API, ctx context.Context, req *client.EndOverrideRequest) (*struct{}, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	_, err = o.Book.EndOverride(ctx, onCallActor(ctx), req.Name, req.ID)
	return &struct{}{}, err
}

func (a *API) policyOfCallShape(ctx context.Context) func(p oncall.Policy) client.EscalationPolicy {
	names := a.personNames(ctx)
	return func(p oncall.Policy) client.EscalationPolicy {
		out := client.EscalationPolicy{Name: p.Name, Team: p.Team, Repeat: p.Repeat, For: p.For, Revision: p.Revision, UpdatedAt: p.UpdatedAt, Levels: []client.EscalationLevel{}}
		for _, l := range p.Levels {
			x := client.EscalationLevel{Schedules: l.Schedules, Channels: l.Channels, After: l.After}
			for _, person := range l.People {
				x.People = append(x.People, names(person))
			}
			out.Levels = append(out.Levels, x)
		}
		return out
	}
}

func listPoliciesOfCall(a *API, ctx context.Context, _ *struct{}) (*client.List[client.EscalationPolicy], error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(o.Book.Policies(), func(p oncall.Policy) bool { return !mayKnowTeam(ctx, p.Team) })
	return listOf(all, nil, a.policyOfCallShape(ctx))
}

func putPolicyOfCall(a *API, ctx context.Context, req *client.PutEscalationPolicyRequest) (*client.EscalationPolicy, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	p := oncall.Policy{Name: req.Name, Team: req.Team, Repeat: req.Repeat, For: req.For, Revision: req.Revision}
	for _, l := range req.Levels {
		x := oncall.Level{Schedules: l.Schedules, Channels: l.Channels, After: l.After}
		for _, name := range l.People {
			id, err := a.personID(ctx, name)
			if err != nil {
				return nil, err
			}
			x.People = append(x.People, id)
		}
		for _, name := range l.Channels {
			if _, err := o.Notices.Get(name); err != nil {
				return nil, err
			}
		}
		p.Levels = append(p.Levels, x)
	}
	if p, err = o.Book.PutPolicy(ctx, onCallActor(ctx), p); err != nil {
		return nil, err
	}
	out := a.policyOfCallShape(ctx)(p)
	return &out, nil
}

func deletePolicyOfCall(a *API, ctx context.Context, req *client.NameRequest) (*struct{}, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, o.Book.DeletePolicy(ctx, onCallActor(ctx), req.Name)
}

func listPages(a *API, ctx context.Context, req *client.ListPagesRequest) (*client.List[client.Page], error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	all, err := o.Book.Pages(ctx, req.Object, req.Limit)
	all = slices.DeleteFunc(all, func(p oncall.Page) bool {
		return !mayReadCall(ctx, p.Team, "") && !slices.ContainsFunc(p.Calls, func(c oncall.Call) bool { return c.Person == actor(ctx) })
	})
	names := a.personNames(ctx)
	return listOf(all, err, func(p oncall.Page) client.Page {
		out := client.Page{
			ID: p.ID, Kind: p.Kind, Object: p.Object, Team: p.Team, Title: p.Title, Severity: p.Severity, State: p.State, Policy: p.Policy, Step: p.Step,
			Levels: len(p.Levels) * (p.Repeat + 1), CreatedAt: p.CreatedAt, NextAt: optionalTime(p.NextAt), EndedAt: optionalTime(p.EndedAt), AnsweredBy: names(p.AnsweredBy), Why: p.Why, Calls: []client.PageCall{},
		}
		for _, c := range p.Calls {
			out.Calls = append(out.Calls, client.PageCall{Person: names(c.Person), Channel: c.Channel, Level: c.Level, At: c.At, Delivery: c.Delivery, State: c.State})
		}
		return out
	})
}

// ownOr is a person that the asker may see or change the contacts of: oneself,
// or as an admin anybody.
func (a *API) ownOr(ctx context.Context, word string) (string, error) {
	id, err := a.personID(ctx, word)
	if err != nil {
		return "", err
	}
	if who := whoOf(ctx); id != actor(ctx) && !who.Everywhere(identity.Admin) {
		return "", fault.New(fault.KindDenied, "api.role_missing", "how somebody is reached only they and admins see")
	}
	return id, nil
}

func getContacts(a *API, ctx context.Context, req *client.ContactsRequest) (*client.Contacts, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	id, err := a.ownOr(ctx, req.Person)
	if err != nil {
		return nil, err
	}
	out := &client.Contacts{Person: a.personNames(ctx)(id), Items: []client.Contact{}}
	for _, c := range o.Book.Contacts(id) {
		out.Items = append(out.Items, client.Contact(c))
	}
	return out, nil
}

func putContacts(a *API, ctx context.Context, req *client.PutContactsRequest) (*client.Contacts, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	id, err := a.ownOr(ctx, req.Person)
	if err != nil {
		return nil, err
	}
	list := make([]oncall.Contact, len(req.Items))
	for i, c := range req.Items {
		ch, err := o.Notices.Get(c.Channel)
		if err == nil && !mayKnowTeam(ctx, ch.Team) {
			err = fault.New(fault.KindNotFound, "notify.not_found", "there is no such channel")
		}
		if err != nil {
			return nil, err
		}
		list[i] = oncall.Contact(c)
	}
	if err := o.Book.PutContacts(ctx, onCallActor(ctx), id, list); err != nil {
		return nil, err
	}
	return getContacts(a, ctx, &client.ContactsRequest{Person: req.Person})
}

func linkChat(a *API, ctx context.Context, req *client.LinkChatRequest) (*struct{}, error) {
	o, err := a.onCall()
	if err != nil {
		return nil, err
	}
	if o.Link == nil || len(req.Token) > 2000 {
		return nil, fault.New(fault.KindInvalid, "api.link", "this is no link of a chat")
	}
	name, account, err := o.Link(req.Token)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, o.Notices.Link(ctx, name, account, actor(ctx))
}
