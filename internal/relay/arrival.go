package relay

import (
	"encoding/binary"

	"reeve/internal/fault"
)

// Signal is one of OTLP's three.
type Signal uint8

// The signals.
const (
	Traces Signal = iota
	Logs
	Metrics
)

var signalNames = [...]string{"traces", "logs", "metrics"}

// String is the signal's name.
func (s Signal) String() string { return signalNames[s] }

func signalOf(name string) (Signal, bool) {
	for i, n := range signalNames {
		if n == name {
			return Signal(i), true
		}
	}
	return 0, false
}

// Arrival is one request of a sender as intake read it.
type Arrival struct {
	Signal      Signal
	Team        string // of the sender's key
	Environment string
	Body        []byte // the protobuf of the signal's export request
	// Records says what each record of Body is, in the order in which they stand
	// there: spans, log records, metrics.
	Records []Record
}

// Record is what intake found out about a record. Unreadable ones were refused
// to their sender and are not relayed.
type Record struct {
	Agent, Dialect, Environment string
	Unreadable                  bool
}

// form is the first byte of an arrival in the queue.
const form = 1

// An arrival in the queue:
//
//	form, signal, team, environment,
//	count, {agent, dialect, environment}…   what records are, each kind once
//	count, {number in that list, 0 for unreadable}…  for each record
//	body                                    up to the end
//
// Numbers are uvarints, texts have their length before them.
func (a *Arrival) append(dst []byte) []byte {
	dst = append(dst, form, byte(a.Signal))
	dst = appendText(dst, a.Team)
	dst = appendText(dst, a.Environment)
	numbers := make(map[Record]uint64, 4)
	var kinds []Record
	for _, r := range a.Records {
		if _, ok := numbers[r]; !ok && !r.Unreadable {
			kinds = append(kinds, r)
			numbers[r] = uint64(len(kinds))
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(kinds)))
	for _, k := range kinds {
		dst = appendText(appendText(appendText(dst, k.Agent), k.Dialect), k.Environment)
	}
	dst = binary.AppendUvarint(dst, uint64(len(a.Records)))
	for _, r := range a.Records {
		dst = binary.AppendUvarint(dst, numbers[r])
	}
	return append(dst, a.Body...)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

var errQueue = fault.New(fault.KindInternal, "relay.queue", "a message of the relay's queue cannot be read")

// parse reads what append wrote. Body aliases b.
func parse(b []byte) (a Arrival, err error) {
	r := reader{b: b}
	if r.byte() != form {
		return a, errQueue
	}
	a.Signal = Signal(r.byte())
	a.Team, a.Environment = r.text(), r.text()
	kinds := make([]Record, 1, 8)
	kinds[0].Unreadable = true
	for n := r.count(); n > 0 && !r.bad; n-- {
		kinds = append(kinds, Record{Agent: r.text(), Dialect: r.text(), Environment: r.text()})
	}
	n := r.count()
	a.Records = make([]Record, 0, n)
	for ; n > 0 && !r.bad; n-- {
		i := r.number()
		if i >= uint64(len(kinds)) {
			return a, errQueue
		}
		a.Records = append(a.Records, kinds[i])
	}
	if r.bad || a.Signal > Metrics {
		return a, errQueue
	}
	a.Body = r.b
	return a, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count is a number of things that each take a byte at least.
func (r *reader) count() int {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// halves are an arrival's first and second half of records.
func (a *Arrival) halves() []*Arrival {
	var out []*Arrival
	middle := len(a.Records) / 2
	for _, part := range [...][2]int{{0, middle}, {middle, len(a.Records)}} {
		i := -1
		w := rewriter{keep: func() bool { i++; return i >= part[0] && i < part[1] }}
		half := *a
		half.Body, half.Records = w.request(a.Body, a.Signal), a.Records[part[0]:part[1]]
		out = append(out, &half)
	}
	return out
}
