package compliance

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"reeve/internal/audit/tree"
	"reeve/internal/fault"
)

// Manifest is what a pack holds: each file with its SHA-256.
type Manifest struct {
	Kind       string         `json:"kind"` // reeve evidence pack 2
	Install    string         `json:"install"`
	Assessment string         `json:"assessment"`
	Framework  string         `json:"framework"`
	From       time.Time      `json:"from"`
	To         time.Time      `json:"to"`
	Made       time.Time      `json:"made"`
	Files      []ManifestFile `json:"files"`
}

// ManifestFile is a file of a pack.
type ManifestFile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
}

const (
	packKind     = "reeve evidence pack 2"
	manifestName = "manifest.json"
	signedName   = "manifest.signed"
	noteHead     = "reeve evidence pack\n"
	bodyName     = "assessment.json"
	receiptName  = "audit/receipt.json"
	maxPackFile  = 32 << 20
	maxPackFiles = 1000
)

// Signer signs a text with the keys of the audit log, as a signed note.
type Signer func(text string) ([]byte, error)

// Pack makes the evidence of an assessment into one zip: the assessment, a table of
// it, the mapping, the receipt, more files, and a manifest that is signed. body is
// the assessment as it was kept; receipt proves that its hash is in the log of
// changes, and is checked before anything is signed. files are others' records by
// name, such as checkpoints of the audit logs.
func Pack(body, receipt []byte, f *Framework, install string, files map[string][]byte, keys []string, sign Signer, now time.Time) ([]byte, error) {
	a := &Assessment{}
	if err := json.Unmarshal(body, a); err != nil {
		return nil, fault.New(fault.KindInternal, "compliance.stored", "a stored assessment does not read").WithCause(err)
	}
	if err := proved(a.ID, body, receipt, keys); err != nil {
		return nil, err
	}
	table, err := controlTable(a)
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{bodyName: body, receiptName: receipt, "controls.csv": table, "README.txt": []byte(readme(a))}
	if f != nil && hashText(f.Text) == a.Mapping { // a mapping that was changed since is not the one that was asked
		all["mapping.yaml"] = []byte(f.Text)
	}
	for name, b := range files {
		all[name] = b
	}
	m := Manifest{Kind: packKind, Install: install, Assessment: a.ID, Framework: a.Framework, From: a.From, To: a.To, Made: now.UTC().Truncate(time.Second)}
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h := sha256.Sum256(all[name])
		m.Files = append(m.Files, ManifestFile{name, hex.EncodeToString(h[:]), len(all[name])})
	}
	manifest, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, err
	}
	signed, err := sign(noteText(manifest))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name string, content []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: m.Made})
		if err == nil {
			_, err = w.Write(content)
		}
		return err
	}
	for _, name := range names {
		if err := put(name, all[name]); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(put(manifestName, manifest), put(signedName, signed), z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// proved checks that the log of changes has a record of exactly this assessment.
func proved(id string, body, receipt []byte, keys []string) error {
	r, err := tree.ReadReceipt(receipt)
	if err != nil {
		return invalid("the receipt of the assessment does not read").WithCause(err)
	}
	_, records, err := r.Verify(keys...)
	if err != nil {
		return invalid("the log of changes does not prove the assessment").WithCause(err)
	}
	for _, x := range records {
		var of struct {
			Object string `json:"object"`
		}
		if err := json.Unmarshal(x.Body, &of); err == nil && x.Kind == AssessedKind && of.Object == recorded(id, body) {
			return nil
		}
	}
	return invalid("the assessment is not the one that was recorded when it was made").WithHint("whoever changed it could write the database; assess again")
}

// noteText is what is signed: the hash of the manifest.
func noteText(manifest []byte) string {
	h := sha256.Sum256(manifest)
	return noteHead + hex.EncodeToString(h[:]) + "\n"
}

func controlTable(a *Assessment) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"control", "article", "title", "result", "evidence", "evidence title", "evidence result", "value", "records", "text", "search"}}
	for _, c := range a.Controls {
		for _, e := range c.Evidence {
			value := ""
			if e.Value.Value != nil {
				value = number(*e.Value.Value)
			}
			rows = append(rows, []string{c.ID, c.Article, c.Title, c.Result, e.ID, e.Title, e.Result, value, strconv.FormatInt(e.N, 10), e.Text, e.Search})
		}
	}
	for _, r := range rows {
		for i := range r {
			if strings.ContainsAny(r[i][:min(1, len(r[i]))], "=+-@\t\r") {
				r[i] = "'" + r[i] // a spreadsheet must not run what somebody wrote
			}
		}
	}
	err := w.WriteAll(rows)
	return b.Bytes(), err
}

func readme(a *Assessment) string {
	own := ""
	if a.Custom {
		own = "The mapping is one of this house's own: mapping.yaml says what was asked.\n"
	}
	return fmt.Sprintf(`Evidence for %s, assessed at %s
for %s to %s: %d controls pass, %d fail, %d are unknown.

assessment.json is what was kept when it was made, byte for byte;
audit/receipt.json proves that its hash was written into the log of changes then.
%smanifest.json lists every file with its SHA-256; manifest.signed is the hash of
the manifest, signed by the keys of the audit log (a signed note, Ed25519). Check
it without the server:

  reeve compliance verify PACK.zip --key 'NAME+HASH+KEY'

The key is what 'reeve audit keys' shows, and should be known from elsewhere.
`, a.Title, a.At.Format(time.RFC3339), a.From.Format(time.RFC3339), a.To.Format(time.RFC3339), a.Pass, a.Fail, a.Unknown, own)
}

// Verify checks a pack against keys of the audit log: that the manifest is signed by
// one of them, that the log of changes has the assessment as it is in the pack, and
// that every file is there, as it was, and no other.
func Verify(pack []byte, keys ...string) (*Manifest, error) {
	z, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		return nil, invalid("the pack is no zip").WithCause(err)
	}
	if len(z.File) > maxPackFiles {
		return nil, invalid("the pack has more than %d files", maxPackFiles)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		if _, twice := files[f.Name]; twice {
			return nil, invalid("the pack has %.80s twice", f.Name)
		}
		if files[f.Name], err = readFile(f); err != nil {
			return nil, invalid("%.80s does not read", f.Name).WithCause(err)
		}
	}
	var known []note.Verifier
	for _, k := range keys {
		v, err := note.NewVerifier(k)
		if err != nil {
			return nil, invalid("%.80s is no key of an audit log", k).WithCause(err)
		}
		known = append(known, v)
	}
	n, err := note.Open(files[signedName], note.VerifierList(known...))
	if err != nil {
		return nil, invalid("the manifest is not signed by a key that was given").WithCause(err)
	}
	if n.Text != noteText(files[manifestName]) {
		return nil, invalid("the manifest is not the one that was signed")
	}
	var m Manifest
	if err := json.Unmarshal(files[manifestName], &m); err != nil || m.Kind != packKind {
		return nil, invalid("the manifest does not read").WithCause(err)
	}
	if err := proved(m.Assessment, files[bodyName], files[receiptName], keys); err != nil {
		return nil, err
	}
	for _, f := range m.Files {
		content, ok := files[f.Name]
		h := sha256.Sum256(content)
		if !ok || hex.EncodeToString(h[:]) != f.SHA256 {
			return nil, invalid("%.80s is missing or was changed", f.Name)
		}
		delete(files, f.Name)
	}
	delete(files, manifestName)
	delete(files, signedName)
	for name := range files {
		return nil, invalid("%.80s is not in the manifest", name)
	}
	return &m, nil
}

func readFile(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxPackFile+1))
	if err == nil && len(b) > maxPackFile {
		err = fmt.Errorf("it has more than %d bytes", maxPackFile)
	}
	return b, err
}
