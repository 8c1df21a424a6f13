package cli

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func svidCommands() []command {
	return []command{
		{name: "svid", args: "[flags]", short: "get or renew an instance's certificate at the door", long: svidHelp, run: runSVID},
	}
}

const svidHelp = `
Makes a key, shows a credential at the door and writes svid.pem, svid_key.pem and
bundle.pem. The first time that is a join token, a token of the platform, or an
agent key; after that, without any, the SVID in the folder renews itself and
keeps its instance. Call it at half the SVID's life, from a timer.

  reeve svid --door https://reeve.example.org:7301 --join-token rvj_... --out ./svid
  reeve svid --door https://reeve.example.org:7301 --out ./svid`

func runSVID(ctx context.Context, e env, c *command, args []string) error {
	var door, join, tokenFile, key, out, roots, output string
	fs := c.flags(e)
	fs.StringVar(&door, "door", envOr("REEVE_DOOR", "http://127.0.0.1:7301"), "`address` of the door (REEVE_DOOR)")
	fs.StringVar(&join, "join-token", os.Getenv("REEVE_JOIN_TOKEN"), "one-time token (REEVE_JOIN_TOKEN)")
	fs.StringVar(&tokenFile, "token-file", "", "`file` with a token of the platform, such as a projected service account token")
	fs.StringVar(&key, "key", os.Getenv("REEVE_AGENT_KEY"), "agent key (REEVE_AGENT_KEY)")
	fs.StringVar(&out, "out", ".", "`folder` for svid.pem, svid_key.pem and bundle.pem")
	fs.StringVar(&roots, "roots", "", "PEM `file` of the roots that the door is trusted by; empty: bundle.pem in the folder, and the system's")
	fs.StringVar(&output, "o", "text", "output: text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, private)
	if err != nil {
		return err
	}
	body := map[string]string{"csr": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr}))}
	header := ""
	switch {
	case join != "":
		body["join_token"] = join
	case tokenFile != "":
		raw, err := os.ReadFile(tokenFile)
		if err != nil {
			return err
		}
		body["workload_token"] = strings.TrimSpace(string(raw))
	case key != "":
		header = "Bearer " + key
	}
	client, err := doorClient(out, roots, join == "" && tokenFile == "" && key == "")
	if err != nil {
		return err
	}
	doc, err := askSVID(ctx, client, door, header, body)
	if err != nil {
		return err
	}
	if err := writeSVID(out, doc, private); err != nil {
		return err
	}
	r := remote{output: output}
	return r.print(e.stdout, doc, func(w io.Writer) {
		fmt.Fprintf(w, "%s\nuntil %s; renew it at %s\n", doc.ID, when(&doc.ExpiresAt), when(&doc.RenewAt))
	})
}

type svidDocument struct {
	ID        string    `json:"spiffe_id"`
	Instance  string    `json:"instance"`
	Chain     string    `json:"certificate_chain"`
	Bundle    string    `json:"bundle"`
	ExpiresAt time.Time `json:"expires_at"`
	RenewAt   time.Time `json:"renew_at"`
}

// doorClient trusts the system and the roots in the folder, and shows the SVID
// in it when nothing else proves who asks.
func doorClient(dir, roots string, renew bool) (*http.Client, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	file := roots
	if file == "" {
		file = filepath.Join(dir, "bundle.pem")
	}
	raw, err := os.ReadFile(file)
	if err != nil && (roots != "" || !os.IsNotExist(err)) {
		return nil, err
	}
	pool.AppendCertsFromPEM(raw)
	t := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if renew {
		cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "svid.pem"), filepath.Join(dir, "svid_key.pem"))
		if err != nil {
			return nil, fmt.Errorf("%w: there is no SVID to renew in %s: give a join token, a token file or a key", errUsage, dir)
		}
		t.Certificates = []tls.Certificate{cert}
	}
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: t}}, nil
}

func askSVID(ctx context.Context, c *http.Client, door, header string, body map[string]string) (*svidDocument, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(door, "/")+"/identity/svid", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if header != "" {
		req.Header.Set("Authorization", header)
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 256<<10))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		var p struct{ Code, Detail, Hint string }
		_ = json.Unmarshal(raw, &p) // what is no problem document is told by its status
		return nil, fmt.Errorf("the door refused: %s %s %s (%s)", resp.Status, p.Code, p.Detail, p.Hint)
	}
	doc := &svidDocument{}
	return doc, json.Unmarshal(raw, doc)
}

// writeSVID replaces the three files, each at once, the key first: a reader
// that comes in between sees a pair that does not fit and tries again.
func writeSVID(dir string, doc *svidDocument, private *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text []byte
		mode os.FileMode
	}{
		{"svid_key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600},
		{"svid.pem", []byte(doc.Chain), 0o644},
		{"bundle.pem", []byte(doc.Bundle), 0o644},
	} {
		tmp := filepath.Join(dir, "."+f.name)
		if err := os.WriteFile(tmp, f.text, f.mode); err != nil {
			return err
		}
		if err := os.Rename(tmp, filepath.Join(dir, f.name)); err != nil {
			return err
		}
	}
	return nil
}
