// Package change keeps what was changed and may show in how agents behave:
// deployments, releases, prompts, models, policies, flags, tools, agents.
//
// What for: the first question about an agent that behaves otherwise is what was
// changed before. What others report and what people do here stand in one list,
// by agent, team, environment and time, and as flags under every chart.
//
// Who calls it: intake hands over what webhooks say (Take), api what programs
// report (Create), Run reads our own record of changes; api lists.
//
// Promises: what Take and Create returned nil for is on disk. The same key again
// is the same change: a newer word of its status updates it, an older one does
// nothing. Our own changes are each taken once, whatever crashes. Safe for
// concurrent use.
//
// How it fails: faults with codes change.*.
//
// Start reading at Report and Book.Take; ours.go has what is read of the record
// of our own changes.
package change

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Kinds are what a change may be of.
var Kinds = []string{
	"deployment", "release", "push", "prompt", "model", "policy", "configuration", "flag", "agent", "tool", "upstream", "budget", "data", "other",
}

// Statuses are how a deployment goes; "" is for what is done at once.
var Statuses = []string{"", "pending", "running", "succeeded", "failed", "inactive"}

// Report is what a sender says of one change.
type Report struct {
	Key           string // the sender's own: the same key is the same change
	Kind          string
	Title         string
	Text          string
	Status        string
	Agent         string
	Team          string
	Environment   string
	Version       string
	By            string
	URL           string
	Labels        map[string]string
	Before, After json.RawMessage
	At            time.Time // when it was made, or began; zero: now
	StatusAt      time.Time // since when the status is so; zero: At
}

// Sender is who reports.
type Sender struct {
	Source, Team, Environment string
}

// The sources that are no hook.
const (
	Ours = "reeve" // read from our own record
	API  = "api"   // reported through the API
)

const (
	maxKey    = 300
	maxTitle  = 300
	maxText   = 4000
	maxWord   = 200
	maxURL    = 2000
	maxLabels = 32
	maxState  = 16 << 10
	keep      = 400 * 24 * time.Hour
)

// Options of a Book. DB is required.
type Options struct {
	DB     *control.DB
	Logger *slog.Logger
	Now    func() time.Time
	// Match finds the agent that a sender's labels name; nil finds none.
	Match func(team string, labels map[string]string) (agent, owner, reason string)
	// Owner says which team and environment an agent belongs to; nil says none.
	Owner func(agent string) (team, environment string)
}

// Book keeps the changes.
type Book struct {
	o    Options
	wake chan struct{}
}

// New makes a book; nothing runs.
func New(o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("change: a database is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Match == nil {
		o.Match = func(string, map[string]string) (string, string, string) { return "", "", "" }
	}
	if o.Owner == nil {
		o.Owner = func(string) (string, string) { return "", "" }
	}
	return &Book{o: o, wake: make(chan struct{}, 1)}, nil
}

// ID is the id of the change that a source knows by a key.
func ID(source, key string) string {
	sum := sha256.Sum256([]byte("change\x00" + source + "\x00" + key))
	return "chg_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "change.invalid", format, args...)
}

// check refuses a report that says too little or too much.
func (r *Report) check() error {
	switch {
	case !slices.Contains(Kinds, r.Kind):
		return invalid("kind is one of %s, not %.40q", strings.Join(Kinds, ", "), r.Kind)
	case !slices.Contains(Statuses, r.Status):
		return invalid("status is one of %s, or none, not %.40q", strings.Join(Statuses[1:], ", "), r.Status)
	case strings.TrimSpace(r.Title) == "":
		return invalid("a change has a title: what was changed, in a line")
	case len(r.Key) > maxKey || len(r.Agent) > maxWord || len(r.Team) > maxWord || len(r.Environment) > maxWord:
		return invalid("a field of the change is too long")
	case len(r.Before) > maxState || len(r.After) > maxState:
		return invalid("before and after have at most %d bytes each", maxState)
	case r.URL != "" && !strings.HasPrefix(r.URL, "https://") && !strings.HasPrefix(r.URL, "http://"):
		return invalid("url is an address of the web")
	case len(r.Labels) > maxLabels:
		return invalid("a change has at most %d labels", maxLabels)
	}
	return nil
}

func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// body is what stands in the database as JSON.
type body struct {
	Text    string            `json:"text,omitempty"`
	Version string            `json:"version,omitempty"`
	By      string            `json:"by,omitempty"`
	URL     string            `json:"url,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	Before  json.RawMessage   `json:"before,omitempty"`
	After   json.RawMessage   `json:"after,omitempty"`
	Reason  string            `json:"reason,omitempty"` // why it is of this agent
}

// Take keeps what a sender reports, in one transaction.
func (b *Book) Take(ctx context.Context, from Sender, reports []Report) error {
	for i := range reports {
		if err := reports[i].check(); err != nil {
			return err
		}
		if reports[i].Key == "" {
			return invalid("a change has nothing by which it would be known again")
		}
	}
	if len(reports) == 0 {
		return nil
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := b.put(ctx, tx, from, reports)
		return err
	})
}

// put writes reports and tells of those that were new word; it says of how many.
func (b *Book) put(ctx context.Context, tx *control.Tx, from Sender, reports []Report) (int, error) {
	now := b.o.Now()
	var ids []string
	for i := range reports {
		id, fresh, err := b.putOne(ctx, tx, from, &reports[i], now)
		if err != nil {
			return 0, err
		}
		if fresh {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	data, err := json.Marshal(map[string]any{"ids": ids[:min(len(ids), 20)], "changes": len(ids)})
	if err != nil {
		return 0, err
	}
	return len(ids), tx.Event(ctx, control.Event{Type: "change.updated", Object: ids[0], Data: data})
}

// putOne writes one; fresh reports that it said something new.
func (b *Book) putOne(ctx context.Context, tx *control.Tx, from Sender, r *Report, now time.Time) (id string, fresh bool, err error) {
	at := now
	if !r.At.IsZero() && r.At.Before(now) {
		at = r.At
	}
	statusAt := at
	if !r.StatusAt.IsZero() && r.StatusAt.Before(now) {
		statusAt = r.StatusAt
	}
	agent, owner, reason := r.Agent, "", ""
	if agent == "" {
		agent, owner, reason = b.o.Match(from.Team, r.Labels)
	} else {
		owner, _ = b.o.Owner(agent)
	}
	team := cmp.Or(from.Team, r.Team, owner)
	environment := cmp.Or(from.Environment, r.Environment)
	text, err := json.Marshal(body{
		Text: clip(r.Text, maxText), Version: clip(r.Version, maxWord), By: clip(r.By, maxWord), URL: clip(r.URL, maxURL),
		Labels: r.Labels, Before: r.Before, After: r.After, Reason: reason,
	})
	if err != nil {
		return "", false, invalid("before and after are JSON").WithCause(err)
	}
	id = ID(from.Source, r.Key)
	n, err := tx.Exec(ctx, `INSERT INTO changes (id, source, change_key, kind, status, title, agent, team, environment, body, at, status_at, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, title = excluded.title, agent = CASE WHEN excluded.agent = '' THEN changes.agent ELSE excluded.agent END,
		team = CASE WHEN excluded.team = '' THEN changes.team ELSE excluded.team END, environment = CASE WHEN excluded.environment = '' THEN changes.environment ELSE excluded.environment END,
		body = excluded.body, at = CASE WHEN excluded.at < changes.at THEN excluded.at ELSE changes.at END, status_at = excluded.status_at
		WHERE excluded.status_at > changes.status_at OR (excluded.status_at = changes.status_at AND (excluded.status <> changes.status OR excluded.title <> changes.title OR excluded.body <> changes.body))`,
		id, from.Source, clip(r.Key, maxKey), r.Kind, r.Status, strings.TrimSpace(clip(r.Title, maxTitle)), agent, team, environment, string(text),
		control.Micros(at), control.Micros(statusAt), control.Micros(now))
	return id, n > 0, err
}

// Actor is who reports through the API.
type Actor struct {
	Person string
	// Can reports whether the actor has a role for a team and environment.
	Can func(role, team, environment string) bool
}

// Create keeps a change that a program or a person reports. Without a key each
// is its own.
func (b *Book) Create(ctx context.Context, who Actor, in client.CreateChangeRequest) (client.Change, error) {
	r := Report{
		Key: in.Key, Kind: in.Kind, Title: in.Title, Text: in.Text, Status: in.Status, Agent: in.Agent, Team: in.Team, Environment: in.Environment,
		Version: in.Version, By: cmp.Or(in.By, who.Person), URL: in.URL, Labels: in.Labels, Before: in.Before, After: in.After,
	}
	if in.At != nil {
		if in.At.After(b.o.Now().Add(time.Hour)) {
			return client.Change{}, invalid("at lies in the future").WithHint("report a change when it is made")
		}
		r.At = *in.At
	}
	if err := r.check(); err != nil {
		return client.Change{}, err
	}
	team, environment := in.Team, in.Environment
	if in.Agent != "" {
		owner, place := b.o.Owner(in.Agent)
		team, environment = cmp.Or(team, owner), cmp.Or(environment, place)
		if owner != "" && team != owner {
			return client.Change{}, invalid("agent %.60s is of another team", in.Agent)
		}
	}
	if !who.Can("developer", team, cmp.Or(environment, "*")) {
		return client.Change{}, fault.New(fault.KindDenied, "change.denied", "reporting this change needs the role developer for team %q", team).WithHint("give the team and the environment that your token is for")
	}
	r.Team, r.Environment = team, environment
	if r.Key == "" {
		r.Key = fmt.Sprintf("%d-%s", b.o.Now().UnixNano(), clip(in.Title, 100))
	} else {
		r.Key = team + "/" + r.Key // no team updates another's
	}
	if err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := b.put(ctx, tx, Sender{Source: API}, []Report{r})
		return err
	}); err != nil {
		return client.Change{}, err
	}
	return b.Get(ctx, ID(API, r.Key))
}
