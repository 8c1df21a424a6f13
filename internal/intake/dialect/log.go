package dialect

import "reeve/internal/activity"

// LogRecord is a log record that may tell of a step: coding agents report by
// logs first. It aliases the request.
type LogRecord struct {
	Scope, Service, Event string
	Time                  int64 // ns
	Trace                 activity.TraceID
	Attributes            map[string]Value
}

// Text is an attribute's text, "" for none.
func (l *LogRecord) Text(key string) string { return l.Attributes[key].Text() }

// Int is an attribute's number, -1 for none.
func (l *LogRecord) Int(key string) int64 {
	if n, ok := l.Attributes[key].Int(); ok && n >= 0 {
		return n
	}
	return -1
}

// Logs reports whether any dialect reads log records; those of no dialect cost
// nothing more.
func (m *Map) Logs() bool { return len(m.logs) > 0 }

// Log offers a log record to the dialects, which write the steps that it tells
// of.
func (m *Map) Log(out *Writer, l *LogRecord) {
	for _, read := range m.logs {
		if read(out, l) {
			return
		}
	}
}
