package app

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/api"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/genai"
	"reeve/internal/telemetry"
)

// exchange is what a replay of one of a run's model steps does again: the calls from
// that step on to the answer, each given all that the one before was given. Only they
// compare with the replay: a run may hold other conversations, of a router, of
// sub-agents or of another chat, which the replay leaves alone.
type exchange struct {
	calls  []*activity.Step
	answer string
	beside int // model calls of the run that are not among them
}

// exchangeAt reads the exchange of a run that begins with the step first.
func (x replayer) exchangeAt(ctx context.Context, run activity.RunID, page *telemetry.StepsPage, first activity.StepID) (exchange, error) {
	if page.More {
		return exchange{}, notOne("it has more than %d steps: which of its model calls a replay does again is not looked for", textSteps)
	}
	var want []int32
	seen := map[int32]bool{}
	for i := range page.Steps {
		s := &page.Steps[i]
		if s.Kind != activity.KindModel {
			continue
		}
		for k, ref := range s.Refs {
			if ref.Field == activity.ContentTools || !activity.Said(s.Refs, k) {
				continue
			}
			for _, n := range ordinalsOf(ref.Messages) {
				if !seen[n] {
					seen[n] = true
					want = append(want, n)
				}
			}
		}
	}
	all, err := x.app.store.MessagesWithin(ctx, run, want, messageBytes)
	if err != nil {
		return exchange{}, err
	}
	at := make(map[int32]*activity.Message, len(all))
	for i := range all {
		at[all[i].Ordinal] = &all[i]
	}
	return exchangeOf(page.Steps, first, at)
}

// notOne says why a run cannot be compared with a replay of it.
func notOne(why string, args ...any) error {
	return fault.New(fault.KindConflict, "experiment.not_one_conversation", why, args...).WithHint("`reeve replay RUN --step STEP` puts one step of it to a model")
}

func unrecorded(what string) error {
	return fault.New(fault.KindConflict, "experiment.not_recorded", "%s was not recorded", what)
}

// exchangeOf finds the exchange among a run's steps. Where what was said leaves open
// which calls are of it, it says so: a guess would be a wrong figure.
func exchangeOf(steps []activity.Step, first activity.StepID, at map[int32]*activity.Message) (e exchange, err error) {
	by := make(map[activity.StepID]*activity.Step, len(steps))
	var calls []*activity.Step
	for i := range steps {
		s := &steps[i]
		by[s.Step] = s
		// A call that came to nothing is not done again.
		if s.Kind == activity.KindModel && s.Counted && (s.Status != activity.StatusError || contentOf(s, by, activity.ContentOutput) != nil) {
			calls = append(calls, s)
		}
	}
	slices.SortFunc(calls, func(a, b *activity.Step) int { return telemetry.ByStart(*a, *b) })
	keys := keysOf(at)
	asked := make([][]string, len(calls))
	for i, s := range calls {
		asked[i] = promptOf(contentOf(s, by, activity.ContentInput), keys)
	}
	begin := promptOf(contentOf(by[first], by, activity.ContentInput), keys)
	// A framework's step around a provider's call may tell the same in other words.
	if i := slices.IndexFunc(calls, func(s *activity.Step) bool { return within(s, first, by) }); i >= 0 {
		begin = asked[i]
	}
	if begin == nil {
		return e, unrecorded("what this step was given")
	}
	for {
		i := slices.IndexFunc(asked, func(p []string) bool { return slices.Equal(p, begin) })
		if i < 0 {
			return e, notOne("its first model call is not one that counts, or came to nothing")
		}
		if slices.ContainsFunc(asked[i+1:], func(p []string) bool { return slices.Equal(p, begin) }) {
			return e, notOne("several of its model calls were given the same: which of them a replay does again cannot be told")
		}
		e.calls = append(e.calls, calls[i])
		answer, tools, ok := outputOf(contentOf(calls[i], by, activity.ContentOutput), at)
		switch {
		case !ok:
			return e, unrecorded("what a model answered in it")
		case !tools:
			e.answer, e.beside = answer, len(calls)-len(e.calls)
			return e, nil
		}
		if begin, err = nextOf(asked[i+1:], begin); err != nil {
			return e, err
		}
	}
}

// nextOf is what the next call of a conversation was given: all of before, and more.
func nextOf(later [][]string, before []string) (next []string, err error) {
	for _, p := range later {
		goesOn := len(p) > len(before) && slices.Equal(p[:len(before)], before)
		switch {
		case p == nil && next == nil:
			return nil, unrecorded("what one of its model calls was given")
		case goesOn && next == nil:
			next = p
		case goesOn && (len(p) < len(next) || !slices.Equal(p[:len(next)], next)):
			return nil, notOne("its first conversation goes on in several ways")
		}
	}
	if next == nil {
		return nil, notOne("its first conversation ends with a call of a tool, or goes on with another history")
	}
	return next, nil
}

// within tells whether a step is the one named, or below it.
func within(s *activity.Step, named activity.StepID, by map[activity.StepID]*activity.Step) bool {
	for range 8 {
		if s == nil || s.Step == named {
			return s != nil
		}
		s = by[s.Parent]
	}
	return false
}

// contentOf is the step that has the content of a call: the call itself, or the model step
// around it, where one sender told what was said and another what it cost. nil: none.
func contentOf(s *activity.Step, by map[activity.StepID]*activity.Step, field activity.ContentField) *activity.Step {
	for range 8 {
		if s == nil || s.Kind != activity.KindModel {
			return nil
		}
		for k, ref := range s.Refs {
			if ref.Field == field && activity.Said(s.Refs, k) {
				return s
			}
		}
		s = by[s.Parent]
	}
	return nil
}

// keysOf are messages by what they say: marks for a cache come and go in a message that
// is sent again.
func keysOf(at map[int32]*activity.Message) map[int32]string {
	out := make(map[int32]string, len(at))
	for n, m := range at {
		if parsed, err := genai.Parse(m.Format, m.Raw); err == nil {
			key, _ := json.Marshal([]any{parsed.Role, parsed.Parts})
			out[n] = string(key)
		}
	}
	return out
}

// promptOf is what a call was given: its system prompt, and its messages. nil: not
// recorded.
func promptOf(s *activity.Step, keys map[int32]string) []string {
	if s == nil {
		return nil
	}
	var system, out []string
	for k, ref := range s.Refs {
		if !activity.Said(s.Refs, k) || ref.Field != activity.ContentSystem && ref.Field != activity.ContentInput {
			continue
		}
		for _, n := range ordinalsOf(ref.Messages) {
			text, ok := keys[n]
			if !ok { // not loaded, or unreadable: it is itself alone
				text = "#" + strconv.Itoa(int(n))
			}
			if ref.Field == activity.ContentSystem {
				system = append(system, text)
			} else {
				out = append(out, text)
			}
		}
	}
	return append([]string{strings.Join(system, "\n")}, out...)
}

// outputOf is what a call answered, and whether it asks for tools first; not ok where
// that was not recorded.
func outputOf(s *activity.Step, at map[int32]*activity.Message) (text string, tools, ok bool) {
	if s == nil {
		return "", false, false
	}
	for k, ref := range s.Refs {
		if ref.Field != activity.ContentOutput || !activity.Said(s.Refs, k) {
			continue
		}
		for _, n := range ordinalsOf(ref.Messages) {
			m := at[n]
			if m == nil {
				return "", false, false
			}
			parsed, err := genai.Parse(m.Format, m.Raw)
			if err != nil {
				return "", false, false
			}
			for _, p := range parsed.Parts {
				tools = tools || p.Type == genai.PartToolCall
			}
			if t := textOfMessage(m, []string{"assistant", ""}); t != "" {
				text = t // the last word
			}
		}
	}
	return text, tools, tools || text != ""
}

// Again prepares a run's replay on another model, with what the calls that are done
// again cost.
func (x replayer) Again(ctx context.Context, run, upstream, model string) (experiment.Replaying, float64, error) {
	id, err := activity.ParseRunID(run)
	if err != nil {
		return experiment.Replaying{}, 0, err
	}
	row, err := x.app.store.Run(ctx, id)
	if err != nil {
		return experiment.Replaying{}, 0, err
	}
	r, page, err := x.prepare(ctx, row, api.Replay{Upstream: upstream, Model: model})
	if err != nil {
		return r, 0, err
	}
	first, err := activity.ParseStepID(r.Step)
	if err != nil {
		return r, 0, err
	}
	e, err := x.exchangeAt(ctx, id, page, first)
	if err != nil {
		return r, 0, err
	}
	r.Was, r.Beside = e.answer, e.beside
	return r, x.paidBy(e.calls), nil
}
