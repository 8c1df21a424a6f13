package gateway

import (
	"bytes"
	"encoding/json"
	"net"
	"strconv"
	"strings"
	"sync/atomic"

	"reeve/client"
	"reeve/internal/fault"
)

// framed is a connection whose requests are read along. net/http takes what
// RFC 9112 lets a server take: Content-Length beside chunks, bare line feeds,
// folded headers. Each is a way to make this door and another server see
// different requests in the same bytes, so the door refuses them, and it cannot
// know of them from an *http.Request.
//
// It also gives net/http's own refusals (what it could not parse) a stable code
// in their place, and has them counted.
type framed struct {
	net.Conn
	scan    scanner
	bad     atomic.Bool
	refused func(*fault.Error)
}

var (
	errRequest = fault.New(fault.KindInvalid, "gateway.request", "the request is not HTTP that the door reads")
	errHeaders = fault.New(fault.KindInvalid, "gateway.headers", "the request's headers are larger than the door takes")
)

// Read reads along. After a request that can be read in two ways the rest is
// not looked at: the connection is done for.
func (c *framed) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.bad.Load() && !c.scan.feed(p[:n]) {
		c.bad.Store(true)
	}
	return n, err
}

// canned is how net/http ends the answers that it writes itself.
const canned = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// Write passes on, except what net/http itself says to a request that it could
// not read.
func (c *framed) Write(p []byte) (int, error) {
	if len(p) < 512 && bytes.HasPrefix(p, []byte("HTTP/1.1 ")) && (p[9] == '4' || p[9] == '5') && bytes.Contains(p, []byte(canned)) {
		if _, err := c.Conn.Write(c.answer(p)); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *framed) answer(p []byte) []byte {
	line, _, _ := bytes.Cut(p, []byte("\r\n"))
	status, _ := strconv.Atoi(string(line[9:12]))
	f := errRequest
	switch {
	case c.bad.Load():
		f = errFraming
	case status == 431:
		f = errHeaders
	}
	c.refused(f)
	body, err := json.Marshal(client.Problem{Title: f.Kind.String(), Status: status, Detail: f.Message, Code: f.Code, Hint: f.Hint})
	if err != nil { // strings and an int: cannot happen
		panic(err)
	}
	return []byte(string(line) + "\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\nX-Reeve-Code: " + f.Code +
		"\r\nConnection: close\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + string(body))
}

// scanner follows the requests of a connection:
//
//	line -> headers -.-> length ----------------.-> line ...
//	                 '-> size -> chunk -> size -'
//	                       '-> trailers --------'
type scanner struct {
	state   uint8
	left    int64 // bytes of the body or chunk at hand
	held    []byte
	length  int64 // of the request's head: -1 for none
	chunked bool
	old     bool // HTTP/1.0
}

const (
	inLine uint8 = iota
	inHeaders
	inLength
	inSize
	inChunk
	inTrailers
	// notOurs is a protocol that this does not follow: HTTP/2, which frames.
	notOurs
)

// maxHeld bounds a line that came in parts; net/http refuses longer ones.
const maxHeld = 1 << 20

// feed takes the next bytes; false says that they can be read in two ways.
func (s *scanner) feed(b []byte) bool {
	for len(b) > 0 {
		switch s.state {
		case notOurs:
			return true
		case inLength, inChunk:
			n := min(int64(len(b)), s.left)
			b, s.left = b[n:], s.left-n
			if s.left > 0 {
				return true
			}
			if s.state = inLine; s.chunked {
				s.state = inSize
			}
			continue
		}
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			s.held = append(s.held, b...)
			return len(s.held) <= maxHeld
		}
		line := b[:i+1]
		if len(s.held) > 0 {
			s.held = append(s.held, line...)
			line = s.held
		}
		b = b[i+1:]
		ok := len(line) >= 2 && line[len(line)-2] == '\r' && s.line(line[:len(line)-2])
		s.held = s.held[:0]
		if !ok {
			return false
		}
	}
	return true
}

func (s *scanner) line(b []byte) bool {
	if bytes.IndexByte(b, '\r') >= 0 || bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	switch s.state {
	case inLine:
		return s.start(b)
	case inHeaders:
		if len(b) == 0 {
			return s.ended()
		}
		return s.header(b)
	case inSize:
		return s.size(b)
	}
	if len(b) == 0 { // of the trailers
		s.state = inLine
	}
	return true
}

// start reads a request line.
func (s *scanner) start(b []byte) bool {
	s.state, s.length, s.chunked = inHeaders, -1, false
	switch {
	case bytes.HasSuffix(b, []byte(" HTTP/1.1")):
		s.old = false
	case bytes.HasSuffix(b, []byte(" HTTP/1.0")):
		s.old = true
	case bytes.Equal(b, []byte("PRI * HTTP/2.0")):
		s.state = notOurs
	default:
		return false
	}
	return true
}

func (s *scanner) header(b []byte) bool {
	i := bytes.IndexByte(b, ':')
	if i <= 0 || b[0] == ' ' || b[0] == '\t' || b[i-1] == ' ' || b[i-1] == '\t' {
		return false
	}
	switch {
	case i == len("content-length") && strings.EqualFold(string(b[:i]), "content-length"):
		text := strings.Trim(string(b[i+1:]), " \t")
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil || text[0] < '0' || text[0] > '9' || s.length >= 0 || s.chunked {
			return false
		}
		s.length = int64(n)
	case i == len("transfer-encoding") && strings.EqualFold(string(b[:i]), "transfer-encoding"):
		if s.chunked || s.length >= 0 || s.old || !strings.EqualFold(strings.Trim(string(b[i+1:]), " \t"), "chunked") {
			return false
		}
		s.chunked = true
	}
	return true
}

// ended is the end of a head.
func (s *scanner) ended() bool {
	switch {
	case s.chunked:
		s.state = inSize
	case s.length > 0:
		s.state, s.left = inLength, s.length
	default:
		s.state = inLine
	}
	return true
}

// size reads the line before a chunk. Extensions are legal, and of no use but
// to make readers differ.
func (s *scanner) size(b []byte) bool {
	if len(b) == 0 || len(b) > 16 {
		return false
	}
	n, err := strconv.ParseUint(string(b), 16, 62)
	if err != nil || b[0] == '+' {
		return false
	}
	if n == 0 {
		s.state = inTrailers
		return true
	}
	s.state, s.left = inChunk, int64(n)+2 // with its end of line
	return true
}
