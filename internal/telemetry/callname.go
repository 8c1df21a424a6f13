package telemetry

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"reeve/internal/activity"
)

// ParseCall reads the dimension call of steps: half of the step's id, its span and
// its trace, and the other half where span and trace do not give it. The scope is
// that of the sender. The id is zero where the dimension does not name one.
func ParseCall(name, team, environment string) (id activity.StepID) {
	words := strings.Fields(name)
	if len(words) < 3 {
		return id
	}
	half := func(s string) uint64 {
		n, _ := strconv.ParseInt(s, 10, 64) // else it fits no id below
		return uint64(n)
	}
	var want [8]byte
	binary.BigEndian.PutUint64(want[:], half(words[0]))
	if len(words) > 3 {
		copy(id[:8], want[:])
		binary.BigEndian.PutUint64(id[8:], half(words[3]))
		return id
	}
	var span activity.SpanID
	binary.BigEndian.PutUint64(span[:], half(words[1]))
	var trace activity.TraceID
	if !ParseUUID(words[2], (*[16]byte)(&trace)) {
		return id
	}
	for _, s := range []activity.StepID{activity.ScopeOf(team, environment).StepOfSpan(trace, span), activity.StepOfSpan(trace, span)} {
		if [8]byte(s[:8]) == want {
			return s
		}
	}
	return id
}

// ParseUUID reads 16 bytes as engines write them: in hexadecimal, with dashes.
func ParseUUID(s string, to *[16]byte) bool {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	return err == nil && copy(to[:], b) == 16 && len(b) == 16
}
