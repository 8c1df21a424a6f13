package app

import (
	"io"
	"log/slog"
)

// NewLogger makes the process's logger as the configuration says.
func NewLogger(w io.Writer, c LogConfig) *slog.Logger {
	l, _ := NewLeveled(w, c)
	return l
}

// NewLeveled is NewLogger with a level that can be set later.
func NewLeveled(w io.Writer, c LogConfig) (*slog.Logger, *slog.LevelVar) {
	v := &slog.LevelVar{}
	v.Set(level(c))
	o := &slog.HandlerOptions{Level: v}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), v
	}
	return slog.New(slog.NewTextHandler(w, o)), v
}
