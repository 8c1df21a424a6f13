package duck

import (
	"slices"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// TestMessagesWithin: what is asked for first is loaded first, and no more than
// so many bytes.
func TestMessagesWithin(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	run := activity.RunOfKey("large")
	w := &telemetry.Write{Cursor: 1, Runs: []activity.Run{{ID: run, Agent: "a"}}}
	for i, n := range []int{100, 400, 100, 300} {
		w.Messages = append(w.Messages, activity.Message{Run: run, Ordinal: int32(i), Day: 20_000, Hash: [16]byte{byte(i + 1)}, Size: int32(n), Raw: slices.Repeat([]byte{'x'}, n)})
	}
	if err := s.Append(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ask   []int32
		bytes int64
		want  []int32
	}{
		"all fit": {[]int32{3, 0, 1}, 4000, []int32{0, 1, 3}}, "the first ones": {[]int32{3, 2, 1, 0}, 450, []int32{2, 3}}, "around a large one": {[]int32{1, 0, 2}, 250, []int32{0, 2}}, "nothing is asked for": {nil, 4000, nil},
	} {
		got, err := s.MessagesWithin(t.Context(), run, c.ask, c.bytes)
		var have []int32
		for _, m := range got {
			have = append(have, m.Ordinal)
			if len(m.Raw) != int(m.Size) {
				t.Errorf("%s: message %d has %d bytes", name, m.Ordinal, len(m.Raw))
			}
		}
		if err != nil || !slices.Equal(have, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, have, err, c.want)
		}
	}
}
