package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// words that are awkward somewhere: in JSON, as a class's parent, as an empty id.
var oddWords = []string{"a", "b", "pii", "pii.email", "pii.email.work", "support", "orders", "\"q\"\\", "é\u2028", "line\nbreak", "eu-west"}

// randomRequest is a request with anything in it.
func randomRequest(rnd *rand.Rand) *Request {
	pick := func(l ...string) string { return l[rnd.IntN(len(l))] }
	some := func(l ...string) []string {
		var out []string
		for _, s := range l {
			if rnd.IntN(3) == 0 {
				out = append(out, s)
			}
		}
		return out
	}
	yes := func() bool { return rnd.IntN(2) == 0 }
	count := func() *int64 {
		if yes() {
			return nil
		}
		n := rnd.Int64N(100)
		return &n
	}
	maybe := func() *bool {
		if yes() {
			return nil
		}
		is := yes()
		return &is
	}
	money := func() *int64 {
		if yes() {
			return nil
		}
		n := []int64{0, 1, 10, 5_000, 10_000, 12_340, 1_234_567, 922_337_203_685_477_5807}[rnd.IntN(8)]
		return &n
	}
	r := request()
	r.Action = pick("call_tool", "call_model", "call_api", "send_task", "read_source")
	typ := map[string]string{"call_tool": "Tool", "call_model": "Model", "call_api": "Api", "send_task": "Peer", "read_source": "Source"}[r.Action]
	r.Agent = Agent{
		Name: pick("refunds", "b", "c"), Team: pick("", "support", "sales"), Owner: pick("ann", "bob"), Kind: pick("internal", "third_party"),
		Lifecycle: pick("draft", "pilot", "production"), Autonomy: pick("read_only", "supervised", "bounded", "autonomous"), Environment: pick("production", "test"),
		Mode: pick("interactive", "autonomous"), Containment: pick("none", "throttled", "supervised", "read_only"), Enforcement: pick("enforce", "observe"),
		Classes: some("orders", "pii.email", "pii"),
	}
	if yes() {
		r.Agent.Labels = map[string]string{"tier": pick("1", "2"), pick(oddWords...): "x"}
	}
	r.Resource = Resource{
		Type: typ, ID: pick("orders.get", "orders.refund", "x"), Upstream: pick("", "orders", "other"), UpstreamTeam: pick("", "it", "support"), UpstreamShared: yes(),
		UpstreamKind: pick("", "mcp", "http"), External: yes(), Effect: pick("think", "read", "write", "destructive"), Classes: some("orders", "pii.email"),
	}
	if yes() { // one in four
		r.Resource.OutOfUse = yes()
	}
	switch typ {
	case "Tool":
		r.Resource.Pinned = yes()
	case "Peer":
		r.Resource.Pinned, r.Resource.Agent = yes(), pick("", "billing", "b")
	case "Source":
		r.Resource.Trusted, r.Resource.Fresh = yes(), maybe()
	case "Model":
		r.Resource.Provider, r.Resource.Name, r.Resource.Region, r.Resource.Deprecated = pick("openai", "anthropic"), pick("gpt", "claude"), pick("", "eu-west", "us"), yes()
	case "Api":
		r.Resource.Method, r.Resource.Route = pick("GET", "POST"), pick("/v1/users/{id}", "/v1/orders")
	}
	if r.Resource.Upstream == "" {
		r.Resource.UpstreamTeam, r.Resource.UpstreamKind = "", ""
	}
	c := Call{
		Credential: pick("x509_svid", "agent_key", "dev"), Bound: yes(), Instance: pick("", "i1"), Version: pick("", "v1"), VersionApproved: yes(),
		User: pick("", "ann", "bob"), Chain: some("b", "refunds", "d"), Depth: rnd.IntN(5), Classes: some("secret", "pii.email", "orders"), Findings: some("loop", oddWords[7]),
		Now:    time.UnixMilli(1_790_000_000_000 + rnd.Int64N(1_000_000_000)).UTC(),
		Args:   Args{Readable: yes(), Bytes: rnd.Int64N(1000), Names: some("amount", "to", oddWords[8])},
		Budget: Budget{Tokens: count(), Calls: count(), Money: money()},
		Taint:  Taint{Classes: some("secret", "pii.email"), Sources: some("crm", "mail"), Upstreams: some("orders", "other"), Untrusted: yes()},
		Destinations: Destinations{
			All: some("a.example", "b.example"), Domains: some("example"), FirstSeen: some("a.example"), Injected: some("b.example"), External: yes(),
		},
	}
	if !c.Args.Readable {
		c.Args.Bytes = 0 // a body that nobody could read denies, which plain Cedar knows nothing of
	}
	if c.User != "" {
		c.UserTeams, c.UserGroups, c.UserDirectory, c.UserActive = some("support", "sales"), some("staff"), pick("", "reeve", "https://idp.example"), maybe()
	}
	if yes() {
		c.Address = []netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("fe80::1"), netip.MustParseAddr("127.0.0.1")}[rnd.IntN(3)]
	}
	if typ == "Model" && yes() {
		c.Model = &ModelCall{Endpoint: pick("chat", "embeddings"), MaxOutput: rnd.Int64N(2) * 100, Tools: some("find"), HostedTools: some("web_search")}
	}
	r.Call = c
	return r
}

// withArgs adds values of arguments.
func withArgs(rnd *rand.Rand, r *Request) {
	a := &r.Call.Args
	a.Text, a.Int, a.Number, a.Flag = map[string][]string{}, map[string]int64{}, map[string]string{}, map[string]bool{}
	for _, p := range []string{"/amount", "/to", "/n"} {
		switch rnd.IntN(6) {
		case 0:
			a.Text[p] = []string{"EUR", "a.example"}[:1+rnd.IntN(2)]
		case 1:
			a.Int[p] = []int64{0, 5, -3, 1 << 62}[rnd.IntN(4)]
		case 2:
			a.Number[p] = []string{"1.5", "200.0", "-0.25", "nonsense"}[rnd.IntN(4)]
		case 3:
			a.Flag[p] = rnd.IntN(2) == 0
		}
	}
}

// The record is the request as cedar-go writes it, and reads back as the
// request it was.
func TestContextJSON(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	var sets func(v any) any
	sets = func(v any) any { // Cedar's sets have no order
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = sets(v[k])
			}
		case []any:
			out := map[string]bool{}
			for _, e := range v {
				out[fmt.Sprint(sets(e))] = true
			}
			return out
		}
		return v
	}
	plain := func(text []byte) any {
		t.Helper()
		var v map[string]any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		delete(v, "door")
		return sets(v)
	}
	for range 3000 {
		r := randomRequest(rnd)
		text := r.contextJSON()
		if r.Resource.Upstream != "" {
			if d := cmp.Diff(plain(r.marshalled()), plain(text)); d != "" {
				t.Fatal(d)
			}
		}
		back, ok := ParseContext(text)
		if !ok {
			t.Fatalf("not read back: %s", text)
		}
		want := *r
		want.Call.Classes, want.Call.Taint.Classes = closed(r.Call.Classes), closed(r.Call.Taint.Classes)
		if d := cmp.Diff(&want, back, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
			t.Fatalf("%s\n%s", d, text)
		}
	}
	if _, ok := ParseContext([]byte(`{"principal":{}}`)); ok {
		t.Error("read what it did not write")
	}
	withArgs(rnd, request())
	r := request()
	r.Call.Args.Text = map[string][]string{"/card": {"4111 1111"}}
	back, _ := ParseContext(r.contextJSON())
	if back == nil || !back.Call.Args.Dropped {
		t.Error("dropped values are not said")
	}
}

// The record of a decision holds no content.
func TestContextHoldsNoContent(t *testing.T) {
	t.Parallel()
	r := request()
	r.Call.Args = Args{
		Readable: true, Names: []string{"card"}, Text: map[string][]string{"/card": {"needle-text"}}, Int: map[string]int64{"/n": 424242},
		Number: map[string]string{"/m": "31337.5"}, Unfit: []string{"/needle"},
	}
	for _, needle := range []string{"needle", "424242", "31337"} {
		if text := string(r.contextJSON()); len(text) == 0 || strings.Contains(text, needle) {
			t.Errorf("%s is in the record", needle)
		}
	}
}

func FuzzParseContext(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		f.Add(randomRequest(rnd).contextJSON())
	}
	f.Add([]byte(`{"principal":{"__entity":{"type":"Agent"}},"door":{},"context":{"now":{"__extn":{"arg":"2026-01-01T00:00:00.000Z"}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, ok := ParseContext(text)
		if !ok {
			return
		}
		again, ok := ParseContext(r.contextJSON())
		if !ok {
			t.Fatalf("not read back: %s", r.contextJSON())
		}
		if d := cmp.Diff(string(r.contextJSON()), string(again.contextJSON())); d != "" && len(r.Agent.Labels) < 2 {
			t.Fatal(d)
		}
	})
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"1.5", "-0.5", "922337203685477.5807", "-922337203685477.5808", "922337203685477.5808", "1.", ".1", "+1.2", "1.23456", "1.-1", "1_0.1", "-922337203685477.5809"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := parseDecimal(s)
		d, err := types.ParseDecimal(s)
		if ok != (err == nil) {
			t.Fatalf("%q: %v, %v", s, ok, err)
		}
		if ok {
			if want, err := types.NewDecimal(n, -4); err != nil || want != d {
				t.Fatalf("%q: %d, want %v", s, n, d)
			}
		}
	})
}

func BenchmarkContextJSON(b *testing.B) {
	r := request()
	r.Call.Model = &ModelCall{Endpoint: "chat", MaxOutput: 1000}
	b.ReportAllocs()
	for b.Loop() {
		r.contextJSON()
	}
}
