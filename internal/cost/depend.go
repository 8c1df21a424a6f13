package cost

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Share is what depends on one provider, model or region.
type Share struct {
	Name     string
	Provider string // of a model
	Cost     *float64
	Calls    int64
	Unpriced int64
	Of       float64 // share of all calls
	Runs     int64   // that called it
	Users    int64   // that those runs were for, where they are known
	Agents   []Touch // the most calls first
	Daily    float64 // calls a day

	Deprecated *time.Time // the day from which it is; nil: nobody said
	Fallbacks  []string   // upstreams that the door would call instead
}

// Touch is an agent that an outage would reach.
type Touch struct {
	Agent, Team string
	Calls       int64
	Share       float64 // of the agent's own calls
}

// Dependency is how much hangs on whom.
type Dependency struct {
	Currency  string
	Calls     int64
	Providers []Share
	Models    []Share
	Regions   []Share
	// Concentration is the chance that two calls picked at random go to the same
	// provider: 1 is all to one. Even is what as many providers with equal shares
	// would have.
	Concentration float64
	Even          float64
}

// Offer is what an upstream says of itself.
type Offer struct {
	Upstream, Provider, Region string // Provider is a dialect of the door: openai, azure...
	Fallbacks                  []string
	Models                     []OfferedModel
}

// OfferedModel is a model, or with a star at the end all that begin so.
type OfferedModel struct {
	Name, Region string
	Deprecated   *time.Time
}

// of reports an upstream of a provider as senders name it: "gcp.gemini",
// "azure.ai.openai", "aws.bedrock".
func (o *Offer) of(provider string) bool {
	name := strings.ToLower(provider)
	switch o.Provider {
	case "":
		return false
	case "azure":
		return strings.HasPrefix(name, "azure") || strings.HasPrefix(name, "az.ai")
	case "bedrock":
		return strings.Contains(name, "bedrock")
	case "gemini":
		return strings.Contains(name, "gemini") || strings.HasPrefix(name, "google") || strings.HasPrefix(name, "gcp") || strings.Contains(name, "vertex")
	}
	return name == o.Provider
}

// fold adds shares up by a key.
type fold struct {
	share Share
	touch map[[2]string]int64
}

// Depend says what a period's calls hang on.
func (b *Book) Depend(ctx context.Context, ask Ask, where search.Expr, from, to time.Time, offers []Offer) (Dependency, error) {
	s := b.Settings()
	out := Dependency{Currency: s.Currency}
	sum := newSum()
	by := []string{"provider", "model", "agent", "team"}
	if err := b.add(ctx, ask, &s, search.Both(search.Is("call", "true"), search.Is("counted", "true"), where), from, to, by, sum, nil); err != nil {
		return out, err
	}
	lines := sum.lines(&s, by)
	kinds := [...]map[string]*fold{byProvider: {}, byModel: {}, byRegion: {}}
	own := map[[2]string]int64{}
	for i := range lines {
		l := &lines[i]
		who := [2]string{l.Parts["agent"], l.Parts["team"]}
		own[who] += l.Calls
		out.Calls += l.Calls
		provider, model := l.Name, l.Parts["model"]
		for k, name := range [3]string{provider, model + "\x00" + provider, regionOf(provider, model, offers)} {
			f := kinds[k][name]
			if f == nil {
				f = &fold{touch: map[[2]string]int64{}}
				f.share.Name = name
				if k == byModel {
					f.share.Name, f.share.Provider = model, provider
				}
				kinds[k][name] = f
			}
			sum := Line{Cost: f.share.Cost}
			sum.take(l)
			f.share.Cost = sum.Cost
			f.share.Calls += l.Calls
			f.share.Unpriced += l.Unpriced
			f.touch[who] += l.Calls
		}
	}
	length := max(to.Sub(from).Hours()/24, 1./24)
	for k, into := range []*[]Share{&out.Providers, &out.Models, &out.Regions} {
		for _, f := range kinds[k] {
			*into = append(*into, f.done(k, out.Calls, own, length, offers))
		}
		slices.SortFunc(*into, func(x, y Share) int {
			return cmp.Or(cmp.Compare(y.Calls, x.Calls), strings.Compare(x.Name, y.Name), strings.Compare(x.Provider, y.Provider))
		})
	}
	for _, p := range out.Providers {
		out.Concentration += p.Of * p.Of
	}
	if n := len(out.Providers); n > 0 {
		out.Even = 1 / float64(n)
	}
	return out, b.reach(ctx, ask, where, from, to, &out)
}

const maxTouched = 50

// The kinds of shares, in the order of Dependency.
const (
	byProvider = iota
	byModel
	byRegion
)

// done finishes a share.
func (f *fold) done(kind int, all int64, own map[[2]string]int64, days float64, offers []Offer) Share {
	s := f.share
	s.Of, s.Daily = float64(s.Calls)/float64(max(all, 1)), float64(s.Calls)/days
	for who, n := range f.touch {
		s.Agents = append(s.Agents, Touch{who[0], who[1], n, float64(n) / float64(max(own[who], 1))})
	}
	slices.SortFunc(s.Agents, func(x, y Touch) int {
		return cmp.Or(cmp.Compare(y.Calls, x.Calls), strings.Compare(x.Agent, y.Agent))
	})
	s.Agents = s.Agents[:min(len(s.Agents), maxTouched)]
	for _, o := range offers {
		switch m := o.model(s.Name); {
		case kind == byModel && m != nil && (s.Provider == "" || o.of(s.Provider)):
			if m.Deprecated != nil && (s.Deprecated == nil || m.Deprecated.Before(*s.Deprecated)) {
				s.Deprecated = m.Deprecated
			}
		case kind == byProvider && o.of(s.Name):
		default:
			continue
		}
		for _, other := range o.Fallbacks {
			if !slices.Contains(s.Fallbacks, other) {
				s.Fallbacks = append(s.Fallbacks, other)
			}
		}
	}
	slices.Sort(s.Fallbacks)
	return s
}

// model is what an upstream says of a model by that name; nil for nothing.
func (o *Offer) model(name string) *OfferedModel {
	var best *OfferedModel
	for i := range o.Models {
		m := &o.Models[i]
		if name != "" && fits(strings.ToLower(m.Name), strings.ToLower(name)) && m.Name != "" && (best == nil || len(m.Name) > len(best.Name)) {
			best = m
		}
	}
	return best
}

var (
	crossRegion = regexp.MustCompile(`^(us-gov|us|eu|apac|ap|ca|jp|au|global)\.[a-z0-9]+\.`)
	cloudRegion = regexp.MustCompile(`\b((?:us|eu|ap|sa|ca|me|af|il)(?:-gov)?-[a-z]+-?\d)\b`)
)

// regionOf is where a model is called, as its name says (Bedrock's inference
// profiles, ARNs) or else the upstreams that offer it; "" where nobody says.
func regionOf(provider, model string, offers []Offer) string {
	name := strings.ToLower(model)
	if m := cloudRegion.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	if m := crossRegion.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	found := ""
	for _, o := range offers {
		if provider != "" && !o.of(provider) {
			continue
		}
		m := o.model(model)
		if m == nil && len(o.Models) > 0 {
			continue
		}
		region := o.Region
		if m != nil {
			region = cmp.Or(m.Region, region)
		}
		if region != "" && found != "" && region != found {
			return "" // in several: which of them a call went to is not known here
		}
		found = cmp.Or(found, region)
	}
	return found
}

// reach counts the runs and users behind providers and models.
func (b *Book) reach(ctx context.Context, ask Ask, where search.Expr, from, to time.Time, d *Dependency) error {
	for _, k := range []struct {
		by    []string
		of    []Share
		named func(s *Share) string
	}{
		{[]string{"provider"}, d.Providers, func(s *Share) string { return s.Name }},
		{[]string{"model", "provider"}, d.Models, func(s *Share) string { return s.Name + "\x00" + s.Provider }},
	} {
		users, runs := map[string]int64{}, map[string]int64{}
		for _, q := range []struct {
			more    []string
			measure telemetry.Measure
			into    map[string]int64
		}{
			{nil, telemetry.Measure{Func: "distinct", Field: "run", As: "n"}, runs},
			{[]string{"run_user"}, telemetry.Measure{Func: "count", As: "n"}, users},
		} {
			res, err := ask(ctx, telemetry.Query{
				Table: "steps", From: from, To: to, Limit: maxRows, GroupBy: append(slices.Clone(k.by), q.more...), Select: []telemetry.Measure{q.measure},
				Where: search.Both(search.Is("call", "true"), search.Is("counted", "true"), where),
			})
			if err != nil {
				return err
			}
			t := newTable(res)
			for _, row := range res.Rows {
				key := t.text(row, k.by[0])
				if len(k.by) > 1 {
					key += "\x00" + t.text(row, k.by[1])
				}
				n, _ := t.number(row, "n")
				switch {
				case q.more == nil:
					q.into[key] += int64(n)
				case t.text(row, "run_user") != "":
					q.into[key]++
				}
			}
		}
		for i := range k.of {
			s := &k.of[i]
			s.Runs, s.Users = runs[k.named(s)], users[k.named(s)]
		}
	}
	return nil
}
