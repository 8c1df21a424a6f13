package channel

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// E-mail over SMTP: smtps:// (TLS from the start) or smtp:// with STARTTLS, which
// is required beyond this host.

func checkMail(s Settings, secret Secret) error {
	u, err := url.Parse(s.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.User != nil {
		return invalid("a mail server is needed, such as smtps://mail.example.com:465 or smtp://mail.example.com:587")
	}
	if s.Insecure && !net.ParseIP(u.Hostname()).IsLoopback() && u.Hostname() != "localhost" {
		return invalid("mail without TLS is only for a server on this host")
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		return invalid("a sender's address is needed, such as reeve@example.com")
	}
	if s.Channel != "" {
		if _, err := mail.ParseAddress(s.Channel); err != nil {
			return invalid("%.80q is no address", s.Channel)
		}
	}
	if s.User != "" {
		return needToken(secret, "the user's password")
	}
	return nil
}

// sendMail speaks SMTP by hand, so that it is known whether a failure came before
// or after the message was handed over.
func sendMail(ctx context.Context, h *http.Client, s Settings, secret Secret, m *Message) Answer {
	to, err := mail.ParseAddress(cmp.Or(m.To, s.Channel))
	if err != nil {
		return Answer{Outcome: Failed, Text: "it has no recipient"}
	}
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return Answer{Outcome: Failed, Text: "it has no sender"}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := dialMail(ctx, h, s)
	if err != nil {
		return refusal(err, Again)
	}
	defer c.Close()
	if s.User != "" {
		u, _ := url.Parse(s.URL) // checked when it was saved
		if err := c.Auth(smtp.PlainAuth("", s.User, secret.Token, u.Hostname())); err != nil {
			return refusal(err, Again)
		}
	}
	if err := errors.Join(c.Mail(from.Address), c.Rcpt(to.Address)); err != nil {
		return refusal(err, Again)
	}
	w, err := c.Data()
	if err != nil {
		return refusal(err, Again)
	}
	if _, err := w.Write(mailText(m, from, to)); err != nil {
		return refusal(err, Again) // without its end nothing is delivered
	}
	if err := w.Close(); err != nil {
		return refusal(err, Unknown)
	}
	_ = c.Quit() // it was taken in
	return Answer{Outcome: Sent, Status: 250, Ref: messageID(m, from)}
}

// dialMail connects as the client of the other channels does, so that the same
// addresses are refused.
func dialMail(ctx context.Context, h *http.Client, s Settings) (*smtp.Client, error) {
	dial := (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	if t, ok := h.Transport.(*http.Transport); ok && t.DialContext != nil {
		dial = t.DialContext
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	port := cmp.Or(u.Port(), map[string]string{"smtp": "587", "smtps": "465"}[u.Scheme])
	conn, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	config := &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if u.Scheme == "smtps" {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, u.Hostname())
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if u.Scheme == "smtp" && !s.Insecure {
		if err := c.StartTLS(config); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// refusal reads an SMTP error: 5xx is for good, 4xx for now.
func refusal(err error, other string) Answer {
	var p *textproto.Error
	if !errors.As(err, &p) {
		if other == Unknown {
			return Answer{Outcome: Unknown, Text: "the connection was lost before it was taken in"}
		}
		return Answer{Outcome: other, Text: "the mail server could not be spoken to"}
	}
	if p.Code >= 500 {
		return Answer{Outcome: Failed, Status: p.Code, Text: cut(p.Msg)}
	}
	return Answer{Outcome: Again, Status: p.Code, Text: cut(p.Msg), Wait: time.Minute}
}

func messageID(m *Message, from *mail.Address) string {
	_, host, _ := strings.Cut(from.Address, "@")
	return "<" + mac("reeve message id", m.Key, m.Action, m.To)[:32] + "@" + host + ">"
}

func mailText(m *Message, from, to *mail.Address) []byte {
	var b bytes.Buffer
	head := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	head("From", from.String())
	head("To", to.String())
	head("Subject", mime.QEncoding.Encode("utf-8", clip(strings.Join(strings.Fields(m.Title), " "), 200)))
	head("Date", m.At.Format(time.RFC1123Z))
	head("Message-ID", messageID(m, from))
	head("Auto-Submitted", "auto-generated")
	head("MIME-Version", "1.0")
	if len(m.Files) == 0 {
		for _, name := range slices.Sorted(maps.Keys(textHeader)) {
			head(name, textHeader.Get(name))
		}
		b.WriteString("\r\n")
		writeText(&b, m)
		return b.Bytes()
	}
	// All of it is written into memory, which cannot fail.
	parts := multipart.NewWriter(&b)
	head("Content-Type", mime.FormatMediaType("multipart/mixed", map[string]string{"boundary": parts.Boundary()}))
	b.WriteString("\r\n")
	w, _ := parts.CreatePart(textHeader)
	writeText(w, m)
	for _, f := range m.Files {
		w, _ := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type":              {f.Type},
			"Content-Transfer-Encoding": {"base64"},
			"Content-Disposition":       {mime.FormatMediaType("attachment", map[string]string{"filename": f.Name})},
		})
		writeLines(w, base64.StdEncoding.EncodeToString(f.Data))
	}
	_ = parts.Close()
	return b.Bytes()
}

var textHeader = textproto.MIMEHeader{"Content-Type": {`text/plain; charset="utf-8"`}, "Content-Transfer-Encoding": {"quoted-printable"}}

func writeText(w io.Writer, m *Message) {
	q := quotedprintable.NewWriter(w)
	_, _ = q.Write([]byte(m.Title + "\n\n" + describe(m) + "\n")) // into memory: cannot fail
	_ = q.Close()
}

// writeLines writes base64 in the lines of 76 that RFC 2045 allows at most.
func writeLines(w io.Writer, text string) {
	for len(text) > 0 {
		n := min(len(text), 76)
		_, _ = io.WriteString(w, text[:n]+"\r\n") // into memory: cannot fail
		text = text[n:]
	}
}
