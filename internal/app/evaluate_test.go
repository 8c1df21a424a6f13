package app

import (
	"path/filepath"
	"slices"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/content"
	"reeve/internal/control/controltest"
	"reeve/internal/evaluate"
)

// TestAnswersAreLoadedFirst: what is loaded of a run is bounded, and without the
// answer there is nothing to judge.
func TestAnswersAreLoadedFirst(t *testing.T) {
	t.Parallel()
	root := activity.StepID{1}
	ref := func(f activity.ContentField, messages string) activity.ContentRef {
		return activity.ContentRef{Field: f, Messages: messages}
	}
	step := func(n byte, parent activity.StepID, kind activity.Kind, end int64, refs ...activity.ContentRef) activity.Step {
		return activity.Step{Fragment: activity.Fragment{Step: activity.StepID{n}, Parent: parent, Kind: kind, End: end}, Refs: refs}
	}
	const in, out = activity.ContentInput, activity.ContentOutput
	steps := []activity.Step{
		step(1, activity.StepID{}, activity.KindAgent, 9, ref(in, "0"), ref(out, "9")),
		step(2, root, activity.KindModel, 1, ref(activity.ContentSystem, "1"), ref(in, "0,2"), ref(out, "3")),
		step(3, root, activity.KindTool, 2, ref(activity.ContentResult, "4-5")),
		step(4, root, activity.KindModel, 3, ref(in, "0,2-5"), ref(out, "8")),
	}
	if got, want := wantedOf(steps), []int32{9, 8, 0, 2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestWhatCannotBeLookedAtIsTold: a text that looks compressed or binary must not
// pass as one without personal data.
func TestWhatCannotBeLookedAtIsTold(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a := &App{control: db}
	if a.content, err = content.New(t.Context(), content.Options{DB: db}); err != nil {
		t.Fatal(err)
	}
	book, err := evaluate.New(t.Context(), evaluate.Options{DB: db, Runs: textsOf{a}, Find: a.findClasses})
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]string{
		"Her mail is ann@example.com.":           evaluate.Fail,
		"BZh: her mail is ann@example.com.":      evaluate.Unsure,
		"her mail is\x00 ann@example.com.":       evaluate.Unsure,
		"Items on sale cannot be returned, Ann.": evaluate.Pass,
	} {
		f, _, err := book.Try(t.Context(), evaluate.Actor{}, evaluate.Evaluator{Name: "leak", Kind: "leak", Share: 1}, &evaluate.Texts{Answer: answer})
		if err != nil || f.Verdict != want {
			t.Errorf("%q: %+v, %v, want %s", answer, f, err, want)
		}
	}
}
