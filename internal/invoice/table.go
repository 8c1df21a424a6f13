package invoice

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math/big"
	"regexp"
	"strings"

	"reeve/internal/fault"
)

// parseTable reads CSV: FOCUS, Amazon's cost and usage report, or a plain table.
// Columns are known by their names, in any order and case.
func parseTable(format string, text []byte) (string, []Line, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	if first, _, _ := bytes.Cut(text, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		r.Comma = ';'
	}
	head, err := r.Read()
	if err != nil {
		return "", nil, fault.New(fault.KindInvalid, "invoice.format", "the file is neither JSON nor a table").WithCause(err)
	}
	t := table{at: map[string]int{}}
	for i, name := range head {
		name = spelled(name)
		if _, ok := t.at[name]; !ok {
			t.at[name] = i
		}
	}
	kind := t.kind()
	if format == "" {
		format = kind
	}
	if kind == "" || kind != format {
		return "", nil, fault.New(fault.KindInvalid, "invoice.format", "the table's columns are not those of %s", or(format, "a known format")).
			WithHint("a plain table has date, model, and cost or input_tokens and output_tokens; also provider, currency, requests, cached_tokens, item")
	}
	read := map[string]func() (Line, bool, error){"focus": t.focus, "cur": t.cur, "csv": t.plain}[format]
	var lines []Line
	for n := 2; ; n++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return format, lines, nil
		}
		if err != nil {
			return "", nil, badLine(n, "it is no row of a table")
		}
		t.row = row
		l, ok, err := read()
		if err != nil {
			return "", nil, badLine(n, "%s", fault.From(err).Message)
		}
		if ok {
			lines = append(lines, l)
		}
		if len(lines) > maxLines {
			return format, lines, nil // Parse refuses it
		}
	}
}

// table is a row with the places of its columns.
type table struct {
	at  map[string]int
	row []string
}

// spelled is a column's name without what writers do differently.
func spelled(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, strings.TrimPrefix(name, "\ufeff"))
}

func (t *table) has(names ...string) bool {
	for _, n := range names {
		if _, ok := t.at[n]; !ok {
			return false
		}
	}
	return true
}

// get is the first of these columns that is not empty.
func (t *table) get(names ...string) string {
	for _, n := range names {
		if i, ok := t.at[n]; ok && i < len(t.row) {
			if v := strings.TrimSpace(t.row[i]); v != "" && v != "null" {
				return v
			}
		}
	}
	return ""
}

func (t *table) kind() string {
	switch {
	case t.has("billedcost", "chargeperiodstart"):
		return "focus"
	case t.has("lineitemusagestartdate", "lineitemunblendedcost"):
		return "cur"
	case t.has("date") && t.has("model") && (t.has("cost") || t.has("amount") || t.has("inputtokens", "outputtokens")):
		return "csv"
	}
	return ""
}

// number is a count of tokens or requests; nil for an empty cell.
func (t *table) number(names ...string) (*int64, error) {
	text := t.get(names...)
	if text == "" {
		return nil, nil
	}
	micros, err := microsOf(strings.ReplaceAll(text, ",", ""), 0)
	if err != nil || micros < 0 {
		return nil, fault.New(fault.KindInvalid, "invoice.line", "%q is no count", cut(text))
	}
	v := micros / 1_000_000
	return &v, nil
}

func (t *table) amount(names ...string) (*int64, error) {
	text := t.get(names...)
	if text == "" {
		return nil, nil
	}
	v, err := microsOf(strings.TrimLeft(text, "$€£"), 0)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "invoice.line", "%q is no amount", cut(text))
	}
	return &v, nil
}

func (t *table) plain() (l Line, ok bool, err error) {
	if l.Day, err = dayIn(t.get("date")); err != nil {
		return l, false, err
	}
	l.Provider, l.Model, l.Item = cut(t.get("provider")), cut(t.get("model")), cut(t.get("item", "description"))
	for _, c := range []struct {
		to    **int64
		names []string
	}{
		{&l.Input, []string{"inputtokens"}},
		{&l.Output, []string{"outputtokens"}},
		{&l.Cached, []string{"cachedtokens", "cachereadtokens"}},
		{&l.Requests, []string{"requests", "calls"}},
	} {
		if *c.to, err = t.number(c.names...); err != nil {
			return l, false, err
		}
	}
	if l.Micros, err = t.amount("cost", "amount"); err != nil {
		return l, false, err
	}
	if l.Micros != nil {
		l.Currency = strings.ToUpper(or(cut(t.get("currency")), "USD"))
	}
	return l, l.Micros != nil || l.Input != nil || l.Output != nil, nil
}

// aboutModels reports whether a service of a cloud's bill sells calls of models.
func aboutModels(text string) bool {
	text = strings.ToLower(text)
	for _, w := range []string{"bedrock", "openai", "cognitive services", "foundry", "vertex", "anthropic", "claude", "generative ai", "gemini"} {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// focus reads the FinOps Foundation's format, which AWS, Azure, Google and
// Oracle export. Lines about other services are left out.
func (t *table) focus() (l Line, ok bool, err error) {
	service := t.get("servicename")
	item := or(t.get("skumeter", "xskumeter"), t.get("chargedescription"))
	if !aboutModels(service + " " + item + " " + t.get("publishername")) {
		return l, false, nil
	}
	if l.Day, err = dayIn(t.get("chargeperiodstart")); err != nil {
		return l, false, err
	}
	if l.Micros, err = t.amount("billedcost"); err != nil {
		return l, false, err
	}
	l.Provider, l.Item = cut(strings.ToLower(or(t.get("providername", "serviceprovidername"), "unknown"))), cut(item)
	l.Currency = strings.ToUpper(or(t.get("billingcurrency"), "USD"))
	l.Model = modelIn(or(t.get("xmodel", "resourcename"), item), t.get("resourceid"), item)
	l.tokens(t.get("consumedquantity"), t.get("consumedunit"), item)
	return l, l.Micros != nil, nil
}

// cur reads Amazon's cost and usage report (both spellings of its columns).
func (t *table) cur() (l Line, ok bool, err error) {
	usage := t.get("lineitemusagetype")
	if !aboutModels(t.get("lineitemproductcode") + " " + t.get("productproductname") + " " + t.get("lineitemlineitemdescription") + " " + usage) {
		return l, false, nil
	}
	if l.Day, err = dayIn(t.get("lineitemusagestartdate")); err != nil {
		return l, false, err
	}
	if l.Micros, err = t.amount("lineitemunblendedcost"); err != nil {
		return l, false, err
	}
	l.Provider, l.Item = "aws", cut(usage)
	l.Currency = strings.ToUpper(or(t.get("lineitemcurrencycode"), "USD"))
	l.Model = modelIn(t.get("productmodel"), t.get("lineitemresourceid"), usage)
	l.tokens(t.get("lineitemusageamount"), t.get("pricingunit"), usage)
	return l, l.Micros != nil, nil
}

// usageType is Bedrock's: region, model, what is counted:
// USE1-Claude3Haiku-input-tokens, EUW1-MP:..., Claude3.5Sonnet-output-tokens.
var usageType = regexp.MustCompile(`(?i)^(?:[A-Z]{2,4}\d-)?(?:MP:)?(.+?)[-_ ](?:input|output|cache[-_ ]?(?:read|write)|invocation)`)

// modelIn finds the model that a line of a cloud's bill is about.
func modelIn(named, resource, item string) string {
	if named != "" && named != item {
		return cut(named)
	}
	if i := strings.LastIndex(resource, "/"); i >= 0 && strings.Contains(resource, "model/") {
		return cut(resource[i+1:]) // arn:aws:bedrock:…:foundation-model/anthropic.claude-…
	}
	if m := usageType.FindStringSubmatch(item); m != nil {
		return cut(m[1])
	}
	return ""
}

// tokens puts a consumed quantity where its line says that it belongs.
func (l *Line) tokens(quantity, unit, item string) {
	q, ok := new(big.Rat).SetString(strings.TrimSpace(quantity))
	text := strings.ToLower(unit + " " + item)
	if !ok || len(quantity) > 40 || !strings.Contains(text, "token") {
		return
	}
	unit = strings.ToLower(unit)
	switch {
	case strings.Contains(unit, "1k") || strings.Contains(unit, "1000") || strings.Contains(unit, "thousand"):
		q.Mul(q, big.NewRat(1000, 1))
	case strings.Contains(unit, "1m") || strings.Contains(unit, "million"):
		q.Mul(q, big.NewRat(1_000_000, 1))
	}
	f, _ := q.Float64()
	if f < 0 || f > 1e15 {
		return
	}
	n := int64(f + 0.5)
	switch item = strings.ToLower(item); {
	case strings.Contains(item, "output"):
		l.Output = &n
	case strings.Contains(item, "cache") && strings.Contains(item, "read"):
		l.Input, l.Cached = &n, &n
	case strings.Contains(item, "input"), strings.Contains(item, "cache"):
		l.Input = &n
	}
}
