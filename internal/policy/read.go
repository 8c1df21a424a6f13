package policy

import (
	"net/netip"
	"strconv"
	"strings"
)

// field is an attribute of the context, or of a record in it.
type field uint8

const (
	fieldNone field = iota
	fieldAutonomy
	fieldContainment
	fieldCredential
	fieldBound
	fieldAddress
	fieldInstance
	fieldVersion
	fieldVersionApproved
	fieldUser
	fieldOrigin
	fieldChain
	fieldDepth
	fieldClasses
	fieldFindings
	fieldNow
	fieldHour
	fieldWeekday
	fieldArgs // a record, as those that have more below
	fieldArgsReadable
	fieldArgsBytes
	fieldArgsNames
	fieldArgsText
	fieldArgsInt
	fieldArgsNumber
	fieldArgsFlag
	fieldModel
	fieldModelEndpoint
	fieldModelMaxOutput
	fieldModelTools
	fieldModelHostedTools
	fieldBudget
	fieldBudgetMoney
	fieldBudgetTokens
	fieldBudgetCalls
	fieldTaint
	fieldTaintClasses
	fieldTaintUntrusted
	fieldTaintSources
	fieldTaintUpstreams
	fieldDestinations
	fieldDestinationsAll
	fieldDestinationsDomains
	fieldDestinationsFirstSeen
	fieldDestinationsInjected
	fieldDestinationsExternal
)

// fieldPaths are the fields by their names in the schema.
var fieldPaths = map[string]field{
	"autonomy": fieldAutonomy, "containment": fieldContainment, "credential": fieldCredential, "bound": fieldBound, "address": fieldAddress,
	"instance": fieldInstance, "version": fieldVersion, "version_approved": fieldVersionApproved, "user": fieldUser, "origin": fieldOrigin,
	"chain": fieldChain, "depth": fieldDepth, "classes": fieldClasses, "findings": fieldFindings, "now": fieldNow, "hour": fieldHour, "weekday": fieldWeekday,
	"args": fieldArgs, "args.readable": fieldArgsReadable, "args.bytes": fieldArgsBytes, "args.names": fieldArgsNames, "args.text": fieldArgsText,
	"args.int": fieldArgsInt, "args.number": fieldArgsNumber, "args.flag": fieldArgsFlag,
	"model": fieldModel, "model.endpoint": fieldModelEndpoint, "model.max_output": fieldModelMaxOutput, "model.tools": fieldModelTools, "model.hosted_tools": fieldModelHostedTools,
	"budget": fieldBudget, "budget.money": fieldBudgetMoney, "budget.tokens": fieldBudgetTokens, "budget.calls": fieldBudgetCalls,
	"taint": fieldTaint, "taint.classes": fieldTaintClasses, "taint.untrusted": fieldTaintUntrusted, "taint.sources": fieldTaintSources, "taint.upstreams": fieldTaintUpstreams,
	"destinations": fieldDestinations, "destinations.all": fieldDestinationsAll, "destinations.domains": fieldDestinationsDomains,
	"destinations.first_seen": fieldDestinationsFirstSeen, "destinations.injected": fieldDestinationsInjected, "destinations.external": fieldDestinationsExternal,
}

// records are the fields that have others below them.
var records = map[field]string{fieldArgs: "args", fieldModel: "model", fieldBudget: "budget", fieldTaint: "taint", fieldDestinations: "destinations"}

// has reports whether a field is there; what the schema does not call optional
// always is.
func (f *frame) has(n field) bool {
	c := &f.r.Call
	switch n {
	case fieldAddress:
		return c.Address.IsValid()
	case fieldInstance:
		return c.Instance != ""
	case fieldVersion:
		return c.Version != ""
	case fieldUser:
		return c.User != ""
	case fieldOrigin:
		return len(c.Chain) > 0
	case fieldModel, fieldModelEndpoint, fieldModelTools, fieldModelHostedTools:
		return c.Model != nil
	case fieldModelMaxOutput:
		return c.Model != nil && c.Model.MaxOutput > 0
	case fieldBudgetMoney:
		return c.Budget.Money != nil
	case fieldBudgetTokens:
		return c.Budget.Tokens != nil
	case fieldBudgetCalls:
		return c.Budget.Calls != nil
	case fieldNone:
		return false
	}
	return true
}

// field reads an attribute of the context; ok is false when it is not there.
func (f *frame) field(n field) (v val, ok bool) {
	if !f.has(n) {
		return v, false
	}
	c := &f.r.Call
	switch n {
	case fieldAutonomy:
		v = entityVal("Autonomy", f.r.Agent.Autonomy)
	case fieldContainment:
		v = entityVal("Containment", f.r.Agent.Containment)
	case fieldCredential:
		v = entityVal("Credential", c.Credential)
	case fieldBound:
		v = boolVal(c.Bound)
	case fieldAddress:
		v = val{k: kIP, ip: hostPrefix(c.Address)}
	case fieldInstance:
		v = stringVal(c.Instance)
	case fieldVersion:
		v = stringVal(c.Version)
	case fieldVersionApproved:
		v = boolVal(c.VersionApproved)
	case fieldUser:
		v = entityVal("User", c.User)
	case fieldOrigin:
		v = entityVal("Agent", c.Chain[len(c.Chain)-1])
	case fieldChain:
		v = uidsVal("Agent", c.Chain)
	case fieldDepth:
		v = longVal(int64(c.Depth))
	case fieldClasses:
		v = classesVal(c.Classes)
	case fieldFindings:
		v = stringsVal(c.Findings)
	case fieldNow:
		v = val{k: kDatetime, n: c.Now.UnixMilli()}
	case fieldHour:
		v = longVal(int64(c.Now.UTC().Hour()))
	case fieldWeekday:
		v = longVal(int64(c.Now.UTC().Weekday()))
	case fieldArgsReadable:
		v = boolVal(c.Args.Readable)
	case fieldArgsBytes:
		v = longVal(c.Args.Bytes)
	case fieldArgsNames:
		v = stringsVal(c.Args.Names)
	case fieldArgsText:
		v = entityVal("Text", "call")
	case fieldArgsInt:
		v = entityVal("Int", "call")
	case fieldArgsNumber:
		v = entityVal("Number", "call")
	case fieldArgsFlag:
		v = entityVal("Flag", "call")
	case fieldModelEndpoint:
		v = stringVal(c.Model.Endpoint)
	case fieldModelMaxOutput:
		v = longVal(c.Model.MaxOutput)
	case fieldModelTools:
		v = stringsVal(c.Model.Tools)
	case fieldModelHostedTools:
		v = stringsVal(c.Model.HostedTools)
	case fieldBudgetMoney:
		v = val{k: kDecimal, n: *c.Budget.Money}
	case fieldBudgetTokens:
		v = longVal(*c.Budget.Tokens)
	case fieldBudgetCalls:
		v = longVal(*c.Budget.Calls)
	case fieldTaintClasses:
		v = classesVal(c.Taint.Classes)
	case fieldTaintUntrusted:
		v = boolVal(c.Taint.Untrusted)
	case fieldTaintSources:
		v = uidsVal("Source", c.Taint.Sources)
	case fieldTaintUpstreams:
		v = uidsVal("Upstream", c.Taint.Upstreams)
	case fieldDestinationsAll:
		v = stringsVal(c.Destinations.All)
	case fieldDestinationsDomains:
		v = stringsVal(c.Destinations.Domains)
	case fieldDestinationsFirstSeen:
		v = stringsVal(c.Destinations.FirstSeen)
	case fieldDestinationsInjected:
		v = stringsVal(c.Destinations.Injected)
	case fieldDestinationsExternal:
		v = boolVal(c.Destinations.External)
	default:
		return v, false
	}
	return v, true
}

func hostPrefix(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen())
}

func classesVal(l []string) val {
	v := uidsVal("DataClass", l)
	v.closed = true
	return v
}

// attr reads an attribute of an entity; ok is false when there is none.
func (f *frame) attr(e *val, name string) (v val, ok bool) {
	if e.k != kEntity {
		return v, false
	}
	switch r := f.r; {
	case e.typ == "Agent" && e.s == r.Agent.Name:
		return agentAttr(&r.Agent, name)
	case e.typ == r.Resource.Type && e.s == r.Resource.ID:
		return f.resourceAttr(name)
	case e.typ == "Upstream" && e.s == r.Resource.Upstream:
		return upstreamAttr(&r.Resource, name)
	case e.typ == "User" && e.s == r.Call.User && e.s != "":
		return userAttr(&r.Call, name)
	}
	return v, false
}

func agentAttr(a *Agent, name string) (v val, ok bool) {
	switch name {
	case "kind":
		v = stringVal(a.Kind)
	case "lifecycle":
		v = entityVal("Lifecycle", a.Lifecycle)
	case "autonomy":
		v = entityVal("Autonomy", a.Autonomy)
	case "environment":
		v = stringVal(a.Environment)
	case "mode":
		v = stringVal(a.Mode)
	case "owner":
		v = entityVal("User", a.Owner)
	case "classes":
		// Not closed upward: who may see pii.email may not see all of pii.
		v = uidsVal("DataClass", a.Classes)
	default:
		return v, false
	}
	return v, true
}

func upstreamAttr(x *Resource, name string) (v val, ok bool) {
	switch name {
	case "external":
		return boolVal(x.External), true
	case "kind":
		return stringVal(x.UpstreamKind), x.UpstreamKind != ""
	}
	return v, false
}

func userAttr(c *Call, name string) (v val, ok bool) {
	switch {
	case name == "directory":
		return stringVal(c.UserDirectory), c.UserDirectory != ""
	case name == "active" && c.UserActive != nil:
		return boolVal(*c.UserActive), true
	}
	return v, false
}

func (f *frame) resourceAttr(name string) (v val, ok bool) {
	x := &f.r.Resource
	if name == "classes" {
		return uidsVal("DataClass", x.Classes), true
	}
	switch x.Type + "." + name {
	case "Tool.effect", "Api.effect":
		v = entityVal("Effect", f.effect)
	case "Tool.pinned", "Peer.pinned":
		v = boolVal(x.Pinned)
	case "Model.provider":
		v = stringVal(x.Provider)
	case "Model.name":
		v = stringVal(x.Name)
	case "Model.deprecated":
		v = boolVal(x.Deprecated)
	case "Model.region":
		return stringVal(x.Region), x.Region != ""
	case "Api.method":
		v = stringVal(x.Method)
	case "Api.route":
		v = stringVal(x.Route)
	case "Peer.external":
		v = boolVal(x.External)
	case "Peer.agent":
		return entityVal("Agent", x.Agent), x.Agent != ""
	case "Source.trusted":
		v = boolVal(x.Trusted)
	case "Source.in_use":
		v = boolVal(!x.OutOfUse)
	case "Source.fresh":
		if x.Fresh == nil {
			return v, false
		}
		v = boolVal(*x.Fresh)
	default:
		return v, false
	}
	return v, true
}

// tag reads a tag of an entity; ok is false when there is none.
func (f *frame) tag(e, key *val) (v val, ok bool) {
	args := &f.r.Call.Args
	switch {
	case e.typ == "Agent" && e.s == f.r.Agent.Name:
		s, ok := f.r.Agent.Labels[key.s]
		return stringVal(s), ok
	case e.typ == "Text":
		l, ok := args.Text[key.s]
		return stringsVal(l), ok
	case e.typ == "Int":
		n, ok := args.Int[key.s]
		return longVal(n), ok
	case e.typ == "Flag":
		b, ok := args.Flag[key.s]
		return boolVal(b), ok
	case e.typ == "Number":
		s, ok := args.Number[key.s]
		if !ok {
			return v, false
		}
		n, ok := parseDecimal(s)
		if !ok {
			return stringVal(s), true // a wrong type, so that what reads it errs
		}
		return val{k: kDecimal, n: n}, true
	}
	return v, false
}

// parseDecimal reads a decimal as types.ParseDecimal does, in ten-thousandths,
// the least step of one.
func parseDecimal(s string) (int64, bool) {
	whole, part, dot := strings.Cut(s, ".")
	i, err := strconv.ParseInt(whole, 10, 64)
	if !dot || err != nil || len(part) == 0 || len(part) > 4 || i > 922337203685477 || i < -922337203685477 {
		return 0, false
	}
	n := int64(0)
	for at := range 4 {
		n *= 10
		if at < len(part) {
			if part[at] < '0' || part[at] > '9' {
				return 0, false
			}
			n += int64(part[at] - '0')
		}
	}
	if s[0] == '-' {
		return i*10_000 - n, i != -922337203685477 || n <= 5808
	}
	return i*10_000 + n, i != 922337203685477 || n <= 5807
}
