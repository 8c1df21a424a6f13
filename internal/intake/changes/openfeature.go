package changes

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"reeve/internal/change"
	"reeve/internal/fault"
)

// providerEvent is the details of OpenFeature's PROVIDER_CONFIGURATION_CHANGED,
// as a handler gives them, with the value of each flag where it sends it along.
type providerEvent struct {
	Type     string         `json:"type"`
	Provider string         `json:"providerName"`
	Client   string         `json:"clientName"`
	Domain   string         `json:"domain"`
	Message  string         `json:"message"`
	Flags    []string       `json:"flagsChanged"`
	Metadata map[string]any `json:"eventMetadata"`
	Time     string         `json:"time"`

	Values map[string]json.RawMessage `json:"flags"` // by key: {"variant","value","before"}
}

const maxFlags = 200

// openFeature reads what a handler of OpenFeature's provider events posts: one
// change for each flag.
func openFeature(r *Request) ([]change.Report, error) {
	var e providerEvent
	if err := decode(r.Body, "an event of OpenFeature", &e); err != nil {
		return nil, err
	}
	switch strings.ToUpper(e.Type) {
	case "", "PROVIDER_CONFIGURATION_CHANGED":
	default: // ready, stale, error: nothing was turned
		return nil, nil
	}
	names := e.Flags
	if len(names) == 0 {
		for name := range e.Values {
			names = append(names, name)
		}
		sort.Strings(names)
	}
	if len(names) == 0 {
		return nil, missing("flagsChanged")
	}
	if len(names) > maxFlags {
		return nil, fault.New(fault.KindInvalid, "changes.too_many", "an event has at most %d flags", maxFlags)
	}
	at := timeOf(e.Time)
	// An event without a time of its own, told twice within a minute, is told twice.
	when := cmp.Or(e.Time, r.Now.Truncate(time.Minute).Format(time.RFC3339))
	out := make([]change.Report, 0, len(names))
	for _, name := range names {
		if name == "" || len(name) > 200 {
			return nil, missing("name of a flag of at most 200 characters")
		}
		sum := sha256.Sum256(bytes.Join([][]byte{[]byte(e.Provider), []byte(e.Domain), []byte(name), []byte(when), e.Values[name]}, []byte{0}))
		one := change.Report{
			Key: "flag/" + hex.EncodeToString(sum[:12]), Kind: "flag", Title: "flag " + name + " changed", Text: e.Message, At: at,
			Labels: labels("flag", name, "provider", e.Provider, "domain", e.Domain, "client", e.Client),
		}
		for n, v := range e.Metadata {
			if s, ok := v.(string); ok && len(one.Labels) < 20 && len(s) <= 300 {
				one.Labels[n] = s
			}
		}
		describe(&one, name, e.Values[name])
		out = append(out, one)
	}
	return out, nil
}

// describe says what a flag was and is, where that was sent along.
func describe(r *change.Report, name string, raw json.RawMessage) {
	var v struct {
		Variant string          `json:"variant"`
		Value   json.RawMessage `json:"value"`
		Before  json.RawMessage `json:"before"`
	}
	if json.Unmarshal(raw, &v) != nil {
		return // of another shape: that it changed is known all the same
	}
	r.Before, r.After = v.Before, v.Value
	switch {
	case v.Variant != "":
		r.Title = fmt.Sprintf("flag %s is now %.60s", name, v.Variant)
	case len(v.Value) > 0 && len(v.Value) <= 60:
		r.Title = fmt.Sprintf("flag %s is now %s", name, v.Value)
	}
}
