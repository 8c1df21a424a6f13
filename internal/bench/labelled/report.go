package labelled

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// Report is what a bench found.
type Report struct {
	Bench   string   `json:"bench"`
	About   string   `json:"about"`
	Figures []Figure `json:"figures"`
	Peers   []Peer   `json:"peers,omitempty"` // what others reach on the same data, as published
	Notes   []string `json:"notes,omitempty"`
}

// Figure is one number, and what it should be.
type Figure struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"`
	Aim   *float64 `json:"aim,omitempty"`
	Most  bool     `json:"at_most,omitempty"` // the aim is an upper bound
	Low   *float64 `json:"low,omitempty"`     // interval of 95 %, where it is a proportion
	High  *float64 `json:"high,omitempty"`
	N     int      `json:"n,omitempty"`
}

// Peer is another method's figure.
type Peer struct {
	Name   string             `json:"name"`
	Values map[string]float64 `json:"values"`
}

func (r *Report) add(name string, v float64) *Figure {
	r.Figures = append(r.Figures, Figure{Name: name, Value: v})
	return &r.Figures[len(r.Figures)-1]
}

func (f *Figure) atLeast(aim float64) *Figure { f.Aim = &aim; return f }

func (f *Figure) atMost(aim float64) *Figure { f.Aim, f.Most = &aim, true; return f }

func (f *Figure) of(n int) *Figure { f.N = n; return f }

func (f *Figure) interval(low, high float64) *Figure { f.Low, f.High = &low, &high; return f }

// Reached says whether the aim is met; true without one.
func (f *Figure) Reached() bool {
	switch {
	case f.Aim == nil:
		return true
	case f.Most:
		return f.Value <= *f.Aim
	}
	return f.Value >= *f.Aim
}

// write prints a report for people, or as JSON.
func (r *Report) write(w io.Writer, output string) error {
	if output == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	fmt.Fprintln(w, r.About)
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range r.Figures {
		f := &r.Figures[i]
		aim, word := "", ""
		if f.Aim != nil {
			aim, word = fmt.Sprintf("aim: at least %.4g", *f.Aim), "reached"
			if f.Most {
				aim = fmt.Sprintf("aim: at most %.4g", *f.Aim)
			}
			if !f.Reached() {
				word = "not reached"
			}
		}
		about := ""
		if f.Low != nil {
			about = fmt.Sprintf("(%.4g to %.4g)", *f.Low, *f.High)
		}
		if f.N > 0 {
			about += fmt.Sprintf(" n=%d", f.N)
		}
		fmt.Fprintf(t, "%s\t%.4g\t%s\t%s\t%s\n", f.Name, f.Value, about, aim, word)
	}
	if len(r.Peers) > 0 {
		fmt.Fprintln(t, "\nothers on the same data, as published:")
	}
	for _, p := range r.Peers {
		fmt.Fprintf(t, "%s\t", p.Name)
		for _, k := range sortedKeys(p.Values) {
			fmt.Fprintf(t, "%s %.4g\t", k, p.Values[k])
		}
		fmt.Fprintln(t)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(t, "\n"+n)
	}
	return t.Flush()
}
