package duck

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"reeve/internal/telemetry/telemetrytest"
)

// Everything in the store's folder is for its owner alone, also what an older
// release left wider.
func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.db"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := openTest(t, Options{Dir: dir})
	if err := s.Append(t.Context(), telemetrytest.NewGenerator(1, s.o.Now()).Write(20)); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if files++; info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || files < 5 {
		t.Errorf("%d files seen, %v", files, err)
	}
}
