package incident

import (
	"math/bits"
	"slices"
	"strings"
	"unicode"
)

// class is what kind of trouble a signal speaks of, by its words. Two kinds that
// do not go together are no sign of one cause, whatever else they share.
type class uint16

const (
	latency class = 1 << iota
	errs
	cost
	loop
	denial
	quality
	stale
	security
)

var lexicon = map[string]class{
	"latency": latency, "slow": latency, "timeout": latency, "timeouts": latency, "p95": latency, "p99": latency, "duration": latency, "slower": latency, "overloaded": latency | errs,
	"error": errs, "errors": errs, "failed": errs, "failing": errs, "failure": errs, "failures": errs, "exception": errs, "unavailable": errs, "5xx": errs, "500": errs, "502": errs, "503": errs, "529": errs, "down": errs, "outage": errs, "refused": errs | denial, "unreachable": errs, "probe": errs, "crash": errs,
	"cost": cost, "spend": cost, "spending": cost, "budget": cost, "tokens": cost, "runaway": cost | loop, "usd": cost, "context": cost,
	"loop": loop, "loops": loop, "repeats": loop, "repeated": loop, "retry": loop | errs, "retries": loop | errs, "storm": loop, "steps": loop,
	"denied": denial, "denials": denial, "deny": denial, "forbidden": denial, "policy": denial, "entitlement": denial, "403": denial, "unauthorized": denial, "401": denial,
	"quality": quality, "wrong": quality, "hallucination": quality, "score": quality, "thumbs": quality, "unhappy": quality, "drift": quality, "groundedness": quality, "refusals": quality, "csat": quality, "accuracy": quality, "answer": quality, "answers": quality, "escalations": quality, "complaints": quality,
	"stale": stale, "fresh": stale, "freshness": stale, "skipped": stale, "outdated": stale, "lag": stale, "missing": stale, "old": stale,
	"exfiltration": security, "injection": security, "secret": security, "leak": security, "destination": security, "unknown": security, "hijack": security, "hijacked": security, "new_tool": security, "ungoverned": security, "novel": security, "rogue": security,
}

// goes are the kinds that one cause makes together.
var goes = map[class]class{
	latency:  latency | errs | loop | quality,
	errs:     errs | latency | loop | quality | denial,
	cost:     cost | loop,
	loop:     loop | cost | errs | latency,
	denial:   denial | errs,
	quality:  quality | stale | errs | latency,
	stale:    stale | quality,
	security: security,
}

// fits reports how well two kinds of trouble go together: 1 the same, 0 not at
// all; unknown fits everything.
func fits(a, b class) float64 {
	switch {
	case a == 0 || b == 0:
		return 0.9
	case a&b != 0:
		return 1
	}
	for rest := a; rest != 0; rest &= rest - 1 {
		if goes[class(1)<<bits.TrailingZeros16(uint16(rest))]&b != 0 {
			return 0.85
		}
	}
	return 0
}

// each calls f for each kind in c.
func (c class) each(f func(class)) {
	for rest := c; rest != 0; rest &= rest - 1 {
		f(class(1) << bits.TrailingZeros16(uint16(rest)))
	}
}

// unknownKind is how far troubles fit when the kind of one of them is unknown, and
// little else speaks for them.
const unknownKind = 0.62

// sameKind reports how far two troubles of one agent are one by their kind: much
// less than fits when all that they share is whom they are about.
func sameKind(a, b class) float64 {
	switch fit := fits(a, b); {
	case a == 0 || b == 0:
		return unknownKind
	case fit == 1:
		return 1
	case fit > 0:
		return 0.62
	}
	return 0.25
}

// causesOf are the kinds of trouble that a kind of thing is to blame for.
var causesOf = map[string]class{
	"model": errs | latency | quality | stale, "provider": errs | latency | quality | stale, "tool": errs | latency | loop | quality | stale | security,
	"server": errs | latency | loop | quality | stale | security, "source": quality | stale | errs, "policy": denial | errs,
}

// blame is how far a thing of a kind can be to blame for a kind of trouble: that two
// agents spend too much is not their model's doing.
func blame(kind string, c class) float64 {
	of, ok := causesOf[kind]
	if !ok || c == 0 || c&of != 0 {
		return 1
	}
	return 0.15
}

// words are the words of a text in lower case: letters and digits, and what
// stands together with _.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	})
}

// classOf reads the kind of trouble of a signal.
func classOf(s *Signal) class {
	var c class
	add := func(text string) {
		for _, w := range words(text) {
			c |= lexicon[w]
			if strings.ContainsRune(w, '_') {
				for _, part := range strings.Split(w, "_") {
					c |= lexicon[part]
				}
			}
		}
	}
	add(s.Title)
	add(split(s.Labels["alertname"]))
	add(s.Labels["detector"])
	if c == 0 { // the longer text says much that the signal is not about
		add(s.Text)
	}
	return c
}

// split writes CamelCase as words.
func split(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// common words tell nothing of what a text is about.
var common = map[string]bool{
	"the": true, "a": true, "an": true, "of": true, "to": true, "in": true, "is": true, "are": true, "for": true, "on": true, "at": true, "by": true, "and": true, "or": true, "with": true, "than": true, "more": true, "was": true, "from": true, "since": true, "that": true, "it": true, "agent": true, "alert": true, "firing": true,
}

// tokens are the words that tell what a text is about, without numbers, sorted
// and each once.
func tokens(text string) []string {
	all := words(text)
	all = slices.DeleteFunc(all, func(w string) bool {
		return common[w] || len(w) < 3 || strings.ContainsFunc(w, unicode.IsDigit) && !strings.ContainsRune(w, '_')
	})
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), 24)]
}

// likeness is how much two sorted sets share: the Jaccard index.
func likeness(a, b []string) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	both, i, j := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch strings.Compare(a[i], b[j]) {
		case 0:
			both++
			i++
			j++
		case -1:
			i++
		default:
			j++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// telling are the labels that name a thing which several signals may share; what
// names the signal itself or its form is left out, and so is what the fields of
// a signal say already.
func telling(labels map[string]string) []string {
	var out []string
	for k, v := range labels {
		switch k {
		case "alertname", "severity", "agent", "team", "environment", "env", "detector", "reeve_agent", "tool", "model", "provider", "source", "policy", "version", "instance", "pod", "job", "fingerprint", "receiver":
			continue
		}
		if v == "" || len(v) > 120 {
			continue
		}
		out = append(out, k+"="+strings.ToLower(v))
	}
	slices.Sort(out)
	return out
}

// serverOf is the server in a tool's name: upstream__tool, upstream/tool.
func serverOf(tool string) string {
	for _, sep := range []string{"__", "/"} {
		if server, _, ok := strings.Cut(tool, sep); ok && server != "" {
			return server
		}
	}
	return ""
}
