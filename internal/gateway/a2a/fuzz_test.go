package a2a

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"reeve/internal/gateway"
)

// What strict lets through, encoding/json reads too, and members and elements
// give what encoding/json finds.
func FuzzStrict(f *testing.F) {
	for _, s := range []string{`{}`, `[1,2.5e-3,"x",null,true]`, `{"a":{"b":[{"c":"\u00e9"}]}}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{`, `"\ud800"`, `[1,]`, `01`, ` {"x" : [ ] } `, `{"a":1,}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if strict(b) != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("%q is no JSON", b)
		}
		b = bytes.TrimSpace(b)
		var o map[string]json.RawMessage
		if len(b) > 0 && b[0] == '{' && json.Unmarshal(b, &o) == nil {
			n := 0
			members(b, func(name string, value []byte) bool {
				n++
				if !bytes.Equal(bytes.TrimSpace(o[name]), value) {
					t.Fatalf("%q: member %q is %q, want %q", b, name, value, o[name])
				}
				return true
			})
			if n != len(o) {
				t.Fatalf("%q: %d members, want %d", b, n, len(o))
			}
			if out := with(b, "id", []byte(`"x"`)); strict(out) != nil || textAt(out, "id") != "x" {
				t.Fatalf("%q: with gives %q", b, out)
			}
		}
		var l []json.RawMessage
		if len(b) > 0 && b[0] == '[' && json.Unmarshal(b, &l) == nil {
			n := 0
			elements(b, func([]byte) bool { n++; return true })
			if n != len(l) {
				t.Fatalf("%q: %d elements, want %d", b, n, len(l))
			}
		}
	})
}

// A request in any binding and version is read or refused; what was read of 0.3
// is 1.0, and goes back to 0.3.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/", "1.0", []byte(`{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"messageId":"m","parts":[{"text":"x"}]}}}`))
	f.Add("POST", "/", "", []byte(`{"jsonrpc":"2.0","id":"1","method":"message/send","params":{"message":{"messageId":"m","role":"user","parts":[{"kind":"file","file":{"bytes":"AA==","name":"n"}},{"kind":"data","data":{"a":1}}]},"configuration":{"blocking":false,"pushNotificationConfig":{"url":"https://x","authentication":{"schemes":["Bearer"]}}}}}`))
	f.Add("POST", "/tasks/t:cancel", "1.0", []byte(`{"metadata":{}}`))
	f.Add("GET", "/tasks/t/pushNotificationConfigs/c", "1.0", []byte(nil))
	f.Add("POST", "/"+grpcService+"/GetTask", "1.0", frame([]byte("\x12\x01t")))
	f.Fuzz(func(t *testing.T, method, path, version string, body []byte) {
		if !strings.HasPrefix(path, "/") {
			return
		}
		h := http.Header{}
		if version != "" {
			h.Set("A2A-Version", version)
		}
		r, err := read(&gateway.Call{Request: &http.Request{Method: method, Header: h}, Method: method, Path: path, Body: body})
		if err != nil {
			return
		}
		if r.op == opNone || r.op != opCard && strict(r.params) != nil {
			t.Fatalf("%s %s %q: read as %v %q", method, path, body, r.op, r.params)
		}
		if r.method(era03) == "" || r.op == opCard {
			return
		}
		v, err := decode(r.params)
		if err != nil {
			t.Fatal(err)
		}
		o, _ := v.(object)
		if _, err := encode(oldParams(r.op, o)); err != nil {
			t.Fatalf("%q: %v", r.params, err)
		}
	})
}

// A stream of events and frames of gRPC is read or refused, and never held
// beyond its bound.
func FuzzStream(f *testing.F) {
	f.Add([]byte("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"task\":{\"id\":\"t\",\"status\":{\"state\":\"TASK_STATE_WORKING\"}}}}\n\n: alive\n\ndata: {}\r\n\r\n"))
	f.Add([]byte("data: {\"error\":{\"code\":404}}\n\ndata"))
	f.Add(frame([]byte("\x0a\x03\x0a\x01t")))
	f.Fuzz(func(_ *testing.T, b []byte) {
		p := &Protocol{tasks: &tasks{}}
		for _, wire := range []wire{{jsonRPC, era10}, {httpJSON, era10}, {jsonRPC, era03}} {
			r := &request{wire: wire, op: opStream, id: []byte("1")}
			x := &exchange{p: p, r: r, c: r, to: iface{wire: wire}, ids: []byte("1")}
			s := &eventLines{x: x, body: bytes.NewReader(b)}
			for range len(b) + 2 {
				if _, _, err := s.next(); err != nil {
					break
				}
			}
		}
		r := &request{wire: wire{gRPC, era10}, op: opStream}
		x := &exchange{p: p, r: r, c: r, to: iface{wire: r.wire}}
		g := &frames{x: x, resp: &http.Response{Body: io.NopCloser(bytes.NewReader(b)), Header: http.Header{}, Trailer: http.Header{"Grpc-Status": {"0"}}}}
		for {
			if _, _, err := g.next(); err != nil {
				break
			}
		}
	})
}

// A card is read or refused; one that was read has one canonical form, from
// which it is read again.
func FuzzCard(f *testing.F) {
	f.Add([]byte(`{"name":"a","description":"b","version":"1","supportedInterfaces":[{"url":"https://x","protocolBinding":"JSONRPC","protocolVersion":"1.0"}],"capabilities":{"extensions":[{"uri":"u","params":{"n":1.5e300,"é":[null]}}]},"skills":[{"id":"s"}]}`))
	f.Add([]byte(`{"name":"a","url":"https://x","protocolVersion":"0.3.0","skills":[{"id":"s","security":[]}],"additionalInterfaces":[{"url":"u","transport":"GRPC"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if strict(b) != nil {
			return
		}
		if isOldCard(b) {
			v, _ := decode(b)
			o, ok := v.(object)
			if !ok {
				return
			}
			var err error
			if b, err = encode(newCard(o)); err != nil {
				t.Fatal(err)
			}
		}
		pb, err := readCard(b)
		if err != nil {
			return
		}
		pb.Signatures = nil
		one, err := canonicalCard(pb)
		if err != nil {
			return // a number that has no canonical form
		}
		again, err := readCard(one)
		if err != nil {
			t.Fatalf("%q is not read again: %v", one, err)
		}
		if two, err := canonicalCard(again); err != nil || !bytes.Equal(one, two) {
			t.Fatalf("%q, then %q, %v", one, two, err)
		}
	})
}

// Results of 0.3 become 1.0 and come back as they were, and nothing panics.
func FuzzOldResult(f *testing.F) {
	for _, s := range []string{
		`{"kind":"task","id":"t","contextId":"c","status":{"state":"working","message":{"kind":"message","role":"agent","messageId":"m","parts":[{"kind":"text","text":"x"}]}},"history":[],"artifacts":[{"artifactId":"a","parts":[{"kind":"data","data":{}},{"kind":"file","file":{"uri":"https://x","mimeType":"a/b"}}]}]}`,
		`{"kind":"status-update","taskId":"t","contextId":"c","status":{"state":"completed"},"final":true}`,
		`{"kind":"artifact-update","taskId":"t","contextId":"c","artifact":{"artifactId":"a","parts":[]}}`, `[{"taskId":"t","pushNotificationConfig":{"url":"u"}}]`, `null`, `7`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if strict(b) != nil {
			return
		}
		for o := opSend; o < opCard; o++ {
			v, err := decode(b)
			if err != nil {
				t.Fatal(err)
			}
			v, err = newResult(o, v)
			if err != nil {
				if !errors.Is(err, errAnswer) {
					t.Fatal(err)
				}
				continue
			}
			if v, err = oldResult(o, v); err != nil {
				continue
			}
			if _, err := encode(v); err != nil {
				t.Fatal(err)
			}
		}
	})
}
