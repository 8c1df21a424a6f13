package app

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/invoice"
)

// spendSpan is a model call as OTLP.
type spendSpan struct {
	trace, span                 int
	agent, user, session, model string
	provider                    string
	at                          time.Time
	input, output               int
	priced                      bool
}

func (s spendSpan) text() string {
	return fmt.Sprintf(`{"traceId":"aa0000000000000000000000000000%02x","spanId":"bb000000000000%02x","name":"chat","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[
		{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":%q}},{"key":"gen_ai.request.model","value":{"stringValue":%q}},
		{"key":"gen_ai.agent.name","value":{"stringValue":%q}},{"key":"user.id","value":{"stringValue":%q}},{"key":"session.id","value":{"stringValue":%q}},
		{"key":"gen_ai.usage.input_tokens","value":{"intValue":%d}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":%d}}]}`,
		s.trace, s.span, s.at.UnixNano(), s.at.Add(time.Second).UnixNano(), s.provider, s.model, s.agent, s.user, s.session, s.input, s.output)
}

func sendSpend(t *testing.T, a *App, all []spendSpan) {
	t.Helper()
	var spans []string
	for _, s := range all {
		spans = append(spans, s.text())
	}
	body := `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Join(spans, ",") + `]}]}]}`
	if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", []byte(body)); r.status != http.StatusOK {
		t.Fatalf("sending: %+v", r)
	}
}

// What calls cost adds up to the same sum by whatever it is split, the calls
// without a price are counted, and the files of the month hold the same money.
func TestSpend(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	ctx := t.Context()
	at := time.Now().UTC().Add(-time.Minute)
	// gpt-4o-mini is 0.15 and 0.60 dollars a million.
	sendSpend(t, a, []spendSpan{
		{1, 1, "refunds", "ann", "s1", "gpt-4o-mini", "openai", at, 1_000_000, 0, true},
		{1, 2, "refunds", "ann", "s1", "gpt-4o-mini", "openai", at.Add(2 * time.Second), 2_000_000, 100_000, true},
		{2, 3, "orders", "bob", "s2", "gpt-4o-mini", "openai", at, 1_000_000, 1_000_000, true},
		{3, 4, "orders", "ann", "s3", "no-such-model", "somebody", at, 10, 10, false},
	})
	const want = 0.15 + 0.30 + 0.06 + 0.75
	s, err := c.GetCostSettings(ctx)
	if err != nil || s.Currency != "USD" || s.Zone != "UTC" {
		t.Fatalf("first settings %+v, %v", s, err)
	}
	if s, err = c.PutCostSettings(ctx, client.CostSettings{
		Currency: "EUR", Zone: "Asia/Kathmandu", Hour: 60, Rates: []client.CostRate{{Currency: "EUR", From: "2020-01-01", Dollars: 1.25}},
		Centres: []client.CostCentre{{Centre: "4711", Agent: "ref*"}},
	}); err != nil || s.Revision != 1 {
		t.Fatalf("settings %+v, %v", s, err)
	}
	near := func(got *float64, want float64) bool { return got != nil && math.Abs(*got-want) < 1e-6 }
	var x *client.CostSplit
	eventually(t, "the calls in the sum", func() bool {
		if x, err = c.SplitCost(ctx, client.CostSplitRequest{By: "agent"}); err != nil {
			t.Fatal(err)
		}
		return x.Total.Calls == 4
	})
	if !near(x.Total.Cost, want/1.25) || x.Total.Unpriced != 1 || x.Currency != "EUR" {
		t.Errorf("the whole %+v, want %v EUR", x.Total, want/1.25)
	}
	for by, names := range map[string][]string{
		"agent": {"orders", "refunds"}, "user": {"ann", "bob"}, "session": {"s1", "s2", "s3"}, "model": {"gpt-4o-mini", "no-such-model"}, "provider": {"openai", "somebody"},
		"centre": {"", "4711"}, "outcome": {""}, "version": {"", ""}, "task": {"", ""}, "team": {""}, "environment": {""}, "run": nil, "call": nil, "day": nil, "month": nil,
	} {
		got, err := c.SplitCost(ctx, client.CostSplitRequest{By: by})
		if err != nil {
			t.Errorf("by %s: %v", by, err)
			continue
		}
		sum, calls, found := 0.0, int64(0), []string{}
		for _, l := range got.Lines {
			calls += l.Calls
			if l.Cost != nil {
				sum += *l.Cost
			}
			found = append(found, l.Name)
			switch {
			case by == "call" && (!strings.HasPrefix(l.Name, "stp_") || !strings.HasPrefix(l.Parts["run"], "run_")),
				by == "run" && !strings.HasPrefix(l.Name, "run_"):
				t.Errorf("by %s: a line without a name: %+v", by, l)
			}
		}
		slices.Sort(found)
		if math.Abs(sum-want/1.25) > 1e-6 || calls != 4 || names != nil && !slices.Equal(found, names) {
			t.Errorf("by %s: %v of %d calls, want %v of 4; names %q, want %q", by, sum, calls, want/1.25, found, names)
		}
		if by == "centre" && !near(got.Unallocated, 0.75/want) {
			t.Errorf("the unallocated share is %v, want %v", got.Unallocated, 0.75/want)
		}
	}
	records, err := c.Query(ctx, client.Query{From: "steps", Where: mustLine(t, c, "agent", "refunds").Records})
	if err != nil || len(records.Rows) != 1 || fmt.Sprint(records.Rows[0][0]) != "2" {
		t.Errorf("the records behind a line: %+v, %v", records, err)
	}

	month := time.Now().In(mustZone(t, s.Zone)).Format("2006-01")
	for _, kind := range []string{"chargeback", "focus"} {
		f, err := c.CostFile(ctx, client.CostFileRequest{Kind: kind, Month: month})
		if err != nil || math.Abs(f.Total-want/1.25) > 1e-6 || f.Unpriced != 1 {
			t.Errorf("%s: %+v, %v", kind, f, err)
		}
		if kind == "focus" {
			checkFocus(t, f.Text, want/1.25)
		}
	}
	d, err := c.Dependency(ctx, client.CostScope{})
	if err != nil || d.Calls != 4 || len(d.Providers) != 2 || d.Providers[0].Name != "openai" || d.Providers[0].Runs != 2 || d.Providers[0].Users != 2 || math.Abs(d.Concentration-(0.75*0.75+0.25*0.25)) > 1e-9 {
		t.Errorf("dependency %+v, %v", d, err)
	}
	rep, err := c.CostReport(ctx, client.CostReportRequest{Month: month, PDF: true})
	if err != nil || !strings.Contains(rep.Text, "| 4711 | ") || !strings.Contains(rep.Text, "unallocated") || !strings.Contains(rep.Text, "There is no forecast") || rep.PDF == "" {
		t.Errorf("the report: %v\n%s", err, rep.Text)
	}
	f, err := c.ForecastCost(ctx, client.CostScope{})
	if err != nil || math.Abs(f.Spent-want/1.25) > 1e-6 || f.Expected != nil || f.Why == "" {
		t.Errorf("forecast %+v, %v", f, err)
	}
	sv, err := c.Savings(ctx, client.CostScope{})
	if err != nil || sv.Looked != 4 || len(sv.Items) != 3 {
		t.Fatalf("savings %+v, %v", sv, err)
	}
	// The second prompt of run 1 goes on from the first: a million tokens at half the
	// price, by the book.
	if i := sv.Items[0]; i.ID != "prompt_cache" || !near(i.Figure, 0.075/1.25) || len(i.Runs) != 1 || i.Tokens != 1_000_000 {
		t.Errorf("the cache would have saved %+v", i)
	}
	ready, err := c.GetReadiness(ctx, client.ReadinessRequest{})
	if err != nil || len(ready.Topics) != 1 || ready.Topics[0].Asked != 3 || ready.AllFresh != nil || ready.Coverage != nil {
		t.Errorf("readiness of runs that read nothing and came to nothing: %+v, %v", ready, err)
	}
	for _, bad := range []struct {
		name string
		err  error
	}{
		{"by what is not", second(c.SplitCost(ctx, client.CostSplitRequest{By: "mood"}))},
		{"no month", second(c.SplitCost(ctx, client.CostSplitRequest{Month: "last"}))},
		{"to come", second(c.SplitCost(ctx, client.CostSplitRequest{Month: "2199-01"}))},
		{"a phrase", second(c.SplitCost(ctx, client.CostSplitRequest{Where: `"hello"`}))},
		{"no file", second(c.CostFile(ctx, client.CostFileRequest{Kind: "xls"}))},
		{"no zone", second(c.PutCostSettings(ctx, client.CostSettings{Zone: "Mars/Base", Revision: 1}))},
		{"no rate", second(c.PutCostSettings(ctx, client.CostSettings{Currency: "CHF", Revision: 1}))},
		{"an old revision", second(c.PutCostSettings(ctx, client.CostSettings{Currency: "USD"}))},
		{"no channel of mail", second(c.PutCostSettings(ctx, client.CostSettings{Revision: 1, Report: client.CostReport{Channel: "m", Day: 2}}))},
		{"no address", second(c.PutCostSettings(ctx, client.CostSettings{Revision: 1, Report: client.CostReport{Channel: "m", To: []string{"x\r\ny@z"}}}))},
	} {
		if bad.err == nil {
			t.Errorf("%s: taken", bad.name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func mustLine(t *testing.T, c *client.Client, by, name string) client.CostLine {
	t.Helper()
	x, err := c.SplitCost(t.Context(), client.CostSplitRequest{By: by})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range x.Lines {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no line %s by %s: %+v", name, by, x.Lines)
	return client.CostLine{}
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// checkFocus holds a file against FOCUS 1.2: the mandatory columns, what may be
// null, the forms of times, numbers, currency and tags, and the allowed words. An
// importer of FOCUS reads the same money from it.
func checkFocus(t *testing.T, text string, want float64) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("the FOCUS file: %v\n%s", err, text)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		if _, twice := at[name]; twice {
			t.Errorf("column %s stands twice", name)
		}
		at[name] = i
	}
	notNull := []string{
		"BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
		"EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
		"BillingAccountType", "ChargeFrequency", "ServiceSubcategory", "ConsumedQuantity", "ConsumedUnit", "PricingCategory", "SkuId",
	}
	for _, name := range append([]string{"BillingAccountName", "ChargeClass", "ChargeDescription"}, notNull...) {
		if _, ok := at[name]; !ok {
			t.Fatalf("the mandatory column %s is missing", name)
		}
	}
	sum := 0.0
	for _, r := range rows[1:] {
		v := func(name string) string { return r[at[name]] }
		for _, name := range notNull {
			if v(name) == "" {
				t.Errorf("%s is null: %q", name, r)
			}
		}
		for _, name := range []string{"BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "PricingQuantity", "ConsumedQuantity"} {
			if strings.Trim(v(name), "0123456789.") != "" {
				t.Errorf("%s is no decimal: %q", name, v(name))
			}
		}
		for _, name := range []string{"BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"} {
			if _, err := time.Parse("2006-01-02T15:04:05Z", v(name)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if v("ChargePeriodStart") >= v("ChargePeriodEnd") || v("ChargePeriodStart") < v("BillingPeriodStart") || v("ChargePeriodEnd") > v("BillingPeriodEnd") {
			t.Errorf("the charge's time is not within the month's: %q", r)
		}
		if v("ChargeCategory") != "Usage" || v("ChargeClass") != "" || v("ServiceCategory") != "AI and Machine Learning" || v("ServiceSubcategory") != "Generative AI" || v("PricingCategory") != "Standard" || v("ChargeFrequency") != "Usage-Based" || v("BillingCurrency") != "EUR" {
			t.Errorf("a word that FOCUS does not allow: %q", r)
		}
		if (v("SubAccountId") == "") != (v("SubAccountType") == "") || (v("ResourceId") == "") != (v("ResourceType") == "") {
			t.Errorf("a type without its id: %q", r)
		}
		var tags map[string]string
		if err := json.Unmarshal([]byte(v("Tags")), &tags); err != nil || v("ResourceId") == "refunds" && tags["cost_centre"] != "4711" {
			t.Errorf("tags %s: %v", v("Tags"), err)
		}
		var cost float64
		if _, err := fmt.Sscan(v("BilledCost"), &cost); err != nil {
			t.Error(err)
		}
		sum += cost
	}
	_, lines, err := invoice.Parse("focus", []byte(text))
	again := int64(0)
	for _, l := range lines {
		if l.Micros != nil {
			again += *l.Micros
		}
	}
	if err != nil || math.Abs(sum-want) > 1e-6 || math.Abs(float64(again)/1e6-want) > 1e-4 {
		t.Errorf("the file has %v, an importer reads %v (%v), want %v", sum, float64(again)/1e6, err, want)
	}
}
