package erase

import "reeve/internal/activity"

// Subject is what an erasure is of, as it was found before anything was erased.
type Subject struct {
	User     string // "" where it is a session or a run
	Runs     map[activity.RunID]struct{}
	Names    map[string]bool // of Runs, as text
	Sessions []string
	Users    []string // of the runs, as they are called
	Live     int64    // runs that still go on: they are left
	Words    *Words
}

// List is the runs' ids.
func (s *Subject) List() (ids []activity.RunID, names []string) {
	for id := range s.Runs {
		ids = append(ids, id)
		names = append(names, id.String())
	}
	return ids, names
}
