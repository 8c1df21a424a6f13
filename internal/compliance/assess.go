package compliance

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Value is the answer to a question: nil when nothing is known, with the reason.
type Value struct {
	Value  *float64 `json:"value"`
	N      int64    `json:"n"` // records that it is from
	Why    string   `json:"why,omitempty"`
	Search string   `json:"search,omitempty"` // opens the records
	Table  string   `json:"table,omitempty"`
	// Gone says what of the period is no longer there; "" all of it is. Records that
	// are gone could have said anything.
	Gone string `json:"gone,omitempty"`
	// Erased says what erasures since the period began took out of it; "" nothing. They
	// are asked for by whom the records are of, so they change no result.
	Erased string `json:"erased,omitempty"`
	// AsOf is when it was so, of what is known as of now alone; nil: it is of the
	// period.
	AsOf *time.Time `json:"as_of,omitempty"`
}

// Facts answers questions of a period within what the asker may see.
type Facts interface {
	KPI(ctx context.Context, id string, from, to time.Time) (Value, error)
	Fact(ctx context.Context, name string, from, to time.Time) (Value, error)
	Count(ctx context.Context, c Count, from, to time.Time) (Value, error)
}

// EvidenceResult is a piece of evidence with its answer.
type EvidenceResult struct {
	Evidence
	Value
	Result string `json:"result"`
	Text   string `json:"text"`
}

// ControlResult is a control with the result of its evidence.
type ControlResult struct {
	ID       string           `json:"id"`
	Title    string           `json:"title"`
	Article  string           `json:"article"`
	About    string           `json:"about"`
	Result   string           `json:"result"`
	Evidence []EvidenceResult `json:"evidence"`
}

// Assessment is what a framework came to.
type Assessment struct {
	ID        string          `json:"id"`
	Framework string          `json:"framework"`
	Title     string          `json:"title"`
	Version   int             `json:"version"`
	Mapping   string          `json:"mapping"` // SHA-256 of its text
	Custom    bool            `json:"custom"`  // people's own mapping, not the one of this id that ships
	From      time.Time       `json:"from"`
	To        time.Time       `json:"to"`
	At        time.Time       `json:"at"`
	By        string          `json:"by"`
	Pass      int             `json:"pass"`
	Fail      int             `json:"fail"`
	Unknown   int             `json:"unknown"`
	Controls  []ControlResult `json:"controls"`
}

// assess asks all questions of a framework, each once.
func assess(ctx context.Context, f *Framework, facts Facts, from, to time.Time) (*Assessment, error) {
	out := &Assessment{Framework: f.ID, Title: f.Title, Version: f.Version, Mapping: hashText(f.Text), Custom: f.Custom, From: from, To: to, Controls: []ControlResult{}}
	asked := map[string]Value{}
	for i := range f.Controls {
		c := &f.Controls[i]
		r := ControlResult{ID: c.ID, Title: c.Title, Article: c.Article, About: c.About, Result: Unknown, Evidence: []EvidenceResult{}}
		for _, e := range c.Evidence {
			v, err := ask(ctx, facts, &e, from, to, asked)
			if err != nil {
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				v = Value{Why: "it could not be computed: " + err.Error()}
			}
			r.Evidence = append(r.Evidence, e.judge(v))
		}
		r.Result = together(r.Evidence)
		switch r.Result {
		case Pass:
			out.Pass++
		case Fail:
			out.Fail++
		default:
			out.Unknown++
		}
		out.Controls = append(out.Controls, r)
	}
	return out, nil
}

func ask(ctx context.Context, facts Facts, e *Evidence, from, to time.Time, asked map[string]Value) (Value, error) {
	key := "fact " + e.Fact
	switch {
	case e.KPI != "":
		key = "kpi " + e.KPI
	case e.Count != nil:
		key = "count " + e.Count.Table + " " + e.Count.Where
	}
	if v, ok := asked[key]; ok {
		return v, nil
	}
	var v Value
	var err error
	switch {
	case e.KPI != "":
		v, err = facts.KPI(ctx, e.KPI, from, to)
	case e.Count != nil:
		v, err = facts.Count(ctx, *e.Count, from, to)
	default:
		v, err = facts.Fact(ctx, e.Fact, from, to)
	}
	if err == nil {
		asked[key] = v
	}
	return v, err
}

// judge says whether an answer is what it has to be, and what it is without.
func (e Evidence) judge(v Value) EvidenceResult {
	out := e.weigh(v)
	if v.Erased != "" {
		out.Text += "; " + v.Erased
	}
	return out
}

func (e Evidence) weigh(v Value) EvidenceResult {
	out := EvidenceResult{Evidence: e, Value: v, Result: Unknown}
	switch {
	case v.Value == nil:
		out.Text = "unknown: " + v.Why
		return out
	case v.N < e.Least:
		out.Text = fmt.Sprintf("%s from %d records; %d are needed to say something", number(*v.Value), v.N, e.Least)
		return out
	}
	sign, line := "at least", e.AtLeast
	good := line != nil && *v.Value >= *line
	if e.AtMost != nil {
		sign, line = "at most", e.AtMost
		good = *v.Value <= *line
	}
	if out.Result = Fail; good {
		out.Result = Pass
	}
	out.Text = fmt.Sprintf("%s, %s %s is asked for", number(*v.Value), sign, number(*line))
	if v.Gone != "" {
		out.Text += ": " + v.Gone
		// A number that is over its line stays over it, whatever is gone.
		if e.Count == nil || *v.Value <= *line && e.AtMost != nil || *v.Value < *line && e.AtLeast != nil {
			out.Result, out.Text = Unknown, "unknown: "+out.Text
		}
	}
	if v.AsOf != nil {
		out.Text += ", as of " + v.AsOf.UTC().Format(time.RFC3339)
	}
	return out
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 5, 64) }

// together is a control's result: one failure fails it, and what is unknown is not
// passed.
func together(all []EvidenceResult) string {
	out := Pass
	if len(all) == 0 {
		return Unknown
	}
	for _, e := range all {
		switch e.Result {
		case Fail:
			return Fail
		case Unknown:
			out = Unknown
		}
	}
	return out
}
