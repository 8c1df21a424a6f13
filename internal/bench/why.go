package bench

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"reeve/client"
)

// WhyOptions say how often the story is played.
type WhyOptions struct {
	Seeds int    // with the fault, and again without
	First uint64 // seed
	Bin   string // the program; "" is this one
}

// WhySeed is how one seed went.
type WhySeed struct {
	Seed     uint64   `json:"seed"`
	Fault    bool     `json:"fault"`
	Runs     int      `json:"runs"`
	Failed   int      `json:"failed"`
	Incident bool     `json:"incident"`
	After    *float64 `json:"incident_after_s"` // the first run's start; null: none
	Cause    string   `json:"cause"`            // named first
	Right    bool     `json:"right"`
	Sentence string   `json:"sentence"`
}

// WhyReport is how all went.
type WhyReport struct {
	Seeds     []WhySeed `json:"seeds"`
	Right     int       `json:"right"`     // with the fault: the cause was first
	Faults    int       `json:"faults"`    //
	Incidents int       `json:"incidents"` // without the fault
	Clean     int       `json:"clean"`     //
}

func whyMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o WhyOptions
	var output string
	fs := flag.NewFlagSet("reeve bench why", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Seeds, "seeds", 10, "how many seeds, each with the fault and without")
	fs.Uint64Var(&o.First, "first", 1, "the first seed")
	fs.StringVar(&o.Bin, "bin", "", "the program to start; the default is this one")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	if output != "text" && output != "json" || o.Seeds < 1 || o.Seeds > 100 || o.First > 1_000_000 {
		fmt.Fprintln(stderr, "reeve: error: -o is text or json; there are 1 to 100 seeds, the first at most 1000000")
		return errUsage
	}
	r, err := Why(ctx, o, stderr)
	if err != nil {
		return err
	}
	if output == "json" {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	for _, s := range r.Seeds {
		fmt.Fprintf(stdout, "seed %-4d %-14s %d of %d runs failed  first cause %-40s %s\n", s.Seed, map[bool]string{true: "with fault", false: "without"}[s.Fault], s.Failed, s.Runs, s.Cause, verdictOf(&s))
	}
	fmt.Fprintf(stdout, "\nthe right cause first   %d of %d\nincidents without fault %d of %d\n", r.Right, r.Faults, r.Incidents, r.Clean)
	return nil
}

func verdictOf(s *WhySeed) string {
	switch {
	case s.Fault && s.Right:
		return "right"
	case s.Fault && !s.Incident:
		return "no incident"
	case s.Fault:
		return "WRONG"
	case s.Incident:
		return "AN INCIDENT FOR NOTHING"
	}
	return "nothing, as it should be"
}

// Why plays the demo's stale table against a server of its own, seed after seed,
// and asks each incident why.
func Why(ctx context.Context, o WhyOptions, log io.Writer) (*WhyReport, error) {
	dir, err := os.MkdirTemp("", "reeve-why-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := NewServer(o.Bin, dir, io.Discard)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	door := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	s.Command, s.Args = []string{"demo", "--days", "-1", "--pace", "0.1"}, []string{"--gateway-listen", door}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = s.Kill() }()
	b := whyBench{c: client.New("http://"+s.HTTP, ""), base: "http://" + s.HTTP}
	r := &WhyReport{}
	for i := range 2 * o.Seeds {
		// The seeds without the fault are others: the agents and tables of a seed are its own.
		seed, fault := o.First+uint64(i), i < o.Seeds
		one, err := b.play(ctx, seed, fault)
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w", seed, err)
		}
		fmt.Fprintf(log, "seed %d: %s\n", seed, verdictOf(&one))
		r.Seeds = append(r.Seeds, one)
		switch {
		case fault:
			r.Faults++
			if one.Right {
				r.Right++
			}
		default:
			r.Clean++
			if one.Incident {
				r.Incidents++
			}
		}
	}
	return r, nil
}

type whyBench struct {
	c    *client.Client
	base string
}

// whyAsked is how many questions an agent of the story answers; whyQuiet is how
// long an incident is waited for after the last.
const (
	whyAsked = 24
	whyQuiet = 8 * time.Second
)

func (b *whyBench) play(ctx context.Context, seed uint64, fault bool) (out WhySeed, err error) {
	out = WhySeed{Seed: seed, Fault: fault}
	path := fmt.Sprintf("/x/demo/advise/%d", seed)
	if !fault {
		path += "?fault=none"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	var story struct{ Agent, Job string }
	for {
		if err = b.post(ctx, path, &story); err == nil || !strings.Contains(err.Error(), "demo.building") {
			break
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return out, err
		}
	}
	if err != nil {
		return out, err
	}
	began := time.Now()
	for out.Runs < whyAsked {
		list, err := b.c.ListRuns(ctx, client.ListRunsRequest{Agent: story.Agent, Status: "done", Limit: 100})
		if err != nil {
			return out, err
		}
		out.Runs, out.Failed = 0, 0
		for _, r := range list.Items {
			if r.Outcome != nil {
				out.Runs++
				if *r.Outcome == "failed" {
					out.Failed++
				}
			}
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return out, fmt.Errorf("%d of %d runs came: %w", out.Runs, whyAsked, err)
		}
	}
	for end := time.Now().Add(whyQuiet); time.Now().Before(end); {
		list, err := b.c.ListIncidents(ctx, client.ListIncidentsRequest{State: "all", Agent: story.Agent})
		if err != nil {
			return out, err
		}
		if len(list.Items) > 0 {
			out.Incident = true
			took := list.Items[0].OpenedAt.Sub(began).Seconds()
			out.After = &took
			return out, b.why(ctx, list.Items[len(list.Items)-1].ID, story.Job, &out)
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return out, err
		}
	}
	return out, nil
}

// why asks an incident, and compares what it names first with the job that the
// story left out.
func (b *whyBench) why(ctx context.Context, incident, job string, out *WhySeed) error {
	w, err := b.c.GetIncidentWhy(ctx, client.IncidentRequest{ID: incident})
	if err != nil {
		return err
	}
	out.Sentence = w.Sentence
	if len(w.Causes) > 0 {
		out.Cause = w.Causes[0].Node
		out.Right = out.Cause == "job:"+job
	}
	return nil
}

func (b *whyBench) post(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusAccepted {
		return errors.New(resp.Status + ": " + string(raw[:min(len(raw), 400)]))
	}
	return json.Unmarshal(raw, into)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
