package cost

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/telemetry/search"
)

// File is a file to hand on. Unpriced calls are not in its money.
type File struct {
	Name, Type string
	Text       string
	Rows       int64
	Unpriced   int64
	Currency   string
	Total      float64
}

// spent is what one day, model and agent came to.
type spent struct {
	day   span
	parts [5]string // provider, model, agent, team, environment
	Line
}

// days of a month, split as the files are.
func (b *Book) spent(ctx context.Context, ask Ask, s *Settings, where search.Expr, from, to time.Time) ([]spent, error) {
	by := []string{"provider", "model", "agent", "team", "environment"}
	var out []spent
	for _, d := range days(from, to, s.Location()) {
		sum := newSum()
		// A rate holds from the beginning of a day, so that a day has one.
		if err := b.add(ctx, ask, s, search.Both(search.Is("call", "true"), search.Is("counted", "true"), where), d.from, d.to, by, sum, nil); err != nil {
			return nil, err
		}
		if sum.cut {
			return nil, tooLarge(len(sum.of))
		}
		lines := sum.lines(s, nil)
		for i := range lines {
			x := spent{day: d, Line: lines[i]}
			copy(x.parts[:], sum.parts[i])
			out = append(out, x)
		}
	}
	return out, nil
}

// tooLarge refuses a file that would not be whole.
func tooLarge(rows int) error {
	return fault.New(fault.KindExhausted, "cost.too_large", "the file would have more than %d rows at a time", rows).WithHint("ask for one team: --team")
}

// decimal writes money as both files do: never in E notation, at least to a
// millionth.
func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// cell keeps a spreadsheet from taking a name that somebody chose for a formula.
func cell(s string) string {
	s = clean(s)
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Unallocated stands in files for calls of no cost centre.
const Unallocated = "unallocated"

// Chargeback is a CSV of a month's cost by cost centre, team, agent, environment,
// provider and model.
func (b *Book) Chargeback(ctx context.Context, ask Ask, month string, where search.Expr, label func(agent string) string) (File, error) {
	s := b.Settings()
	from, to, err := s.Month(month)
	if err != nil {
		return File{}, err
	}
	sum := newSum()
	by := []string{"team", "agent", "environment", "provider", "model"}
	rename := func(p []string) []string {
		own := ""
		if label != nil {
			own = label(p[1])
		}
		return append([]string{s.Centre(p[0], p[1], p[2], own)}, p...)
	}
	if err := b.add(ctx, ask, &s, where, from, to, by, sum, rename); err != nil {
		return File{}, err
	}
	if sum.cut {
		return File{}, tooLarge(len(sum.of))
	}
	lines := sum.lines(&s, append([]string{"centre"}, by...))
	out := File{Name: "chargeback-" + month + ".csv", Type: "text/csv", Currency: s.Currency}
	rows := [][]string{{"month", "cost_centre", "team", "agent", "environment", "provider", "model", "currency", "cost", "calls", "unpriced_calls", "tokens", "people_minutes", "people_cost"}}
	order(lines, "team", "agent", "environment", "provider", "model")
	for i := range lines {
		l := &lines[i]
		centre := l.Name
		if centre == "" {
			centre = Unallocated
		}
		row := []string{month, cell(centre), cell(l.Parts["team"]), cell(l.Parts["agent"]), cell(l.Parts["environment"]), cell(l.Parts["provider"]), cell(l.Parts["model"]), s.Currency, "", strconv.FormatInt(l.Calls, 10), strconv.FormatInt(l.Unpriced, 10), "", decimal(l.Minutes), ""}
		if l.Cost != nil {
			row[8] = decimal(*l.Cost)
			out.Total += *l.Cost
		}
		if l.Tokens != nil {
			row[11] = decimal(*l.Tokens)
		}
		if l.People != nil {
			row[13] = decimal(*l.People)
		}
		rows = append(rows, row)
		out.Unpriced += l.Unpriced
	}
	out.Rows = int64(len(rows) - 1)
	out.Text, err = written(rows)
	return out, err
}

func written(rows [][]string) (string, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err := w.WriteAll(rows)
	return b.String(), err
}

// focusColumns are those of FOCUS 1.2 that are written: all mandatory ones, and of
// the others those that there is something to say in. Unit prices are not: Reeve
// publishes no price list, and a call's tokens have several prices.
var focusColumns = []string{
	"BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
	"ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
	"ConsumedQuantity", "ConsumedUnit", "ContractedCost", "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost",
	"PricingCategory", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName",
	"ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "ServiceSubcategory",
	"SkuId", "SkuMeter", "SubAccountId", "SubAccountName", "SubAccountType", "Tags", "x_Model", "x_UnpricedCalls",
}

// Focus is a month's cost as FOCUS 1.2 (finops.org) has it: one row a day,
// provider, model and agent. Calls without a price are in no row's money, since a
// FOCUS cost may not be null: x_UnpricedCalls counts them where their row has
// others, and the file's Unpriced counts all.
func (b *Book) Focus(ctx context.Context, ask Ask, month string, where search.Expr, label func(agent string) string, install string, offers []Offer) (File, error) {
	s := b.Settings()
	from, to, err := s.Month(month)
	if err != nil {
		return File{}, err
	}
	all, err := b.spent(ctx, ask, &s, where, from, to)
	if err != nil {
		return File{}, err
	}
	out := File{Name: "focus-" + month + ".csv", Type: "text/csv", Currency: s.Currency}
	rows := [][]string{focusColumns}
	for i := range all {
		x := &all[i]
		out.Unpriced += x.Unpriced
		if x.Cost == nil {
			continue
		}
		out.Total += *x.Cost
		row, err := x.focus(&s, from, to, label, install, offers)
		if err != nil {
			return File{}, err
		}
		rows = append(rows, row)
	}
	out.Rows = int64(len(rows) - 1)
	out.Text, err = written(rows)
	return out, err
}

func (x *spent) focus(s *Settings, from, to time.Time, label func(agent string) string, install string, offers []Offer) ([]string, error) {
	provider, model, agent, team, environment := x.parts[0], x.parts[1], x.parts[2], x.parts[3], x.parts[4]
	or := func(v, instead string) string {
		if v == "" {
			return instead
		}
		return cell(v)
	}
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
	own := ""
	if label != nil {
		own = label(agent)
	}
	tags := map[string]string{}
	for k, v := range map[string]string{"agent": agent, "team": team, "environment": environment, "cost_centre": s.Centre(team, agent, environment, own)} {
		if v != "" {
			tags[k] = clean(v)
		}
	}
	tagged, err := json.Marshal(tags)
	if err != nil {
		return nil, err
	}
	named := or(provider, "unknown")
	region := regionOf(provider, model, offers)
	money, priced := decimal(*x.Cost), x.Calls-x.Unpriced
	v := map[string]string{
		"BilledCost": money, "EffectiveCost": money, "ContractedCost": money, "ListCost": money,
		"BillingAccountId": install, "BillingAccountName": "Reeve", "BillingAccountType": "Installation", "BillingCurrency": s.Currency,
		"BillingPeriodStart": at(from), "BillingPeriodEnd": at(to), "ChargePeriodStart": at(x.day.from), "ChargePeriodEnd": at(x.day.to),
		"ChargeCategory": "Usage", "ChargeDescription": strconv.FormatInt(priced, 10) + " calls of " + or(model, "an unnamed model") + " by " + or(agent, "an unnamed agent"), "ChargeFrequency": "Usage-Based",
		"InvoiceIssuerName": named, "ProviderName": named, "PublisherName": named, "PricingCategory": "Standard",
		"PricingQuantity": strconv.FormatInt(priced, 10), "PricingUnit": "Requests", "ConsumedQuantity": strconv.FormatInt(priced, 10), "ConsumedUnit": "Requests",
		"RegionId": cell(region), "RegionName": cell(region), "ResourceId": cell(agent), "ResourceName": cell(agent),
		"ServiceCategory": "AI and Machine Learning", "ServiceSubcategory": "Generative AI", "ServiceName": named + " models",
		"SkuId": named + "/" + or(model, "unknown"), "SkuMeter": "Model Calls", "SubAccountId": cell(team), "SubAccountName": cell(team),
		"Tags": string(tagged), "x_Model": cell(model), "x_UnpricedCalls": strconv.FormatInt(x.Unpriced, 10),
	}
	if agent != "" {
		v["ResourceType"] = "Agent"
	}
	if team != "" {
		v["SubAccountType"] = "Team"
	}
	if x.Tokens != nil {
		v["ConsumedQuantity"], v["ConsumedUnit"] = decimal(*x.Tokens), "Tokens"
	}
	row := make([]string, len(focusColumns))
	for i, name := range focusColumns {
		row[i] = v[name]
	}
	return row, nil
}
