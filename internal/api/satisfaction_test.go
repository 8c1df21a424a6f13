package api

import (
	"math"
	"testing"
	"time"

	"reeve/internal/feedback"
)

// The share of good words and its course are those of the words that were given:
// parts of the period without one are unknown, not bad.
func TestSatisfaction(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	o := &overviewAsk{from: from, to: from.Add(4 * time.Hour), bucket: time.Hour}
	s := &overviewSums{said: []feedback.Bucket{
		{At: from, Positive: 3, Negative: 1}, {At: from.Add(2 * time.Hour), Positive: 1, Neutral: 1, Negative: 2}, {At: from.Add(9 * time.Hour), Positive: 100},
	}}
	c := o.satisfaction(s, 4, from)
	points := c.Series["satisfaction"]
	if len(points) != 4 || *points[0].Value != .75 || points[0].N != 4 || points[1].Value != nil || *points[2].Value != .25 || points[3].Value != nil || c.Missing != "" {
		t.Errorf("%+v", c)
	}
	s.said = s.said[:2]
	if f := o.satisfied(s); f.N != 8 || math.Abs(*f.Value-.5) > 1e-9 || *f.Low > .25 || *f.High < .75 {
		t.Errorf("%+v", f)
	}
	s.said = nil
	if f, c := o.satisfied(s), o.satisfaction(s, 4, from); f.Value != nil || c.Missing == "" || len(c.Series) != 0 {
		t.Errorf("without a word: %+v, %+v", f, c)
	}
}
