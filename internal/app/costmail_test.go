package app

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"reeve/client"
)

// postbox is a mail server that takes everything; each mail comes out of it.
func postbox(t *testing.T) (address string, mails <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	out := make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go takeMail(c, out)
		}
	}()
	return "smtp://" + l.Addr().String(), out
}

func takeMail(c net.Conn, out chan<- string) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	in, say := bufio.NewReader(c), func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	say("220 ready")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch word := strings.ToUpper(strings.TrimSpace(line)); {
		case word == "DATA":
			say("354 go on")
			var body strings.Builder
			for {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				body.WriteString(strings.TrimPrefix(line, "."))
			}
			out <- body.String()
			say("250 taken")
		case word == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// TestTheMonthsReportIsMailed: the mail of a month's report is read as any reader
// reads it, with the PDF beside the Markdown, for each address; and it is noted.
func TestTheMonthsReportIsMailed(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	c := client.New("http://"+a.Address("listen"), "")
	if _, err := c.SendCostReport(ctx, client.SendCostReportRequest{}); apiCode(err) != "cost.invalid" {
		t.Errorf("nobody gets it: %v", err)
	}
	address, mails := postbox(t)
	if _, err := c.PutChannel(ctx, client.PutChannelRequest{Name: "post", Kind: "email", Settings: client.ChannelSettings{URL: address, From: "reeve@example.com", Insecure: true}}); err != nil {
		t.Fatal(err)
	}
	to := []string{"finance@example.com", "desk@example.com"}
	s, err := c.PutCostSettings(ctx, client.CostSettings{Report: client.CostReport{Channel: "post", To: to, Day: 3}})
	if err != nil || s.Report.NextAt == nil || s.Report.LastMonth != "" {
		t.Fatalf("%+v, %v", s, err)
	}
	month := time.Now().UTC().AddDate(0, 0, -time.Now().UTC().Day()).Format("2006-01")
	if s, err = c.SendCostReport(ctx, client.SendCostReportRequest{}); err != nil || s.Report.LastMonth != month || s.Report.LastAt == nil {
		t.Fatalf("%+v, %v", s, err)
	}
	got := map[string]bool{}
	for range to {
		select {
		case raw := <-mails:
			got[readReport(t, raw, month)] = true
		case <-time.After(30 * time.Second):
			t.Fatal("no mail came within 30 s")
		}
	}
	for _, who := range to {
		if !got[who] {
			t.Errorf("no mail for %s: %v", who, got)
		}
	}
}

// readReport reads a mail of two parts and tells whom it is for.
func readReport(t *testing.T, raw, month string) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, with, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, with["boundary"])
	text, err := parts.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	if words, err := io.ReadAll(quotedprintable.NewReader(text)); err != nil || !strings.Contains(string(words), "# What agents cost in ") || !strings.Contains(string(words), "## By cost centre") {
		t.Errorf("the text is %q, %v", words, err)
	}
	file, err := parts.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	_, named, err := mime.ParseMediaType(file.Header.Get("Content-Disposition"))
	pdf, failed := io.ReadAll(base64.NewDecoder(base64.StdEncoding, file))
	if err != nil || failed != nil || named["filename"] != "cost-"+month+".pdf" || file.Header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.Contains(pdf, []byte("%%EOF")) {
		t.Errorf("the file is %v of %d bytes, %v, %v", file.Header, len(pdf), err, failed)
	}
	to, err := mail.ParseAddress(m.Header.Get("To"))
	if err != nil {
		t.Fatal(err)
	}
	return to.Address
}
