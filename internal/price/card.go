package price

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// Card is an organisation's own prices, which win over the book.
type Card struct {
	name     string
	currency string
	basis    activity.CostBasis
	prices   []*cardPrice
}

type cardPrice struct {
	card            *Card
	provider, model string // lower case; "" and a trailing * match more
	from, until     int64  // ns; 0: open
	rate            rate
	label           string
}

// cardFile is the YAML of a card:
//
//	name: acme-2026          # shown with every cost
//	kind: rate_card          # or imported; a rate card wins
//	currency: EUR            # default USD
//	prices:
//	  - provider: openai     # left out: any
//	    model: gpt-4o*       # a star at the end: any that starts so
//	    from: 2026-01-01     # from and until may be left out; until is not included
//	    until: 2027-01-01
//	    input: 0.15          # for a million tokens
//	    cache_read: 0.075    # left out: as input
//	    cache_write: 0.15
//	    output: 0.60
//	    reasoning: 0.60      # left out: as output
//	    request: 0.001       # for one call
type cardFile struct {
	Name     string `yaml:"name"`
	Kind     string `yaml:"kind"`
	Currency string `yaml:"currency"`
	Prices   []struct {
		Provider   string   `yaml:"provider"`
		Model      string   `yaml:"model"`
		From       string   `yaml:"from"`
		Until      string   `yaml:"until"`
		Input      *float64 `yaml:"input"`
		CacheRead  *float64 `yaml:"cache_read"`
		CacheWrite *float64 `yaml:"cache_write"`
		Output     *float64 `yaml:"output"`
		Reasoning  *float64 `yaml:"reasoning"`
		Request    *float64 `yaml:"request"`
	} `yaml:"prices"`
}

// Limits of a card.
const (
	maxCardBytes  = 4 << 20
	maxCardPrices = 20_000
)

// ReadCard reads a card from YAML. Unknown keys are refused.
func ReadCard(text []byte) (*Card, error) {
	var f cardFile
	if len(text) > maxCardBytes {
		return nil, invalid(nil, "is larger than %d bytes", maxCardBytes)
	}
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return nil, invalid(err, "cannot be read: %s", yaml.FormatError(err, false, true))
	}
	c := &Card{name: f.Name, currency: strings.ToUpper(f.Currency), basis: activity.CostRateCard}
	switch {
	case f.Name == "":
		return nil, invalid(nil, "has no name")
	case f.Kind == "imported":
		c.basis = activity.CostImported
	case f.Kind != "" && f.Kind != "rate_card":
		return nil, invalid(nil, "has kind %q, want rate_card or imported", f.Kind)
	case len(f.Prices) > maxCardPrices:
		return nil, invalid(nil, "has more than %d prices", maxCardPrices)
	}
	if c.currency == "" {
		c.currency = "USD"
	}
	if len(c.currency) != 3 {
		return nil, invalid(nil, "has currency %q, want three letters", f.Currency)
	}
	for i, p := range f.Prices {
		where := fmt.Sprintf("price %d (%s %s)", i+1, p.Provider, p.Model)
		x := &cardPrice{card: c, provider: strings.ToLower(p.Provider), model: strings.ToLower(p.Model)}
		x.label = "rate-card@" + c.name + " " + strings.Trim(p.Provider+"/"+p.Model, "/")
		if c.basis == activity.CostImported {
			x.label = "imported@" + strings.TrimPrefix(x.label, "rate-card@")
		}
		if p.Model == "" {
			return nil, invalid(nil, "%s has no model", where)
		}
		var err error
		if x.from, err = date(p.From); err != nil {
			return nil, invalid(err, "%s: from %q is no date", where, p.From)
		}
		if x.until, err = date(p.Until); err != nil {
			return nil, invalid(err, "%s: until %q is no date", where, p.Until)
		}
		for _, a := range []struct {
			from *float64
			to   **amount
			unit float64
		}{
			{p.Input, &x.rate.input, perMillion},
			{p.CacheRead, &x.rate.read, perMillion},
			{p.CacheWrite, &x.rate.write, perMillion},
			{p.Output, &x.rate.output, perMillion},
			{p.Reasoning, &x.rate.reasoning, perMillion},
			{p.Request, &x.rate.request, 1e9},
		} {
			if a.from == nil {
				continue
			}
			if v := *a.from; v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, invalid(nil, "%s has a price of %v", where, v)
			}
			*a.to = &amount{base: *a.from * a.unit}
		}
		if x.rate.input == nil && x.rate.output == nil && x.rate.request == nil {
			return nil, invalid(nil, "%s has neither input, output nor request", where)
		}
		c.prices = append(c.prices, x)
	}
	return c, nil
}

func invalid(cause error, format string, args ...any) error {
	return fault.New(fault.KindInvalid, "price.card_invalid", "the rate card %s", fmt.Sprintf(format, args...)).WithCause(cause)
}

func date(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	return t.UnixNano(), err
}

// find is what the card has for a model, in the card's order.
func (c *Card) find(q question) (out []*cardPrice) {
	who, name := strings.ToLower(strings.TrimSpace(q.provider)), strings.ToLower(strings.TrimSpace(q.model))
	for _, p := range c.prices {
		if (p.provider == "" || p.provider == who || p.provider == canonical(who)) && p.covers(name) {
			out = append(out, p)
		}
	}
	return out
}

func (p *cardPrice) covers(name string) bool {
	if prefix, ok := strings.CutSuffix(p.model, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return name == p.model
}

func (p *cardPrice) holds(now int64) bool {
	return (p.from == 0 || now >= p.from) && (p.until == 0 || now < p.until)
}
