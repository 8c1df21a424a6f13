package labelled

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhoWhen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var b strings.Builder
	for i := range 40 {
		// The second expert makes figures up, at a step that differs.
		var history []string
		say := func(agent, text string) {
			history = append(history, fmt.Sprintf(`{"i": %d, "agent": %q, "role": "assistant", "content": %q}`, len(history), agent, text))
		}
		say("human", "how long is the river")
		for range i % 3 {
			say("First", "let us look at the question again")
		}
		say("Second", "I assume it is 7421 km, let's say, as a placeholder, from 1999 in Nowhere and 3 in Elsewhere")
		say("First", "then we are done with the question")
		fmt.Fprintf(&b, `{"kind": "made", "question": "q%d", "history": [%s], "mistake_agent": "Second", "mistake_step": %d}`+"\n", i, strings.Join(history, ","), 1+i%3)
	}
	write(t, filepath.Join(dir, "runs.jsonl"), b.String())
	r, err := whowhen(t.Context(), dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{.95, .95} {
		if f := r.Figures[i]; f.Value < want || f.N != 40 {
			t.Errorf("%+v", f)
		}
	}
	if prior := r.Figures[2]; prior.Value > .6 {
		t.Errorf("the test is too easy: %+v", prior)
	}
	for _, text := range []string{"{", `{"mistake_step": 3, "history": []}`} {
		write(t, filepath.Join(dir, "runs.jsonl"), text)
		if _, err := whowhen(t.Context(), dir, 1); err == nil {
			t.Errorf("%s was read", text)
		}
	}
	if _, err := whowhen(t.Context(), t.TempDir(), 1); err == nil {
		t.Error("an empty folder was read")
	}
}
