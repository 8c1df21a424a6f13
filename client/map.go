package client

import "time"

// MapRequest asks who depends on what in a period; it is widened to whole
// minutes, or to whole hours when it is longer than six.
type MapRequest struct {
	From        string `query:"from"` // empty: a day back
	To          string `query:"to"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Limit       int    `query:"limit" max:"2000"` // of nodes, the busiest and those in trouble first; 0: 600
}

// Map is who depends on what, as it was observed.
type Map struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Text   string    `json:"text"`
	Nodes  []MapNode `json:"nodes"` // agents, tools, models, sources, servers, providers
	Edges  []MapEdge `json:"edges"`
	Left   int       `json:"left"` // nodes beyond the limit
	TookMS float64   `json:"took_ms"`
}

// MapNode is somebody or something on the map.
type MapNode struct {
	ID          string       `json:"id"`
	Kind        string       `json:"kind"` // agent, tool, model, source, server, provider
	Name        string       `json:"name"`
	Within      string       `json:"within,omitempty"` // a tool's server, a model's provider
	Team        string       `json:"team,omitempty"`
	Environment string       `json:"environment,omitempty"`
	Registered  *bool        `json:"registered"` // of an agent: somebody answers for it; null for the rest
	Seen        *bool        `json:"seen"`       // of an agent: it was at work itself, and not only named by another
	State       string       `json:"state"`      // bad, warn, good (no trouble is known)
	Trouble     []MapTrouble `json:"trouble"`    // the worst first
	Runs        *int64       `json:"runs"`       // of an agent, in the period; null unknown
	Failed      *int64       `json:"failed"`     // of these runs
	Calls       *int64       `json:"calls"`      // that reached it; null unknown
	Errors      *int64       `json:"errors"`     // of these calls
	P95MS       *float64     `json:"p95_ms"`     // of these calls; of several callers the slowest
	Query       string       `json:"query"`      // the search that lists its runs; "" none does
	Path        string       `json:"path"`       // its page in the console
}

// MapEdge says that one node depends on another.
type MapEdge struct {
	From    string    `json:"from"`
	To      string    `json:"to"`
	Count   *int64    `json:"count"`  // null: seen, and counted with the agent whose run it was
	ByDay   bool      `json:"by_day"` // the count is of the whole days (UTC) of the period
	Errors  *int64    `json:"errors"` // null: nobody counted them
	P95MS   *float64  `json:"p95_ms"`
	State   string    `json:"state"` // bad, warn, good, unknown: by the share of errors
	First   time.Time `json:"first_seen"`
	Last    time.Time `json:"last_seen"`
	LastRun string    `json:"last_run,omitempty"`
}

// MapTrouble is one reason to look at a node.
type MapTrouble struct {
	Kind  string `json:"kind"`  // stopped, incident, errors, finding, held, stale, down
	Level string `json:"level"` // bad, warn
	Text  string `json:"text"`
	Path  string `json:"path"`
}

// BlastRequest asks what would be touched if a node of the map failed.
type BlastRequest struct {
	Node        string `query:"node"`
	From        string `query:"from"`
	To          string `query:"to"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
}

// Blast is what depends on a node, what it depends on, and what of the period
// that would have touched.
type Blast struct {
	From         time.Time     `json:"from"`
	To           time.Time     `json:"to"`
	Node         MapNode       `json:"node"`
	Text         string        `json:"text"`
	Dependents   []BlastNode   `json:"dependents"`   // who depends on it, the nearest first
	Dependencies []BlastNode   `json:"dependencies"` // what it depends on
	Touched      BlastReach    `json:"touched"`      // the runs that used it themselves
	AtRisk       BlastReach    `json:"at_risk"`      // all runs of whoever depends on it
	Incidents    []BlastRecord `json:"incidents"`    // live, of it and of its dependents
	Teams        []BlastTeam   `json:"teams"`        // whom to tell
}

// BlastNode is a node that is reached.
type BlastNode struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Team     string `json:"team,omitempty"`
	Owner    string `json:"owner,omitempty"`
	State    string `json:"state"`
	Distance int    `json:"distance"` // edges between
	Path     string `json:"path"`
}

// BlastReach is how much of a period's work something is behind. Figures are
// null when nothing tells them.
type BlastReach struct {
	Runs        *int64   `json:"runs"`
	Failed      *int64   `json:"failed"`
	Users       *int64   `json:"users"`        // distinct ones
	NoUser      *int64   `json:"no_user"`      // runs that name no user
	Cost        *float64 `json:"cost"`         // in the currency of the price book
	CostUnknown *int64   `json:"cost_unknown"` // runs without a known cost
	Query       string   `json:"query"`        // the search that lists them
}

// BlastRecord is an incident that is open there.
type BlastRecord struct {
	ID       string `json:"id"`
	Number   int64  `json:"number"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	On       string `json:"on"` // the node that it is about
}

// BlastTeam is a team with agents that depend on a node.
type BlastTeam struct {
	Team   string `json:"team"`
	Agents int    `json:"agents"`
}
