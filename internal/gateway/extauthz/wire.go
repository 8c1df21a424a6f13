package extauthz

import (
	"errors"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"

	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/upstream"
)

// This file reads and writes the messages of envoy.service.auth.v3 by their
// field numbers: ten of some hundred fields count, and Envoy's generated types
// with what they pull in would be 4.6 MB of the program. The test holds both
// against those types.
//
//	CheckRequest            1 attributes
//	AttributeContext        1 source, 4 request, 10 context_extensions
//	Peer                    1 address; Address 1 socket_address; SocketAddress 2 address
//	Request                 2 http
//	HttpRequest             2 method, 3 headers, 4 path, 5 host, 6 scheme, 9 size, 11 body, 12 raw_body, 13 header_map
//	HeaderMap               1 headers; HeaderValue 1 key, 2 value, 3 raw_value
//	CheckResponse           1 status, 2 denied_response, 3 ok_response
//	DeniedHttpResponse      1 status, 2 headers, 3 body
//	OkHttpResponse          2 headers, 5 headers_to_remove, 6 response_headers_to_add
//	HeaderValueOption       1 header, 3 append_action (2 overwrites or adds)

// check is a CheckRequest, as far as it counts.
type check struct {
	method, path, host, scheme string
	source                     string // address of who called the proxy
	size                       int64  // of the body, -1 unknown
	body                       []byte
	header                     http.Header
	extensions                 map[string]string // from the proxy's own configuration
	shown                      []string          // headers that held the agent's credential
}

var errWire = errors.New("a message is cut or of another shape")

// taken are the headers that the proxy is asked to take out: those that held the
// agent's credential, and those by which an upstream would take the request for
// another than was decided.
func (q *check) taken() []string {
	out := slices.Clone(q.shown)
	for name := range q.header {
		if upstream.Rewrites(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// onward are the headers that the proxy forwards, without a proof of possession,
// which is another for each request.
func (q *check) onward() http.Header {
	h := maps.Clone(q.header)
	for _, name := range append(q.taken(), "Dpop") {
		delete(h, name)
	}
	return h
}

const maxHeaders = 1000

func readCheck(b []byte) (*check, error) {
	q := &check{size: -1, header: http.Header{}, extensions: map[string]string{}}
	err := fields(b, func(n protowire.Number, v []byte) error {
		if n == 1 {
			return q.attributes(v)
		}
		return nil
	}, nil)
	return q, err
}

// fields walks a message; v is a field with a length. A number goes to ints, which
// may be nil; what is of another type than its number has is passed over.
func fields(b []byte, each func(n protowire.Number, v []byte) error, ints func(n protowire.Number, i uint64)) error {
	for len(b) > 0 {
		n, t, used := protowire.ConsumeTag(b)
		if used < 0 {
			return errWire
		}
		b = b[used:]
		var v []byte
		var i uint64
		switch t {
		case protowire.BytesType:
			v, used = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			i, used = protowire.ConsumeVarint(b)
		default:
			used = protowire.ConsumeFieldValue(n, t, b)
		}
		if used < 0 {
			return errWire
		}
		b = b[used:]
		switch {
		case t == protowire.VarintType && ints != nil:
			ints(n, i)
		case t == protowire.BytesType:
			if err := each(n, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q *check) attributes(b []byte) error {
	return fields(b, func(n protowire.Number, v []byte) error {
		switch n {
		case 1:
			return q.peer(v)
		case 4:
			return fields(v, func(n protowire.Number, v []byte) error {
				if n == 2 {
					return q.http(v)
				}
				return nil
			}, nil)
		case 10:
			name, value, err := entry(v)
			if len(q.extensions) < maxHeaders {
				q.extensions[name] = value
			}
			return err
		}
		return nil
	}, nil)
}

func (q *check) peer(b []byte) error {
	return fields(b, func(n protowire.Number, v []byte) error {
		if n != 1 {
			return nil
		}
		return fields(v, func(n protowire.Number, v []byte) error {
			if n != 1 {
				return nil
			}
			return fields(v, func(n protowire.Number, v []byte) error {
				if n == 2 {
					q.source = string(v)
				}
				return nil
			}, nil)
		}, nil)
	}, nil)
}

func (q *check) http(b []byte) error {
	return fields(b, func(n protowire.Number, v []byte) error {
		switch n {
		case 2:
			q.method = string(v)
		case 3:
			name, value, err := entry(v)
			if err != nil {
				return err
			}
			return q.add(name, value)
		case 4:
			q.path = string(v)
		case 5:
			q.host = string(v)
		case 6:
			q.scheme = string(v)
		case 11, 12:
			if len(v) > 0 {
				q.body = v
			}
		case 13:
			return fields(v, func(n protowire.Number, v []byte) error {
				if n != 1 {
					return nil
				}
				return q.headerValue(v)
			}, nil)
		}
		return nil
	}, func(n protowire.Number, i uint64) {
		if n == 9 {
			q.size = int64(i)
		}
	})
}

func (q *check) headerValue(b []byte) error {
	var name, value string
	err := fields(b, func(n protowire.Number, v []byte) error {
		switch n {
		case 1:
			name = string(v)
		case 2, 3:
			if len(v) > 0 {
				value = string(v)
			}
		}
		return nil
	}, nil)
	if err != nil {
		return err
	}
	return q.add(name, value)
}

// add keeps a header; pseudo-headers of HTTP/2 repeat what is there.
func (q *check) add(name, value string) error {
	if strings.HasPrefix(name, ":") {
		return nil
	}
	if len(q.header) >= maxHeaders {
		return errWire
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	q.header[name] = append(q.header[name], value)
	return nil
}

// entry reads an entry of a map of strings.
func entry(b []byte) (name, value string, err error) {
	err = fields(b, func(n protowire.Number, v []byte) error {
		switch n {
		case 1:
			name = string(v)
		case 2:
			value = string(v)
		}
		return nil
	}, nil)
	return name, value, err
}

func appendText(b []byte, n protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
}

func appendMessage(b []byte, n protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), m)
}

func appendInt(b []byte, n protowire.Number, i uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), i)
}

// header is a HeaderValueOption that replaces what stands there.
func header(name, value string) []byte {
	v := appendText(appendText(nil, 1, name), 2, value)
	return appendInt(appendMessage(nil, 1, v), 3, 2)
}

// allowed is the CheckResponse of what may go on. The decision's id goes both
// ways, over what the agent may have sent under that name, and the headers
// taken are not for the upstream.
func allowed(decision string, taken []string) []byte {
	var ok []byte
	for _, name := range taken {
		ok = appendText(ok, 5, strings.ToLower(name))
	}
	if decision == "" {
		ok = appendText(ok, 5, "x-reeve-decision")
	} else {
		ok = appendMessage(ok, 2, header("x-reeve-decision", decision))
		ok = appendMessage(ok, 6, header("x-reeve-decision", decision))
	}
	return appendMessage(appendMessage(nil, 1, nil), 3, ok)
}

// denied is the CheckResponse of a refusal; w is what its client reads, nil for
// a status alone.
func denied(f *fault.Error, w *answer) []byte {
	status := gateway.Status(f)
	var d []byte
	if w != nil && w.status >= 400 {
		status = w.status
	}
	d = appendMessage(d, 1, appendInt(nil, 1, uint64(status)))
	if w == nil {
		d = appendMessage(d, 2, header("x-reeve-code", f.Code))
	} else {
		w.header.Del("Content-Length")
		names := make([]string, 0, len(w.header))
		for name := range w.header {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			for _, value := range w.header[name] {
				d = appendMessage(d, 2, header(strings.ToLower(name), value))
			}
		}
		d = appendText(d, 3, string(w.body))
	}
	code := codes.PermissionDenied
	if f.Kind == fault.KindUnauthenticated {
		code = codes.Unauthenticated
	}
	s := appendText(appendInt(nil, 1, uint64(code)), 2, f.Code+" ("+strconv.Itoa(status)+")")
	return appendMessage(appendMessage(nil, 1, s), 2, d)
}
