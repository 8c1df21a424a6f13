package backup

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reeve/internal/fault"
)

// house is a data folder with a database, a log that still grows and a key.
func house(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	for path, text := range map[string]string{"control.db": "rows", "logs/1.log": "closed", "logs/2.log": "open and more", "identity/key": "a secret of 32 bytes, as it were.."} {
		at := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func options(data, passphrase string) Options {
	return Options{
		Data: data, ID: "bak_1", Install: "here", Program: "test", Passphrase: passphrase,
		Secret: func(p string) bool { return strings.HasPrefix(p, "identity/") },
		Parts: []Part{
			{"control", func(_ context.Context, s *Stage) error {
				to, err := s.Dir("control.db")
				s.Add("control.db")
				s.Counts["rows"] = 1
				return errors.Join(err, os.WriteFile(to, []byte("rows, as copied"), 0o600))
			}},
			{"logs", func(_ context.Context, s *Stage) error {
				return errors.Join(s.Link("logs/1.log"), s.Copy("logs/2.log", 4))
			}},
			{"keys", func(_ context.Context, s *Stage) error {
				files, err := s.Files("identity")
				for _, f := range files {
					err = errors.Join(err, s.Link(f))
				}
				return err
			}},
		},
	}
}

func made(t *testing.T, passphrase string) (dir, data string) {
	t.Helper()
	data = house(t)
	dir = filepath.Join(t.TempDir(), "b")
	if _, err := Make(t.Context(), dir, options(data, passphrase)); err != nil {
		t.Fatal(err)
	}
	return dir, data
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func wants(t *testing.T, what string, err error, code string) {
	t.Helper()
	if fault.From(err).Code != code || err == nil {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	for _, passphrase := range []string{"", "correct horse"} {
		dir, data := made(t, passphrase)
		m, err := Check(t.Context(), dir)
		if err != nil || len(m.Files) != 4 || m.Counts["rows"] != 1 || m.Install != "here" {
			t.Fatalf("checked: %+v, %v", m, err)
		}
		sealed := read(t, filepath.Join(dir, "identity/key")) != read(t, filepath.Join(data, "identity/key"))
		if sealed != (passphrase != "") {
			t.Errorf("with passphrase %q the key is sealed: %t", passphrase, sealed)
		}
		// By way of one file, too.
		var tarred bytes.Buffer
		if err := WriteTar(t.Context(), &tarred, dir); err != nil {
			t.Fatal(err)
		}
		unpacked := filepath.Join(t.TempDir(), "u")
		if _, err := ReadTar(t.Context(), bytes.NewReader(tarred.Bytes()), unpacked); err != nil {
			t.Fatal(err)
		}
		for _, from := range []string{dir, unpacked} {
			to := filepath.Join(t.TempDir(), "restored")
			if _, err := Restore(t.Context(), from, to, passphrase); err != nil {
				t.Fatal(err)
			}
			for path, want := range map[string]string{"control.db": "rows, as copied", "logs/1.log": "closed", "logs/2.log": "open", "identity/key": "a secret of 32 bytes, as it were.."} {
				if got := read(t, filepath.Join(to, path)); got != want {
					t.Errorf("%s is %q, want %q", path, got, want)
				}
			}
			if _, err := os.Stat(filepath.Join(to, ManifestName)); !errors.Is(err, fs.ErrNotExist) {
				t.Error("the manifest was restored into the data folder")
			}
			// The original is not shared with what was restored.
			if err := os.WriteFile(filepath.Join(to, "logs/1.log"), []byte("changed"), 0o600); err != nil {
				t.Fatal(err)
			}
			if read(t, filepath.Join(data, "logs/1.log")) != "closed" || read(t, filepath.Join(from, "logs/1.log")) != "closed" {
				t.Error("a restored file shares its bytes with the original")
			}
		}
		if passphrase == "" {
			continue
		}
		_, err = Restore(t.Context(), dir, filepath.Join(t.TempDir(), "r"), "")
		wants(t, "no passphrase", err, "backup.passphrase")
		to := filepath.Join(t.TempDir(), "r")
		_, err = Restore(t.Context(), dir, to, "another")
		wants(t, "a wrong passphrase", err, "backup.passphrase")
		if entries, _ := os.ReadDir(filepath.Dir(to)); len(entries) != 0 {
			t.Errorf("a refused restore leaves %v", entries)
		}
		// Whoever can write there and has no passphrase cannot make another of it.
		at := filepath.Join(dir, ManifestName)
		text := read(t, at)
		for _, swap := range [][2]string{{`"install": "here"`, `"install": "there"`}, {`"salt"`, `"sold"`}} {
			if err := os.WriteFile(at, []byte(strings.Replace(text, swap[0], swap[1], 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = Restore(t.Context(), dir, filepath.Join(t.TempDir(), "r"), passphrase)
			wants(t, "a manifest with "+swap[1], err, "backup.passphrase")
		}
	}
}

func TestBadBackups(t *testing.T) {
	t.Parallel()
	edit := func(path, old, with string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			at := filepath.Join(dir, path)
			text := strings.Replace(read(t, at), old, with, 1)
			if err := os.Remove(at); err != nil { // it may be a link
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(*testing.T, string)
		code  string
	}{
		{"a byte changed", edit("logs/1.log", "c", "C"), "backup.broken"},
		{"a byte more", edit("logs/1.log", "c", "cc"), "backup.broken"},
		{"a file gone", func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "control.db")) }, "backup.broken"},
		{"no manifest", func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, ManifestName)) }, "backup.none"},
		{"a manifest of garbage", edit(ManifestName, "{", "["), "backup.broken"},
		{"of another release", edit(ManifestName, `"form": 1`, `"form": 9`), "backup.form"},
		{"a path out of the folder", edit(ManifestName, `"control.db"`, `"../control.db"`), "backup.broken"},
		{"an absolute path", edit(ManifestName, `"control.db"`, `"/etc/passwd"`), "backup.broken"},
		{"one file twice", edit(ManifestName, `"control.db"`, `"logs/1.log"`), "backup.broken"},
		{"a size below zero", edit(ManifestName, `"size": `, `"size": -`), "backup.broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, _ := made(t, "")
			c.spoil(t, dir)
			_, err := Check(t.Context(), dir)
			wants(t, "checked", err, c.code)
			to := filepath.Join(t.TempDir(), "r")
			_, err = Restore(t.Context(), dir, to, "")
			wants(t, "restored", err, c.code)
			if entries, _ := os.ReadDir(filepath.Dir(to)); len(entries) != 0 {
				t.Errorf("what was restored of it stays: %v", entries)
			}
		})
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	dir, data := made(t, "")
	_, err := Make(t.Context(), dir, options(data, ""))
	wants(t, "a backup over a backup", err, "backup.not_empty")
	_, err = Restore(t.Context(), dir, data, "")
	wants(t, "a restore over data", err, "backup.not_empty")
	if read(t, filepath.Join(data, "control.db")) != "rows" {
		t.Error("the data was touched")
	}
	empty := t.TempDir()
	if _, err := Restore(t.Context(), dir, empty, ""); err != nil {
		t.Errorf("into an empty folder: %v", err)
	}
}

func TestAFailedBackupIsNone(t *testing.T) {
	t.Parallel()
	o := options(house(t), "")
	o.Parts = append(o.Parts, Part{"bad", func(context.Context, *Stage) error { return errors.New("disk on fire") }})
	dir := filepath.Join(t.TempDir(), "b")
	_, err := Make(t.Context(), dir, o)
	wants(t, "a part that fails", err, "backup.disk")
	if entries, _ := os.ReadDir(filepath.Dir(dir)); len(entries) != 0 {
		t.Errorf("it leaves %v", entries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Make(ctx, dir, options(house(t), "")); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that ended: %v", err)
	}
}

func FuzzReadTar(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "data")
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "logs"), 0o700), os.WriteFile(filepath.Join(dir, "logs/1.log"), []byte("closed"), 0o600)); err != nil {
		f.Fatal(err)
	}
	out := filepath.Join(f.TempDir(), "b")
	if _, err := Make(f.Context(), out, Options{Data: dir, Parts: []Part{{"logs", func(_ context.Context, s *Stage) error { return s.Link("logs/1.log") }}}}); err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteTar(f.Context(), &b, out); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:700])
	f.Fuzz(func(t *testing.T, data []byte) {
		root := t.TempDir()
		to := filepath.Join(root, "u")
		m, err := ReadTar(t.Context(), bytes.NewReader(data), to)
		entries, _ := os.ReadDir(root)
		if err == nil {
			if _, err := Check(t.Context(), to); err != nil && fault.From(err).Code != "backup.broken" {
				t.Errorf("unpacked %d files, then: %v", len(m.Files), err)
			}
		} else if len(entries) != 0 {
			t.Errorf("refused, and left %v", entries)
		}
		for _, e := range entries {
			if e.Name() != "u" {
				t.Errorf("it wrote %s outside its folder", e.Name())
			}
		}
	})
}
