package control

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	t.Parallel()
	if column, args := Bucket(time.Hour); column != "at / ? * ?" || len(args) != 2 || args[0] != int64(3_600_000_000) || args[1] != args[0] {
		t.Errorf("an hour: %q %v", column, args)
	}
	if column, args := Bucket(0); column != "0" || args != nil {
		t.Errorf("all in one: %q %v", column, args)
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	if got := BucketTime(Micros(at)); !got.Equal(at) {
		t.Errorf("%v, want %v", got, at)
	}
	if got := BucketTime(0); !got.IsZero() {
		t.Errorf("all in one begins at %v", got)
	}
}
