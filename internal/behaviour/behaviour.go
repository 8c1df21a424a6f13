// Package behaviour remembers what agents touched, as far as their next
// decision depends on it: taint, and where they sent data before.
//
// What for: an agent that read something nobody vouches for may be acting on
// that text. Policies ask (taint, destinations.first_seen, .injected), and the
// answer must hold for the very next action. For that it remembers what was said
// to an agent and by whom, as far as it names places, people and accounts, and
// tells of each in a call's arguments where it came from.
//
// Who calls it: the door, before each decision and before an answer's last byte
// leaves; app runs it.
//
// Promises: taint belongs to a credential, a user and a session as the door
// knows them and never falls: a new credential begins without. What was noted
// is seen by every later look. Neither waits for a disk. Memory is bounded, and
// running out of it makes more tainted, never less. It survives a restart, but
// for the last seconds before a kill. Safe for concurrent use.
//
// How it fails: New refuses a file that it cannot read with behaviour.file, since
// forgetting taint is no way to start. A file that cannot be written is logged,
// and tried again.
//
// Start reading at Memory.Taint and Memory.Touch; entity.go finds what texts
// name, origin.go says where it came from, scope.go keeps it.
package behaviour

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"reeve/internal/fault"
)

// Who is under which names an action's taint is kept; "" for none.
type Who struct {
	Credential string // what the agent cannot make anew by itself: key, instance
	User       string
	Session    string // as the agent says: it only ever adds
	Run        string // where the call names one; what was heard is kept by it
}

// Taint is what was touched. Values handed out are shared: do not change them.
type Taint struct {
	Classes   []string `json:"c,omitempty"` // of data that was read
	Upstreams []string `json:"u,omitempty"` // that answered
	Untrusted bool     `json:"x,omitempty"` // one of them is outside the house
}

// Bounds. Credentials and users come from registers; sessions are the agents'
// own words, so each credential has its part.
const (
	maxEntries  = 200_000
	maxSessions = 1_000  // of a credential
	maxListed   = 64     // classes and upstreams of an entry
	maxDomains  = 10_000 // of an agent
	maxAgents   = 100_000
)

// Options of a Memory. File is where it survives a restart; "" nowhere.
type Options struct {
	File   string
	Logger *slog.Logger
	Now    func() time.Time // nil is time.Now
}

// Memory is what all agents touched.
type Memory struct {
	o Options

	mu       sync.RWMutex // guards what follows
	taints   map[string]Taint
	sessions map[string]int             // entries of sessions, by credential
	reached  map[string]map[string]bool // domains, by agent
	done     map[string]map[string]bool // actions, by agent
	full     bool                       // some taint found no room: who is not known is tainted
	dirty    bool

	scopes scopes
	paces  paces
}

// kept is a Memory as its file has it.
type kept struct {
	Taints  map[string]Taint           `json:"taints"`
	Session map[string]int             `json:"sessions"`
	Reached map[string]map[string]bool `json:"reached"`
	Done    map[string]map[string]bool `json:"done,omitempty"`
	Full    bool                       `json:"full,omitempty"`
}

// heard is what is kept of the texts that were heard: that there were some.
type heard struct {
	Lost map[uint64]int64 `json:"lost"`
}

// New reads what the last process remembered. It starts nothing.
func New(o Options) (*Memory, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Memory{o: o, taints: map[string]Taint{}, sessions: map[string]int{}, reached: map[string]map[string]bool{}, done: map[string]map[string]bool{}}
	m.scopes.now = o.Now
	if o.File == "" {
		return m, nil
	}
	if err := m.restore(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	k := kept{Taints: m.taints, Session: m.sessions, Reached: m.reached, Done: m.done}
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		return nil, unreadable(o.File, err)
	}
	m.taints, m.sessions, m.reached, m.done, m.full = orEmpty(k.Taints), orEmpty(k.Session), orEmpty(k.Reached), orEmpty(k.Done), k.Full
	return m, nil
}

func unreadable(file string, err error) error {
	return fault.New(fault.KindInternal, "behaviour.file", "what agents touched cannot be read from %s", file).WithCause(err).
		WithHint("remove the file to begin anew: agents that read untrusted text are then not known as such")
}

// heardFile is beside File.
func (m *Memory) heardFile() string { return m.o.File + ".heard" }

func (m *Memory) restore() error {
	text, err := os.ReadFile(m.heardFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var h heard
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		return unreadable(m.heardFile(), err)
	}
	now := m.o.Now().Unix()
	maps.DeleteFunc(h.Lost, func(_ uint64, at int64) bool { return now-at >= int64(keptFor/time.Second) })
	m.scopes.earlier = h.Lost
	return nil
}

// saveHeard keeps which runs and sessions were heard, so that after a restart
// what is not known of them counts as lost and not as new.
func (m *Memory) saveHeard() {
	if m.o.File == "" {
		return
	}
	lost, changed := m.scopes.lost()
	if !changed {
		return
	}
	text, err := json.Marshal(heard{lost})
	if err == nil {
		err = replace(m.heardFile(), text)
	}
	if err != nil {
		m.o.Logger.Warn("which runs were heard could not be kept: a restart forgets it", "err", err)
	}
}

func orEmpty[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}

// Taint is everything that any of the names touched.
func (m *Memory) Taint(w Who) Taint {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := m.at("c", w.Credential)
	for _, t := range [...]Taint{m.at("u", w.User), m.at("s", w.Session)} {
		out = out.with(t)
	}
	return out
}

func (m *Memory) at(kind, name string) Taint {
	if name == "" {
		return Taint{}
	}
	t, ok := m.taints[kind+"\x00"+name]
	if !ok && m.full {
		return Taint{Untrusted: true}
	}
	return t
}

// with is the union; a is kept when b adds nothing.
func (a Taint) with(b Taint) Taint {
	return Taint{union(a.Classes, b.Classes), union(a.Upstreams, b.Upstreams), a.Untrusted || b.Untrusted}
}

// union keeps a when b adds nothing to it: most calls touch what was touched.
func union(a, b []string) []string {
	for i, s := range b {
		if !slices.Contains(a, s) {
			a = slices.Concat(a, b[i:])
			slices.Sort(a)
			return slices.Compact(a)
		}
	}
	return a
}

func (a Taint) covers(b Taint) bool {
	in := func(list, of []string) bool {
		return !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(of, s) })
	}
	return (a.Untrusted || !b.Untrusted) && in(b.Classes, a.Classes) && in(b.Upstreams, a.Upstreams)
}

// Touch notes that an answer with this taint is on its way to whom.
func (m *Memory) Touch(w Who, t Taint) {
	m.mu.RLock()
	known := m.has("c", w.Credential, t) && m.has("u", w.User, t) && m.has("s", w.Session, t)
	m.mu.RUnlock()
	if known {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dirty = true
	m.add("c", w.Credential, t)
	m.add("u", w.User, t)
	_, there := m.taints["s\x00"+w.Session]
	switch {
	case w.Session == "" || !there && m.sessions[w.Credential] >= maxSessions:
		return // the credential has this taint, and whoever shares the session begins without
	case !there:
		m.sessions[w.Credential]++
	}
	m.add("s", w.Session, t)
}

func (m *Memory) has(kind, name string, t Taint) bool {
	return name == "" || m.taints[kind+"\x00"+name].covers(t)
}

func (m *Memory) add(kind, name string, t Taint) {
	if name == "" {
		return
	}
	key := kind + "\x00" + name
	old, ok := m.taints[key]
	if !ok && len(m.taints) >= maxEntries {
		m.full = true
		return
	}
	t = old.with(t)
	if len(t.Classes) > maxListed || len(t.Upstreams) > maxListed {
		t.Untrusted = true // what is not listed is not forgotten
		t.Classes, t.Upstreams = t.Classes[:min(len(t.Classes), maxListed)], t.Upstreams[:min(len(t.Upstreams), maxListed)]
	}
	m.taints[key] = t
}

// First reports whether an agent never sent anything to a domain before.
func (m *Memory) First(agent, domain string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return !m.reached[agent][domain]
}

// Reached notes that it did.
func (m *Memory) Reached(agent, domain string) {
	if !m.First(agent, domain) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.reached[agent]
	switch {
	case of == nil && len(m.reached) >= maxAgents || len(of) >= maxDomains:
		return // it stays a first time
	case of == nil:
		of = map[string]bool{}
		m.reached[agent] = of
	}
	of[domain] = true
	m.dirty = true
}

// saveEvery is how much a kill may take.
const saveEvery = 2 * time.Second

// Run keeps the file up to date until ctx ends, whose cause it returns.
func (m *Memory) Run(ctx context.Context) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			m.save()
			m.saveHeard()
		case <-ctx.Done():
			m.save()
			m.saveHeard()
			return context.Cause(ctx)
		}
	}
}

func (m *Memory) save() {
	m.mu.Lock()
	if !m.dirty || m.o.File == "" {
		m.mu.Unlock()
		return
	}
	text, err := json.Marshal(kept{m.taints, m.sessions, m.reached, m.done, m.full})
	m.dirty = false
	m.mu.Unlock()
	if err == nil {
		err = replace(m.o.File, text)
	}
	if err != nil {
		m.o.Logger.Warn("what agents touched could not be kept: a restart forgets it", "err", err)
		m.mu.Lock()
		m.dirty = true
		m.mu.Unlock()
	}
}

// replace writes a file whole or not at all.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // what is left of a failed write
	}
	return err
}
