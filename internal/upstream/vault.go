package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/fault"
)

// VaultConfig says where HashiCorp Vault (or what speaks its protocol) is, for
// credentials of source vault. Ref of a credential is PATH#KEY, as in
// secret/data/openai#key of a KV engine, version 2.
type VaultConfig struct {
	Address   string   `yaml:"address" doc:"Of Vault, as https://vault.example.com:8200. Empty: VAULT_ADDR of the environment; without either there is no Vault."`
	TokenFile string   `yaml:"token_file" doc:"File with the token, as Vault's agent writes it; read again when it changes. Empty: VAULT_TOKEN of the environment."`
	Namespace string   `yaml:"namespace" doc:"Vault's namespace, where it has any."`
	CACert    string   `yaml:"ca_cert" doc:"PEM of the authority that signed Vault's certificate. Empty: the system's."`
	Paths     []string `yaml:"paths" doc:"Beginnings of paths that credentials may lie under."`
}

// DefaultVault is what a plain installation has.
func DefaultVault() VaultConfig { return VaultConfig{Paths: []string{"secret/data/"}} }

const (
	vaultEvery   = 10 * time.Second // how often a secret is read again: a rotated one is used by then
	vaultStale   = time.Hour        // how long one is used that cannot be read again
	vaultTimeout = 3 * time.Second
	vaultRenew   = 10 * time.Minute
	vaultBody    = 1 << 20
	maxVault     = 2 * maxUpstreams
)

var vaultRef = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_./-]{0,300})#([A-Za-z0-9_.-]{1,100})$`)

// vault reads secrets and remembers them, so that no call waits for Vault but
// the first.
type vault struct {
	config VaultConfig
	client *http.Client
	log    *slog.Logger
	now    func() time.Time

	mu      sync.Mutex
	secrets map[string]*vaultSecret // by ref
	renewed time.Time
}

type vaultSecret struct {
	mu    sync.Mutex // held while it is read for the first time
	value string
	read  time.Time // zero: never
	asked time.Time
	used  time.Time
}

// newVault makes a reader; one without an address refuses every ref.
func newVault(c VaultConfig, log *slog.Logger, now func() time.Time) (*vault, error) {
	if c.Address == "" {
		c.Address = os.Getenv("VAULT_ADDR")
	}
	if c.Namespace == "" {
		c.Namespace = os.Getenv("VAULT_NAMESPACE")
	}
	if len(c.Paths) == 0 {
		c.Paths = DefaultVault().Paths
	}
	v := &vault{config: c, log: log, now: now, secrets: map[string]*vaultSecret{}}
	if c.Address == "" {
		return v, nil
	}
	bad := func(format string, args ...any) error {
		return fault.New(fault.KindInvalid, "config.invalid", "vault: "+format, args...)
	}
	u, err := url.Parse(c.Address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, bad("%q is no address such as https://vault.example.com:8200", c.Address)
	}
	t := &http.Transport{ResponseHeaderTimeout: vaultTimeout, TLSHandshakeTimeout: vaultTimeout, IdleConnTimeout: time.Minute, MaxIdleConns: 4}
	if c.CACert != "" {
		pem, err := os.ReadFile(c.CACert)
		if err != nil {
			return nil, bad("ca_cert %s cannot be read", c.CACert)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, bad("ca_cert %s holds no certificate", c.CACert)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	v.client = &http.Client{Transport: t, Timeout: vaultTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return v, nil
}

// checkRef refuses what cannot be read.
func (v *vault) checkRef(ref string) error {
	m := vaultRef.FindStringSubmatch(ref)
	switch {
	case v.client == nil:
		return invalid("this server knows no Vault").WithHint("set vault.address, or VAULT_ADDR, and start it again")
	case m == nil || path.Clean(m[1]) != m[1]:
		return invalid("a credential from vault has a ref like secret/data/openai#key")
	case !slices.ContainsFunc(v.config.Paths, func(p string) bool { return strings.HasPrefix(m[1], p) }):
		return invalid("a credential from vault lies under %s", strings.Join(v.config.Paths, ", "))
	}
	return nil
}

// value is the secret of a ref as last read.
func (v *vault) value(ref string) (string, error) {
	if err := v.checkRef(ref); err != nil {
		return "", err
	}
	v.mu.Lock()
	s := v.secrets[ref]
	if s == nil {
		if len(v.secrets) >= maxVault {
			clear(v.secrets)
		}
		s = &vaultSecret{}
		v.secrets[ref] = s
	}
	v.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := v.now()
	s.used = now
	if s.read.IsZero() || now.Sub(s.read) > vaultStale {
		if now.Sub(s.asked) < time.Second {
			return "", errors.New("vault did not give it a moment ago")
		}
		if err := v.read(context.Background(), ref, s); err != nil {
			return "", err
		}
	}
	return s.value, nil
}

// read asks Vault for a secret; s.mu is held.
func (v *vault) read(ctx context.Context, ref string, s *vaultSecret) error {
	s.asked = v.now()
	at, key, _ := strings.Cut(ref, "#")
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	var answer struct {
		Data struct {
			Data map[string]any `json:"data"`
		} `json:"data"`
	}
	if err := v.do(ctx, http.MethodGet, at, &answer); err != nil {
		return err
	}
	text, ok := answer.Data.Data[key].(string)
	text = strings.TrimSpace(text)
	if !ok || text == "" || len(text) > maxSecret || strings.ContainsAny(text, "\r\n\x00") {
		return fmt.Errorf("vault's %s has no text %q of one line", at, key)
	}
	s.value, s.read = text, v.now()
	return nil
}

// do speaks Vault's protocol.
func (v *vault) do(ctx context.Context, method, at string, into any) error {
	token, err := v.token()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(v.config.Address, "/")+"/v1/"+at, nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Vault-Token", token)
	req.Header.Set("X-Vault-Request", "true") // which keeps a forged request of a browser out
	if v.config.Namespace != "" {
		req.Header.Set("X-Vault-Namespace", v.config.Namespace)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return fmt.Errorf("asking vault: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, vaultBody))
	if err != nil {
		return fmt.Errorf("reading vault's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var said struct {
			Errors []string `json:"errors"`
		}
		_ = json.Unmarshal(body, &said) // what is none says nothing
		return fmt.Errorf("vault answers %d for %s: %.200s", resp.StatusCode, at, strings.Join(said.Errors, "; "))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("vault's answer for %s: %w", at, err)
	}
	return nil
}

// token is read anew each time: Vault's agent replaces the file.
func (v *vault) token() (string, error) {
	if v.config.TokenFile == "" {
		if t := os.Getenv("VAULT_TOKEN"); t != "" {
			return t, nil
		}
		return "", errors.New("there is no token for vault")
	}
	b, err := os.ReadFile(v.config.TokenFile)
	if err != nil {
		return "", fmt.Errorf("reading vault's token: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// refresh reads again what was used within the last hour, and renews the token.
func (v *vault) refresh(ctx context.Context) {
	if v.client == nil {
		return
	}
	v.mu.Lock()
	refs := make(map[string]*vaultSecret, len(v.secrets))
	for ref, s := range v.secrets {
		refs[ref] = s
	}
	renew := len(refs) > 0 && v.now().Sub(v.renewed) >= vaultRenew
	if renew {
		v.renewed = v.now()
	}
	v.mu.Unlock()
	if renew {
		var answer json.RawMessage
		if err := v.do(ctx, http.MethodPost, "auth/token/renew-self", &answer); err != nil && ctx.Err() == nil {
			v.log.Info("vault's token was not renewed", "err", err) // many cannot be, and live long
		}
	}
	for ref, s := range refs {
		v.again(ctx, ref, s)
	}
}

func (v *vault) again(ctx context.Context, ref string, s *vaultSecret) {
	s.mu.Lock()
	due := !s.read.IsZero() && v.now().Sub(s.asked) >= vaultEvery/2
	unused := v.now().Sub(s.used) > vaultStale
	fresh := &vaultSecret{}
	s.mu.Unlock()
	if unused {
		v.mu.Lock()
		delete(v.secrets, ref)
		v.mu.Unlock()
		return
	}
	if !due || ctx.Err() != nil {
		return
	}
	// Read beside it: no call waits meanwhile.
	err := v.read(ctx, ref, fresh)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = v.now()
	if err != nil {
		v.log.Warn("a secret could not be read again: the last one is used", "ref", ref, "err", err)
		return
	}
	s.value, s.read = fresh.value, fresh.read
}
