package labelled

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestBenches(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	for _, args := range [][]string{{}, {"a", "b"}, {"a", "-o", "yaml"}, {"a", "--none"}} {
		if err := Main(t.Context(), "nab", args, &out, &errs); !errors.Is(err, ErrUsage) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if err := Main(t.Context(), "nab", []string{"--help"}, &out, &errs); !errors.Is(err, flag.ErrHelp) || !strings.Contains(errs.String(), "DIR is") {
		t.Errorf("%v: %s", err, errs.String())
	}
	if err := Main(t.Context(), "nothing", nil, &out, &errs); err == nil {
		t.Error("an unknown bench ran")
	}
	dir := nabFolder(t)
	if err := Main(t.Context(), "nab", []string{dir}, &out, &errs); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"score, standard", "aim: at least 62", "CAD OSE", "reached"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := Main(t.Context(), "nab", []string{"-o", "json", dir}, &out, &errs); err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Bench != "nab" || len(r.Figures) < 5 {
		t.Errorf("%v: %s", err, out.String())
	}
}
