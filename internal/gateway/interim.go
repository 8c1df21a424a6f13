package gateway

import (
	"crypto/rand"
	"strconv"
	"strings"
	"time"
)

// InterimID mints a decision's id until package decision does.
func InterimID() string {
	return "dec_" + strconv.FormatInt(time.Now().UnixNano(), 36) + strings.ToLower(rand.Text()[:8])
}
