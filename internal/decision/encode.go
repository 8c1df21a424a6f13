package decision

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/fault"
	"reeve/internal/jcs"
)

// Limits of a record, so that one line stays below record.MaxBytes whatever an
// agent claims about itself.
const (
	maxText    = 1024
	maxList    = 64
	maxContext = 256 << 10
	maxBody    = record.MaxBytes - 2048 // the rest is the envelope's
)

// object writes a JSON object. Its user calls it in the order of keys.
type object struct {
	b   []byte
	any bool
}

func open(dst []byte) object { return object{b: append(dst, '{')} }

func (o *object) end() []byte { return append(o.b, '}') }

func (o *object) key(k string) {
	if o.any {
		o.b = append(o.b, ',')
	}
	o.any = true
	o.b = append(append(append(o.b, '"'), k...), '"', ':')
}

func (o *object) text(k, v string) {
	if v != "" {
		o.key(k)
		o.b = jcs.AppendString(o.b, cut(v))
	}
}

// known writes v unless it is activity.Unknown.
func (o *object) known(k string, v int64) {
	if v != activity.Unknown {
		o.key(k)
		o.b = record.AppendInt(o.b, v)
	}
}

// count writes v unless it is zero, which is what absence reads as.
func (o *object) count(k string, v int64) {
	if v != 0 {
		o.key(k)
		o.b = record.AppendInt(o.b, v)
	}
}

func (o *object) flag(k string, v bool) {
	if v {
		o.key(k)
		o.b = append(o.b, "true"...)
	}
}

func (o *object) texts(k string, v []string) {
	list(o, k, v, func(b []byte, s string) []byte { return jcs.AppendString(b, cut(s)) })
}

func list[T any](o *object, k string, v []T, one func(b []byte, e T) []byte) {
	if len(v) == 0 {
		return
	}
	o.key(k)
	o.b = append(o.b, '[')
	for i, e := range v[:min(len(v), maxList)] {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = one(o.b, e)
	}
	o.b = append(o.b, ']')
}

// cut bounds a text at a rune's edge.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > maxText-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// content is what a record commits to and does not hold: it is stored beside
// the record and may be erased. On the stream it is laid out as
//
//	seq uvarint | key 32 bytes | arguments hash, context, user: each uvarint length, bytes
//
// user is the name behind a pseudonym, in the first record that uses it.
type content struct {
	seq       int64
	key       []byte
	arguments string
	context   []byte
	user      string
}

func (c *content) empty() bool { return c.arguments == "" && c.context == nil && c.user == "" }

func (c *content) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(c.seq))
	dst = append(dst, c.key...)
	for _, s := range []string{c.arguments, string(c.context), c.user} {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// name adds the name behind the record's pseudonym.
func (c *content) name(user string) {
	c.user = user
	if c.key == nil { // committed to nothing: the form has room for a key all the same
		c.key = make([]byte, record.KeyBytes)
	}
}

// appendProposed writes the body of decision.proposed and says what content it
// commits to.
func appendProposed(dst []byte, d *activity.Decision, user string) ([]byte, content, error) {
	if len(d.Reserved) > maxList {
		// Budgets are counted again from these: none may be left out.
		return dst, content{}, fault.New(fault.KindInvalid, "decision.too_large", "one action reserves in %d budgets", len(d.Reserved))
	}
	c := content{arguments: d.ArgumentsHash, context: d.Context}
	if len(c.context) > maxContext {
		c.context = nil // its size stays known: context_bytes
	}
	if !c.empty() {
		c.key = make([]byte, record.KeyBytes)
		rand.Read(c.key)
	}
	o := open(dst)
	o.text("action", d.Action)
	o.text("agent", d.Agent)
	o.text("approval", d.Approval)
	if c.arguments != "" {
		o.commit("arguments", c.key, []byte(c.arguments))
	}
	o.count("arguments_bytes", d.ArgumentsBytes)
	o.known("at", micros(d.At))
	o.text("autonomy", d.Autonomy)
	o.flag("bound", d.Bound)
	o.texts("chain", d.Chain)
	if d.Result != activity.ResultPending {
		o.key("completed")
		done := open(o.b)
		done.completion(d)
		o.b = done.end()
	}
	o.text("containment", d.Containment)
	if c.context != nil {
		o.commit("context", c.key, c.context)
	} else {
		o.count("context_bytes", int64(len(d.Context)))
	}
	o.text("credential", d.Credential)
	o.text("credential_id", d.CredentialID)
	o.text("effect", d.Effect)
	o.flag("enforced", d.Enforced)
	o.text("environment", d.Environment)
	o.text("floor", d.Floor.String())
	o.text("id", d.ID)
	o.text("instance", d.Instance)
	o.text("lifecycle", d.Lifecycle)
	o.flag("local_tool", d.LocalTool)
	o.text("model", d.Model)
	o.text("parent", d.Parent)
	o.text("pin", d.Pin)
	list(&o, "policies", d.Policies, func(b []byte, p activity.PolicyRef) []byte {
		e := open(b)
		e.text("hash", p.Hash)
		e.text("policy", p.Policy)
		e.text("statement", p.Statement)
		return e.end()
	})
	o.count("policies_left_out", int64(max(0, len(d.Policies)-maxList)))
	o.count("policy_version", d.PolicyVersion)
	list(&o, "reasons", d.Reasons, func(b []byte, r activity.Reason) []byte {
		e := open(b)
		e.text("code", r.Code)
		e.text("text", r.Text)
		return e.end()
	})
	o.texts("redacted", d.Redacted)
	o.flag("registered", d.Registered)
	if d.Result == activity.ResultPending {
		o.reserved(d.Reserved, false)
	}
	o.text("resource", d.Resource)
	if !d.Run.IsZero() {
		o.text("run", d.Run.String())
	}
	o.text("session", d.Session)
	o.text("span", d.Span.String())
	if !d.Step.IsZero() {
		o.text("step", d.Step.String())
	}
	o.text("team", d.Team)
	o.text("tool", d.Tool)
	o.text("trace", d.Trace.String())
	o.text("upstream", d.Upstream)
	o.text("user", user)
	o.text("verdict", d.Verdict.String())
	o.text("version", d.Version)
	o.text("would", d.Would.String())
	b := o.end()
	if len(b)-len(dst) > maxBody {
		return dst, content{}, fault.New(fault.KindInvalid, "decision.too_large", "the record of this action would take %d bytes", len(b)-len(dst)).
			WithHint("shorten the names that the call carries")
	}
	return b, c, nil
}

// appendCompleted writes the body of decision.completed; proposed is the
// sequence of the record that it completes.
func appendCompleted(dst []byte, d *activity.Decision, proposed int64) []byte {
	o := open(dst)
	o.completionOf(d, d.ID, proposed)
	return o.end()
}

// appendLost writes the body of decision.completed for a decision of which
// nothing but its proposal is known.
func appendLost(dst []byte, id string, proposed int64, at int64, r activity.Result, code string) []byte {
	lost := activity.Decision{
		Completed: at, Result: r, ErrorCode: code, LatencyUS: activity.Unknown, UpstreamUS: activity.Unknown,
		DecideUS: activity.Unknown, Usage: activity.NoUsage,
	}
	o := open(dst)
	o.completionOf(&lost, id, proposed)
	return o.end()
}

// completion writes how d ended.
func (o *object) completion(d *activity.Decision) { o.completionOf(d, "", activity.Unknown) }

func (o *object) completionOf(d *activity.Decision, id string, proposed int64) {
	o.known("at", micros(d.Completed))
	o.count("bytes_in", d.BytesIn)
	o.count("bytes_out", d.BytesOut)
	if d.Cost.Basis != activity.CostUnknown {
		o.key("cost")
		c := open(o.b)
		c.text("basis", d.Cost.Basis.String())
		c.text("currency", d.Cost.Currency)
		c.count("nanos", d.Cost.Nanos)
		c.text("price", d.Cost.Price)
		o.b = c.end()
	}
	o.known("decide_us", d.DecideUS)
	o.text("error_code", d.ErrorCode)
	o.text("id", id)
	o.known("latency_us", d.LatencyUS)
	o.text("outcome", d.Result.String())
	o.known("proposed", proposed)
	o.texts("redacted", d.Redacted)
	o.reserved(d.Reserved, true)
	o.count("status", int64(d.Status))
	o.known("upstream_us", d.UpstreamUS)
	if d.Usage != activity.NoUsage {
		o.key("usage")
		u := open(o.b)
		u.known("cache_read", d.Usage.CacheRead)
		u.known("cache_write", d.Usage.CacheWrite)
		u.known("input_total", d.Usage.InputTotal)
		u.known("output_total", d.Usage.OutputTotal)
		u.known("reasoning", d.Usage.Reasoning)
		o.b = u.end()
	}
}

func (o *object) reserved(of []activity.Reserve, spent bool) {
	list(o, "reserved", of, func(b []byte, r activity.Reserve) []byte {
		e := open(b)
		e.known("amount", r.Amount)
		e.text("budget", r.Budget)
		e.count("count", r.Count)
		e.text("key", r.Key)
		e.count("since", r.Since/1000)
		if spent {
			e.known("spent", r.Spent)
		}
		e.text("unit", r.Unit)
		return e.end()
	})
}

func (o *object) commit(k string, key, content []byte) {
	o.key(k)
	c := open(o.b)
	c.text("c", record.Commit(key, k, content))
	c.count("n", int64(len(content)))
	o.b = c.end()
}

// micros are the record's microseconds of a time in nanoseconds.
func micros(ns int64) int64 {
	if ns < 0 {
		return activity.Unknown
	}
	return ns / 1000
}

// checkID refuses what is no id of ours: it is a key of maps and of the store.
func checkID(id string) error {
	if len(id) != idLength || id[:len(idPrefix)] != idPrefix {
		return fmt.Errorf("%q is no decision's id", cut(id))
	}
	return nil
}
