package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writer makes random statements that mostly pass the validator.
type writer struct {
	rnd    *rand.Rand
	action string
}

func (w *writer) pick(l ...string) string { return l[w.rnd.IntN(len(l))] }

func (w *writer) resource() string {
	return map[string]string{"call_tool": "Tool", "call_model": "Model", "call_api": "Api", "send_task": "Peer", "read_source": "Source"}[w.action]
}

func (w *writer) bool(depth int) string {
	if depth <= 0 {
		return w.leaf()
	}
	switch w.rnd.IntN(14) {
	case 0, 1:
		return "(" + w.bool(depth-1) + " && " + w.bool(depth-1) + ")"
	case 2, 3:
		return "(" + w.bool(depth-1) + " || " + w.bool(depth-1) + ")"
	case 4:
		return "!(" + w.bool(depth-1) + ")"
	case 5:
		return "(if " + w.bool(depth-1) + " then " + w.bool(depth-1) + " else " + w.bool(depth-1) + ")"
	case 6:
		return "(" + w.bool(depth-1) + w.pick(" == ", " != ") + w.bool(depth-1) + ")"
	case 7:
		return "(" + w.long(depth-1) + w.pick(" < ", " <= ", " > ", " >= ", " == ", " != ") + w.long(depth-1) + ")"
	}
	return w.leaf()
}

func (w *writer) long(depth int) string {
	if depth > 0 {
		switch w.rnd.IntN(5) {
		case 0, 1:
			return "(" + w.long(depth-1) + w.pick(" + ", " - ", " * ") + w.long(depth-1) + ")"
		case 2:
			return "(-" + w.long(0) + ")"
		case 3:
			return "(if " + w.leaf() + " then " + w.long(0) + " else " + w.long(0) + ")"
		}
	}
	return w.pick("context.depth", "context.hour", "context.weekday", "context.args.bytes", "0", "3", "-7", "4611686018427387904", "9223372036854775807")
}

func (w *writer) strings() string {
	return w.pick("context.findings", "context.args.names", "context.destinations.all", "context.destinations.domains", "context.destinations.first_seen",
		"context.destinations.injected", `["loop", "a.example"]`, `["to"]`)
}

func (w *writer) classes() string {
	return w.pick("context.classes", "context.taint.classes", "principal.classes", "resource.classes", `[DataClass::"pii", DataClass::"orders"]`, `[DataClass::"pii.email"]`)
}

func (w *writer) set() string {
	return w.pick(w.strings(), w.classes(), "context.chain", "context.taint.sources", "context.taint.upstreams")
}

func (w *writer) text() string {
	return w.pick(`"a.example"`, `"loop"`, `"production"`, "principal.environment", "principal.mode", "principal.kind")
}

func (w *writer) key() string { return w.pick(`"/amount"`, `"/to"`, `"/n"`) }

// leaf is a condition without others in it.
func (w *writer) leaf() string {
	guarded := func(guard, body string) string { return "(" + guard + " && " + body + ")" }
	k := w.key()
	all := []func() string{
		func() string {
			return w.pick("true", "false", "context.bound", "context.version_approved", "context.taint.untrusted", "context.destinations.external", "context.args.readable")
		},
		func() string {
			return w.pick("principal.autonomy", "context.autonomy") + w.pick(" == ", " != ") + w.pick("context.autonomy", `Autonomy::"bounded"`, `Autonomy::"autonomous"`)
		},
		func() string { return `context.containment == Containment::"` + w.pick("none", "throttled") + `"` },
		func() string { return `context.credential in [Credential::"dev", Credential::"agent_key"]` },
		func() string { return w.text() + w.pick(" == ", " != ") + w.text() },
		func() string { return w.text() + ` like "` + w.pick("*", "prod*", "*o*", "a.\\*", "interactive") + `"` },
		func() string { return w.set() + ".isEmpty()" },
		func() string { s := w.strings(); return s + ".contains(" + w.text() + ")" },
		func() string {
			return w.classes() + `.contains(DataClass::"` + w.pick("pii", "pii.email", "secret", "orders") + `")`
		},
		func() string { return w.classes() + w.pick(".containsAll(", ".containsAny(") + w.classes() + ")" },
		func() string { return w.strings() + w.pick(".containsAll(", ".containsAny(") + w.strings() + ")" },
		func() string { return w.classes() + " == " + w.classes() },
		func() string { return w.strings() + " != " + w.strings() },
		func() string { return `principal in Team::"` + w.pick("support", "sales") + `"` },
		func() string { return `principal == Agent::"` + w.pick("refunds", "b") + `"` },
		func() string { return `principal is Agent in Team::"support"` },
		func() string {
			return `resource in ` + w.pick(`Upstream::"orders"`, `Team::"it"`, "context.taint.upstreams", `[Upstream::"orders", Upstream::"other"]`)
		},
		func() string { return "principal in context.chain" },
		func() string { return `context.chain.contains(Agent::"b")` },
		func() string { return `principal.owner == User::"ann"` },
		func() string { return `[1, 2, 3].contains(` + w.long(1) + ")" },
		func() string { return `[1, 2].containsAll([context.depth])` },
		func() string { return `context.now < datetime("2026-09-30T00:00:00Z")` },
		func() string { return `context.now.toTime() < duration("12h")` },
		func() string { return "context.args == context.args" },
		func() string {
			return "context has " + w.pick("user", "origin", "address", "instance", "version", "model", "taint")
		},
		func() string {
			return guarded("context has user", "context.user in "+w.pick(`Team::"support"`, `Group::"staff"`))
		},
		func() string { return guarded("context has user", `[User::"ann"].contains(context.user)`) },
		func() string { return guarded("context has user", "context.user.active") },
		func() string {
			return guarded("context has origin", w.pick(`context.origin in Team::"support"`, `context.origin.kind == "internal"`, "context.origin == principal"))
		},
		func() string {
			return guarded("context has address", "context.address."+w.pick("isIpv4()", "isIpv6()", "isLoopback()", "isMulticast()", `isInRange(ip("10.0.0.0/8"))`))
		},
		func() string { return guarded("context has address", `context.address == ip("127.0.0.1")`) },
		func() string { return guarded("context has version", `context.version == "v1"`) },
		func() string { return guarded("context.budget has tokens", "context.budget.tokens > 10") },
		func() string {
			return guarded("context.budget has money", `context.budget.money.greaterThan(decimal("1.0"))`)
		},
		func() string { return guarded("context has model", "context.model.hosted_tools.isEmpty()") },
		func() string {
			return guarded("context has model && context.model has max_output", "context.model.max_output <= 100")
		},
		func() string { return guarded(`principal.hasTag("tier")`, `principal.getTag("tier") == "1"`) },
		func() string {
			return guarded("context.args.text.hasTag("+k+")", "context.args.text.getTag("+k+`).contains("EUR")`)
		},
		func() string {
			return guarded("context.args.text.hasTag("+k+")", `["EUR", "USD"].containsAll(context.args.text.getTag(`+k+"))")
		},
		func() string {
			return guarded("context.args.int.hasTag("+k+")", "context.args.int.getTag("+k+") * 2 < 100")
		},
		func() string { return guarded("context.args.flag.hasTag("+k+")", "context.args.flag.getTag("+k+")") },
		func() string {
			return guarded("context.args.number.hasTag("+k+")", "context.args.number.getTag("+k+")."+w.pick("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")+`(decimal("1.5"))`)
		},
	}
	switch w.resource() {
	case "Tool":
		all = append(all, func() string { return "resource.pinned" }, func() string { return `resource.effect == Effect::"` + w.pick("read", "write", "destructive") + `"` })
	case "Model":
		all = append(all,
			func() string { return "resource.deprecated" }, func() string { return `resource.provider == "openai"` },
			func() string { return guarded("resource has region", `resource.region like "eu-*"`) })
	case "Api":
		all = append(all, func() string { return `resource.method == "GET"` }, func() string { return `resource.route like "/v1/*"` }, func() string { return `resource.effect != Effect::"read"` })
	case "Peer":
		all = append(all, func() string { return "resource.external == resource.pinned" }, func() string { return "resource has agent" },
			func() string {
				return guarded("resource has agent", `resource.agent `+w.pick("==", "!=")+` Agent::"billing"`)
			})
	case "Source":
		all = append(all, func() string { return "resource.trusted" }, func() string { return guarded("resource has fresh", "resource.fresh") }, func() string { return "resource.in_use" })
	}
	return "(" + all[w.rnd.IntN(len(all))]() + ")"
}

// statement is a random statement about one action.
func (w *writer) statement(id string, annotated bool) string {
	w.action = w.pick("call_tool", "call_tool", "call_model", "call_api", "send_task", "read_source")
	typ := w.resource()
	note := ""
	if annotated {
		note = w.pick("", "", `@hold("ops")`, `@hold("ops:2")`, `@limit("1/s by agent")`, `@redact("pii")`)
	}
	s := fmt.Sprintf("@id(%q) %s %s (%s, %s, %s)", id, note, w.pick("permit", "permit", "permit", "forbid"),
		w.pick("principal", "principal", "principal is Agent", `principal == Agent::"refunds"`, `principal == Agent::"b"`, `principal in Team::"support"`, `principal is Agent in Team::"sales"`),
		w.pick(`action == Action::"`+w.action+`"`, `action in [Action::"`+w.action+`"]`),
		w.pick("resource", "resource", "resource is "+typ, "resource == "+typ+`::"orders.get"`, "resource == "+typ+`::"x"`, `resource in Upstream::"orders"`, `resource in Team::"it"`, "resource is "+typ+` in Upstream::"other"`))
	for range w.rnd.IntN(3) {
		s += " " + w.pick("when", "unless") + " { " + w.bool(3) + " }"
	}
	return s + ";"
}

// randomSet makes about n valid statements.
func randomSet(t testing.TB, c *Compiler, rnd *rand.Rand, n int, annotated bool) []Statement {
	t.Helper()
	w := &writer{rnd: rnd}
	var out []Statement
	for i := range n {
		text := w.statement(fmt.Sprint("s", i), annotated)
		st, err := c.Compile(Document{Name: fmt.Sprint("p", i), Observe: annotated && rnd.IntN(4) == 0, Cedar: text})
		if err != nil {
			continue // such as an arithmetic on literals that overflows
		}
		out = append(out, st...)
	}
	return out
}

// What the evaluator says of a statement is what cedar-go says, for random
// statements and requests: which match, which err. The slice decides as the
// whole set does, and reading fields as they are needed as the whole context.
func TestEvaluatorIsCedar(t *testing.T) {
	t.Parallel()
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(7, 8))
	statements, quick, matched, erred := 0, 0, 0, 0
	for range 200 {
		set := randomSet(t, c, rnd, 20, true)
		var e, slow Engine
		e.Replace(1, set)
		for i := range set {
			statements++
			if set[i].when != nil {
				quick++
			}
			set[i].when = nil
		}
		slow.Replace(1, set)
		s := e.set.Load()
		for range 25 {
			r := randomRequest(rnd)
			withArgs(rnd, r)
			f := frame{r: r, action: r.Action, effect: r.Resource.effect()}
			of := applicable(s, r)
			got := map[string]bool{}
			for _, o := range s.evaluate(&scratch{}, of, &f) {
				got[string(o.st.key)] = o.err
				matched++
				if o.err {
					erred++
				}
			}
			want := map[string]bool{}
			for _, o := range s.evaluateSlow(of, r, r.cedarRequest()) {
				want[string(o.st.key)] = o.err
			}
			if d := cmp.Diff(want, got); d != "" {
				var texts strings.Builder
				for _, st := range of {
					if want[string(st.key)] != got[string(st.key)] || len(want) != len(got) {
						texts.Write(st.cedar.MarshalCedar())
					}
				}
				t.Fatalf("%s\n%+v\n%s", texts.String(), r, d)
			}
			sliced, whole, full := e.Decide(r), e.decide(s, &scratch{}, r, of), slow.Decide(r)
			sliced.Context, whole.Context, full.Context = nil, nil, nil
			if d := cmp.Diff(whole, sliced); d != "" {
				t.Fatalf("slice: %s", d)
			}
			if d := cmp.Diff(full, sliced); d != "" {
				t.Fatalf("full context: %s", d)
			}
		}
	}
	t.Logf("%d statements, %d of them by the evaluator; %d outcomes, %d errors", statements, quick, matched, erred)
	if statements < 3800 || quick < statements*8/10 || matched < 2000 || erred < 50 {
		t.Error("too little was compared")
	}
}

// plain is plain Cedar's answer: allow or deny, what decided, what erred.
func plain(s *snapshot, r *Request) (allow bool, reasons, errs []string) {
	f := frame{r: r, action: r.Action, effect: r.Resource.effect()}
	var permits, forbids []string
	for _, o := range s.evaluate(&scratch{}, applicable(s, r), &f) {
		switch {
		case o.err:
			errs = append(errs, o.st.ID)
		case o.st.forbid:
			forbids = append(forbids, o.st.ID)
		default:
			permits = append(permits, o.st.ID)
		}
	}
	reasons = permits
	if len(forbids) > 0 {
		reasons = forbids
	}
	slices.Sort(reasons)
	slices.Sort(errs)
	return len(permits) > 0 && len(forbids) == 0, reasons, errs
}
