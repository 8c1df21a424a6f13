package decision

import (
	"encoding/binary"
	"fmt"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
)

// The kinds of records in the log of decisions.
const (
	KindProposed  = "decision.proposed"
	KindCompleted = "decision.completed"
	KindRevoke    = "revoke"
	KindAlive     = "alive"
	KindKeyAdded  = "key.added"
	KindRetired   = "key.retired"
	KindErased    = "content.erased"
	KindRetention = "retention"
)

// blank is a decision of which nothing is known yet.
func blank() activity.Decision {
	return activity.Decision{
		Completed: activity.Unknown, LatencyUS: activity.Unknown, UpstreamUS: activity.Unknown,
		DecideUS: activity.Unknown, Usage: activity.NoUsage, Seq: activity.Unknown, EndSeq: activity.Unknown,
	}
}

// commitments are what a proposal's record says of its content.
type commitments struct{ arguments, context commitment }

type commitment struct {
	c string
	n int64
}

func (c *commitment) read(r *record.Reader) {
	r.Object(func(key []byte) {
		switch string(key) {
		case "c":
			c.c = r.String()
		case "n":
			c.n = r.Int()
		default:
			r.Skip()
		}
	})
}

// holds reports whether content is what was committed to.
func (c commitment) holds(key []byte, field string, content []byte) bool {
	if c.c == "" {
		return len(content) == 0
	}
	return c.n == int64(len(content)) && c.c == record.Commit(key, field, content)
}

// readProposed reads the body of decision.proposed. A newer release's unknown
// keys are skipped.
func readProposed(body []byte) (d activity.Decision, c commitments, err error) {
	d = blank()
	r := record.NewReader(body)
	r.Object(func(key []byte) {
		switch string(key) {
		case "action":
			d.Action = r.String()
		case "agent":
			d.Agent = r.String()
		case "approval":
			d.Approval = r.String()
		case "arguments":
			c.arguments.read(r)
		case "arguments_bytes":
			d.ArgumentsBytes = r.Int()
		case "at":
			d.At = r.Int() * 1000
		case "autonomy":
			d.Autonomy = r.String()
		case "bound":
			d.Bound = r.Bool()
		case "chain":
			d.Chain = r.Strings()
		case "completed":
			readOutcome(r, &d)
		case "containment":
			d.Containment = r.String()
		case "context":
			c.context.read(r)
		case "credential":
			d.Credential = r.String()
		case "credential_id":
			d.CredentialID = r.String()
		case "effect":
			d.Effect = r.String()
		case "enforced":
			d.Enforced = r.Bool()
		case "environment":
			d.Environment = r.String()
		case "floor":
			d.Floor = verdict(r)
		case "id":
			d.ID = r.String()
		case "instance":
			d.Instance = r.String()
		case "lifecycle":
			d.Lifecycle = r.String()
		case "local_tool":
			d.LocalTool = r.Bool()
		case "model":
			d.Model = r.String()
		case "parent":
			d.Parent = r.String()
		case "pin":
			d.Pin = r.String()
		case "policies":
			r.Array(func() { d.Policies = append(d.Policies, readPolicy(r)) })
		case "policy_version":
			d.PolicyVersion = r.Int()
		case "reasons":
			r.Array(func() { d.Reasons = append(d.Reasons, readReason(r)) })
		case "redacted":
			d.Redacted = r.Strings()
		case "registered":
			d.Registered = r.Bool()
		case "reserved":
			r.Array(func() { d.Reserved = append(d.Reserved, readReserve(r)) })
		case "resource":
			d.Resource = r.String()
		case "run":
			d.Run = readID(r, activity.ParseRunID)
		case "session":
			d.Session = r.String()
		case "span":
			d.Span = readID(r, activity.ParseSpanID)
		case "step":
			d.Step = readID(r, activity.ParseStepID)
		case "team":
			d.Team = r.String()
		case "tool":
			d.Tool = r.String()
		case "trace":
			d.Trace = readID(r, activity.ParseTraceID)
		case "upstream":
			d.Upstream = r.String()
		case "user":
			d.User = r.String()
		case "verdict":
			d.Verdict = verdict(r)
		case "version":
			d.Version = r.String()
		case "would":
			d.Would = verdict(r)
		default:
			r.Skip()
		}
	})
	if err := r.End(); err != nil {
		return activity.Decision{}, c, err
	}
	if err := checkID(d.ID); err != nil {
		return activity.Decision{}, c, fmt.Errorf("%w: %v", record.ErrForm, err)
	}
	return d, c, nil
}

// outcome is what a body of decision.completed names besides the outcome.
type outcome struct {
	id       string
	proposed int64
}

// readCompleted reads the body of decision.completed into d.
func readCompleted(body []byte, d *activity.Decision) (outcome, error) {
	r := record.NewReader(body)
	o := readOutcome(r, d)
	if err := r.End(); err != nil {
		return outcome{}, err
	}
	if err := checkID(o.id); err != nil {
		return outcome{}, fmt.Errorf("%w: %v", record.ErrForm, err)
	}
	return o, nil
}

func readOutcome(r *record.Reader, d *activity.Decision) outcome {
	o := outcome{proposed: activity.Unknown}
	d.Result = activity.ResultUnknown
	r.Object(func(key []byte) {
		switch string(key) {
		case "at":
			d.Completed = r.Int() * 1000
		case "bytes_in":
			d.BytesIn = r.Int()
		case "bytes_out":
			d.BytesOut = r.Int()
		case "cost":
			d.Cost = readCost(r)
		case "decide_us":
			d.DecideUS = r.Int()
		case "error_code":
			d.ErrorCode = r.String()
		case "id":
			o.id = r.String()
		case "latency_us":
			d.LatencyUS = r.Int()
		case "outcome":
			d.Result, _ = activity.ParseResult(r.String()) // an unknown word is unknown
		case "proposed":
			o.proposed = r.Int()
		case "redacted":
			d.Redacted = r.Strings()
		case "reserved":
			d.Reserved = nil
			r.Array(func() { d.Reserved = append(d.Reserved, readReserve(r)) })
		case "status":
			d.Status = int32(r.Int())
		case "upstream_us":
			d.UpstreamUS = r.Int()
		case "usage":
			d.Usage = readUsage(r)
		default:
			r.Skip()
		}
	})
	return o
}

func readCost(r *record.Reader) (c activity.Cost) {
	r.Object(func(key []byte) {
		switch string(key) {
		case "basis":
			c.Basis = costBasis(r.String())
		case "currency":
			c.Currency = r.String()
		case "nanos":
			c.Nanos = r.Int()
		case "price":
			c.Price = r.String()
		default:
			r.Skip()
		}
	})
	return c
}

func costBasis(name string) activity.CostBasis {
	for b := activity.CostBook; b <= activity.CostProvider; b++ {
		if b.String() == name {
			return b
		}
	}
	return activity.CostUnknown
}

func readUsage(r *record.Reader) activity.Usage {
	u := activity.NoUsage
	r.Object(func(key []byte) {
		switch string(key) {
		case "cache_read":
			u.CacheRead = r.Int()
		case "cache_write":
			u.CacheWrite = r.Int()
		case "input_total":
			u.InputTotal = r.Int()
		case "output_total":
			u.OutputTotal = r.Int()
		case "reasoning":
			u.Reasoning = r.Int()
		default:
			r.Skip()
		}
	})
	return u
}

func readPolicy(r *record.Reader) (p activity.PolicyRef) {
	r.Object(func(key []byte) {
		switch string(key) {
		case "hash":
			p.Hash = r.String()
		case "policy":
			p.Policy = r.String()
		case "statement":
			p.Statement = r.String()
		default:
			r.Skip()
		}
	})
	return p
}

func readReason(r *record.Reader) (v activity.Reason) {
	r.Object(func(key []byte) {
		switch string(key) {
		case "code":
			v.Code = r.String()
		case "text":
			v.Text = r.String()
		default:
			r.Skip()
		}
	})
	return v
}

func readReserve(r *record.Reader) activity.Reserve {
	v := activity.Reserve{Amount: activity.Unknown, Spent: activity.Unknown}
	r.Object(func(key []byte) {
		switch string(key) {
		case "amount":
			v.Amount = r.Int()
		case "budget":
			v.Budget = r.String()
		case "count":
			v.Count = r.Int()
		case "key":
			v.Key = r.String()
		case "since":
			v.Since = r.Int() * 1000
		case "spent":
			v.Spent = r.Int()
		case "unit":
			v.Unit = r.String()
		default:
			r.Skip()
		}
	})
	return v
}

func readID[T any](r *record.Reader, parse func(string) (T, error)) T {
	id, err := parse(r.String())
	if err != nil {
		r.Fail("an id that is none")
	}
	return id
}

// verdict reads a verdict; an unknown word is a denial.
func verdict(r *record.Reader) activity.Verdict {
	v, _ := activity.ParseVerdict(r.String())
	return v
}

// readContents calls each for every content of a message's second payload. What
// each keeps it must copy.
func readContents(data []byte, each func(content) error) error {
	for len(data) > 0 {
		c, rest, err := readContent(data)
		if err != nil {
			return err
		}
		if err := each(c); err != nil {
			return err
		}
		data = rest
	}
	return nil
}

func readContent(data []byte) (c content, rest []byte, err error) {
	head, parts, rest, err := contentParts(data)
	if err != nil {
		return c, nil, err
	}
	c.seq, c.key = head.seq, head.key
	c.arguments, c.user = string(parts[contentArguments]), string(parts[contentUser])
	if len(parts[contentContext]) > 0 {
		c.context = parts[contentContext]
	}
	return c, rest, nil
}

// cutContent cuts off the first content of data, whose record is seq, and leaves
// it as it is.
func cutContent(data []byte) (seq int64, raw, rest []byte, err error) {
	head, _, rest, err := contentParts(data)
	n := len(data) - len(rest)
	return head.seq, data[:n:n], rest, err
}

// The parts of a content.
const (
	contentArguments = iota
	contentContext
	contentUser
	contentPartCount
)

var errContent = fmt.Errorf("%w: content that is cut short", record.ErrForm)

// contentHead is what stands before the parts.
type contentHead struct {
	seq int64
	key []byte
}

// contentParts finds the parts of the first content of data; they alias it.
func contentParts(data []byte) (h contentHead, parts [contentPartCount][]byte, rest []byte, err error) {
	seq, n := binary.Uvarint(data)
	if n <= 0 || seq > record.MaxInteger || len(data)-n < record.KeyBytes {
		return h, parts, nil, errContent
	}
	h = contentHead{int64(seq), data[n : n+record.KeyBytes]}
	data = data[n+record.KeyBytes:]
	for i := range parts {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return h, parts, nil, errContent
		}
		parts[i] = data[n : n+int(size) : n+int(size)]
		data = data[n+int(size):]
	}
	return h, parts, data, nil
}
