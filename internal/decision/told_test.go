package decision

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
)

// What is told in memory must be what reading the record gives, or the rows of a
// store would depend on whether a restart came between.
func TestToldIsWhatTheRecordSays(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var l Log
	l.o.Now = time.Now
	told := 0
	for range 2000 {
		d := sample(r, l.NewID())
		odd(r, d)
		told += sameAsRead(t, d)
		open := *d
		end(r, d)
		odd(r, d)
		told += sameAsRead(t, d) // refused at once
		if got := ending(d, 7); got.d != nil {
			told++
			read := blank()
			o, err := readCompleted(appendCompleted(nil, d, 7), &read)
			if err != nil || o.proposed != got.of || o.id != got.d.ID {
				t.Fatal(o, err)
			}
			a, b := open, open
			conclude(&a, &read)
			conclude(&b, got.d)
			if diff := cmp.Diff(a, b); diff != "" {
				t.Fatalf("completed (-read +told):\n%s", diff)
			}
		}
	}
	if told < 2000 {
		t.Errorf("only %d of 6000 records were told", told)
	}
}

func sameAsRead(t *testing.T, d *activity.Decision) int {
	t.Helper()
	got := proposal(d, "usr_1")
	body, _, err := appendProposed(nil, d, "usr_1")
	if err != nil || got.d == nil {
		return 0
	}
	read, _, err := readProposed(body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read, *got.d); diff != "" {
		t.Fatalf("proposed (-read +told):\n%s", diff)
	}
	return 1
}

// odd makes one part of d something that a record does not say as it is, or says
// by leaving it out.
func odd(r *rand.Rand, d *activity.Decision) {
	switch r.IntN(24) {
	case 0:
		d.Tool = strings.Repeat("x", maxText+1)
	case 1:
		d.Session = "\xff"
	case 2:
		d.BytesIn = math.MaxInt64
	case 3:
		d.Chain = make([]string, maxList+1)
	case 4:
		d.Reasons = append(d.Reasons, activity.Reason{Text: "\xc0"})
	case 5:
		d.Reserved = []activity.Reserve{{Budget: "b", Since: 1764220000_000000999, Amount: activity.Unknown, Spent: 3}}
	case 6:
		d.Chain, d.Redacted, d.Reasons, d.Policies, d.Reserved = []string{}, nil, []activity.Reason{}, nil, nil
	case 7:
		d.Cost = activity.Cost{Nanos: 3, Currency: "USD"}
	case 8:
		d.At += 999
		d.Completed += 999
	case 9:
		d.Completed = activity.Unknown
	case 10:
		d.Usage, d.LatencyUS, d.DecideUS = activity.NoUsage, activity.Unknown, 0
	case 11:
		d.Node, d.Seq, d.EndSeq = "elsewhere", 9, 10
	case 12:
		d.Reserved = []activity.Reserve{{Key: "k", Amount: math.MinInt64}}
	case 13:
		d.At = activity.Unknown
	}
}

// The owner of a decision goes on with it: what was told before must not change.
func TestToldIsACopy(t *testing.T) {
	t.Parallel()
	d := sample(rand.New(rand.NewPCG(1, 2)), (&Log{o: Options{Now: time.Now}}).NewID())
	got := proposal(d, "usr_1")
	want := *got.d
	want.Reserved, want.Reasons, want.Redacted = keepList(want.Reserved), keepList(want.Reasons), keepList(want.Redacted)
	d.Reserved[0].Spent, d.Reasons[0].Code, d.Redacted[0] = 99, "other", "other"
	if diff := cmp.Diff(want, *got.d); diff != "" {
		t.Error(diff)
	}
}
