package app

import (
	"io"
	"log/slog"
)

// NewLogger makes the process's logger as the configuration says.
func NewLogger(w io.Writer, c LogConfig) *slog.Logger {
	var level slog.Level
	// Validate has refused any other word.
	_ = level.UnmarshalText([]byte(c.Level))
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
