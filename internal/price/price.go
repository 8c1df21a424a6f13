// Package price says what a model call costs.
//
// What for: an embedded, dated price book (npm @pydantic/genai-prices, MIT) and
// the organisation's own rate cards, asked by provider, model and time.
//
// Who calls it: package run, once for every model call; app loads rate cards.
//
// Promises: a Book never changes and is safe for concurrent use; an answer
// names the price that was used; what is not known costs unknown, never zero.
// Precedence is rate card, imported card, book; a cost that the provider
// itself reported never comes here. A cached answer takes some 50 ns.
//
// How it fails: Cost does not; reading a card returns a fault of kind invalid
// with code price.card_invalid.
//
// Start reading at Book.Cost. gen/gen.mjs makes book.json.
package price

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
)

//go:embed book.json
var embedded []byte

// Book answers what calls cost.
type Book struct {
	providers []provider
	label     string // genai-prices@2026-09-23
	about     About
	cards     []*Card // strongest first

	mu    sync.RWMutex
	cache map[question]*answer
}

// About tells where the embedded book comes from.
type About struct {
	Source, Version, Date, Licence, SHA256 string
	Providers, Models                      int
}

type question struct{ provider, model string }

// answer is what is known of a provider's model: rates with the times they
// hold, nil when nothing is.
type answer struct {
	label string
	rates []rate // the last that holds counts
	cards []*cardPrice
}

// rate is a price for the times that its constraint admits. Amounts are in
// nano-units of money for one token (or request); a missing one is nil.
type rate struct {
	from               int64 // ns since 1970; 0: no start date
	dayStart, dayEnd   int64 // ns since midnight UTC; both 0: all day
	input, output      *amount
	read, write        *amount
	reasoning, request *amount
}

// amount is a price that may depend on how large the whole input is: the tier
// of the highest start below it is paid for every token.
type amount struct {
	base  float64
	tiers []tier
}

type tier struct {
	start int64
	price float64
}

func (a *amount) at(input int64) float64 {
	p := a.base
	for _, t := range a.tiers {
		if input > t.start {
			p = t.price
		}
	}
	return p
}

type provider struct {
	id              string
	models          []model
	matches, claims *match // by the provider's name; by the model's
	fallback        []string
}

type model struct {
	id      string
	matches *match
	rates   []rate
}

// Embedded reads the book that is part of the program.
func Embedded() (*Book, error) { return read(embedded) }

// With is the book with rate cards before it, the first one strongest among
// those of its basis.
func (b *Book) With(cards ...*Card) *Book {
	all := slices.Concat(cards, b.cards)
	slices.SortStableFunc(all, func(x, y *Card) int { return cmp.Compare(y.basis, x.basis) })
	return &Book{providers: b.providers, label: b.label, about: b.about, cards: all, cache: make(map[question]*answer)}
}

// About tells where the embedded book comes from.
func (b *Book) About() About { return b.about }

// Cost is what one call of a model used at a time costs. Its basis is
// CostUnknown when the model has no price, or when a part of the usage that
// has a price was not reported.
func (b *Book) Cost(provider, model string, at time.Time, u activity.Usage) activity.Cost {
	if model == "" {
		return activity.Cost{}
	}
	a := b.find(question{provider, model})
	now := at.UnixNano()
	for _, c := range a.cards {
		if c.holds(now) {
			if nanos, ok := c.rate.cost(u); ok {
				return activity.Cost{Nanos: nanos, Currency: c.card.currency, Basis: c.card.basis, Price: c.label}
			}
		}
	}
	for i := len(a.rates) - 1; i >= 0; i-- {
		// As in the book's own library, the first one stands in for times
		// before any other.
		if i > 0 && !a.rates[i].holds(now) {
			continue
		}
		if nanos, ok := a.rates[i].cost(u); ok {
			return activity.Cost{Nanos: nanos, Currency: "USD", Basis: activity.CostBook, Price: a.label}
		}
		break
	}
	return activity.Cost{}
}

func (r *rate) holds(now int64) bool {
	if r.from != 0 && now < r.from {
		return false
	}
	if r.dayStart == r.dayEnd {
		return true
	}
	const day = int64(24 * time.Hour)
	of := ((now % day) + day) % day
	if r.dayEnd < r.dayStart { // over midnight
		return of >= r.dayStart || of < r.dayEnd
	}
	return of >= r.dayStart && of < r.dayEnd
}

// cost applies the rate. Cached and reasoning tokens are parts of the totals:
// where they have no price of their own they are paid as the rest is.
func (r *rate) cost(u activity.Usage) (nanos int64, ok bool) {
	var sum float64
	tokens := false
	if r.input != nil {
		if u.InputTotal < 0 {
			return 0, false
		}
		tokens = true
		rest := u.InputTotal
		for _, part := range [...]struct {
			n     int64
			price *amount
		}{{u.CacheRead, r.read}, {u.CacheWrite, r.write}} {
			if part.n > 0 && part.price != nil {
				n := min(part.n, rest)
				sum += float64(n) * part.price.at(u.InputTotal)
				rest -= n
			}
		}
		sum += float64(rest) * r.input.at(u.InputTotal)
	}
	if r.output != nil && (u.OutputTotal >= 0 || r.output.base != 0) {
		if u.OutputTotal < 0 {
			return 0, false
		}
		tokens = true
		rest, input := u.OutputTotal, max(u.InputTotal, 0)
		if u.Reasoning > 0 && r.reasoning != nil {
			n := min(u.Reasoning, rest)
			sum += float64(n) * r.reasoning.at(input)
			rest -= n
		}
		sum += float64(rest) * r.output.at(input)
	}
	if r.request != nil {
		sum += r.request.base
	} else if !tokens {
		return 0, false // priced by something that usage does not count
	}
	if math.IsNaN(sum) || sum < 0 || sum > math.MaxInt64/2 {
		return 0, false
	}
	return int64(math.Round(sum)), true
}

// maxCache bounds the remembered answers, since senders choose the names.
const maxCache = 8192

func (b *Book) find(q question) *answer {
	b.mu.RLock()
	a := b.cache[q]
	b.mu.RUnlock()
	if a != nil {
		return a
	}
	q = question{strings.Clone(q.provider), strings.Clone(q.model)}
	a = b.search(q)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.cache) >= maxCache {
		clear(b.cache)
	}
	b.cache[q] = a
	return a
}

func (b *Book) search(q question) *answer {
	a := &answer{}
	for _, c := range b.cards {
		a.cards = append(a.cards, c.find(q)...)
	}
	name := strings.ToLower(strings.TrimSpace(q.model))
	who := canonical(strings.ToLower(strings.TrimSpace(q.provider)))
	if who == "litellm" {
		// Its names are provider/model.
		if p, m, ok := strings.Cut(name, "/"); ok && m != "" && b.provider(p) != nil {
			who, name = p, m
		} else {
			who = ""
		}
	}
	var p *provider
	if who != "" {
		p = b.provider(who)
	} else {
		for i := range b.providers {
			if b.providers[i].claims.ok(name) {
				p = &b.providers[i]
				break
			}
		}
	}
	if p == nil {
		return a
	}
	at, m := b.model(p, name)
	if m == nil {
		if dated := spellDates(name); dated != name {
			at, m = b.model(p, dated)
		}
	}
	if m != nil {
		a.label, a.rates = b.label+" "+at.id+"/"+m.id, m.rates
	}
	return a
}

// canonical turns names that senders use for providers into the book's.
func canonical(name string) string {
	switch name {
	case "unknown", "_other", "other":
		return ""
	case "x_ai":
		return "x-ai"
	case "gcp.gen_ai", "gcp":
		return "google"
	}
	if strings.HasPrefix(name, "azure") || strings.HasPrefix(name, "az.ai") {
		return "azure"
	}
	return name
}

func (b *Book) provider(name string) *provider {
	for i := range b.providers {
		if b.providers[i].id == name {
			return &b.providers[i]
		}
	}
	for i := range b.providers {
		if b.providers[i].matches.ok(name) {
			return &b.providers[i]
		}
	}
	return nil
}

func (b *Book) model(p *provider, name string) (*provider, *model) {
	for i := range p.models {
		if p.models[i].matches.ok(name) {
			return p, &p.models[i]
		}
	}
	for _, id := range p.fallback {
		for i := range b.providers {
			if q := &b.providers[i]; q.id == id && q != p {
				for j := range q.models {
					if q.models[j].matches.ok(name) {
						return q, &q.models[j]
					}
				}
			}
		}
	}
	return nil, nil
}

var compactDate = regexp.MustCompile(`-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])($|[-:])`)

// spellDates writes -20250131 as -2025-01-31, as the book does.
func spellDates(name string) string { return compactDate.ReplaceAllString(name, "-$1-$2-$3$4") }

// match is a rule of the book over a lower-case name; nil matches nothing.
type match struct {
	Equals, StartsWith, EndsWith, Contains string
	regex                                  *regexp.Regexp
	not                                    *match
	or, and                                []*match
	all                                    bool // and was given
}

// UnmarshalJSON reads a rule: an object with one key.
func (m *match) UnmarshalJSON(text []byte) error {
	var raw struct {
		Equals     *string   `json:"equals"`
		StartsWith *string   `json:"starts_with"`
		EndsWith   *string   `json:"ends_with"`
		Contains   *string   `json:"contains"`
		Regex      *string   `json:"regex"`
		Not        *match    `json:"not"`
		Or         []*match  `json:"or"`
		And        *[]*match `json:"and"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	for _, f := range []struct{ to, from *string }{
		{&m.Equals, raw.Equals}, {&m.StartsWith, raw.StartsWith}, {&m.EndsWith, raw.EndsWith}, {&m.Contains, raw.Contains},
	} {
		if f.from != nil {
			*f.to = strings.ToLower(*f.from)
		}
	}
	m.not, m.or = raw.Not, raw.Or
	if raw.And != nil {
		m.and, m.all = *raw.And, true
	}
	if raw.Regex != nil {
		re, err := regexp.Compile(*raw.Regex)
		if err != nil {
			return fmt.Errorf("price book: rule %q: %w", *raw.Regex, err)
		}
		m.regex = re
	}
	return nil
}

func (m *match) ok(name string) bool {
	switch {
	case m == nil:
		return false
	case m.not != nil:
		return !m.not.ok(name)
	case m.all:
		return !slices.ContainsFunc(m.and, func(n *match) bool { return !n.ok(name) })
	case m.regex != nil:
		return m.regex.MatchString(name)
	case m.Equals != "":
		return name == m.Equals
	case m.StartsWith != "":
		return strings.HasPrefix(name, m.StartsWith)
	case m.EndsWith != "":
		return strings.HasSuffix(name, m.EndsWith)
	case m.Contains != "":
		return strings.Contains(name, m.Contains)
	}
	return slices.ContainsFunc(m.or, func(n *match) bool { return n.ok(name) })
}

// UnmarshalJSON reads a number, in money for a million, or {base, tiers}.
func (a *amount) UnmarshalJSON(text []byte) error {
	var raw struct {
		Base  float64 `json:"base"`
		Tiers []struct {
			Start int64   `json:"start"`
			Price float64 `json:"price"`
		} `json:"tiers"`
	}
	if err := json.Unmarshal(text, &raw.Base); err != nil {
		if err := json.Unmarshal(text, &raw); err != nil {
			return err
		}
	}
	a.base = raw.Base * perMillion
	for _, t := range raw.Tiers {
		a.tiers = append(a.tiers, tier{t.Start, t.Price * perMillion})
	}
	slices.SortFunc(a.tiers, func(x, y tier) int { return cmp.Compare(x.start, y.start) })
	return nil
}

// perMillion turns money for a million into nano-units for one.
const perMillion = 1e9 / 1e6

func read(text []byte) (*Book, error) {
	type prices struct {
		Constraint *struct {
			Type      string `json:"type"`
			StartDate string `json:"start_date"`
			StartTime string `json:"start_time"`
			EndTime   string `json:"end_time"`
		} `json:"constraint"`
		Prices struct {
			Input     *amount `json:"input_mtok"`
			Output    *amount `json:"output_mtok"`
			Read      *amount `json:"cache_read_mtok"`
			Write     *amount `json:"cache_write_mtok"`
			Reasoning *amount `json:"output_reasoning_mtok"`
			Request   *amount `json:"requests_kcount"`
		} `json:"prices"`
	}
	var raw struct {
		Source, Version, Date, Licence, SHA256 string
		Providers                              []struct {
			ID       string   `json:"id"`
			Model    *match   `json:"model_match"`
			Provider *match   `json:"provider_match"`
			Fallback []string `json:"fallback"`
			Models   []struct {
				ID     string   `json:"id"`
				Match  *match   `json:"match"`
				Prices []prices `json:"prices"`
			} `json:"models"`
		} `json:"providers"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("price book: %w", err)
	}
	b := &Book{
		label: strings.TrimPrefix(raw.Source, "@pydantic/") + "@" + raw.Date, cache: make(map[question]*answer),
		about: About{Source: raw.Source, Version: raw.Version, Date: raw.Date, Licence: raw.Licence, SHA256: raw.SHA256, Providers: len(raw.Providers)},
	}
	for _, p := range raw.Providers {
		to := provider{id: p.ID, matches: p.Provider, claims: p.Model, fallback: p.Fallback}
		for _, m := range p.Models {
			n := model{id: m.ID, matches: m.Match}
			for _, x := range m.Prices {
				r := rate{
					input: x.Prices.Input, output: x.Prices.Output, read: x.Prices.Read, write: x.Prices.Write,
					reasoning: x.Prices.Reasoning, request: x.Prices.Request,
				}
				if r.request != nil {
					r.request.base *= 1000 // its price is for a thousand
				}
				if c := x.Constraint; c != nil {
					var err error
					if r.from, r.dayStart, r.dayEnd, err = constraint(c.StartDate, c.StartTime, c.EndTime); err != nil {
						return nil, fmt.Errorf("price book: %s/%s: %w", p.ID, m.ID, err)
					}
				}
				n.rates = append(n.rates, r)
			}
			to.models = append(to.models, n)
		}
		b.about.Models += len(to.models)
		b.providers = append(b.providers, to)
	}
	return b, nil
}

func constraint(date, start, end string) (from, dayStart, dayEnd int64, err error) {
	if date != "" {
		t, err := time.Parse(time.DateOnly, date)
		return t.UnixNano(), 0, 0, err
	}
	for _, x := range []struct {
		text string
		to   *int64
	}{{start, &dayStart}, {end, &dayEnd}} {
		t, err := time.Parse("15:04:05Z07:00", x.text)
		if err != nil {
			return 0, 0, 0, err
		}
		t = t.UTC()
		*x.to = int64(t.Hour())*int64(time.Hour) + int64(t.Minute())*int64(time.Minute) + int64(t.Second())*int64(time.Second)
	}
	return 0, dayStart, dayEnd, nil
}
