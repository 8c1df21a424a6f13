package labelled

import (
	"path/filepath"
	"testing"
)

func TestGroundedness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const head = "model_name\tknowledge\tresponse\tbegin_label\n"
	write(t, filepath.Join(dir, "a.tsv"), head+"m\tThe tower is 300 metres high\tThe tower is 300 metres high\tFully attributable\nm\tThe tower is 300 metres high\tBananas grow on purple mountains\tNot fully attributable\n")
	r, err := groundedness(t.Context(), dir, 1)
	if err != nil || r.Figures[0].Value != 1 || r.Figures[1].Value != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	for name, text := range map[string]string{"no columns": "a\tb\n", "a short line": head + "m\tx\n", "one label": head + "m\ta\tb\tGeneric\n", "nothing": ""} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.tsv"), text)
		if _, err := groundedness(t.Context(), dir, 1); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	if _, err := groundedness(t.Context(), t.TempDir(), 1); err == nil {
		t.Error("an empty folder was read")
	}
}
