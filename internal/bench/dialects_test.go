package bench

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// TestDialects holds that every recording is taken in, and that the same steps
// can be said as plain OTLP. It measures next to nothing.
func TestDialects(t *testing.T) {
	t.Parallel()
	r, err := Dialects(t.Context(), DialectsOptions{Folder: "../intake/testdata", For: time.Microsecond, Progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Dialects {
		if d.Steps == 0 || d.Bytes <= 0 || d.Plain <= 0 || d.Ratio <= 0 {
			t.Errorf("%+v", d)
		}
	}
	if len(r.Dialects) < 18 {
		t.Errorf("%d recordings", len(r.Dialects))
	}
	if _, err := Dialects(t.Context(), DialectsOptions{Folder: t.TempDir(), Progress: io.Discard}); err == nil || !strings.Contains(err.Error(), "no steps") {
		t.Errorf("an empty folder: %v", err)
	}
	if code := Main(context.Background(), []string{"rerate", "--days", "0"}, io.Discard, io.Discard); code != 2 {
		t.Errorf("wrong usage gives %d", code)
	}
}
