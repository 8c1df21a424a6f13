package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"reeve/internal/agent"
)

// Claim is who a record says its agent is. Team and environment are those of
// the credential it came with; the other words are the sender's own.
type Claim struct {
	Team, Environment string
	Name              string // the agent's
	AgentID           string // as the sender numbers its agents
	Service           string
}

// The rules by which a claim is matched, in the order they are asked.
const (
	ByCredential = "credential" // the credential is the agent's own
	ByAgentID    = "agent_id"   // an alias
	ByAlias      = "alias"      // an alias of kind name
	ByName       = "name"       // the registered name itself
	ByService    = "service"    // an alias
)

// Match is what became of a claim. With Agent "" it is nobody's; Candidates
// are then agents it may be.
type Match struct {
	Agent      string
	Rule       string
	Why        string // in words: matched by ..., or why not
	Candidates []string
}

// Matcher finds the registered agent of a claim. It follows the register by
// change and is safe for concurrent use.
type Matcher struct {
	mu      sync.RWMutex
	gen     uint64 // raised by each change: matches made before are asked again
	agents  map[string]*agent.Agent
	aliases map[alias][]string  // names of agents, sorted; more than one only across teams
	folded  map[string][]string // by the core of their names
}

type alias struct{ kind, value string }

func newMatcher(agents []*agent.Agent) *Matcher {
	m := &Matcher{agents: make(map[string]*agent.Agent, len(agents)), aliases: make(map[alias][]string), folded: make(map[string][]string)}
	for _, a := range agents {
		m.change(nil, a)
	}
	return m
}

func (m *Matcher) change(before, after *agent.Agent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.agents[after.Name]; old != nil && old.Revision >= after.Revision {
		return // told out of order
	} else if old != nil {
		before = old
	}
	if before != nil {
		for _, al := range before.Aliases {
			drop(m.aliases, alias{al.Kind, al.Value}, before.Name)
		}
	} else {
		insert(m.folded, fold(after.Name), after.Name)
	}
	for _, al := range after.Aliases {
		insert(m.aliases, alias{al.Kind, al.Value}, after.Name)
	}
	m.agents[after.Name] = after
	m.gen++
}

func insert[K comparable](m map[K][]string, k K, name string) {
	list := m[k]
	if i, found := slices.BinarySearch(list, name); !found {
		m[k] = slices.Insert(slices.Clone(list), i, name)
	}
}

func drop[K comparable](m map[K][]string, k K, name string) {
	list := m[k]
	i, found := slices.BinarySearch(list, name)
	if !found {
		return
	}
	if len(list) == 1 {
		delete(m, k)
		return
	}
	m[k] = slices.Delete(slices.Clone(list), i, i+1)
}

func (m *Matcher) generation() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.gen
}

// Match finds the agent of a claim. The order is: agent id, alias of the name,
// the name itself, alias of the service. Two of the first three that name
// different agents are a doubt and not a match, as are a name of another team
// or environment and one that is retired.
func (m *Matcher) Match(c Claim) Match {
	m.mu.RLock()
	defer m.mu.RUnlock()
	id, idDoubt := m.alias(c, "agent_id", c.AgentID)
	name, nameDoubt := m.alias(c, "name", c.Name)
	rule := ByAlias
	if name == nil && len(nameDoubt) == 0 {
		rule = ByName
		var why string
		if name, why = m.named(c); why != "" {
			return Match{Why: why, Candidates: []string{c.Name}}
		}
	}
	switch {
	case len(idDoubt) > 0:
		return doubt("several agents have the alias agent_id=%s", c.AgentID, idDoubt)
	case len(nameDoubt) > 0:
		return doubt("several agents have the alias name=%s", c.Name, nameDoubt)
	case id != nil && name != nil && id != name:
		return Match{Why: fmt.Sprintf("its agent id is that of %s, its name that of %s", id.Name, name.Name), Candidates: []string{id.Name, name.Name}}
	case id != nil:
		return m.found(id, ByAgentID, "matched by alias agent_id="+c.AgentID)
	case name != nil && rule == ByAlias:
		return m.found(name, rule, "matched by alias name="+c.Name)
	case name != nil:
		return m.found(name, rule, "matched by its registered name")
	}
	service, serviceDoubt := m.alias(c, "service", c.Service)
	switch {
	case len(serviceDoubt) > 0:
		return doubt("several agents have the alias service=%s", c.Service, serviceDoubt)
	case service != nil:
		return m.found(service, ByService, "matched by alias service="+c.Service)
	}
	out := Match{Why: "nobody registered it", Candidates: m.near(c)}
	if len(out.Candidates) > 0 {
		out.Why = "nobody registered it under this name"
	}
	return out
}

func doubt(format, value string, candidates []string) Match {
	return Match{Why: fmt.Sprintf(format, value), Candidates: candidates}
}

func (m *Matcher) found(a *agent.Agent, rule, why string) Match {
	if a.Lifecycle == agent.Retired {
		return Match{Why: why + ", and that agent is retired", Candidates: []string{a.Name}}
	}
	return Match{Agent: a.Name, Rule: rule, Why: why}
}

// alias finds who has an alias in the claim's team; a claim of no team (dev)
// asks all teams, and several answers are a doubt.
func (m *Matcher) alias(c Claim, kind, value string) (found *agent.Agent, doubt []string) {
	if value == "" {
		return nil, nil
	}
	for _, n := range m.aliases[alias{kind, value}] {
		a := m.agents[n]
		if c.Team != "" && a.Team != c.Team || a.Lifecycle == agent.Retired {
			continue
		}
		found, doubt = a, append(doubt, n)
	}
	if len(doubt) > 1 {
		return nil, doubt
	}
	return found, nil
}

// named finds the agent registered under the claim's name, or says why it is
// doubtful.
func (m *Matcher) named(c Claim) (*agent.Agent, string) {
	a := m.agents[c.Name]
	switch {
	case a == nil:
		return nil, ""
	case a.Lifecycle == agent.Retired:
		return nil, "the agent of this name is retired"
	case c.Team != "" && a.Team != c.Team:
		return nil, fmt.Sprintf("the agent of this name belongs to team %s, and this comes with a credential of %s", a.Team, c.Team)
	case c.Team != "" && c.Environment != "" && a.Environment != c.Environment:
		return nil, fmt.Sprintf("the agent of this name is registered for %s, and this comes from %s", a.Environment, c.Environment)
	}
	return a, ""
}

const maxCandidates = 5

// near lists agents of the claim's team whose names differ from the claimed
// ones only in spelling, or in a word that says nothing ("agent", "prod").
func (m *Matcher) near(c Claim) []string {
	var out []string
	for _, word := range []string{c.Name, c.Service, c.AgentID} {
		core := fold(word)
		if core == "" {
			continue
		}
		for _, n := range m.folded[core] {
			a := m.agents[n]
			if a.Lifecycle != agent.Retired && (c.Team == "" || a.Team == c.Team) && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	slices.SortFunc(out, func(x, y string) int { return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)) })
	return out[:min(len(out), maxCandidates)]
}

// empties say nothing about which agent it is.
var empties = []string{"agent", "agents", "assistant", "bot", "service", "svc", "app", "prod", "production", "staging", "stage", "test", "dev", "ai", "the"}

// fold is the core of a name: lower case, its telling words joined. Two names
// with one core are probably one agent; that is for a person to say.
func fold(name string) string {
	var words []string
	start := 0
	runes := []rune(name)
	cut := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(string(runes[start:end])))
		}
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut(i)
			start = i + 1
		case i > start && unicode.IsUpper(r) && unicode.IsLower(runes[i-1]): // camelCase
			cut(i)
			start = i
		}
	}
	cut(len(runes))
	telling := slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		return slices.Contains(empties, w) || len(w) > 1 && len(w) < 4 && w[0] == 'v' && strings.Trim(w[1:], "0123456789") == ""
	})
	if len(telling) == 0 {
		telling = words
	}
	return strings.Join(telling, "")
}

// Seen is a claim that was observed, with what became of it.
type Seen struct {
	Claim               Claim
	Match               Match
	FirstSeen, LastSeen time.Time
	Seen                int64 // steps and calls
}

// Match says which registered agent a claim would be.
func (f *Fleet) Match(c Claim) Match { return f.match.Match(c) }

// Claims lists the claims that are an agent, the last seen first.
func (f *Fleet) Claims(name string) []Seen {
	f.mu.Lock()
	gen := f.match.generation()
	var out []Seen
	for _, c := range f.claims {
		if f.settle(c, gen); c.match.Agent == name {
			out = append(out, Seen{c.Claim, c.match, timeOf(c.first), timeOf(c.seenAt), c.seen})
		}
	}
	f.mu.Unlock()
	slices.SortFunc(out, func(x, y Seen) int {
		return cmp.Or(y.LastSeen.Compare(x.LastSeen), strings.Compare(x.Claim.id(), y.Claim.id()))
	})
	return out
}
