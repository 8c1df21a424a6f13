package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"reeve/internal/activity"
	"reeve/internal/content"
	"reeve/internal/upstream"
)

// counter is how many bytes went to the agent.
type counter struct{ n atomic.Int64 }

const pieceSize = 32 << 10

// pieces are the buffers that answers pass through, with room to see that a
// small answer ends.
var pieces = sync.Pool{New: func() any { b := make([]byte, pieceSize+1); return &b }}

// withheld are headers of an answer that stay here: what belongs to one
// connection, what would lead the agent around the door, and cookies, which
// never go upstream and may stand for our credential.
var withheld = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Proxy-Authenticate": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true, "Set-Cookie": true, "Alt-Svc": true,
}

// head checks the answer's headers and copies what may pass.
func (x *passage) head(resp *http.Response, leak *upstream.Leak) error {
	x.record.Status = int32(resp.StatusCode)
	if resp.StatusCode < 200 || resp.StatusCode > 599 {
		return errBroken
	}
	for _, list := range resp.Header {
		for _, v := range list {
			if leak.In(v) {
				return errLeak
			}
		}
	}
	if e := resp.Header["Content-Encoding"]; len(e) > 0 && !strings.EqualFold(e[0], "identity") && resp.ContentLength != 0 && x.Method != http.MethodHead {
		if leak != nil {
			return errEncoded
		}
		if err := x.scan.plan.Encoded(e[0], true); err != nil {
			return err
		}
	}
	location, err := x.relocated(resp)
	if err != nil || x.Begun { // the head is sent, and not the upstream's
		return err
	}
	var named []string
	for _, v := range resp.Header["Connection"] {
		for name := range strings.SplitSeq(v, ",") {
			named = append(named, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)))
		}
	}
	h := x.w.Header()
	for k, v := range resp.Header {
		if !withheld[k] && !strings.HasPrefix(k, "X-Reeve-") && (named == nil || !slices.Contains(named, k)) {
			h[k] = v
		}
	}
	if location != "" {
		h["Location"] = []string{location}
	}
	return nil
}

// relocated is an answer's Location as it leads through the door; "" for none.
// An agent that followed any other address would walk around the door.
func (x *passage) relocated(resp *http.Response) (string, error) {
	to := resp.Header.Get("Location")
	if to == "" {
		return "", nil
	}
	reference, err := url.Parse(to)
	if err != nil {
		return "", errMoved
	}
	from := resp.Request.URL
	target := from.ResolveReference(reference)
	root, err := x.Upstream.Target("/", "")
	if err != nil {
		return "", errMoved
	}
	below, ok := strings.CutPrefix(target.EscapedPath(), root.EscapedPath())
	if !ok || target.Scheme != from.Scheme || !strings.EqualFold(target.Host, from.Host) || target.User != nil {
		return "", errMoved
	}
	at := "/" + x.kind + "/" + x.Upstream.Name + "/" + below
	if target.RawQuery != "" {
		at += "?" + target.RawQuery
	}
	if f := target.EscapedFragment(); f != "" {
		at += "#" + f
	}
	return at, nil
}

// passing is an answer on its way to the agent.
type passing struct {
	x      *passage
	ctx    context.Context
	resp   *http.Response
	watch  *watch
	leak   *upstream.Leak
	rules  *content.Stream
	answer Answer // nil: nobody reads along
	ear    *ear   // nil: nobody listens
	flush  bool   // each piece goes on at once
	small  bool   // the whole answer fits one piece: it goes on when it is whole
}

// body lets the answer pass, piece by piece.
func (x *passage) body(ctx context.Context, resp *http.Response, leak *upstream.Leak, w *watch) error {
	p := passing{x: x, ctx: ctx, resp: resp, watch: w, leak: leak}
	p.ear = x.door.hears(x, resp.Header)
	if make := x.proposal.Answer; make != nil {
		p.answer = make(resp.StatusCode, resp.Header, x.judge)
	}
	if r, ok := p.answer.(Ruled); x.scan.plan != nil && (!ok || !r.Rules(x.scan.plan)) {
		p.rules = x.scan.plan.Stream()
	}
	if x.judge != nil || x.proposal.Rewrites || x.scan.plan.Holds(true) {
		delete(x.w.Header(), "Content-Length") // it may become longer or shorter
	}
	p.flush = resp.ContentLength < 0 && x.Method != http.MethodHead
	p.small = resp.ContentLength >= 0 && resp.ContentLength <= pieceSize
	// A stream's head goes before its first piece, unless a judge may find that
	// none may pass: then it is still time for a refusal.
	if p.flush && x.judge == nil {
		if err := p.begin(); err != nil {
			return p.end(err)
		}
		_ = http.NewResponseController(x.w).Flush() // a failure is the next write's
	}
	buf := pieces.Get().(*[]byte)
	defer pieces.Put(buf)
	return p.end(p.all(*buf))
}

// all reads the answer to its end.
func (p *passing) all(buf []byte) error {
	for at := 0; ; {
		n, err := p.resp.Body.Read(buf[at:])
		p.watch.alive()
		switch {
		case p.small:
			at += n
			if errors.Is(err, io.EOF) {
				if err := p.piece(buf[:at]); err != nil {
					return err
				}
			}
		case n > 0:
			if err := p.piece(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return p.x.broke(p.ctx, err, errBroken)
		}
	}
}

// piece hands on what may go of a piece that arrived.
func (p *passing) piece(b []byte) error {
	b, found := p.leak.Next(b)
	if found {
		return errLeak
	}
	return p.ruled(b)
}

// ruled is piece after the watch for our credential.
func (p *passing) ruled(b []byte) error {
	if p.rules != nil && len(b) > 0 {
		var err error
		if b, err = p.rules.Next(b); err != nil {
			return err
		}
	}
	return p.next(b)
}

func (p *passing) next(b []byte) error {
	if p.answer != nil && len(b) > 0 {
		var err error
		if b, err = p.answer.Next(b); err != nil {
			return err
		}
	}
	if len(b) == 0 {
		return nil
	}
	return p.write(b)
}

// begin sends the answer's head.
func (p *passing) begin() error {
	if p.x.wrote {
		return nil
	}
	p.x.answering.begin()
	// Only now: whoever ends the call from here on makes the writes fail.
	if p.ctx.Err() != nil {
		return p.x.broke(p.ctx, p.ctx.Err(), errBroken)
	}
	p.x.wrote = true
	p.x.w.WriteHeader(p.resp.StatusCode)
	return nil
}

func (p *passing) write(b []byte) error {
	p.ear.piece(b) // before it leaves
	if err := p.begin(); err != nil {
		return err
	}
	if p.x.kept.add(b); p.x.gone {
		return p.x.kept.enough()
	}
	n, err := p.x.w.Write(b)
	p.x.sent.n.Add(int64(n))
	if err == nil && p.flush {
		err = http.NewResponseController(p.x.w).Flush()
	}
	if err != nil && p.x.claims && p.ctx.Err() == nil {
		p.x.gone = true // what people agreed to goes on, and its answer is kept
		return p.x.kept.enough()
	}
	if err != nil {
		return p.x.broke(p.ctx, err, errGone)
	}
	return nil
}

// end lets go what was held back, when the answer is whole, and takes the facts
// of who read along.
func (p *passing) end(err error) error {
	if err == nil {
		err = p.ruled(p.leak.End())
	}
	if p.rules != nil {
		rest, found, wrong := p.rules.End()
		p.x.scan.found = append(p.x.scan.found, found...)
		if err == nil && wrong == nil {
			wrong = p.next(rest)
		}
		if err == nil {
			err = wrong
		}
	}
	if p.answer != nil {
		tail, facts := p.answer.End(err)
		if r, ok := p.answer.(Ruled); ok {
			p.x.scan.found = append(p.x.scan.found, r.Found()...)
		}
		p.ownKeys(facts.Contents)
		p.x.facts, p.x.hasFacts = facts, true
		if t, ok := p.answer.(Trailing); ok {
			for name, values := range t.Trailers() {
				p.x.w.Header()[http.TrailerPrefix+name] = values
			}
		}
		if err == nil && facts.Fault != nil {
			err = facts.Fault
		}
		if err == nil && len(tail) > 0 {
			err = p.write(tail)
		}
	}
	if err == nil {
		err = p.begin() // an answer without a body
	}
	return err
}

// ownKeys looks for keys of ours that pieces share, in what the answer said as a
// whole. Nothing is held back for them: a key that is found is killed.
func (p *passing) ownKeys(said []activity.Content) {
	plan := p.x.scan.plan
	if plan == nil || plan.Reads() || len(p.x.scan.found) > 0 {
		return
	}
	for _, c := range said {
		if _, found, err := plan.Answer(c.Raw); err == nil {
			p.x.scan.found = append(p.x.scan.found, found...)
		}
	}
}
