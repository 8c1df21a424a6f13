package cost

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/telemetry/search"
)

// order sorts lines by their name and parts, for files that are compared.
func order(lines []Line, by ...string) {
	slices.SortFunc(lines, func(x, y Line) int {
		c := strings.Compare(x.Name, y.Name)
		for _, k := range by {
			c = cmp.Or(c, strings.Compare(x.Parts[k], y.Parts[k]))
		}
		return c
	})
}

// Idle is an agent that nobody used.
type Idle struct {
	Agent, Team, Owner, Lifecycle string
	LastSeen                      *time.Time // nil: never
}

// Monthly is what a report is written from, beside what the book asks itself.
type Monthly struct {
	Label    func(agent string) string
	Idle     []Idle
	Forecast *Forecast // of the month that goes on; nil for one that is over
	Offers   []Offer
}

// Report is a month on two pages, as Markdown: what was spent, by whom, what
// changed, what nobody knows and who uses nothing.
func (b *Book) Report(ctx context.Context, ask Ask, month string, where search.Expr, m Monthly) (string, error) {
	s := b.Settings()
	from, to, err := s.Month(month)
	if err != nil {
		return "", err
	}
	before := from.AddDate(0, -1, 0)
	now := b.o.Now()
	if now.Before(from) {
		return "", invalid("%s is to come", month)
	}
	if now.Before(to) {
		to = now
	}
	part := func(by string, from, to time.Time) (Split, error) {
		return b.Split(ctx, ask, Question{From: from, To: to, By: by, Where: where, Limit: 12, Label: m.Label})
	}
	last, err := part("", before, from)
	if err != nil {
		return "", err
	}
	var w strings.Builder
	money := func(v *float64) string {
		if v == nil {
			return "unknown"
		}
		return fmt.Sprintf("%.2f %s", *v, s.Currency)
	}
	fmt.Fprintf(&w, "# What agents cost in %s\n\n", from.Format("January 2006"))
	for i, by := range []struct{ by, title, none string }{
		{"centre", "By cost centre", Unallocated}, {"team", "By team", "no team"}, {"agent", "By agent", "not named"}, {"model", "By model", "not named"}, {"outcome", "By outcome", "unknown"},
	} {
		x, err := part(by.by, from, to)
		if err != nil {
			return "", err
		}
		if i == 0 {
			m.head(&w, &s, &x, &last, to, money)
		}
		fmt.Fprintf(&w, "## %s\n\n| | Cost | Share | Calls | Without a price |\n|---|---|---|---|---|\n", by.title)
		for _, l := range x.Lines {
			share := ""
			if l.Cost != nil && x.Total.Cost != nil && *x.Total.Cost > 0 {
				share = fmt.Sprintf("%.1f %%", 100**l.Cost / *x.Total.Cost)
			}
			fmt.Fprintf(&w, "| %s | %s | %s | %d | %d |\n", escape(cmp.Or(l.Name, by.none)), money(l.Cost), share, l.Calls, l.Unpriced)
		}
		if x.More > 0 {
			fmt.Fprintf(&w, "| and %d more | | | | |\n", x.More)
		}
		w.WriteString("\n")
	}
	if err := b.dependence(ctx, ask, where, from, to, m.Offers, &w); err != nil {
		return "", err
	}
	if len(m.Idle) > 0 {
		w.WriteString("## Agents that nobody used\n\n")
		for _, a := range m.Idle[:min(len(m.Idle), 30)] {
			seen := "never"
			if a.LastSeen != nil {
				seen = a.LastSeen.In(s.Location()).Format(time.DateOnly)
			}
			fmt.Fprintf(&w, "- %s (%s, owner %s): last seen %s\n", escape(a.Agent), escape(cmp.Or(a.Team, "no team")), escape(cmp.Or(a.Owner, "nobody")), seen)
		}
		w.WriteString("\n")
	}
	fmt.Fprintf(&w, "Days and months are those of %s, money is %s", s.Zone, s.Currency)
	if len(s.Rates) > 0 {
		w.WriteString(" at the rates of each day")
	}
	w.WriteString(". What has no price is in no sum.\n")
	return w.String(), nil
}

func (m *Monthly) head(w *strings.Builder, s *Settings, x, last *Split, to time.Time, money func(*float64) string) {
	fmt.Fprintf(w, "**%s** for %d model calls", money(x.Total.Cost), x.Total.Calls)
	if x.Total.Cost != nil && last.Total.Cost != nil && *last.Total.Cost > 0 {
		d := (*x.Total.Cost / *last.Total.Cost - 1) * 100
		word := "more"
		if d < 0 {
			word = "less"
		}
		fmt.Fprintf(w, ", %.0f %% %s than the month before (%s)", math.Abs(d), word, money(last.Total.Cost))
	}
	w.WriteString(".\n\n")
	if x.Total.Unpriced > 0 {
		fmt.Fprintf(w, "%d calls (%.1f %%) have no price and are in no sum.\n\n", x.Total.Unpriced, 100*float64(x.Total.Unpriced)/float64(max(x.Total.Calls, 1)))
	}
	if x.Total.Minutes > 0 {
		fmt.Fprintf(w, "People were waited for %.0f minutes (%s).\n\n", x.Total.Minutes, money(x.Total.People))
	}
	if f := m.Forecast; f != nil {
		fmt.Fprintf(w, "As of %s the month is not over. ", to.In(s.Location()).Format(time.DateOnly))
		if f.Expected != nil {
			fmt.Fprintf(w, "It will come to %s, between %s and %s in 95 of 100 cases (from %d days; %s).\n\n", money(f.Expected), money(f.Low), money(f.High), f.Days, f.Method)
		} else {
			fmt.Fprintf(w, "There is no forecast: %s.\n\n", f.Why)
		}
	}
}

// dependence writes what hangs on whom.
func (b *Book) dependence(ctx context.Context, ask Ask, where search.Expr, from, to time.Time, offers []Offer, w *strings.Builder) error {
	d, err := b.Depend(ctx, ask, where, from, to, offers)
	if err != nil || len(d.Providers) == 0 {
		return err
	}
	w.WriteString("## Providers\n\n| | Share of calls | Agents | Runs |\n|---|---|---|---|\n")
	for _, p := range d.Providers[:min(len(d.Providers), 8)] {
		fmt.Fprintf(w, "| %s | %.1f %% | %d | %d |\n", escape(cmp.Or(p.Name, "not named")), 100*p.Of, len(p.Agents), p.Runs)
	}
	w.WriteString("\n")
	for _, m := range d.Models {
		if m.Deprecated != nil {
			fmt.Fprintf(w, "- %s is deprecated from %s; %d calls used it\n", escape(m.Name), m.Deprecated.Format(time.DateOnly), m.Calls)
		}
	}
	w.WriteString("\n")
	return nil
}

// escape keeps names that others chose from being Markdown.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "*", `\*`, "_", `\_`, "`", "'", "[", `\[`, "<", "&lt;").Replace(clean(s))
}
