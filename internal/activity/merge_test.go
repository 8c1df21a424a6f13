package activity

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomLayer says something about one step: few values, so that speakers
// often agree and often contradict each other.
func randomLayer(rng *rand.Rand) Layer {
	text := func() string { return []string{"", "", "a", "b", "c"}[rng.IntN(5)] }
	num := func() int64 { return []int64{Unknown, Unknown, 0, 1, 2}[rng.IntN(5)] }
	yes := func() bool { return rng.IntN(3) == 0 }
	raw := func() []byte {
		var out []byte
		for range rng.IntN(3) {
			out = append(out, 0x0a, 1, byte('a'+rng.IntN(3)))
		}
		return out
	}
	f := Fragment{
		Run: RunID{1}, Step: StepID{1}, Parent: StepID{byte(rng.IntN(3))}, Trace: TraceID{byte(rng.IntN(2))}, Span: SpanID{byte(rng.IntN(2))},
		Source: Source(rng.IntN(4)), Kind: Kind(rng.IntN(4)), Status: Status(rng.IntN(3)), Flags: Flag(rng.IntN(8)),
		Start: num(), End: num(), TTFT: num(), AgentExplicit: yes(), Waiting: yes(), WholeFragment: yes(), OnlyContent: yes(),
		Agent: text(), Scope: text(), ScopeVersion: text(), MapVersion: int32(rng.IntN(3)),
		Usage:        Usage{num(), num(), num(), num(), num()},
		ReportedCost: Cost{Nanos: int64(rng.IntN(3)), Currency: text(), Basis: []CostBasis{CostUnknown, CostProvider}[rng.IntN(2)]},
		Attributes:   raw(), Resource: raw(), Events: raw(), ScopeAttribute: raw(),
	}
	for _, p := range f.texts() {
		*p = text()
	}
	l := Layer{Fragment: f}
	for range rng.IntN(3) {
		l.Tags = append(l.Tags, text())
		l.Labels = append(l.Labels, Label{text(), text()})
		l.Links = append(l.Links, Link{SpanID: SpanID{byte(rng.IntN(3))}})
		l.Contents = append(l.Contents, Content{Field: ContentField(rng.IntN(3)), From: text(), Order: int32(rng.IntN(2)), Raw: raw()})
		l.Refs = append(l.Refs, ContentRef{Field: ContentField(rng.IntN(3)), Messages: strconv.Itoa(rng.IntN(12))})
	}
	return l
}

// same compares what layers mean: sets without regard to the order that a
// single speaker gave them, and empty as absent.
func same(a, b Layers) string {
	norm := func(ls Layers) Layers {
		out := slices.Clone(ls)
		for i := range out {
			l := &out[i]
			l.Tags = sorted(l.Tags, func(a, b string) int {
				if a < b {
					return -1
				} else if a > b {
					return 1
				}
				return 0
			})
			l.Labels, l.Links = sorted(l.Labels, compareLabel), sorted(l.Links, compareLink)
			l.Contents, l.Refs = sorted(l.Contents, compareContent), sorted(l.Refs, compareRef)
			for _, p := range l.raws() {
				*p = joinEntries(*p, append(slices.Clone(*p), *p...))
				if len(*p) == 0 {
					*p = nil
				}
			}
			for j := range l.Contents {
				if len(l.Contents[j].Raw) == 0 {
					l.Contents[j].Raw = nil
				}
			}
		}
		return out
	}
	x, y := norm(a), norm(b)
	if reflect.DeepEqual(x, y) { // a tenth of what a difference takes
		return ""
	}
	return cmp.Diff(x, y)
}

func sorted[T any](s []T, compare func(T, T) int) []T {
	out := slices.Clone(s)
	slices.SortFunc(out, compare)
	out = slices.CompactFunc(out, func(a, b T) bool { return compare(a, b) == 0 })
	if len(out) == 0 {
		return nil
	}
	return out
}

func fold(ls ...Layer) Layers {
	var out Layers
	for i := range ls {
		out = out.Add(&ls[i])
	}
	return out
}

func TestMergeIsALattice(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1200 {
		var parts [3]Layers
		for i := range parts {
			for range 1 + rng.IntN(3) {
				l := randomLayer(rng)
				parts[i] = parts[i].Add(&l)
			}
		}
		a, b, c := parts[0], parts[1], parts[2]
		if diff := same(Merge(a, b), Merge(b, a)); diff != "" {
			t.Fatalf("not commutative:\n%s", diff)
		}
		if diff := same(Merge(a, Merge(b, c)), Merge(Merge(a, b), c)); diff != "" {
			t.Fatalf("not associative:\n%s", diff)
		}
		if diff := same(Merge(a, a), a); diff != "" {
			t.Fatalf("not idempotent:\n%s", diff)
		}
	}
}

func TestMergeAnyOrderSameView(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 800 {
		var said []Layer
		for range 2 + rng.IntN(4) {
			said = append(said, randomLayer(rng))
		}
		var want Step
		fold(said...).Resolve(&want)
		said = append(said, said[rng.IntN(len(said))])
		rng.Shuffle(len(said), func(i, j int) { said[i], said[j] = said[j], said[i] })
		var got Step
		fold(said...).Resolve(&got)
		if diff := same(Layers{{Fragment: want.Fragment, Refs: want.Refs}}, Layers{{Fragment: got.Fragment, Refs: got.Refs}}); diff != "" {
			t.Fatalf("view depends on order:\n%s", diff)
		}
	}
}

func TestResolvePrefersTheStronger(t *testing.T) {
	t.Parallel()
	span := Layer{Fragment: Fragment{
		Source: SourceSDK, WholeFragment: true, Status: StatusOK, Start: 5, End: 9, Name: "chat", Model: "m", Agent: "svc",
		Usage: Usage{10, 4, Unknown, 2, Unknown}, TTFT: Unknown,
	}}
	pending := Layer{Fragment: Fragment{
		Source: SourceSDK, Start: 5, End: Unknown, Name: "chat pending", Session: "s", Usage: NoUsage, TTFT: Unknown,
	}}
	gate := Layer{Fragment: Fragment{
		Source: SourceGateway, WholeFragment: true, Status: StatusOK, Start: 6, End: 8, Model: "m-2", TTFT: 1,
		Usage: Usage{11, Unknown, Unknown, 2, Unknown},
	}}
	explicit := Layer{Fragment: Fragment{
		Source: SourceInferred, Agent: "refund-agent", AgentExplicit: true, End: Unknown, TTFT: Unknown, Usage: NoUsage,
	}}
	var s Step
	fold(pending, gate, span, explicit).Resolve(&s)
	if s.Model != "m-2" || s.Name != "chat" || s.Session != "s" || s.Agent != "refund-agent" || s.Start != 6 || s.End != 8 {
		t.Errorf("view %+v", s.Fragment)
	}
	if want := gate.Usage; s.Usage != want {
		t.Errorf("usage %+v, want the gateway's whole: %+v", s.Usage, want)
	}
}

func TestLayersRoundTrip(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		var ls Layers
		for range 1 + rng.IntN(4) {
			l := randomLayer(rng)
			l.Contents = nil // in a store a step has refs
			ls = ls.Add(&l)
		}
		var view Step
		ls.Resolve(&view)
		got, err := DecodeLayers(AppendLayers(nil, ls, &view), &view)
		if err != nil {
			t.Fatal(err)
		}
		if diff := same(ls, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
}

func FuzzDecodeLayers(f *testing.F) {
	rng := rand.New(rand.NewPCG(7, 8))
	var view Step
	for range 8 {
		l := randomLayer(rng)
		f.Add(AppendLayers(nil, Layers{l}, &view))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		ls, err := DecodeLayers(src, &view)
		if err != nil {
			return
		}
		var s Step
		ls.Resolve(&s)
	})
}
