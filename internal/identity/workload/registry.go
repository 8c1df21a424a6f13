package workload

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Entry says which processes of this host are an agent. Every selector that is
// given must fit; one at least must be given beside the user.
type Entry struct {
	ID        string
	Agent     string
	Selectors Selectors
	ExpiresAt time.Time // zero: stays
	CreatedAt time.Time
}

// Selectors are what a process must be. Zero values ask nothing.
type Selectors struct {
	UID    *uint32 `json:"uid,omitempty"`
	Exe    string  `json:"exe,omitempty"`    // SHA-256 of its executable, hex
	Cgroup string  `json:"cgroup,omitempty"` // it is in this one or below: "/system.slice/billing.service"
	Parent *Parent `json:"parent,omitempty"` // it descends from this process, or is it
}

// Parent is a process that does not change: a pid together with when it began
// (field 22 of /proc/PID/stat).
type Parent struct {
	PID   int32  `json:"pid"`
	Start uint64 `json:"start"`
}

// Process is a caller as the kernel knows it.
type Process struct {
	PID       int32
	UID, GID  uint32
	Start     uint64
	Exe       string
	Cgroup    string
	Ancestors []Parent // itself first
}

// Registry holds the entries.
type Registry struct {
	db  *control.DB
	now func() time.Time

	mu      sync.RWMutex // guards entries
	entries []Entry
}

const (
	maxEntries = 10_000
	maxCgroup  = 512
)

type stored struct {
	Selectors Selectors `json:"selectors"`
	Expires   int64     `json:"expires,omitempty"`
}

// OpenRegistry reads what is registered. now may be nil.
func OpenRegistry(ctx context.Context, db *control.DB, now func() time.Time) (*Registry, error) {
	if now == nil {
		now = time.Now
	}
	r := &Registry{db: db, now: now}
	var err error
	r.entries, err = control.All(ctx, db, func(row control.Row) (e Entry, err error) {
		var body string
		var created int64
		if err := row.Scan(&e.ID, &e.Agent, &body, &created); err != nil {
			return e, err
		}
		var s stored
		if err := json.Unmarshal([]byte(body), &s); err != nil {
			return e, err
		}
		e.Selectors, e.CreatedAt = s.Selectors, control.Time(created)
		if s.Expires != 0 {
			e.ExpiresAt = control.Time(s.Expires)
		}
		return e, nil
	}, `SELECT id, agent, body, created_at FROM workloads ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("reading the workloads: %w", err)
	}
	return r, nil
}

// Add registers processes as an agent's; expires may be zero. Callers have
// checked who asks and that the agent is there.
func (r *Registry) Add(ctx context.Context, by, agent string, s Selectors, expires time.Time) (Entry, error) {
	if err := s.check(); err != nil {
		return Entry{}, err
	}
	now := r.now().UTC().Truncate(time.Microsecond)
	if !expires.IsZero() && !expires.After(now) {
		return Entry{}, invalid("a workload's registration ends in the future")
	}
	e := Entry{ID: "wkl_" + strings.ToLower(rand.Text()), Agent: agent, Selectors: s, ExpiresAt: expires, CreatedAt: now}
	body := stored{Selectors: s}
	if !expires.IsZero() {
		body.Expires = control.Micros(expires)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return Entry{}, err
	}
	err = r.db.Write(ctx, func(tx *control.Tx) error {
		r.mu.RLock()
		n := len(r.entries)
		r.mu.RUnlock()
		if n >= maxEntries {
			return fault.New(fault.KindExhausted, "workload.too_many", "%d workloads are registered already", n)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO workloads (id, agent, body, created_by, created_at) VALUES (?, ?, ?, ?, ?)`, e.ID, agent, string(text), by, control.Micros(now)); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.entries = append(slices.Clone(r.entries), e)
		})
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.workload_created", Person: by, Action: "create", Object: e.ID, After: map[string]any{"agent": agent, "selectors": s}})
	})
	return e, err
}

// List is the registrations of an agent, or of all with "".
func (r *Registry) List(agent string) []Entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := r.now()
	return slices.DeleteFunc(slices.Clone(r.entries), func(e Entry) bool { return agent != "" && e.Agent != agent || e.over(now) })
}

func (e Entry) over(now time.Time) bool { return !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt) }

// Remove ends a registration of an agent. Callers have checked who asks.
func (r *Registry) Remove(ctx context.Context, by, agent, id string) error {
	return r.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM workloads WHERE id = ? AND agent = ?`, id, agent)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindNotFound, "workload.not_found", "agent %s has no such workload", agent)
		}
		tx.AfterCommit(func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.entries = slices.DeleteFunc(slices.Clone(r.entries), func(e Entry) bool { return e.ID == id })
		})
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.workload_deleted", Person: by, Action: "delete", Object: id})
	})
}

// tidy removes what has ended.
func (r *Registry) tidy(ctx context.Context) error {
	r.mu.RLock()
	now := r.now()
	var gone []string
	for _, e := range r.entries {
		if e.over(now) {
			gone = append(gone, e.ID)
		}
	}
	r.mu.RUnlock()
	if len(gone) == 0 {
		return nil
	}
	return r.db.Write(ctx, func(tx *control.Tx) error {
		for _, id := range gone {
			if _, err := tx.Exec(ctx, `DELETE FROM workloads WHERE id = ?`, id); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.entries = slices.DeleteFunc(slices.Clone(r.entries), func(e Entry) bool { return slices.Contains(gone, e.ID) })
		})
		return nil
	})
}

// agents are those that a process is, each once.
func (r *Registry) agents(p Process) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := r.now()
	var out []string
	for _, e := range r.entries {
		if !e.over(now) && e.Selectors.fit(p) && !slices.Contains(out, e.Agent) {
			out = append(out, e.Agent)
		}
	}
	return out
}

func (s Selectors) check() error {
	if s.Exe == "" && s.Cgroup == "" && s.Parent == nil {
		return invalid("name an executable, a cgroup or a parent").WithHint("a user alone may run anything")
	}
	if s.Exe != "" {
		if b, err := hex.DecodeString(s.Exe); err != nil || len(b) != 32 || s.Exe != strings.ToLower(s.Exe) {
			return invalid("an executable is named by its SHA-256 in lower-case hex").WithHint("`sha256sum FILE`")
		}
	}
	if s.Cgroup != "" && (!strings.HasPrefix(s.Cgroup, "/") || s.Cgroup == "/" || len(s.Cgroup) > maxCgroup || strings.HasSuffix(s.Cgroup, "/") || strings.Contains(s.Cgroup, "/.")) {
		return invalid("a cgroup is a path such as /system.slice/billing.service")
	}
	if s.Parent != nil && (s.Parent.PID <= 1 || s.Parent.Start == 0) {
		return invalid("a parent is a pid above 1 and its start time")
	}
	return nil
}

func (s Selectors) fit(p Process) bool {
	switch {
	case s.UID != nil && *s.UID != p.UID:
		return false
	case s.Exe != "" && s.Exe != p.Exe:
		return false
	case s.Cgroup != "" && p.Cgroup != s.Cgroup && !strings.HasPrefix(p.Cgroup, s.Cgroup+"/"):
		return false
	case s.Parent != nil && !slices.Contains(p.Ancestors, *s.Parent):
		return false
	}
	return s.check() == nil
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "workload.invalid", format, args...)
}
