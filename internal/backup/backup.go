// Package backup keeps and restores everything that an installation is: it takes
// a folder of files that belong together while the process goes on, says what is
// in it, proves it, and puts it back.
//
// What for: an audit log, keys and telemetry are worth nothing if the disk they
// lie on is the only one.
//
// Who calls it: app takes backups of a running process (Make) and knows the parts
// and their order; cli checks and restores without any process.
//
// Promises: a backup counts only once its manifest is written, last and whole;
// each file in it is named there with its size and SHA-256. Files that never
// change are hard links where the disk allows it, so a backup beside the data
// costs little. With a passphrase the files that are keys are sealed
// (AES-256-GCM, PBKDF2). Restore writes into an empty folder alone, and checks
// each file while it copies.
//
// How it fails: backup.broken (a file that is missing or another than the
// manifest says), backup.not_empty, backup.passphrase, backup.none, and what the
// disk says. A backup that failed leaves nothing that could be taken for one.
//
// Start reading at Make, then Check and Restore.
package backup

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"reeve/internal/durable"
	"reeve/internal/fault"
)

// ManifestName is the file that makes a folder a backup.
const ManifestName = "backup.json"

// PartPrefix begins the names of folders that hold a half-made copy: what has it
// after a crash may be deleted.
const PartPrefix = ".reeve-part-"

// form is of the manifest: a program that does not know it refuses.
const form = 1

// Manifest says what a backup holds.
type Manifest struct {
	Form    int              `json:"form"`
	ID      string           `json:"id"`
	At      time.Time        `json:"at"` // when it began: what was durable then is in it
	Took    time.Duration    `json:"took_ns"`
	Install string           `json:"install"`
	Program string           `json:"program"`
	Counts  map[string]int64 `json:"counts"` // what was counted in the copies themselves
	Salt    string           `json:"salt,omitempty"`
	Mac     string           `json:"mac,omitempty"` // over the rest, by the passphrase
	Files   []File           `json:"files"`         // by path
}

// File is one file of a backup. Size and Sum are of what lies in the backup.
type File struct {
	Path   string `json:"path"` // below the data folder, with slashes
	Size   int64  `json:"size"`
	Sum    string `json:"sha256"`
	Sealed bool   `json:"sealed,omitempty"`
}

// Bytes is the size of all files.
func (m *Manifest) Bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// Part copies what belongs together of one subject.
type Part struct {
	Name string
	Copy func(ctx context.Context, s *Stage) error
}

// Options of Make. Data is the data folder, Parts are copied in their order.
type Options struct {
	Data             string
	Parts            []Part
	ID               string
	Install, Program string
	Passphrase       string                 // "" leaves keys as they are
	Secret           func(path string) bool // files that are keys; nil: none
	Now              func() time.Time
}

// Stage is the folder that a backup grows in.
type Stage struct {
	Counts map[string]int64

	dir, data string
	secret    func(string) bool
	key       []byte
	files     map[string]File
}

// Make takes a backup into dir, which must not exist.
func Make(ctx context.Context, dir string, o Options) (m *Manifest, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Secret == nil {
		o.Secret = func(string) bool { return false }
	}
	began := o.Now()
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.KindConflict, "backup.not_empty", "%s exists already", dir).WithHint("name a folder that does not exist yet")
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, diskFault(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), PartPrefix)
	if err != nil {
		return nil, diskFault(err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(tmp)
		}
	}()
	m = &Manifest{Form: form, ID: o.ID, At: began.UTC(), Install: o.Install, Program: o.Program}
	s := &Stage{Counts: map[string]int64{}, dir: tmp, data: o.Data, secret: o.Secret, files: map[string]File{}}
	if o.Passphrase != "" {
		m.Salt, s.key = newKey(o.Passphrase)
	}
	for _, p := range o.Parts {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := p.Copy(ctx, s); err != nil {
			return nil, fmt.Errorf("copying %s: %w", p.Name, diskFault(err))
		}
	}
	if err := s.sumAll(ctx); err != nil {
		return nil, err
	}
	m.Counts = s.Counts
	for _, f := range s.files {
		m.Files = append(m.Files, f)
	}
	slices.SortFunc(m.Files, func(x, y File) int { return cmp.Compare(x.Path, y.Path) })
	m.Took = o.Now().Sub(began)
	if s.key != nil {
		m.Mac = m.mac(s.key)
	}
	if err := syncFolders(tmp); err != nil { // what the manifest names is there before it
		return nil, diskFault(err)
	}
	if err := writeManifest(tmp, m); err != nil {
		return nil, diskFault(err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return nil, diskFault(err)
	}
	return m, durable.SyncDir(filepath.Dir(dir))
}

// sumAll seals keys and adds up every file: last, so that parts are held still
// only while they are copied.
func (s *Stage) sumAll(ctx context.Context) error {
	for path, f := range s.files {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		at := filepath.Join(s.dir, filepath.FromSlash(path))
		if s.key != nil && s.secret(path) {
			if err := sealFile(at, path, s.key); err != nil {
				return diskFault(err)
			}
			f.Sealed = true
		}
		size, sum, err := sumOf(at)
		if err != nil {
			return diskFault(err)
		}
		f.Size, f.Sum = size, sum
		s.files[path] = f
	}
	return nil
}

// Dir makes the folder that path lies in and gives path's place in the backup;
// whoever writes there says so with Add.
func (s *Stage) Dir(path string) (string, error) {
	to := filepath.Join(s.dir, filepath.FromSlash(path))
	return to, os.MkdirAll(filepath.Dir(to), 0o700)
}

// Add names a file that was written at its place.
func (s *Stage) Add(path string) { s.files[path] = File{Path: path} }

// Link takes a file of the data folder that is never written to again: it shares
// its bytes where the disk can, else it is copied.
func (s *Stage) Link(path string) error {
	if s.key != nil && s.secret(path) {
		return s.Copy(path, -1) // sealing would write into the original
	}
	to, err := s.Dir(path)
	if err != nil {
		return err
	}
	from := filepath.Join(s.data, filepath.FromSlash(path))
	if err := os.Link(from, to); err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
			return err
		}
		return s.Copy(path, -1) // another disk, or one without links
	}
	s.Add(path)
	return nil
}

// Copy takes the first n bytes of a file of the data folder, all with n negative.
func (s *Stage) Copy(path string, n int64) error {
	to, err := s.Dir(path)
	if err != nil {
		return err
	}
	if err := copyFile(filepath.Join(s.data, filepath.FromSlash(path)), to, n); err != nil {
		return err
	}
	s.Add(path)
	return nil
}

// Files lists the files below a folder of the data folder, as paths from there,
// sorted. A folder that is not there has none.
func (s *Stage) Files(folder string) ([]string, error) {
	var out []string
	root := filepath.Join(s.data, filepath.FromSlash(folder))
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it went while we looked
		case err != nil:
			return err
		case !d.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(s.data, p)
		out = append(out, filepath.ToSlash(rel))
		return err
	})
	slices.Sort(out)
	return out, err
}

func copyFile(from, to string, n int64) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var r io.Reader = in
	if n >= 0 {
		r = io.LimitReader(in, n)
	}
	_, err = io.Copy(out, r)
	return errors.Join(err, out.Sync(), out.Close())
}

func sumOf(path string) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return n, hex.EncodeToString(h.Sum(nil)), err
}

func writeManifest(dir string, m *Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, ManifestName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Sync(), f.Close(), durable.SyncDir(dir))
}

const maxManifest = 256 << 20 // a million files

// ReadManifest reads what a backup says of itself.
func ReadManifest(dir string) (*Manifest, error) {
	f, err := os.Open(filepath.Join(dir, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.KindNotFound, "backup.none", "%s is no backup: it has no %s", dir, ManifestName).WithHint("a backup that was interrupted has none either")
	}
	if err != nil {
		return nil, diskFault(err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return nil, diskFault(err)
	}
	return parseManifest(text)
}

func parseManifest(text []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, broken("its manifest cannot be read: %v", err)
	}
	if m.Form != form {
		return nil, fault.New(fault.KindConflict, "backup.form", "the backup has form %d, this program reads %d", m.Form, form).WithHint("restore it with the release that made it: %s", m.Program)
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) || strings.Contains(f.Path, "\\") || f.Path == ManifestName || seen[f.Path] || f.Size < 0 || len(f.Sum) != 64 {
			return nil, broken("its manifest names %.100q, which can be no file of it", f.Path)
		}
		seen[f.Path] = true
	}
	return &m, nil
}

// mac is the manifest's own proof: whoever does not have the passphrase cannot
// make another that names other files.
func (m *Manifest) mac(key []byte) string {
	plain := *m
	plain.Mac = ""
	text, err := json.Marshal(&plain)
	if err != nil {
		panic(err) // it has nothing that cannot be written
	}
	own := hmac.New(sha256.New, key)
	own.Write([]byte("reeve backup manifest"))
	h := hmac.New(sha256.New, own.Sum(nil)) // a key of its own: the other one seals
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}

// syncFolders makes every folder below dir durable.
func syncFolders(dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return durable.SyncDir(p)
	})
}

func broken(format string, args ...any) *fault.Error {
	return fault.New(fault.KindConflict, "backup.broken", "the backup is broken: "+format, args...).WithHint("use another one")
}

func diskFault(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	return fault.New(fault.KindUnavailable, "backup.disk", "a file could not be written or read").WithHint("is there room, and the right to write?").WithCause(err)
}
