package relay

import (
	"encoding/binary"
	"time"
)

// testSpan is an export request of one span that says what it is.
func testSpan(trace [16]byte, at time.Time) []byte {
	field := func(dst []byte, number uint64, b []byte) []byte {
		dst = binary.AppendUvarint(dst, number<<3|2)
		return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	pair := func(key, value string) []byte {
		return field(field(nil, 1, []byte(key)), 2, field(nil, 1, []byte(value)))
	}
	span := field(nil, 1, trace[:])
	span = field(span, 2, trace[8:])
	span = field(span, 5, []byte("reeve relay test"))
	for _, number := range []byte{7, 8} {
		span = append(span, number<<3|1)
		span = binary.LittleEndian.AppendUint64(span, uint64(at.UnixNano()))
	}
	span = field(span, 9, pair("reeve.test", "sent by reeve relay test; nothing is wrong"))
	scope := field(field(nil, 1, field(nil, 1, []byte("reeve.relay"))), 2, span)
	resource := field(nil, 1, pair("service.name", "reeve"))
	return field(nil, 1, field(field(nil, 1, resource), 2, scope))
}
