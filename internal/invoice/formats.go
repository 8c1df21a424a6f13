package invoice

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/fault"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Formats are the names of what can be read, the one of Parse's own choice
// first.
func Formats() []string {
	return []string{"", "openai-usage", "openai-costs", "anthropic-usage", "anthropic-cost", "focus", "cur", "csv"}
}

// Parse reads a file in a format; "" finds it out.
func Parse(format string, text []byte) (found string, lines []Line, err error) {
	switch {
	case len(text) > MaxBytes:
		return "", nil, fault.New(fault.KindInvalid, "invoice.large", "the file is larger than %d bytes", MaxBytes).WithHint("export fewer days")
	case !slices.Contains(Formats(), format):
		return "", nil, fault.New(fault.KindInvalid, "invoice.format", "there is no format %.40q", format).WithHint("%s", strings.Join(Formats()[1:], ", "))
	}
	text = bytes.TrimPrefix(bytes.TrimSpace(text), []byte("\ufeff"))
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		found, lines, err = parseJSON(format, text)
	} else {
		found, lines, err = parseTable(format, text)
	}
	switch {
	case err != nil:
		return "", nil, err
	case len(lines) == 0:
		return "", nil, fault.New(fault.KindInvalid, "invoice.empty", "the file has no line with a cost or usage")
	case len(lines) > maxLines:
		return "", nil, fault.New(fault.KindInvalid, "invoice.large", "the file has more than %d lines", maxLines).WithHint("export fewer days, or daily sums")
	}
	return found, lines, nil
}

// page is a page of OpenAI's and Anthropic's usage and cost APIs; a list of
// pages is read as one.
type page struct {
	Data []struct {
		StartTime  int64    `json:"start_time"`  // OpenAI: seconds
		StartingAt string   `json:"starting_at"` // Anthropic: RFC 3339
		Results    []result `json:"results"`
	} `json:"data"`
}

type result struct {
	Object   string          `json:"object"`
	Model    string          `json:"model"`
	LineItem string          `json:"line_item"`
	Amount   json.RawMessage `json:"amount"` // OpenAI {value, currency}; Anthropic a text in cents
	Currency string          `json:"currency"`

	Input    *int64 `json:"input_tokens"` // OpenAI: cached ones included
	Cached   *int64 `json:"input_cached_tokens"`
	Output   *int64 `json:"output_tokens"`
	Requests *int64 `json:"num_model_requests"`

	Uncached    *int64 `json:"uncached_input_tokens"` // Anthropic: others come on top
	CacheRead   *int64 `json:"cache_read_input_tokens"`
	CacheWrites *struct {
		Hour    int64 `json:"ephemeral_1h_input_tokens"`
		Minutes int64 `json:"ephemeral_5m_input_tokens"`
	} `json:"cache_creation"`
	Description string `json:"description"`
}

func parseJSON(format string, text []byte) (string, []Line, error) {
	var pages []page
	if text[0] == '{' {
		text = append(append([]byte{'['}, text...), ']')
	}
	if err := json.Unmarshal(text, &pages); err != nil {
		return "", nil, fault.New(fault.KindInvalid, "invoice.format", "the file is no page of a usage or cost API: %s", jsonWords(err)).WithCause(err)
	}
	var lines []Line
	for _, p := range pages {
		for _, bucket := range p.Data {
			day, err := dayOf(bucket.StartTime, bucket.StartingAt)
			if err != nil {
				return "", nil, badLine(len(lines)+1, "a bucket begins at no time")
			}
			for i := range bucket.Results {
				r := &bucket.Results[i]
				kind := r.kind()
				if format == "" {
					format = kind
				}
				if kind != format || kind == "" {
					return "", nil, fault.New(fault.KindInvalid, "invoice.format", "the file's results are no %s", or(format, "usage or cost")).
						WithHint("it looks like %s", or(kind, "nothing that is known"))
				}
				l, err := r.line(kind, day)
				if err != nil {
					return "", nil, badLine(len(lines)+1, "%s", err)
				}
				lines = append(lines, l)
			}
		}
	}
	return format, lines, nil
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// jsonWords keeps what encoding/json says short, without our types in it.
func jsonWords(err error) string {
	text := err.Error()
	return text[:min(len(text), 120)]
}

func dayOf(seconds int64, text string) (string, error) {
	if text != "" {
		return dayIn(text)
	}
	if seconds <= 0 || seconds > 1<<33 {
		return "", errNoDay
	}
	return time.Unix(seconds, 0).UTC().Format(time.DateOnly), nil
}

var errNoDay = fault.New(fault.KindInvalid, "invoice.line", "it has no day")

// dayIn reads the day of a time as exports write it.
func dayIn(text string) (string, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04Z", time.DateOnly, "2006/01/02", "20060102"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Format(time.DateOnly), nil
		}
	}
	return "", errNoDay
}

// kind is which API made a result.
func (r *result) kind() string {
	switch {
	case strings.HasPrefix(r.Object, "organization.usage."):
		return "openai-usage"
	case r.Object == "organization.costs.result":
		return "openai-costs"
	case r.Object != "":
		return ""
	case r.Uncached != nil || r.CacheRead != nil || r.CacheWrites != nil:
		return "anthropic-usage"
	case r.Amount != nil:
		return "anthropic-cost"
	}
	return ""
}

func (r *result) line(kind, day string) (Line, error) {
	l := Line{Day: day, Model: cut(r.Model)}
	switch kind {
	case "openai-usage":
		l.Provider = "openai"
		l.Input, l.Cached, l.Output, l.Requests = r.Input, r.Cached, r.Output, r.Requests
	case "openai-costs":
		var a struct {
			Value    json.Number `json:"value"`
			Currency string      `json:"currency"`
		}
		if err := json.Unmarshal(r.Amount, &a); err != nil {
			return l, errAmount
		}
		micros, err := microsOf(a.Value.String(), 0)
		if err != nil {
			return l, err
		}
		l.Provider, l.Micros, l.Currency, l.Item = "openai", &micros, strings.ToUpper(or(a.Currency, "usd")), cut(r.LineItem)
		if l.Model == "" { // "gpt-4o-mini-2024-07-18, input"
			l.Model, _, _ = strings.Cut(l.Item, ",")
			l.Model = strings.TrimSpace(l.Model)
		}
	case "anthropic-usage":
		// Input without what came from or went into caches: they come on top.
		l.Provider, l.Output, l.Cached = "anthropic", r.Output, r.CacheRead
		add(&l.Input, r.Uncached)
		add(&l.Input, r.CacheRead)
		if c := r.CacheWrites; c != nil {
			written := c.Hour + c.Minutes
			add(&l.Input, &written)
		}
	case "anthropic-cost":
		var text string
		if err := json.Unmarshal(r.Amount, &text); err != nil {
			text = string(r.Amount)
		}
		micros, err := microsOf(text, 2) // the lowest unit of the currency
		if err != nil {
			return l, err
		}
		l.Provider, l.Micros, l.Currency, l.Item = "anthropic", &micros, strings.ToUpper(or(r.Currency, "usd")), cut(r.Description)
		if l.Model == "" {
			l.Model = claudeOf(l.Item)
		}
	}
	return l, nil
}

// claudeOf finds the model in "Claude Sonnet 4 Usage - Input Tokens".
func claudeOf(item string) string {
	name, _, ok := strings.Cut(item, " Usage")
	if !ok || !strings.HasPrefix(name, "Claude ") {
		return ""
	}
	return name
}

var errAmount = fault.New(fault.KindInvalid, "invoice.line", "its amount is no number")

// microsOf reads an amount exactly, as millionths; digits moves the point to the
// left: 2 for cents.
func microsOf(text string, digits int) (int64, error) {
	text = strings.TrimSpace(text)
	if len(text) > 64 || strings.ContainsAny(text, "/pPxX_") {
		return 0, errAmount
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, errAmount
	}
	scale := int64(1_000_000)
	for range digits {
		scale /= 10
	}
	r.Mul(r, new(big.Rat).SetInt64(scale))
	f, _ := r.Float64()
	if f > 1e17 || f < -1e17 {
		return 0, errAmount
	}
	half := new(big.Rat).SetFrac64(1, 2)
	if r.Sign() < 0 {
		half.Neg(half)
	}
	r.Add(r, half)
	return new(big.Int).Quo(r.Num(), r.Denom()).Int64(), nil
}

func cut(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}
