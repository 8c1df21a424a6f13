package policy

import (
	"net/netip"
	"strings"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"reeve/internal/activity"
)

// Agent is who acts, as the register knows it.
type Agent struct {
	Name, Team, Owner, Kind, Lifecycle, Autonomy string
	Environment, Mode, Containment, Enforcement  string
	Classes                                      []string
	Labels                                       map[string]string
}

// Resource is what is acted on. Type is Tool, Model, Api, Peer or Source.
type Resource struct {
	Type, ID, Upstream, UpstreamTeam              string
	UpstreamShared                                bool // agents of other teams may call it, if a policy permits
	UpstreamKind                                  string
	Fresh                                         *bool // of a Source; nil: nobody said how old it may be, or knows how old it is
	External, Pinned, Deprecated, Trusted         bool
	OutOfUse                                      bool // somebody took the source that it is, or reads, out of use
	Effect, Provider, Name, Region, Method, Route string
	Agent                                         string // of a Peer: the registered agent behind it; "" none
	Classes                                       []string
}

// Args are the arguments of a call by JSON Pointer. Unfit lists the paths whose
// values Cedar cannot hold; a policy that reads one denies. Number values are
// decimals with at most four places.
type Args struct {
	Readable bool
	Bytes    int64
	Names    []string
	Text     map[string][]string
	Int      map[string]int64
	Number   map[string]string
	Flag     map[string]bool
	Unfit    []string
	// Dropped is set of a request read back from a record: there were values, and
	// they were not kept.
	Dropped bool
}

// ModelCall is what a model is asked for; MaxOutput 0 is no bound.
type ModelCall struct {
	Endpoint           string
	MaxOutput          int64
	Tools, HostedTools []string
}

// Budget is what is left; nil is unknown. Tokens and Calls are whole, Money is in
// ten-thousandths, the least step of a Cedar decimal.
type Budget struct{ Tokens, Calls, Money *int64 }

// Taint is what the credential, user and session have touched.
type Taint struct {
	Classes, Sources, Upstreams []string
	Untrusted                   bool
}

// Destinations are where the call sends data.
type Destinations struct {
	All, Domains, FirstSeen, Injected []string
	External                          bool
}

// Call is the context of a proposed action.
type Call struct {
	Credential      string
	Bound           bool
	Instance        string
	Version         string
	VersionApproved bool
	User            string
	UserDirectory   string // that knows the user: "reeve", an issuer; "" nobody said
	UserActive      *bool  // nil: nobody here knows
	UserTeams       []string
	UserGroups      []string
	Chain           []string
	Depth           int
	Classes         []string
	Findings        []string
	Now             time.Time
	Address         netip.Addr
	Args            Args
	Model           *ModelCall
	Budget          Budget
	Taint           Taint
	Destinations    Destinations
	Origins         []activity.Origin // what the arguments name; Cedar is not told
}

// Request is a proposed action: call_tool, call_model, call_api, send_task or
// read_source.
type Request struct {
	Agent    Agent
	Action   string
	Resource Resource
	Call     Call
}

func uid(typ, id string) types.EntityUID {
	return types.NewEntityUID(types.EntityType(typ), types.String(id))
}

func texts(list []string) types.Set {
	v := make([]types.Value, len(list))
	for i, s := range list {
		v[i] = types.String(s)
	}
	return types.NewSet(v...)
}

func uids(typ string, list []string) types.Set {
	v := make([]types.Value, len(list))
	for i, s := range list {
		v[i] = uid(typ, s)
	}
	return types.NewSet(v...)
}

// classSet closes a set of classes upward (pii.email is also pii), which Cedar
// cannot do by itself.
func classSet(list []string) types.Set {
	var all []string
	for _, c := range list {
		for all = append(all, c); ; all = append(all, c) {
			i := strings.LastIndexByte(c, '.')
			if i < 0 {
				break
			}
			c = c[:i]
		}
	}
	return uids("DataClass", all)
}

// Get implements Cedar's look-up of entities: only what a statement asks for is
// ever built.
func (r *Request) Get(u types.EntityUID) (types.Entity, bool) {
	e := types.Entity{UID: u}
	id := string(u.ID)
	switch {
	case u.Type == "Agent" && id == r.Agent.Name:
		a := &r.Agent
		if a.Team != "" {
			e.Parents = types.NewEntityUIDSet(uid("Team", a.Team))
		}
		e.Attributes = types.NewRecord(types.RecordMap{
			"kind": types.String(a.Kind), "lifecycle": uid("Lifecycle", a.Lifecycle), "autonomy": uid("Autonomy", a.Autonomy),
			"environment": types.String(a.Environment), "mode": types.String(a.Mode), "owner": uid("User", a.Owner),
			// Not closed upward: who may see pii.email may not see all of pii.
			"classes": uids("DataClass", a.Classes),
		})
		tags := types.RecordMap{}
		for k, v := range a.Labels {
			tags[types.String(k)] = types.String(v)
		}
		e.Tags = types.NewRecord(tags)
	case string(u.Type) == r.Resource.Type && id == r.Resource.ID:
		x := &r.Resource
		if x.Upstream != "" {
			e.Parents = types.NewEntityUIDSet(uid("Upstream", x.Upstream))
		}
		m := types.RecordMap{"classes": uids("DataClass", x.Classes)}
		switch x.Type {
		case "Tool":
			m["effect"], m["pinned"] = uid("Effect", x.effect()), types.Boolean(x.Pinned)
		case "Model":
			m["provider"], m["name"], m["deprecated"] = types.String(x.Provider), types.String(x.Name), types.Boolean(x.Deprecated)
			if x.Region != "" {
				m["region"] = types.String(x.Region)
			}
		case "Api":
			m["method"], m["route"], m["effect"] = types.String(x.Method), types.String(x.Route), uid("Effect", x.effect())
		case "Peer":
			m["external"], m["pinned"] = types.Boolean(x.External), types.Boolean(x.Pinned)
			if x.Agent != "" {
				m["agent"] = uid("Agent", x.Agent)
			}
		case "Source":
			m["trusted"], m["in_use"] = types.Boolean(x.Trusted), types.Boolean(!x.OutOfUse)
			if x.Fresh != nil {
				m["fresh"] = types.Boolean(*x.Fresh)
			}
		}
		e.Attributes = types.NewRecord(m)
	case u.Type == "Upstream" && id == r.Resource.Upstream:
		if r.Resource.UpstreamTeam != "" {
			e.Parents = types.NewEntityUIDSet(uid("Team", r.Resource.UpstreamTeam))
		}
		m := types.RecordMap{"external": types.Boolean(r.Resource.External)}
		if r.Resource.UpstreamKind != "" {
			m["kind"] = types.String(r.Resource.UpstreamKind)
		}
		e.Attributes = types.NewRecord(m)
	case u.Type == "User" && id == r.Call.User && id != "":
		var parents []types.EntityUID
		for _, t := range r.Call.UserTeams {
			parents = append(parents, uid("Team", t))
		}
		for _, g := range r.Call.UserGroups {
			parents = append(parents, uid("Group", g))
		}
		e.Parents = types.NewEntityUIDSet(parents...)
		m := types.RecordMap{}
		if r.Call.UserDirectory != "" {
			m["directory"] = types.String(r.Call.UserDirectory)
		}
		if r.Call.UserActive != nil {
			m["active"] = types.Boolean(*r.Call.UserActive)
		}
		e.Attributes = types.NewRecord(m)
	case u.Type == "Text":
		e.Tags = tagged(r.Call.Args.Text, func(v []string) types.Value { return texts(v) })
	case u.Type == "Int":
		e.Tags = tagged(r.Call.Args.Int, func(v int64) types.Value { return types.Long(v) })
	case u.Type == "Flag":
		e.Tags = tagged(r.Call.Args.Flag, func(v bool) types.Value { return types.Boolean(v) })
	case u.Type == "Number":
		e.Tags = tagged(r.Call.Args.Number, func(v string) types.Value {
			d, err := types.ParseDecimal(v)
			if err != nil {
				return types.String(v) // a wrong type, so that what reads it errs
			}
			return d
		})
	default:
		return e, false
	}
	return e, true
}

func tagged[V any](m map[string]V, value func(V) types.Value) types.Record {
	out := make(types.RecordMap, len(m))
	for k, v := range m {
		out[types.String(k)] = value(v)
	}
	return types.NewRecord(out)
}

// fieldNames are the attributes of the context, in the schema's order.
var fieldNames = [...]types.String{
	"autonomy", "containment", "credential", "bound", "address", "instance", "version", "version_approved", "user", "origin", "chain",
	"depth", "classes", "findings", "now", "hour", "weekday", "args", "model", "budget", "taint", "destinations",
}

// field builds one attribute of the context; nil when it is absent.
func (r *Request) field(name types.String) types.Value {
	c := &r.Call
	optional := func(s string) types.Value {
		if s == "" {
			return nil
		}
		return types.String(s)
	}
	switch name {
	case "autonomy":
		return uid("Autonomy", r.Agent.Autonomy)
	case "containment":
		return uid("Containment", r.Agent.Containment)
	case "credential":
		return uid("Credential", c.Credential)
	case "bound":
		return types.Boolean(c.Bound)
	case "address":
		if c.Address.IsValid() {
			return types.IPAddr(netip.PrefixFrom(c.Address.Unmap(), c.Address.Unmap().BitLen()))
		}
	case "instance":
		return optional(c.Instance)
	case "version":
		return optional(c.Version)
	case "version_approved":
		return types.Boolean(c.VersionApproved)
	case "user":
		if c.User != "" {
			return uid("User", c.User)
		}
	case "origin":
		if n := len(c.Chain); n > 0 {
			return uid("Agent", c.Chain[n-1])
		}
	case "chain":
		return uids("Agent", c.Chain)
	case "depth":
		return types.Long(c.Depth)
	case "classes":
		return classSet(c.Classes)
	case "findings":
		return texts(c.Findings)
	case "now":
		return types.NewDatetime(c.Now)
	case "hour":
		return types.Long(c.Now.UTC().Hour())
	case "weekday":
		return types.Long(c.Now.UTC().Weekday())
	case "args":
		return types.NewRecord(types.RecordMap{
			"readable": types.Boolean(c.Args.Readable), "bytes": types.Long(c.Args.Bytes), "names": texts(c.Args.Names),
			"text": uid("Text", "call"), "int": uid("Int", "call"), "number": uid("Number", "call"), "flag": uid("Flag", "call"),
		})
	case "model":
		if c.Model == nil {
			return nil
		}
		m := types.RecordMap{"endpoint": types.String(c.Model.Endpoint), "tools": texts(c.Model.Tools), "hosted_tools": texts(c.Model.HostedTools)}
		if c.Model.MaxOutput > 0 {
			m["max_output"] = types.Long(c.Model.MaxOutput)
		}
		return types.NewRecord(m)
	case "budget":
		m := types.RecordMap{}
		if c.Budget.Money != nil {
			if d, err := types.NewDecimal(*c.Budget.Money, -4); err == nil { // it always fits
				m["money"] = d
			}
		}
		if c.Budget.Tokens != nil {
			m["tokens"] = types.Long(*c.Budget.Tokens)
		}
		if c.Budget.Calls != nil {
			m["calls"] = types.Long(*c.Budget.Calls)
		}
		return types.NewRecord(m)
	case "taint":
		return types.NewRecord(types.RecordMap{
			"classes": classSet(c.Taint.Classes), "untrusted": types.Boolean(c.Taint.Untrusted),
			"sources": uids("Source", c.Taint.Sources), "upstreams": uids("Upstream", c.Taint.Upstreams),
		})
	case "destinations":
		d := &c.Destinations
		return types.NewRecord(types.RecordMap{
			"all": texts(d.All), "domains": texts(d.Domains), "first_seen": texts(d.FirstSeen), "injected": texts(d.Injected), "external": types.Boolean(d.External),
		})
	}
	return nil
}

// cedarRequest is the request as cedar-go takes it, with the whole context.
func (r *Request) cedarRequest() cedar.Request {
	m := make(types.RecordMap, len(fieldNames))
	for _, n := range fieldNames {
		if v := r.field(n); v != nil {
			m[n] = v
		}
	}
	return cedar.Request{
		Principal: uid("Agent", r.Agent.Name), Action: uid("Action", r.Action), Resource: uid(r.Resource.Type, r.Resource.ID), Context: types.NewRecord(m),
	}
}
