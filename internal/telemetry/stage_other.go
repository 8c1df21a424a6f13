//go:build !linux

package telemetry

import "time"

var started = time.Now()

// threadTime is elapsed time: threads have no clock of their own here.
func threadTime() time.Duration { return time.Since(started) }
