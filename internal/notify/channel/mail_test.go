package channel

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// TestMailCarriesFiles reads a mail as any reader does: its text first, then each
// file as it was given, whatever its name and its bytes.
func TestMailCarriesFiles(t *testing.T) {
	t.Parallel()
	all := make([]byte, 5000)
	for i := range all {
		all[i] = byte(i * 7)
	}
	from, to := &mail.Address{Address: "reeve@example.com"}, &mail.Address{Address: "finance@example.com"}
	m := &Message{Key: "k", Title: "What agents cost in 2026-10", Text: "# October\n\n| Wien | 12.00 € |\n.\n", At: time.Unix(1e9, 0), Files: []File{
		{Name: "cost-2026-10.pdf", Type: "application/pdf", Data: all},
		{Name: "Übersicht \"x\"\r\nBcc: eve@example.com.txt", Type: "text/plain", Data: nil},
	}}
	raw := mailText(m, from, to)
	for _, line := range strings.Split(string(raw), "\r\n") {
		if len(line) > 200 || strings.HasPrefix(line, "Bcc:") {
			t.Errorf("a line of %d bytes: %.80q", len(line), line)
		}
	}
	got, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, with, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" || got.Header.Get("Bcc") != "" || got.Header.Get("Subject") != m.Title {
		t.Fatalf("%s %v, %v, of %v", kind, with, err, got.Header)
	}
	r := multipart.NewReader(got.Body, with["boundary"])
	p, err := r.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(p))
	if err != nil || !strings.Contains(string(text), "| Wien | 12.00 € |") || p.Header.Get("Content-Type") != `text/plain; charset="utf-8"` {
		t.Errorf("the text is %q of %v, %v", text, p.Header, err)
	}
	for i, want := range m.Files {
		p, err := r.NextRawPart()
		if err != nil {
			t.Fatalf("file %d: %v", i, err)
		}
		data, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil || !bytes.Equal(data, want.Data) || p.Header.Get("Content-Type") != want.Type {
			t.Errorf("file %d came as %d bytes of %v, %v", i, len(data), p.Header, err)
		}
		if d, _, err := mime.ParseMediaType(p.Header.Get("Content-Disposition")); err != nil || d != "attachment" {
			t.Errorf("file %d is %q, %v", i, d, err)
		}
	}
	if _, err := r.NextRawPart(); err != io.EOF {
		t.Errorf("after the files: %v", err)
	}

	// Without files it is plain text, as it always was.
	m.Files = nil
	got, err = mail.ReadMessage(bytes.NewReader(mailText(m, from, to)))
	if err != nil || got.Header.Get("Content-Type") != `text/plain; charset="utf-8"` || got.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
		t.Errorf("without files: %v, %v", got, err)
	}
}
