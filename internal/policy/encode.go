package policy

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"reeve/internal/activity"
)

// contextJSON is the whole Cedar request {principal, action, resource, context,
// entities}, as other engines of Cedar read it, and beside it "door": what a
// decision depends on that Cedar is not told. Values of arguments stay out: a
// decision's record holds no content.
func (r *Request) contextJSON() []byte {
	b := appender(make([]byte, 0, 2048))
	b.text(`{"principal":`).ref("Agent", r.Agent.Name)
	b.text(`,"action":`).ref("Action", r.Action)
	b.text(`,"resource":`).ref(r.Resource.Type, r.Resource.ID)
	b.text(`,"context":`)
	r.appendContext(&b)
	b.text(`,"entities":`)
	r.appendEntities(&b)
	b.text(`,"door":`)
	r.appendDoor(&b)
	if len(r.Call.Origins) > 0 {
		b.text(`,"origins":`)
		eachOf(&b, r.Call.Origins, func(o activity.Origin) { b.origin(&o) })
	}
	b.text(`}`)
	return b
}

// origin writes where an entity came from: which person or account it is stays
// out.
func (b *appender) origin(o *activity.Origin) {
	b.text(`{"path":`).str(o.Path)
	if o.Index > 0 {
		b.key("index").int(int64(o.Index))
	}
	b.key("from").int(int64(o.From))
	b.key("to").int(int64(o.To))
	b.key("kind").str(o.Kind)
	b.key("entity").str(Masked(o.Entity))
	b.key("source").str(o.Source)
	if o.Tool != "" {
		b.key("tool").str(o.Tool)
	}
	if o.Step != "" {
		b.key("step").str(o.Step)
	}
	if o.First {
		b.key("first").bool(true)
	}
	if o.Injected {
		b.key("injected").bool(true)
	}
	b.text(`}`)
}

// Masked is a destination as records show it: hosts and addresses of the web as
// they are, without what follows the path, and of people and accounts so much
// that two can be told apart.
func Masked(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i > 0 && !strings.ContainsAny(s, "/ ") {
		_, n := utf8.DecodeRuneInString(s)
		return s[:n] + "…" + s[i:]
	}
	if strings.ContainsAny(s, "./") {
		return s
	}
	// A number, or a name within the house.
	digits := 0
	for _, c := range s {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	if digits < 6 {
		return s
	}
	return s[:min(4, len(s))] + "…" + s[max(4, len(s)-2):]
}

func (b *appender) masked(list []string) { eachOf(b, list, func(s string) { b.str(Masked(s)) }) }

// appender writes JSON; each of its methods writes one value, or the key before
// one.
type appender []byte

func (b *appender) text(s string) *appender {
	*b = append(*b, s...)
	return b
}

// decimal writes a Cedar decimal of ten-thousandths, of which there are no
// negative ones here, as cedar-go does.
func (b *appender) decimal(n int64) *appender {
	b.text(`{"__extn":{"fn":"decimal","arg":"`)
	*b = strconv.AppendInt(*b, n/10_000, 10)
	part := n % 10_000
	digits := [5]byte{'.', byte('0' + part/1000), byte('0' + part/100%10), byte('0' + part/10%10), byte('0' + part%10)}
	last := len(digits)
	for last > 2 && digits[last-1] == '0' {
		last--
	}
	*b = append(*b, digits[:last]...)
	return b.text(`"}}`)
}

// str writes a string. Quotes, control characters and what is no UTF-8 are rare
// and go the slow way.
func (b *appender) str(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			q, err := json.Marshal(s)
			if err != nil {
				q = []byte(`""`) // a string always encodes
			}
			*b = append(*b, q...)
			return
		}
	}
	*b = append(*b, '"')
	*b = append(*b, s...)
	*b = append(*b, '"')
}

// uid is an entity's name where nothing else can stand, ref one among values.
func (b *appender) uid(typ, id string) {
	b.text(`{"type":`).str(typ)
	b.text(`,"id":`).str(id)
	b.text(`}`)
}

func (b *appender) ref(typ, id string) {
	b.text(`{"__entity":`).uid(typ, id)
	b.text(`}`)
}

func (b *appender) bool(v bool) { *b = strconv.AppendBool(*b, v) }
func (b *appender) int(n int64) { *b = strconv.AppendInt(*b, n, 10) }

// key begins an attribute; the first of an object follows its brace.
func (b *appender) key(name string) *appender {
	if (*b)[len(*b)-1] != '{' {
		*b = append(*b, ',')
	}
	*b = append(*b, '"')
	*b = append(*b, name...)
	*b = append(*b, `":`...)
	return b
}

func eachOf[T any](b *appender, items []T, one func(T)) {
	*b = append(*b, '[')
	for i, item := range items {
		if i > 0 {
			*b = append(*b, ',')
		}
		one(item)
	}
	*b = append(*b, ']')
}

func (b *appender) strs(items []string) { eachOf(b, items, b.str) }

func (b *appender) refs(typ string, items []string) {
	eachOf(b, items, func(id string) { b.ref(typ, id) })
}

func (r *Request) appendContext(b *appender) {
	c := &r.Call
	optional := func(name, s string) {
		if s != "" {
			b.key(name).str(s)
		}
	}
	b.text(`{`)
	b.key("autonomy").ref("Autonomy", r.Agent.Autonomy)
	b.key("containment").ref("Containment", r.Agent.Containment)
	b.key("credential").ref("Credential", c.Credential)
	b.key("bound").bool(c.Bound)
	if c.Address.IsValid() {
		b.key("address").text(`{"__extn":{"fn":"ip","arg":`).str(c.Address.Unmap().String())
		b.text(`}}`)
	}
	optional("instance", c.Instance)
	optional("version", c.Version)
	b.key("version_approved").bool(c.VersionApproved)
	if c.User != "" {
		b.key("user").ref("User", c.User)
	}
	if n := len(c.Chain); n > 0 {
		b.key("origin").ref("Agent", c.Chain[n-1])
	}
	b.key("chain").refs("Agent", c.Chain)
	b.key("depth").int(int64(c.Depth))
	b.key("classes").refs("DataClass", closed(c.Classes))
	b.key("findings").strs(c.Findings)
	now := c.Now.UTC()
	b.key("now").text(`{"__extn":{"fn":"datetime","arg":"`)
	*b = now.AppendFormat(*b, nowForm)
	b.text(`"}}`)
	b.key("hour").int(int64(now.Hour()))
	b.key("weekday").int(int64(now.Weekday()))
	b.key("args").text(`{"readable":`).bool(c.Args.Readable)
	b.key("bytes").int(c.Args.Bytes)
	b.key("names").strs(c.Args.Names)
	for _, of := range [...][2]string{{"text", "Text"}, {"int", "Int"}, {"number", "Number"}, {"flag", "Flag"}} {
		b.key(of[0]).ref(of[1], "call")
	}
	b.text(`}`)
	if m := c.Model; m != nil {
		b.key("model").text(`{"endpoint":`).str(m.Endpoint)
		b.key("tools").strs(m.Tools)
		b.key("hosted_tools").strs(m.HostedTools)
		if m.MaxOutput > 0 {
			b.key("max_output").int(m.MaxOutput)
		}
		b.text(`}`)
	}
	b.key("budget").text(`{`)
	if c.Budget.Money != nil {
		b.key("money").decimal(*c.Budget.Money)
	}
	if c.Budget.Tokens != nil {
		b.key("tokens").int(*c.Budget.Tokens)
	}
	if c.Budget.Calls != nil {
		b.key("calls").int(*c.Budget.Calls)
	}
	b.text(`}`)
	b.key("taint").text(`{"classes":`).refs("DataClass", closed(c.Taint.Classes))
	b.key("untrusted").bool(c.Taint.Untrusted)
	b.key("sources").refs("Source", c.Taint.Sources)
	b.key("upstreams").refs("Upstream", c.Taint.Upstreams)
	b.text(`}`)
	d := &c.Destinations
	b.key("destinations").text(`{"all":`).masked(d.All)
	b.key("domains").strs(d.Domains)
	b.key("first_seen").masked(d.FirstSeen)
	b.key("injected").masked(d.Injected)
	b.key("external").bool(d.External)
	b.text(`}}`)
}

const nowForm = "2006-01-02T15:04:05.000Z"

// closed is a set of classes with their parents.
func closed(list []string) []string {
	if !slices.ContainsFunc(list, func(c string) bool { return strings.IndexByte(c, '.') >= 0 }) {
		return list
	}
	var all []string
	for _, c := range list {
		for {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
			i := strings.LastIndexByte(c, '.')
			if i < 0 {
				break
			}
			c = c[:i]
		}
	}
	return all
}

// entity writes one entity's head up to its attributes, which follow with their
// closing brace.
func (b *appender) entity(typ, id string, parents ...[2]string) {
	if (*b)[len(*b)-1] == '}' {
		*b = append(*b, ',')
	}
	b.text(`{"uid":`).uid(typ, id)
	b.text(`,"parents":`)
	eachOf(b, parents, func(p [2]string) { b.uid(p[0], p[1]) })
	b.text(`,"attrs":{`)
}

func above(typ, id string) [][2]string {
	if id == "" {
		return nil
	}
	return [][2]string{{typ, id}}
}

func (r *Request) appendEntities(b *appender) {
	a, x, c := &r.Agent, &r.Resource, &r.Call
	b.text(`[`)
	b.entity("Agent", a.Name, above("Team", a.Team)...)
	b.key("kind").str(a.Kind)
	b.key("lifecycle").ref("Lifecycle", a.Lifecycle)
	b.key("autonomy").ref("Autonomy", a.Autonomy)
	b.key("environment").str(a.Environment)
	b.key("mode").str(a.Mode)
	b.key("owner").ref("User", a.Owner)
	b.key("classes").refs("DataClass", a.Classes)
	b.text(`},"tags":{`)
	for k, v := range a.Labels {
		if (*b)[len(*b)-1] != '{' {
			b.text(`,`)
		}
		b.str(k)
		b.text(`:`).str(v)
	}
	b.text(`}}`)

	b.entity(x.Type, x.ID, above("Upstream", x.Upstream)...)
	b.key("classes").refs("DataClass", x.Classes)
	switch x.Type {
	case "Tool":
		b.key("effect").ref("Effect", x.effect())
		b.key("pinned").bool(x.Pinned)
	case "Model":
		b.key("provider").str(x.Provider)
		b.key("name").str(x.Name)
		b.key("deprecated").bool(x.Deprecated)
		if x.Region != "" {
			b.key("region").str(x.Region)
		}
	case "Api":
		b.key("method").str(x.Method)
		b.key("route").str(x.Route)
		b.key("effect").ref("Effect", x.effect())
	case "Peer":
		b.key("external").bool(x.External)
		b.key("pinned").bool(x.Pinned)
		if x.Agent != "" {
			b.key("agent").ref("Agent", x.Agent)
		}
	case "Source":
		b.key("trusted").bool(x.Trusted)
		b.key("in_use").bool(!x.OutOfUse)
		if x.Fresh != nil {
			b.key("fresh").bool(*x.Fresh)
		}
	}
	b.text(`},"tags":{}}`)

	if x.Upstream != "" {
		b.entity("Upstream", x.Upstream, above("Team", x.UpstreamTeam)...)
		b.key("external").bool(x.External)
		if x.UpstreamKind != "" {
			b.key("kind").str(x.UpstreamKind)
		}
		b.text(`},"tags":{}}`)
	}
	if c.User != "" {
		var parents [][2]string
		for _, t := range c.UserTeams {
			parents = append(parents, [2]string{"Team", t})
		}
		for _, g := range c.UserGroups {
			parents = append(parents, [2]string{"Group", g})
		}
		b.entity("User", c.User, parents...)
		if c.UserDirectory != "" {
			b.key("directory").str(c.UserDirectory)
		}
		if c.UserActive != nil {
			b.key("active").bool(*c.UserActive)
		}
		b.text(`},"tags":{}}`)
	}
	b.text(`]`)
}

// appendDoor writes what Cedar is not told.
func (r *Request) appendDoor(b *appender) {
	b.text(`{"enforcement":`).str(r.Agent.Enforcement)
	b.key("effect").str(r.Resource.effect())
	b.key("shared").bool(r.Resource.UpstreamShared)
	b.key("external").bool(r.Resource.External)
	if r.Resource.OutOfUse {
		b.key("out_of_use").bool(true)
	}
	if args := &r.Call.Args; args.Dropped || len(args.Text)+len(args.Int)+len(args.Number)+len(args.Flag)+len(args.Unfit) > 0 {
		b.key("values").bool(true)
	}
	b.text(`}`)
}

// recorded reads back what contextJSON wrote.
type recorded struct {
	Principal, Action, Resource reference
	Context                     struct {
		Autonomy, Containment, Credential reference
		Bound                             bool
		Address                           extn
		Instance, Version                 string
		VersionApproved                   bool `json:"version_approved"`
		User                              reference
		Chain                             []reference
		Depth                             int
		Classes                           []reference
		Findings                          []string
		Now                               extn
		Args                              struct {
			Readable bool
			Bytes    int64
			Names    []string
		}
		Model *struct {
			Endpoint    string
			MaxOutput   int64 `json:"max_output"`
			Tools       []string
			HostedTools []string `json:"hosted_tools"`
		}
		Budget struct {
			Tokens, Calls *int64
			Money         *extn
		}
		Taint struct {
			Classes, Sources, Upstreams []reference
			Untrusted                   bool
		}
		Destinations struct {
			All, Domains, Injected []string
			FirstSeen              []string `json:"first_seen"`
			External               bool
		}
	}
	Entities []struct {
		UID     entityName   `json:"uid"`
		Parents []entityName `json:"parents"`
		Attrs   recordedAttr `json:"attrs"`
		Tags    map[string]string
	}
	Door *struct {
		Enforcement, Effect      string
		Shared, External, Values bool
		OutOfUse                 bool `json:"out_of_use"`
	}
	Origins []activity.Origin
}

type recordedAttr struct {
	Kind, Environment, Mode, Provider, Name, Region, Method, Route string
	Lifecycle, Autonomy, Owner, Agent                              reference
	Classes                                                        []reference
	Directory                                                      string
	Pinned, Deprecated, Trusted                                    bool
	Fresh, Active                                                  *bool
}

type entityName struct{ Type, ID string }

type reference struct {
	Entity entityName `json:"__entity"`
}

type extn struct {
	Extn struct{ Arg string } `json:"__extn"`
}

func ids(list []reference) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].Entity.ID
	}
	return out
}

// ParseContext reads a decision's recorded Context back into the Request it was
// made from, but for the values of arguments: Args.Dropped says that there were
// some. ok is false for what this version did not write.
func ParseContext(text []byte) (r *Request, ok bool) {
	var in recorded
	if err := json.Unmarshal(text, &in); err != nil || in.Door == nil || in.Principal.Entity.Type != "Agent" {
		return nil, false
	}
	c := &in.Context
	r = &Request{Action: in.Action.Entity.ID}
	r.Agent = Agent{Name: in.Principal.Entity.ID, Autonomy: c.Autonomy.Entity.ID, Containment: c.Containment.Entity.ID, Enforcement: in.Door.Enforcement}
	r.Resource = Resource{Type: in.Resource.Entity.Type, ID: in.Resource.Entity.ID, Effect: in.Door.Effect, UpstreamShared: in.Door.Shared, External: in.Door.External, OutOfUse: in.Door.OutOfUse}
	r.Call = Call{
		Credential: c.Credential.Entity.ID, Bound: c.Bound, Instance: c.Instance, Version: c.Version, VersionApproved: c.VersionApproved,
		User: c.User.Entity.ID, Chain: ids(c.Chain), Depth: c.Depth, Classes: ids(c.Classes), Findings: c.Findings,
		Args:         Args{Readable: c.Args.Readable, Bytes: c.Args.Bytes, Names: c.Args.Names, Dropped: in.Door.Values},
		Budget:       Budget{Tokens: c.Budget.Tokens, Calls: c.Budget.Calls},
		Taint:        Taint{Classes: ids(c.Taint.Classes), Sources: ids(c.Taint.Sources), Upstreams: ids(c.Taint.Upstreams), Untrusted: c.Taint.Untrusted},
		Destinations: Destinations{All: c.Destinations.All, Domains: c.Destinations.Domains, FirstSeen: c.Destinations.FirstSeen, Injected: c.Destinations.Injected, External: c.Destinations.External},
		Origins:      in.Origins,
	}
	if m := c.Model; m != nil {
		r.Call.Model = &ModelCall{Endpoint: m.Endpoint, MaxOutput: m.MaxOutput, Tools: m.Tools, HostedTools: m.HostedTools}
	}
	var err error
	if r.Call.Now, err = time.Parse(nowForm, c.Now.Extn.Arg); err != nil {
		return nil, false
	}
	if m := c.Budget.Money; m != nil {
		n, ok := parseDecimal(m.Extn.Arg)
		if !ok {
			return nil, false
		}
		r.Call.Budget.Money = &n
	}
	if s := c.Address.Extn.Arg; s != "" {
		if r.Call.Address, err = netip.ParseAddr(s); err != nil {
			return nil, false
		}
	}
	for i := range in.Entities {
		e := &in.Entities[i]
		above := func(typ string) (found []string) {
			for _, p := range e.Parents {
				if p.Type == typ {
					found = append(found, p.ID)
				}
			}
			return found
		}
		first := func(list []string) string {
			if len(list) == 0 {
				return ""
			}
			return list[0]
		}
		at := &e.Attrs
		switch {
		case e.UID == in.Principal.Entity:
			a := &r.Agent
			a.Kind, a.Environment, a.Mode, a.Lifecycle, a.Owner = at.Kind, at.Environment, at.Mode, at.Lifecycle.Entity.ID, at.Owner.Entity.ID
			a.Classes, a.Team = ids(at.Classes), first(above("Team"))
			if len(e.Tags) > 0 {
				a.Labels = e.Tags
			}
		case e.UID == in.Resource.Entity:
			x := &r.Resource
			x.Classes, x.Upstream, x.Pinned, x.Deprecated, x.Trusted, x.Fresh = ids(at.Classes), first(above("Upstream")), at.Pinned, at.Deprecated, at.Trusted, at.Fresh
			x.Provider, x.Name, x.Region, x.Method, x.Route = at.Provider, at.Name, at.Region, at.Method, at.Route
			x.Agent = at.Agent.Entity.ID
		case e.UID.Type == "Upstream":
			r.Resource.UpstreamTeam, r.Resource.UpstreamKind = first(above("Team")), at.Kind
		case e.UID.Type == "User":
			r.Call.UserTeams, r.Call.UserGroups = above("Team"), above("Group")
			r.Call.UserDirectory, r.Call.UserActive = at.Directory, at.Active
		}
	}
	return r, true
}
