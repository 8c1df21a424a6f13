package intake

import (
	"context"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
	"reeve/internal/telemetry"
)

// doors are the paths at which the dialects' clients send.
type doors struct {
	signals map[string]signal              // OTLP, vendors' own paths included
	vendor  map[string][]*dialect.Endpoint // by path: their own wire formats
	info    []byte                         // the answer to GET /info
}

// infoPath is asked by the clients of several vendors before they send: one
// answer serves them all.
const infoPath = "/info"

var signalNames = map[string]signal{"traces": traces, "logs": logs, "metrics": metrics}

func newDoors(all []dialect.Dialect) doors {
	d := doors{signals: map[string]signal{"/v1/traces": traces, "/v1/logs": logs, "/v1/metrics": metrics}, vendor: map[string][]*dialect.Endpoint{}}
	var info []string
	for i := range all {
		for _, a := range all[i].Aliases {
			s, ok := signalNames[a.Signal]
			if !ok {
				panic("dialect " + all[i].Name + ": unknown signal " + a.Signal)
			}
			d.signals[a.Path] = s
		}
		for j := range all[i].Endpoints {
			e := &all[i].Endpoints[j]
			d.vendor[e.Path] = append(d.vendor[e.Path], e)
		}
		if all[i].Info != "" {
			info = append(info, all[i].Info)
		}
	}
	d.info = []byte("{" + strings.Join(info, ",") + "}")
	return d
}

// Paths lists what an Intake serves, as patterns of a mux, for who mounts it.
func Paths() []string {
	d := newDoors(registry())
	out := []string{"GET " + infoPath}
	for p := range d.signals {
		out = append(out, p)
	}
	// By their methods: the console has pages at some of these paths.
	for p, all := range d.vendor {
		for _, e := range all {
			out = append(out, e.Method+" "+p)
		}
	}
	out = append(out, lineagePaths()...)
	out = append(out, hookPaths()...)
	slices.Sort(out)
	return out
}

// endpoint finds who takes a request of a vendor's client; nil for nobody.
func (d *doors) endpoint(r *http.Request) (*dialect.Endpoint, error) {
	all := d.vendor[r.URL.Path]
	if len(all) == 0 {
		return nil, fault.New(fault.KindNotFound, "intake.path", "no such path").WithHint("send OTLP to /v1/traces, /v1/logs or /v1/metrics; docs/sending.md lists the paths of other clients")
	}
	for _, e := range all {
		if e.Method == r.Method {
			return e, nil
		}
	}
	return nil, fault.New(fault.KindInvalid, "intake.method", "%s is not how this is sent", r.Method).WithHint("use %s", all[0].Method)
}

// serveVendor takes a request in a vendor's own wire format.
func (in *Intake) serveVendor(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == infoPath && r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(in.doors.info) // the client left: nobody to tell
		return
	}
	reply, err := in.takeVendor(w, r)
	if err != nil {
		in.refuse(w, true, err)
		return
	}
	if reply.Status == 0 {
		reply.Status = http.StatusOK
	}
	if reply.Type == "" {
		reply.Type = "application/json"
	}
	if reply.Body == nil {
		reply.Body = []byte("{}")
	}
	w.Header().Set("Content-Type", reply.Type)
	w.Header().Set("Content-Length", strconv.Itoa(len(reply.Body)))
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) // the sender left: nobody to tell
}

func (in *Intake) takeVendor(w http.ResponseWriter, r *http.Request) (reply dialect.Reply, err error) {
	e, err := in.doors.endpoint(r)
	if err != nil {
		return reply, err
	}
	kind, params := "", map[string]string(nil)
	if text := r.Header.Get("Content-Type"); text != "" {
		if kind, params, err = mime.ParseMediaType(text); err != nil {
			kind = "?"
		}
	}
	if e.Types != nil && !slices.Contains(e.Types, kind) {
		return reply, fault.New(fault.KindInvalid, "intake.media_type", "the content type is not one of this endpoint").WithHint("send %s", e.Types[0])
	}
	err = in.take(w, r, func(ctx context.Context, work *worker, from Sender) error {
		reply, _, err = in.translate(ctx, e, work, &dialect.Request{Header: r.Header, Params: params, Body: work.body}, from)
		return err
	})
	return reply, err
}

// Taken is what became of records that Deliver was given.
type Taken struct {
	Spans, Logs int64
	Rejected    int64    // records that cannot be read
	Reasons     []string // why the first of them cannot
}

// translate makes OTLP of a vendor's body and puts it on the log.
func (in *Intake) translate(ctx context.Context, e *dialect.Endpoint, work *worker, r *dialect.Request, from Sender) (reply dialect.Reply, t Taken, err error) {
	out := &work.out
	out.Reset()
	r.Now = in.now().UnixNano()
	began := in.stages.Begin()
	reply, err = e.Take(out, r)
	in.stages.End(telemetry.StageDecode, began)
	if err != nil {
		return reply, t, err
	}
	for _, part := range [...]struct {
		s    signal
		body []byte
		n    *int64
	}{{traces, out.Traces(), &t.Spans}, {logs, out.Logs(), &t.Logs}} {
		if part.body == nil {
			continue
		}
		a, err := in.accept(ctx, work, part.s, false, part.body, from)
		if err != nil {
			return reply, t, err
		}
		*part.n = work.n.accepted
		t.Rejected += a.rejected
	}
	lost, reasons := out.Rejected()
	in.stats.rejected.Add(lost)
	t.Rejected, t.Reasons = t.Rejected+lost, slices.Clone(reasons)
	return reply, t, nil
}

// Deliver takes what somebody fetched for a sender who cannot send: a body for
// one of the vendors' paths, within the same limits. It returns once the log has
// it; a fault of kind exhausted asks to come again.
func (in *Intake) Deliver(ctx context.Context, path string, header http.Header, body []byte, from Sender) (t Taken, err error) {
	all := in.doors.vendor[path]
	if len(all) == 0 {
		return t, fault.New(fault.KindInternal, "intake.path", "no such path")
	}
	if int64(len(body)) > in.config.MaxBody {
		return t, tooLarge(in.config.MaxBody)
	}
	held := &ticket{l: in.limits, id: from.ID, now: in.now()}
	defer held.close()
	if err := held.grow(3 * int64(len(body))); err != nil {
		return t, err
	}
	work := in.worker()
	defer in.keep(work)
	work.n.held = held
	in.stats.requests.Add(1)
	_, t, err = in.translate(ctx, all[0], work, &dialect.Request{Header: header, Body: body}, from)
	return t, err
}
