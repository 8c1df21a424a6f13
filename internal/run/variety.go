package run

import (
	"hash/maphash"
	"strings"

	"reeve/internal/telemetry"
)

const (
	// maxVariety bounds the distinct rollups of a team that an hour begins:
	// names of agents, models and tools come from senders, and one that invents
	// them must not fill the index. What is beyond is counted under otherName.
	maxVariety = 10_000
	// maxHours bounds how many hours of teams are remembered.
	maxHours  = 64
	otherName = "other"
)

// variety remembers which rollups there are by hour and team. It forgets with
// the process, so a restart admits as many again in its hour; what is taken
// back then may leave from another name than it came to, totals stay right.
type variety struct {
	limit int
	seed  maphash.Seed
	hours map[teamHour]map[uint64]struct{} // hashes: no text of a sender stays
}

type teamHour struct {
	hour int64
	team string
}

func newVariety(limit int) *variety {
	return &variety{limit, maphash.MakeSeed(), make(map[teamHour]map[uint64]struct{})}
}

// fold is the key under which k is counted: itself, or a common one when its
// hour has too many. An answer holds for the hour.
func (v *variety) fold(k shareKey) shareKey {
	if v.admit(k) {
		return k
	}
	agent := shareKey{k.minute, telemetry.FamilyAgent, k.agent, k.team, k.environment, ""}
	if k.family == telemetry.FamilyAgent || !v.admit(agent) {
		k.agent = otherName
	}
	if k.family != telemetry.FamilyAgent {
		k.key = otherName
	}
	return k
}

func (v *variety) admit(k shareKey) bool {
	at := teamHour{k.minute / 60, k.team}
	set := v.hours[at]
	if set == nil {
		if len(v.hours) >= maxHours {
			v.forget()
		}
		set = make(map[uint64]struct{})
		at.team = strings.Clone(at.team) // it may lie in a write's arena
		v.hours[at] = set
	}
	k.minute = 0 // the minutes of an hour share their names
	h := maphash.Comparable(v.seed, k)
	if _, known := set[h]; known {
		return true
	}
	if len(set) >= v.limit {
		return false
	}
	set[h] = struct{}{}
	return true
}

// forget drops the oldest hour.
func (v *variety) forget() {
	var oldest teamHour
	first := true
	for at := range v.hours {
		if first || at.hour < oldest.hour {
			oldest, first = at, false
		}
	}
	delete(v.hours, oldest)
}
