package bus

import (
	"testing"
	"time"

	"reeve/internal/fault"
)

func TestPublishAfter(t *testing.T) {
	t.Parallel()
	b := openTest(t, Options{})
	s := b.Decisions()
	first, err := s.PublishAfter(t.Context(), 0, []byte("one"), nil, []byte("two"))
	if err != nil || first != 1 {
		t.Fatalf("the first: %d, %v", first, err)
	}
	for _, last := range []uint64{0, 7} {
		if _, err := s.PublishAfter(t.Context(), last, []byte("x")); fault.From(err).Code != "bus.moved" {
			t.Errorf("after %d: %v, want bus.moved", last, err)
		}
	}
	if seq, err := s.PublishAfter(t.Context(), first, []byte("three")); err != nil || seq != 2 {
		t.Errorf("the second: %d, %v", seq, err)
	}
	if err := s.DeleteThrough(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if seq, err := s.PublishAfter(t.Context(), 2, []byte("four")); err != nil || seq != 3 {
		t.Errorf("after deletion: %d, %v", seq, err)
	}
	var got []string
	read := func(from, to uint64) {
		t.Helper()
		got = nil
		if err := s.ReadThrough(t.Context(), from, to, func(_ uint64, _ time.Time, payloads [][]byte) error {
			for _, p := range payloads {
				got = append(got, string(p))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if read(0, 99); len(got) != 2 || got[0] != "three" || got[1] != "four" {
		t.Errorf("all: %q", got)
	}
	if read(1, 2); len(got) != 1 || got[0] != "three" {
		t.Errorf("through 2: %q", got)
	}
	if read(4, 9); len(got) != 0 {
		t.Errorf("behind the end: %q", got)
	}
}
