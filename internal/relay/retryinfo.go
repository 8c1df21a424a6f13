package relay

import (
	"encoding/base64"
	"strings"
	"time"
)

// retryInfo finds the pause in a google.rpc.Status: its details hold an Any of
// type google.rpc.RetryInfo {1: Duration {1: seconds, 2: nanos}}.
func retryInfo(encoded string) (pause time.Duration) {
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return 0
	}
	eachField(raw, func(field, wire, _ uint64, detail []byte) {
		if field != 3 || wire != 2 {
			return
		}
		var kind string
		var value []byte
		eachField(detail, func(field, wire, _ uint64, v []byte) {
			switch {
			case field == 1 && wire == 2:
				kind = string(v)
			case field == 2 && wire == 2:
				value = v
			}
		})
		if !strings.HasSuffix(kind, "/google.rpc.RetryInfo") {
			return
		}
		eachField(value, func(field, wire, _ uint64, d []byte) {
			if field != 1 || wire != 2 {
				return
			}
			eachField(d, func(field, wire, number uint64, _ []byte) {
				switch {
				case field == 1 && wire == 0 && number < 1<<31:
					pause += time.Duration(number) * time.Second
				case field == 2 && wire == 0 && number < 1<<31:
					pause += time.Duration(number)
				}
			})
		})
	})
	return pause
}
