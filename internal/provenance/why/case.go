package why

import (
	"time"

	"reeve/client"
	"reeve/internal/activity"
)

// Case is all that is on record of one run. What is not there is unknown, not fine.
type Case struct {
	Run   activity.Run
	Steps []activity.Step // by start
	// Whole says that Steps are all that are stored: the rest is not on record.
	Whole bool
	// Empty are the retrievals that brought nothing.
	Empty map[activity.StepID]bool
	// Complaints are what people and downstream systems said against the run.
	Complaints []string
	// Action says that what it did is complained of, not what it answered.
	Action    bool
	Reads     []client.SourceUse
	Decisions []activity.Decision
	Findings  []client.Finding // about this run
	Changes   []client.Change  // of about a day before it ended, the newest first
	Usual     Usual
}

// Usual is what earlier runs of the agent were like.
type Usual struct {
	Runs     int
	Models   map[string]int // runs by the model that answered
	Versions map[string]int
}

// enough is how many earlier runs tell what is usual; rare is the share below
// which something is not.
const (
	enough = 20
	rare   = .05
)

// Explain answers why a run ended as it did.
func Explain(c Case) client.Why {
	g := newBuilder(&c)
	g.steps()
	g.data()
	g.models()
	g.door()
	g.instructions()
	g.findings()
	return g.answer()
}

// The states of a node.
const (
	Guilty   = "guilty"
	RuledOut = "ruled_out"
	Unknown  = "unknown"
	Seen     = "seen"
)

// The kinds of nodes.
const (
	Outcome     = "outcome"
	Data        = "data"
	Model       = "model"
	Step        = "step"
	Entitlement = "entitlement"
	Rule        = "rule"
)

// node is one of the graph that is being drawn.
type node struct {
	client.WhyNode
	weight float64  // of what speaks against it, in [0, 1]
	with   []string // in words
	supply string   // what would tell what is unknown
	blocks bool     // what is unknown of it may be the cause
	onPath bool     // the error that the run ended with passed here
}

// builder draws the graph.
type builder struct {
	c       *Case
	nodes   []*node
	at      map[string]*node
	links   []client.WhyLink
	notes   []client.WhyNote // what was looked at, beyond nodes
	omitted int
	failing map[activity.StepID]bool // steps that the run's error passed
	erred   bool                     // it ended with an error
	wrong   bool
	asked   []string
	stepOf  map[activity.StepID]*activity.Step
	inner   map[activity.StepID]bool // steps that contain others
	answers string                   // node of the step that gave the answer; "" none
	lost    bool                     // steps are missing
	later   map[activity.StepID]*activity.Step
}

func newBuilder(c *Case) *builder {
	g := &builder{c: c, at: map[string]*node{}, failing: map[activity.StepID]bool{}, stepOf: map[activity.StepID]*activity.Step{}, inner: map[activity.StepID]bool{}}
	for i := range c.Steps {
		g.stepOf[c.Steps[i].Step] = &c.Steps[i]
		g.inner[c.Steps[i].Parent] = true
	}
	g.later = recovered(c.Steps)
	g.ask()
	name := "it ended"
	if len(g.asked) > 0 {
		name = g.asked[0]
	}
	out := g.add(Outcome, "outcome", name)
	out.Role, out.Sentence = "outcome", name
	out.Version = text("")
	out.onPath = true
	out.evidence("run", c.Run.ID.String(), "the run")
	if c.Run.End > 0 {
		out.At = when(c.Run.End)
	}
	return g
}

// badOutcomes are those that a run is asked about.
var badOutcomes = map[string]string{"failed": "its outcome is failed", "escalated": "a person had to take over", "abandoned": "its user gave up"}

// ask finds out what is wrong with the run.
func (g *builder) ask() {
	r := &g.c.Run
	if r.RootError {
		what := "it ended with an error"
		if r.ErrorType != "" {
			what = "it ended with " + r.ErrorType
		}
		g.asked, g.erred = append(g.asked, what), true
	}
	if words := badOutcomes[r.Outcome]; words != "" {
		g.asked = append(g.asked, words)
	}
	g.asked = append(g.asked, g.c.Complaints...)
	g.wrong = len(g.asked) > 0
}

// Wrong says what is wrong with a run, in words; none: nothing is.
func Wrong(r *activity.Run, complaints []string) []string {
	g := builder{c: &Case{Run: *r, Complaints: complaints}}
	g.ask()
	return g.asked
}

func (g *builder) add(kind, id, name string) *node {
	if n := g.at[id]; n != nil {
		return n
	}
	n := &node{WhyNode: client.WhyNode{ID: id, Kind: kind, Name: name, State: Seen, Evidence: []client.WhyEvidence{}}}
	g.at[id] = n
	g.nodes = append(g.nodes, n)
	return n
}

func (g *builder) link(from, to, how string) {
	if from == "" || to == "" || from == to {
		return
	}
	for _, l := range g.links {
		if l.From == from && l.To == to {
			return
		}
	}
	g.links = append(g.links, client.WhyLink{From: from, To: to, How: how})
}

// mostEvidence bounds the records that one node names.
const mostEvidence = 6

func (n *node) evidence(kind, id, words string) {
	if id == "" || len(n.Evidence) >= mostEvidence {
		return
	}
	for _, e := range n.Evidence {
		if e.Kind == kind && e.ID == id {
			return
		}
	}
	n.Evidence = append(n.Evidence, client.WhyEvidence{Kind: kind, ID: id, Text: words})
}

// against notes what speaks against a node.
func (n *node) against(weight float64, words string) {
	n.State = Guilty
	if weight > n.weight {
		n.weight = weight
		n.Sentence = words
	}
	n.with = append(n.with, words)
}

// fine notes that a node was looked at and is in order, unless something else
// speaks against it.
func (n *node) fine(words string) {
	if n.State == Seen {
		n.State, n.Sentence = RuledOut, words
	}
}

// unknown notes what nobody knows of a node.
func (n *node) unknown(words, supply string, blocks bool) {
	if n.State == Guilty {
		n.with = append(n.with, words)
		return
	}
	n.State, n.Sentence, n.supply, n.blocks = Unknown, words, supply, n.blocks || blocks
}

func text(s string) *string { return &s }

func when(ns int64) *time.Time {
	t := time.Unix(0, ns).UTC()
	return &t
}
