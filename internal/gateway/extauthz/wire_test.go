package extauthz

import (
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"reeve/internal/fault"
)

// Whatever Envoy's own types read in a message, ours read the same.
func FuzzReadCheck(f *testing.F) {
	whole, err := proto.Marshal(&authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Source: &authv3.AttributeContext_Peer{Service: "a", Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "10.0.0.7", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 1},
		}}}},
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Method: "POST", Path: "/a?b=c", Host: "h", Scheme: "https", Size: 2, Body: "{}", Headers: map[string]string{":path": "/a", "x-a": "1", "authorization": "Bearer x"},
			HeaderMap: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: "x-b", RawValue: []byte("2")}, {Key: "x-b", Value: "3"}}},
		}},
		ContextExtensions: map[string]string{"reeve-upstream": "shop"},
	}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{nil, whole, whole[:len(whole)/2], []byte("\x0a\x02\x22\x00"), []byte("\x0a\xff\xff"), []byte(strings.Repeat("\x0a\x01", 50))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readCheck(b)
		var m authv3.CheckRequest
		if (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &m) != nil || err != nil {
			return // one of them refuses: then it is denied, or Envoy never sent it
		}
		h := m.GetAttributes().GetRequest().GetHttp()
		want := check{
			method: h.GetMethod(), path: h.GetPath(), host: h.GetHost(), scheme: h.GetScheme(), size: q.size, header: http.Header{}, extensions: map[string]string{},
			source: m.GetAttributes().GetSource().GetAddress().GetSocketAddress().GetAddress(), body: q.body,
		}
		for k, v := range m.GetAttributes().GetContextExtensions() {
			want.extensions[k] = v
		}
		for k := range h.GetHeaders() {
			if !strings.HasPrefix(k, ":") && len(q.header[textproto.CanonicalMIMEHeaderKey(k)]) == 0 {
				t.Errorf("header %q is lost", k)
			}
		}
		got := *q
		got.header = want.header
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(check{})); diff != "" {
			t.Errorf("%x\n%s", b, diff)
		}
		if body := or(string(h.GetRawBody()), h.GetBody()); body != string(q.body) && (h.GetBody() == "" || h.GetRawBody() == nil) {
			t.Errorf("body %q, want %q", q.body, body)
		}
	})
}

// Answers are what Envoy's own types read as allowed and as denied.
func TestAnswers(t *testing.T) {
	t.Parallel()
	read := func(b []byte) *authv3.CheckResponse {
		var m authv3.CheckResponse
		if err := proto.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		if err := m.ValidateAll(); err != nil {
			t.Fatal(err)
		}
		return &m
	}
	ok := read(allowed("dec_1", []string{"Authorization"}))
	if ok.GetStatus().GetCode() != 0 || ok.GetOkResponse().GetHeadersToRemove()[0] != "authorization" ||
		ok.GetOkResponse().GetHeaders()[0].GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
		t.Errorf("%v", ok)
	}
	if ok := read(allowed("", nil)); ok.GetOkResponse().GetHeadersToRemove()[0] != "x-reeve-decision" {
		t.Errorf("an id of the agent's own goes on: %v", ok)
	}
	f := fault.New(fault.KindDenied, "decision.denied", "no")
	for name, w := range map[string]*answer{"bare": nil, "written": {status: 403, header: http.Header{"X-Reeve-Code": {"decision.denied"}, "Content-Length": {"9"}}, body: []byte("{}")}} {
		no := read(denied(f, w))
		if no.GetStatus().GetCode() != 7 || no.GetDeniedResponse().GetStatus().GetCode() != 403 || len(no.GetDeniedResponse().GetHeaders()) != 1 {
			t.Errorf("%s: %v", name, no)
		}
	}
	if no := read(denied(errProxy, nil)); no.GetStatus().GetCode() != 16 || no.GetDeniedResponse().GetStatus().GetCode() != 401 {
		t.Errorf("%v", no)
	}
}
