package run

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"reeve/internal/activity"
)

// doorCall is the door's word about a call: in a run of its own unless alone is
// false.
func doorCall(run, n int, id string, at int64, more ...func(*activity.Fragment)) activity.Fragment {
	f := span1(run, n, -1, activity.KindModel, used(90, 30), func(f *activity.Fragment) {
		f.Source, f.Dialect, f.DecisionID, f.ResponseID, f.Flags = activity.SourceGateway, "door", fmt.Sprintf("dec_%d", n), id, activity.FlagAlone
		f.Start, f.End, f.AgentExplicit = at+1e8, at+9e8, true
	})
	for _, m := range more {
		m(&f)
	}
	return f
}

// sdkCall is an SDK's word about it.
func sdkCall(run, n int, id string, at int64, more ...func(*activity.Fragment)) activity.Fragment {
	f := span1(run, n, -1, activity.KindModel, used(91, 31), func(f *activity.Fragment) { f.ResponseID, f.Start, f.End = id, at, at+1e9 })
	for _, m := range more {
		m(&f)
	}
	return f
}

func rowsOf(h *harness, runs ...int) (calls, input, unknown int64, rows []activity.Run) {
	for _, n := range runs {
		row := h.row(idOf[activity.RunID](n))
		calls += row.ModelCalls
		input += max(row.Usage.InputTotal, 0)
		unknown += row.UnknownUsageCalls
		rows = append(rows, row)
	}
	return calls, input, unknown, rows
}

// A call that door and SDK tell in two runs is one call, with the door's figures,
// in the run of the agent's own trace; both runs say where the other is.
func TestACallToldTwice(t *testing.T) {
	t.Parallel()
	at := start0
	agent := func(name string) func(*activity.Fragment) { return func(f *activity.Fragment) { f.Agent = name } }
	session := func(s string) func(*activity.Fragment) { return func(f *activity.Fragment) { f.Session = s } }
	no := func(f *activity.Fragment) { f.Usage = activity.NoUsage }
	traced := func(run int) func(*activity.Fragment) {
		return func(f *activity.Fragment) { f.Trace, f.Flags = idOf[activity.TraceID](run), 0 }
	}
	for _, test := range []struct {
		name         string
		door, sdk    activity.Fragment
		calls, input int64
		joined       int // which of the runs only repeats; 0: none
		mismatch     bool
	}{
		{"neither run nor trace", doorCall(1, 11, "r1", at), sdkCall(2, 22, "r1", at), 1, 90, 1, true},
		{"an SDK that counts nothing", doorCall(1, 11, "r1", at), sdkCall(2, 22, "r1", at, no), 1, 90, 1, false},
		{"another agent's name", doorCall(1, 11, "r1", at), sdkCall(2, 22, "r1", at, agent("somebody")), 1, 90, 2, true},
		{"one session", doorCall(1, 11, "r1", at, session("s")), sdkCall(2, 22, "r1", at, session("s")), 1, 90, 1, true},
		{"two sessions", doorCall(1, 11, "r1", at, session("s")), sdkCall(2, 22, "r1", at, session("t")), 2, 181, 0, false},
		{"another response", doorCall(1, 11, "r1", at), sdkCall(2, 22, "r2", at), 2, 181, 0, false},
		{"the same id an hour later", doorCall(1, 11, "r1", at), sdkCall(2, 22, "r1", at+3600e9), 2, 181, 0, false},
		{"a clock that is a second off", doorCall(1, 11, "r1", at+1e9), sdkCall(2, 22, "r1", at), 1, 90, 1, true},
		{"one trace, and the SDK names its run", doorCall(1, 11, "r1", at, traced(7)), sdkCall(2, 22, "r1", at, traced(7)), 1, 90, 1, true},
		{"another trace that the door was told", doorCall(1, 11, "r1", at, traced(7)), sdkCall(2, 22, "r1", at, traced(8)), 2, 181, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, turn := range []bool{false, true} {
				for _, crash := range []bool{false, true} {
					h := newHarness(t, newMemory(), nil)
					h.now = time.Unix(0, at+2e9)
					list := []activity.Fragment{test.door, test.sdk}
					if turn {
						slices.Reverse(list)
					}
					h.feed(batchOf(list[0]))
					if crash {
						h.flush()
						h.restart()
					}
					if crash && turn {
						continue // an SDK's call of before a crash is not known again
					}
					h.feed(batchOf(list[1]))
					h.feed(batchOf(list[0])) // sent again
					h.flush()
					for range 2 {
						calls, input, _, rows := rowsOf(h, 1, 2)
						if calls != test.calls || input != test.input {
							t.Fatalf("turned %v, crash %v: %d calls, %d tokens; want %d, %d", turn, crash, calls, input, test.calls, test.input)
						}
						for i, row := range rows {
							if got := row.Flags&activity.FlagJoined != 0; got != (test.joined == i+1) {
								t.Errorf("run %d joined: %v", i+1, got)
							}
							var want []activity.RunLink
							if test.joined > 0 {
								want = []activity.RunLink{{Run: rows[1-i].ID, Kind: activity.LinkSameCall}}
							}
							if !slices.Equal(row.Links, want) {
								t.Errorf("run %d links to %v", i+1, row.Links)
							}
						}
						if got := rows[1].Flags&activity.FlagUsageMismatch != 0; got != test.mismatch {
							t.Errorf("a difference is shown: %v, want %v", got, test.mismatch)
						}
						if test.joined == 1 {
							s := h.store.steps[rows[1].ID][idOf[activity.StepID](22)]
							if s.DecisionID != "dec_11" || s.Usage.InputTotal != 90 || s.Name != "step 22" || !s.Counted {
								t.Errorf("the SDK's step: %+v", s.Fragment)
							}
						}
						tokens := int64(0)
						for _, d := range h.store.rollups {
							if d.Key == "" {
								tokens += d.InputTotal
							}
						}
						if tokens != test.input {
							t.Errorf("rollups have %d tokens, want %d", tokens, test.input)
						}
						h.restart() // what is stored says the same
						if _, err := h.r.find(t.Context(), rows[0].ID); err != nil {
							t.Fatal(err)
						}
						if _, err := h.r.find(t.Context(), rows[1].ID); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		})
	}
}

// Whatever calls are told by door, SDK or both, in whatever order, sent again,
// with writes and crashes of the door's side between: each counts once.
func TestCallsCountOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 31))
		h := newHarness(t, newMemory(), nil)
		h.now = time.Unix(0, start0+60e9)
		var door, sdk []activity.Fragment
		var calls, input int64
		constant := rnd.IntN(2) == 0 // a server that gives all answers one id
		for n := range 3 + rnd.IntN(12) {
			id := fmt.Sprintf("r%d", n)
			if constant {
				id = "chatcmpl-1"
			}
			at := start0 + int64(n)*6e9
			which := rnd.IntN(3) + 1
			calls++
			if which&1 != 0 {
				door = append(door, doorCall(1000+n, 2000+n, id, at))
				input += 90
			} else {
				input += 91
			}
			if which&2 != 0 {
				sdk = append(sdk, sdkCall(3000+n/3, 4000+n, id, at))
			}
		}
		all := append(slices.Clone(door), sdk...)
		rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if seed%3 == 0 { // the door first, then a crash
			all = append(slices.Clone(door), sdk...)
		}
		for i, f := range all {
			h.feed(batchOf(f))
			if rnd.IntN(3) == 0 {
				h.flush()
			}
			if seed%3 == 0 && i == len(door) {
				h.flush()
				h.restart()
			}
			if rnd.IntN(4) == 0 {
				h.feed(batchOf(all[rnd.IntN(i+1)]))
			}
		}
		h.flush()
		var gotCalls, gotInput, tokens int64
		for id := range h.store.rows {
			row, err := h.store.Run(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			gotCalls, gotInput = gotCalls+row.ModelCalls, gotInput+max(row.Usage.InputTotal, 0)
		}
		for _, d := range h.store.rollups {
			if d.Key == "" {
				tokens += d.InputTotal
			}
		}
		if gotCalls != calls || gotInput != input || tokens != input {
			t.Fatalf("seed %d: %d calls, %d tokens, %d in rollups; want %d and %d", seed, gotCalls, gotInput, tokens, calls, input)
		}
	}
}

// A span that links to one of another trace: both runs say so, whichever comes
// first.
func TestSpanLinks(t *testing.T) {
	t.Parallel()
	scope := activity.ScopeOf("support", "prod")
	span := func(trace, n int, links ...activity.Link) activity.Fragment {
		id := idOf[activity.TraceID](trace)
		span := activity.SpanID{byte(n)}
		return span1(trace, n, -1, activity.KindAgent, func(f *activity.Fragment) {
			f.Run, f.Trace, f.Step, f.Span, f.Links, f.Environment = scope.RunOfTrace(id), id, scope.StepOfSpan(id, span), span, links, "prod"
		})
	}
	asked := span(1, 1)
	answers := span(2, 2, activity.Link{TraceID: asked.Trace, SpanID: asked.Span})
	for _, list := range [][]activity.Fragment{{asked, answers}, {answers, asked}} {
		h := newHarness(t, newMemory(), nil)
		for _, f := range list {
			h.feed(batchOf(f))
			h.flush()
		}
		a, b := h.row(asked.Run), h.row(answers.Run)
		if !slices.Equal(b.Links, []activity.RunLink{{Run: a.ID, Kind: activity.LinkSpan}}) || !slices.Equal(a.Links, []activity.RunLink{{Run: b.ID, Kind: activity.LinkBack}}) {
			t.Errorf("%v and %v", a.Links, b.Links)
		}
	}
}

// What is remembered of calls is bounded, also for one id.
func TestKnownCallsAreBounded(t *testing.T) {
	t.Parallel()
	var c calls
	same := [2]uint64{1, 1}
	const all = 3*maxKnownCalls + 1000
	for n := range all {
		id := same
		if n%2 == 0 {
			id = [2]uint64{uint64(n) + 2, 1}
		}
		m := modelCall{id: id, run: idOf[activity.RunID](n), step: idOf[activity.StepID](n)}
		if k := c.learn(m); k.run != m.run || c.learn(m) != k {
			t.Fatalf("call %d is not found again", n)
		}
	}
	n := 0
	for id := range c.by {
		for _, k := range c.of(id) {
			n++
			if k.id != id || !k.known {
				t.Fatalf("%v stands under %v", k.id, id)
			}
		}
	}
	if n > maxKnownCalls || len(c.of(same)) != maxSameID || len(c.ring)*callPiece != maxKnownCalls {
		t.Errorf("%d calls, %d of one id, room for %d", n, len(c.of(same)), len(c.ring)*callPiece)
	}
	// The newest are known, in their order.
	for k, m := range c.of(same) {
		if want := idOf[activity.RunID](all - 1 - 2*k); m.run != want {
			t.Fatalf("call %d of the same id is of %v, want %v", k, m.run, want)
		}
	}
	for n := all - maxKnownCalls + 1; n < all; n++ {
		if id := [2]uint64{uint64(n) + 2, 1}; n%2 == 0 && len(c.of(id)) != 1 {
			t.Fatalf("call %d is forgotten", n)
		}
	}
}
