// Package invoice reads what providers bill and holds it against what was
// counted here.
//
// What for: a cost that was computed from telemetry and a price book is a claim;
// the provider's invoice or usage export is the other side. Per day and model
// the difference is shown, and what is on one side alone.
//
// Who calls it: api imports, lists and compares; the command line sends files.
//
// Promises: Parse is a pure function of the file. Amounts are exact to a
// millionth of the currency. The same file imported again is the same invoice.
// Nothing is guessed: a line without a model stands under no model, an amount in
// another currency is compared only by a rate that somebody gave.
//
// How it fails: invoice.format for a file that is none of the formats,
// invoice.line for a line that cannot be read (with its number), invoice.large
// and invoice.empty; invoice.not_found.
//
// Start reading at Parse and Compare; formats.go and table.go have the formats.
package invoice

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"reeve/internal/fault"
)

// Line is what a provider says of one day and model. Figures that it does not
// say are nil.
type Line struct {
	Day      string // 2026-11-27, UTC
	Provider string
	Model    string // "" where the line names none
	Item     string // what it is for, in the provider's words
	Micros   *int64 // millionths of Currency
	Currency string
	Input    *int64 // tokens, those from caches included
	Output   *int64
	Cached   *int64 // of Input, read from a cache
	Requests *int64
}

// Limits of an import.
const (
	MaxBytes = 32 << 20
	maxLines = 200_000
	maxText  = 200
)

// Key is what names of one model have in common: what SDKs, invoices and price
// lists write differently falls away (case, punctuation, a date at the end, a
// region or vendor before it).
func Key(model string) string {
	m := strings.ToLower(strings.TrimSpace(model))
	for _, cut := range []string{"anthropic/", "openai/", "google/", "models/", "us.", "eu.", "apac.", "global.", "anthropic.", "amazon.", "meta.", "mistral.", "cohere."} {
		m = strings.TrimPrefix(m, cut)
	}
	if i := strings.IndexAny(m, ":@"); i > 0 {
		m = m[:i] // a revision of Bedrock or Vertex
	}
	var b strings.Builder
	for _, r := range m {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	m = strings.TrimSuffix(b.String(), "latest")
	if cut, ok := undated(m); ok {
		m = cut
	}
	if rest, ok := strings.CutPrefix(m, "claude"); ok {
		m = "claude" + claudeKey(rest)
	}
	return m
}

// claudeKey puts a family before its number and leaves Bedrock's -v1 out: Claude
// 3.5 Haiku is written claude-3-5-haiku, Claude Haiku 3.5 and Claude3Haiku-v1.
func claudeKey(rest string) string {
	var words, digits []byte
	for i := 0; i < len(rest); {
		j := i
		for j < len(rest) && isDigit(rest[j]) == isDigit(rest[i]) {
			j++
		}
		switch part := rest[i:j]; {
		case !isDigit(rest[i]) && part == "v" && i > 0:
			j = len(rest) // a revision is the last thing
		case !isDigit(rest[i]):
			words = append(words, part...)
		case len(part) >= 8:
			digits = append(digits, part[:len(part)-8]...)
		default:
			digits = append(digits, part...)
		}
		i = j
	}
	return strings.TrimSuffix(string(words), "latest") + string(digits)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// undated takes a date of eight digits (20240718) off the end.
func undated(m string) (string, bool) {
	if len(m) <= 8 {
		return m, false
	}
	date := m[len(m)-8:]
	if !strings.HasPrefix(date, "20") || strings.Trim(date, "0123456789") != "" || date[4:6] > "12" || date[6:] > "31" {
		return m, false
	}
	return m[:len(m)-8], true
}

// Ours is what was counted here of one day and model.
type Ours struct {
	Day, Model    string
	Provider      string // as senders say it; "" unknown
	Micros        *int64 // of dollars; nil: no call has a price
	Input, Output *int64 // tokens; nil: no call reported any
	Calls         int64
	Unpriced      int64 // of them, without a price
	Uncounted     int64 // of them, without usage
}

// Row is one day and model of both sides.
type Row struct {
	Day, Model   string
	Invoice      *Line // added up; nil: the invoice has none
	Ours         *Ours // nil: nothing was counted
	DiffMicros   *int64
	DiffShare    *float64 // of the invoice
	InputDiff    *int64
	OutputDiff   *int64
	State        string // agrees, more, less, invoice_only, ours_only, unknown
	Explanations []string
}

// Summary is both sides together.
type Summary struct {
	From, To        string // days
	InvoiceMicros   *int64
	OursMicros      *int64 // of rows where both can be compared
	DiffMicros      *int64
	Agreeing, Other int
	Currency        string
}

// Tolerance is up to which share, or which amount, two sums agree: providers
// round each line.
const (
	toleranceShare  = 0.01
	toleranceMicros = 10_000
)

// Compare joins both sides by day and model. rate is dollars for one unit of the
// invoice's currency; 0 when nobody said, and then other currencies than dollars
// are not compared.
func Compare(lines []Line, ours []Ours, rate float64) ([]Row, Summary) {
	type key struct{ day, model string }
	rows := map[key]*Row{}
	bills := billed(lines)
	at := func(day, model string) *Row {
		k := key{day, Key(model)}
		r := rows[k]
		if r == nil {
			r = &Row{Day: day, Model: model}
			rows[k] = r
		}
		return r
	}
	sum := Summary{Currency: "USD"}
	days := map[string]bool{}
	for i := range lines {
		l := lines[i]
		days[l.Day] = true
		r := at(l.Day, l.Model)
		if r.Invoice == nil {
			r.Invoice = &Line{Day: l.Day, Provider: l.Provider, Model: l.Model, Currency: l.Currency}
		}
		r.Invoice.add(&l)
		if l.Currency != "" {
			sum.Currency = l.Currency
		}
	}
	for i := range ours {
		o := ours[i]
		if !days[o.Day] || !bills(o.Provider) {
			continue // the invoice says nothing of that day, or bills nothing of that provider
		}
		r := at(o.Day, o.Model)
		if r.Ours == nil {
			r.Ours = &Ours{Day: o.Day, Model: o.Model}
		}
		r.Ours.add(&o)
	}
	out := make([]Row, 0, len(rows))
	for _, r := range rows {
		r.judge(rate)
		sum.take(r)
		out = append(out, *r)
	}
	slices.SortFunc(out, func(x, y Row) int { return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Model, y.Model)) })
	if len(out) > 0 {
		sum.From, sum.To = out[0].Day, out[len(out)-1].Day
	}
	return out, sum
}

// billed tells which providers' calls the lines can be about. Where a line, or a
// call, does not say whose it is, it may be.
func billed(lines []Line) func(provider string) bool {
	all, any := map[string]bool{}, false
	for i := range lines {
		house := house(lines[i].Provider)
		all[house] = true
		any = any || house == ""
	}
	return func(provider string) bool {
		h := house(provider)
		return any || h == "" || all[h]
	}
}

// house is who sends the invoice for a provider, whatever it is called by SDKs,
// exports and price lists; "" for a name that nobody is known by.
func house(provider string) string {
	p := strings.ToLower(strings.TrimSpace(provider))
	for _, h := range [...]struct{ name, words string }{
		// The clouds first: a model's maker may stand behind them in the name.
		{"amazon", "amazon aws bedrock"},
		{"microsoft", "microsoft azure az.ai"},
		{"google", "google gcp gemini vertex"},
		{"oracle", "oracle oci"},
		{"openai", "openai"},
		{"anthropic", "anthropic"},
		{"mistral", "mistral"},
		{"cohere", "cohere"},
		{"groq", "groq"},
		{"xai", "x_ai xai x-ai"},
		{"deepseek", "deepseek"},
	} {
		for _, w := range strings.Fields(h.words) {
			if strings.Contains(p, w) {
				return h.name
			}
		}
	}
	return ""
}

func add(to **int64, more *int64) {
	if more == nil {
		return
	}
	v := *more
	if *to != nil {
		v += **to
	}
	*to = &v
}

func (l *Line) add(more *Line) {
	add(&l.Micros, more.Micros)
	add(&l.Input, more.Input)
	add(&l.Output, more.Output)
	add(&l.Cached, more.Cached)
	add(&l.Requests, more.Requests)
	if l.Currency == "" {
		l.Currency = more.Currency
	}
}

func (o *Ours) add(more *Ours) {
	add(&o.Micros, more.Micros)
	add(&o.Input, more.Input)
	add(&o.Output, more.Output)
	o.Calls += more.Calls
	o.Unpriced += more.Unpriced
	o.Uncounted += more.Uncounted
}

// judge says how the two sides of a row stand.
func (r *Row) judge(rate float64) {
	switch {
	case r.Ours == nil:
		r.State = "invoice_only"
		if r.Model == "" {
			r.Explanations = append(r.Explanations, "the line names no model")
		} else {
			r.Explanations = append(r.Explanations, "no call of this model was seen here: it is made past the door and sends no telemetry")
		}
		return
	case r.Invoice == nil:
		r.State = "ours_only"
		r.Explanations = append(r.Explanations, "the invoice has no such model on that day: another account, another provider, or billed on another day")
		return
	}
	diff := func(ours, theirs *int64) *int64 {
		if ours == nil || theirs == nil {
			return nil
		}
		d := *ours - *theirs
		return &d
	}
	r.InputDiff, r.OutputDiff = diff(r.Ours.Input, r.Invoice.Input), diff(r.Ours.Output, r.Invoice.Output)
	if r.Ours.Unpriced > 0 {
		r.Explanations = append(r.Explanations, "calls without a price are not in our sum")
	}
	if r.Ours.Uncounted > 0 {
		r.Explanations = append(r.Explanations, "calls reported no usage")
	}
	theirs := inDollars(r.Invoice.Micros, r.Invoice.Currency, rate)
	r.DiffMicros = diff(r.Ours.Micros, theirs)
	if theirs != nil && r.DiffMicros != nil {
		d := *r.DiffMicros
		if *theirs != 0 {
			share := float64(d) / float64(*theirs)
			r.DiffShare = &share
		}
		r.State = state(d, *theirs)
		return
	}
	// No money on one side: tokens decide.
	r.State = "unknown"
	if r.Invoice.Micros == nil && r.InputDiff != nil && r.OutputDiff != nil {
		r.State = state(*r.InputDiff+*r.OutputDiff, *r.Invoice.Input+*r.Invoice.Output)
	}
	if r.Invoice.Micros != nil && theirs == nil {
		r.Explanations = append(r.Explanations, "the invoice is in another currency: give the rate")
	}
}

// state says whether two figures agree.
func state(diff, of int64) string {
	size := diff
	if size < 0 {
		size = -size
	}
	switch {
	case size <= toleranceMicros && of <= 100*toleranceMicros || float64(size) <= toleranceShare*float64(max(of, -of)):
		return "agrees"
	case diff > 0:
		return "more"
	}
	return "less"
}

func inDollars(micros *int64, currency string, rate float64) *int64 {
	switch {
	case micros == nil:
		return nil
	case currency == "" || currency == "USD":
		return micros
	case rate <= 0:
		return nil
	}
	v := int64(float64(*micros) * rate)
	return &v
}

func (s *Summary) take(r *Row) {
	if r.State == "agrees" {
		s.Agreeing++
	} else {
		s.Other++
	}
	if r.Invoice != nil {
		add(&s.InvoiceMicros, r.Invoice.Micros)
	}
	if r.Ours != nil {
		add(&s.OursMicros, r.Ours.Micros)
	}
	add(&s.DiffMicros, r.DiffMicros)
}

func badLine(n int, format string, args ...any) error {
	f := fault.New(fault.KindInvalid, "invoice.line", format, args...)
	f.Message = "line " + itoa(n) + ": " + f.Message
	return f
}
