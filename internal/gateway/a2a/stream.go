package a2a

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
)

func appendInt(n int) []byte { return strconv.AppendInt(nil, int64(n), 10) }

// source gives the results of a peer's stream one after the other: the result,
// and the bytes that it came in where these may pass; both are nil for what
// only keeps the connection alive. The end is io.EOF; a *peerError is the
// peer's own.
type source interface {
	next() (result, raw []byte, err error)
}

// eventLines reads server-sent events.
type eventLines struct {
	x    *exchange
	body io.Reader
	buf  []byte
	at   int // buf[:at] was looked at and has no event's end
	done bool
}

func (s *eventLines) next() (result, raw []byte, err error) {
	for {
		if end := eventEnd(s.buf, s.at); end > 0 {
			raw := s.buf[:end]
			s.buf, s.at = s.buf[end:], 0
			result, err := s.event(raw)
			return result, raw, err
		}
		s.at = max(0, len(s.buf)-3)
		switch {
		case s.done && len(bytes.TrimSpace(s.buf)) == 0:
			return nil, nil, io.EOF
		case s.done:
			// Some servers leave out the last empty line. What is cut off is no JSON.
			raw := append(bytes.Clone(s.buf), "\n\n"...)
			s.buf = nil
			result, err := s.event(raw)
			return result, raw, err
		case len(s.buf) > maxEvent:
			return nil, nil, errLarge
		}
		if err := s.fill(); err != nil {
			return nil, nil, err
		}
	}
}

func (s *eventLines) fill() error {
	const piece = 16 << 10
	if cap(s.buf)-len(s.buf) < piece {
		grown := make([]byte, len(s.buf), 2*len(s.buf)+2*piece)
		copy(grown, s.buf)
		s.buf = grown
	}
	n, err := s.body.Read(s.buf[len(s.buf) : len(s.buf)+piece])
	s.buf = s.buf[:len(s.buf)+n]
	if errors.Is(err, io.EOF) {
		s.done = true
		return nil
	}
	return err
}

// eventEnd is where the first event ends, with its empty line; 0 when it does
// not yet. Lines end with LF, CR LF or CR.
func eventEnd(b []byte, from int) int {
	for i := from; i < len(b); i++ {
		if b[i] != '\n' && b[i] != '\r' {
			continue
		}
		j := lineEnd(b, i)
		if j < len(b) && (b[j] == '\n' || b[j] == '\r') {
			if b[j] == '\r' && j+1 == len(b) {
				return 0 // its LF may come
			}
			return lineEnd(b, j)
		}
	}
	return 0
}

func lineEnd(b []byte, i int) int {
	if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
		return i + 2
	}
	return i + 1
}

// event reads one event; a nil result is none: a comment.
func (s *eventLines) event(raw []byte) (result []byte, err error) {
	data, ok := eventData(raw)
	if !ok {
		return nil, nil
	}
	if err := strict(data); err != nil {
		return nil, errAnswer.WithCause(err)
	}
	if s.x.to.binding == jsonRPC {
		return s.x.rpcResult(data)
	}
	if e := find(data, "error"); e != nil && isObject(e) {
		status := whole(decoded(find(e, "code")))
		return nil, restPeerError(status, data)
	}
	return data, nil
}

func decoded(b []byte) any {
	v, err := decode(b)
	if err != nil {
		return nil
	}
	return v
}

// eventData is the data of an event; ok is false when it has none.
func eventData(raw []byte) (data []byte, ok bool) {
	var many [][]byte
	for line := range bytes.FieldsFuncSeq(raw, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if rest, is := bytes.CutPrefix(line, []byte("data:")); is {
			many = append(many, bytes.TrimPrefix(rest, []byte(" ")))
		} else if string(line) == "data" {
			many = append(many, nil)
		}
	}
	switch len(many) {
	case 0:
		return nil, false
	case 1:
		return bytes.TrimSpace(many[0]), true
	}
	return bytes.TrimSpace(bytes.Join(many, []byte("\n"))), true
}

// streamed is an answer whose events are looked at as they come.
func (x *exchange) streamed(resp *http.Response, from source) *http.Response {
	h := resp.Header
	if !x.same() {
		h = x.headers(resp)
	}
	h = h.Clone()
	delete(h, "Content-Length")
	return &http.Response{
		Status: resp.Status, StatusCode: http.StatusOK, Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
		Header: h, ContentLength: -1, Body: &streamBody{x: x, from: from, resp: resp},
	}
}

// streamBody is a stream in the client's words. It is read by one goroutine.
type streamBody struct {
	x    *exchange
	from source
	resp *http.Response
	out  []byte
	err  error
}

// Read implements io.Reader.
func (b *streamBody) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.advance()
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

// advance takes the next event.
func (b *streamBody) advance() {
	x := b.x
	result, raw, err := b.from.next()
	if err != nil {
		if last := x.streamError(err); last != nil {
			b.out, b.err = eventOf(last), io.EOF
			return
		}
		b.err = err
		if !errors.Is(err, io.EOF) && b.resp.Request != nil {
			x.ended(b.resp.Request.Context())
		}
		return
	}
	if result == nil {
		b.out = raw // a sign of life
		return
	}
	out, changed, err := x.see(result)
	if err != nil {
		b.err = err
		return
	}
	x.keep(out)
	if x.same() && !changed {
		b.out = raw
		return
	}
	b.out = eventOf(x.envelope(out))
}

// eventOf is one server-sent event.
func eventOf(data []byte) []byte {
	b := make([]byte, 0, len(data)+8)
	return append(append(append(b, "data: "...), data...), "\n\n"...)
}

// Close implements io.Closer.
func (b *streamBody) Close() error { return b.resp.Body.Close() }
