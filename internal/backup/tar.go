package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// WriteTar writes a backup as one tar stream, the manifest first so that whoever
// reads it knows what is to come.
func WriteTar(ctx context.Context, w io.Writer, dir string) error {
	m, err := ReadManifest(dir)
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := writeEntry(t, ManifestName, int64(len(text)), m, bytes.NewReader(text)); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		in, err := os.Open(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err != nil {
			return diskFault(err)
		}
		err = writeEntry(t, f.Path, f.Size, m, in)
		if err := errors.Join(err, in.Close()); err != nil {
			return err
		}
	}
	return t.Close()
}

func writeEntry(t *tar.Writer, name string, size int64, m *Manifest, r io.Reader) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: m.At, Format: tar.FormatPAX}); err != nil {
		return err
	}
	n, err := io.Copy(t, r)
	if err == nil && n != size {
		err = broken("%s has %d bytes, its manifest says %d", name, n, size)
	}
	return err
}

// ReadTar unpacks a backup into dir, which must not exist. It keeps nothing that
// the manifest does not name, and no more of it than it says.
func ReadTar(ctx context.Context, r io.Reader, dir string) (m *Manifest, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, diskFault(err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	t := tar.NewReader(r)
	h, err := t.Next()
	if err != nil || h.Name != ManifestName || h.Size > maxManifest {
		return nil, broken("the file does not begin with a manifest")
	}
	text, err := io.ReadAll(t)
	if err != nil {
		return nil, broken("its manifest is cut off")
	}
	if m, err = parseManifest(text); err != nil {
		return nil, err
	}
	for _, f := range m.Files {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		h, err := t.Next()
		if err != nil || h.Name != f.Path || h.Size != f.Size || h.Typeflag != tar.TypeReg {
			return nil, broken("%s is missing, or another than its manifest says", f.Path)
		}
		if err := unpack(t, filepath.Join(dir, filepath.FromSlash(f.Path)), f); err != nil {
			return nil, err
		}
	}
	return m, diskFault(writeManifest(dir, m))
}

func unpack(r io.Reader, to string, f File) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return diskFault(err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return diskFault(err)
	}
	n, err := io.Copy(out, r)
	if err := errors.Join(err, out.Close()); err != nil {
		return diskFault(err)
	}
	if n != f.Size {
		return broken("%s is cut off", f.Path)
	}
	return nil
}
