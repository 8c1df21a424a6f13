package cli

import (
	"strings"
	"testing"
)

func TestCleaner(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if _, err := (cleaner{&b}).Write([]byte("ok\té\n\x1b[31mred \u202etxt\u200b")); err != nil {
		t.Fatal(err)
	}
	if want := "ok\té\n⟦U+001B⟧[31mred ⟦U+202E⟧txt⟦U+200B⟧"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// A name with a line break must not look like another row.
func TestWord(t *testing.T) {
	t.Parallel()
	if got, want := show("good\nrun_1\tdone é"), "good⟦LF⟧run_1⟦TAB⟧done é"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
