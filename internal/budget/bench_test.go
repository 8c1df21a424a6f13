package budget

import (
	"fmt"
	"testing"
	"time"
)

func tenThousand() []string {
	names := make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprintf("agent-%05d", i)
	}
	return names
}

// A call of one of 10,000 agents that meets three budgets.
func BenchmarkReserveSettle(b *testing.B) {
	l := memory(b, tokenBudget("each", "agent", "*", 1e15), tokenBudget("team", "team", "core", 1e15), tokenBudget("users", "user", "*", 1e15))
	names := tenThousand()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		r, err := l.Reserve(noon, Use{Agent: names[i%len(names)], Team: "core", User: "u", Calls: 1, Tokens: 5})
		if err != nil {
			b.Fatal(err)
		}
		r.Settle(noon, 3, 0)
	}
}

func BenchmarkReserveSettleParallel(b *testing.B) {
	l := memory(b, tokenBudget("each", "agent", "*", 1e15), tokenBudget("team", "team", "core", 1e15))
	names := tenThousand()
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			r, err := l.Reserve(noon, Use{Agent: names[i%len(names)], Team: "core", Calls: 1, Tokens: 5})
			if err != nil {
				b.Fatal(err)
			}
			r.Settle(noon, 3, 0)
		}
	})
}

func BenchmarkTake(b *testing.B) {
	r := NewRates(noon, 0)
	names := tenThousand()
	limits := []string{"1000/m by agent", "1000000/s by team"}
	at := noon
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		at = at.Add(time.Millisecond)
		if err := r.Take(at, limits, Keys{Agent: names[i%len(names)], Team: "core"}); err != nil {
			b.Fatal(err)
		}
	}
}
