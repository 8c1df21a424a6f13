package mcp

import (
	"fmt"
	"testing"
	"time"
)

// Tasks that are kept for lists make room for those that nobody else has, whoever
// made them.
func TestListedTasksMakeRoom(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	s := tasks{room: 10}
	of := func(name string) owner { return owner{agent: name, upstream: "shop"} }
	for i := range 10 {
		k := &task{key: taskKey{of(fmt.Sprint("many", i%2)), fmt.Sprint(i)}, until: now.Add(time.Hour), listed: true}
		if err := s.put(k, now); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		k := &task{key: taskKey{of("other"), fmt.Sprint("kept", i)}, until: now.Add(time.Hour), done: []byte("{}")}
		if err := s.put(k, now); err != nil {
			t.Fatalf("task %d: %v", i, err)
		}
	}
	if err := s.put(&task{key: taskKey{of("other"), "more"}, until: now.Add(time.Hour)}, now); err == nil {
		t.Error("there is room for more than there is")
	}
	for i := range 10 {
		if s.find(taskKey{of("other"), fmt.Sprint("kept", i)}, now) == nil {
			t.Errorf("kept %d is gone", i)
		}
	}
}
