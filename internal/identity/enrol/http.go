package enrol

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/identity/ca"
	"reeve/internal/identity/token"
)

const maxBody = 64 << 10

// Handler serves POST /identity/svid and /identity/jwt.
func (d *Desk) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /identity/svid", func(w http.ResponseWriter, r *http.Request) { d.answer(w, r, d.svid) })
	mux.HandleFunc("POST /identity/enrol", func(w http.ResponseWriter, r *http.Request) { d.answer(w, r, d.svid) })
	mux.HandleFunc("POST /identity/jwt", func(w http.ResponseWriter, r *http.Request) { d.answer(w, r, d.jwt) })
	return mux
}

// Paths are those that Handler serves, as patterns of http.ServeMux.
func Paths() []string { return []string{"/identity/"} }

// request is the body of both; unknown fields are refused.
type request struct {
	CSR           string   `json:"csr"`            // PEM, or base64 of DER
	JoinToken     string   `json:"join_token"`     // one of these two, an agent key as
	WorkloadToken string   `json:"workload_token"` // Authorization, or the current SVID over TLS
	Audience      []string `json:"audience"`       // of a JWT-SVID: one
	TTL           string   `json:"ttl"`            // at most this long: "30m"
}

// document is what an instance gets.
type document struct {
	ID        string    `json:"spiffe_id"`
	Instance  string    `json:"instance"`
	Chain     string    `json:"certificate_chain,omitempty"` // PEM
	Bundle    string    `json:"bundle,omitempty"`            // PEM of the roots
	Token     string    `json:"token,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
	RenewAt   time.Time `json:"renew_at"`
}

func (d *Desk) answer(w http.ResponseWriter, r *http.Request, act func(*http.Request, request, time.Duration) (*document, error)) {
	w.Header().Set("Cache-Control", "no-store")
	req, life, err := readRequest(w, r)
	var doc *document
	if err == nil {
		doc, err = act(r, req, life)
	}
	if err != nil {
		f := fault.From(err)
		if f.Kind == fault.KindInternal || f.Kind == fault.KindUnavailable {
			d.o.Logger.ErrorContext(r.Context(), "enrolment failed", "code", f.Code, "err", err)
			w.Header().Set("Retry-After", "1")
		} else {
			d.o.Logger.InfoContext(r.Context(), "enrolment refused", "code", f.Code, "err", err)
		}
		writeJSON(w, f.Kind.HTTPStatus(), "application/problem+json", map[string]any{
			"title": f.Kind.String(), "status": f.Kind.HTTPStatus(), "code": f.Code, "detail": f.Message, "hint": f.Hint,
		})
		return
	}
	writeJSON(w, http.StatusOK, "application/json", doc)
}

func writeJSON(w http.ResponseWriter, status int, kind string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"code":"internal"}`)
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func readRequest(w http.ResponseWriter, r *http.Request) (req request, life time.Duration, err error) {
	bad := func(what string, cause error) error {
		return fault.New(fault.KindInvalid, "enrol.invalid", "%s", what).WithCause(cause)
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return req, 0, bad("send application/json", err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return req, 0, bad("the body is too long or was cut", err)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		return req, 0, bad("the body cannot be read", err)
	}
	if dec.More() {
		return req, 0, bad("there is more than one value in the body", nil)
	}
	if req.TTL != "" {
		if life, err = time.ParseDuration(req.TTL); err != nil || life < 10*time.Second {
			return req, 0, bad("ttl is a duration of at least 10s", err)
		}
	}
	return req, life, nil
}

// prove finds out who asks, by exactly one credential.
func (d *Desk) prove(r *http.Request, req request) (Proof, error) {
	header := r.Header.Get("Authorization")
	shown := 0
	for _, s := range []string{req.JoinToken, req.WorkloadToken, header} {
		if s != "" {
			shown++
		}
	}
	switch {
	case shown > 1 || len(r.Header.Values("Authorization")) > 1:
		return Proof{}, refuse(errors.New("more than one credential"))
	case req.JoinToken != "":
		return d.byJoinToken(r.Context(), req.JoinToken)
	case req.WorkloadToken != "":
		return d.byWorkload(r.Context(), req.WorkloadToken)
	case header != "":
		scheme, text, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Proof{}, refuse(errors.New("another scheme"))
		}
		name, id, err := d.o.Key(text, r.RemoteAddr)
		if err != nil {
			return Proof{}, err
		}
		a, err := d.o.Agents(name)
		return Proof{Agent: a, Via: "agent_key", ID: id}, err
	}
	return d.bySVID(r)
}

// bySVID is an instance that has one: it keeps its id.
func (d *Desk) bySVID(r *http.Request) (Proof, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return Proof{}, refuse(errors.New("no credential"))
	}
	p, err := d.o.Verifier.Peer(r.TLS.PeerCertificates[0])
	if err != nil {
		return Proof{}, err
	}
	a, err := d.o.Agents(p.Agent)
	return Proof{Agent: a, Instance: p.Instance, Via: "x509_svid", ID: p.CredentialID}, err
}

func (d *Desk) svid(r *http.Request, req request, life time.Duration) (*document, error) {
	csr, err := readCSR(req.CSR)
	if err != nil {
		return nil, err
	}
	p, err := d.prove(r, req)
	if err != nil {
		return nil, err
	}
	s, instance, err := d.Issue(r.Context(), p, csr, life)
	if err != nil {
		return nil, err
	}
	return &document{
		ID: s.ID, Instance: instance, Chain: pemOf(s.Chain), Bundle: pemOf(d.o.CA.RootCertificates()), ExpiresAt: s.NotAfter, RenewAt: half(d.o.Now(), s.NotAfter),
	}, nil
}

// half is when something that ends at end is renewed.
func half(now, end time.Time) time.Time { return now.Add(end.Sub(now) / 2).UTC().Truncate(time.Second) }

// readCSR takes PEM or base64 of DER.
func readCSR(text string) ([]byte, error) {
	if len(text) > 2*ca.MaxCSR {
		return nil, fault.New(fault.KindInvalid, "ca.csr", "the certificate request is too long")
	}
	if block, rest := pem.Decode([]byte(text)); block != nil {
		if block.Type != "CERTIFICATE REQUEST" || len(bytes.TrimSpace(rest)) > 0 {
			return nil, fault.New(fault.KindInvalid, "ca.csr", "csr holds something else than one CERTIFICATE REQUEST")
		}
		return block.Bytes, nil
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(der) == 0 {
		return nil, fault.New(fault.KindInvalid, "ca.csr", "csr is neither PEM nor base64").WithCause(err)
	}
	return der, nil
}

func pemOf(list [][]byte) string {
	var b strings.Builder
	for _, der := range list {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // a strings.Builder never fails
	}
	return b.String()
}

// jwt gives an instance a JWT-SVID. Only the certificate proves the instance, so
// nothing else is taken.
func (d *Desk) jwt(r *http.Request, req request, life time.Duration) (*document, error) {
	if len(req.Audience) != 1 {
		return nil, fault.New(fault.KindInvalid, "enrol.invalid", "a JWT-SVID has one audience")
	}
	if req.CSR != "" || req.JoinToken != "" || req.WorkloadToken != "" || r.Header.Get("Authorization") != "" {
		return nil, refuse(errors.New("a JWT-SVID is given to a certificate alone"))
	}
	p, err := d.bySVID(r)
	if err != nil {
		return nil, err
	}
	t, err := d.JWT(p, req.Audience[0], life)
	if err != nil {
		return nil, err
	}
	id, err := ca.AgentID(d.o.CA.TrustDomain(), p.Agent.Name, p.Instance)
	if err != nil {
		return nil, err
	}
	return &document{ID: id, Instance: p.Instance, Token: t.Token, ExpiresAt: t.Expires, RenewAt: half(d.o.Now(), t.Expires)}, nil
}

// JWT makes a JWT-SVID for an instance that proved itself.
func (d *Desk) JWT(p Proof, audience string, life time.Duration) (token.Issued, error) {
	return d.o.Keys.SVID(token.Subject{Agent: p.Agent.Name, Instance: p.Instance, Epoch: p.Agent.Epoch}, audience, life)
}
