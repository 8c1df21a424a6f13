package client

import (
	"encoding/json"
	"fmt"
	"time"
)

// This file holds the shapes of second factors and of changes that need two
// people.

// Factor is a person's second factor.
type Factor struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"` // totp, passkey
	Label     string     `json:"label"`
	CreatedAt time.Time  `json:"created_at"`
	LastUsed  *time.Time `json:"last_used"`
	Confirmed bool       `json:"confirmed"` // false: no code was shown yet
}

// Factors are a person's second factors.
type Factors struct {
	Items             []Factor `json:"items"`
	RecoveryCodesLeft int      `json:"recovery_codes_left"`
}

// BeginFactorRequest enrols a device. The first one needs the password again.
type BeginFactorRequest struct {
	Label    string `json:"label"`
	Password string `json:"password,omitempty"`
}

// Enrolment is a new factor's secret, shown once. It counts once a code of it
// was confirmed.
type Enrolment struct {
	Factor Factor `json:"factor"`
	Secret string `json:"secret"` // base32, to type in
	URI    string `json:"uri"`    // otpauth://, to scan
	Image  string `json:"image"`  // the same as a picture: data:image/png;base64,...
}

// ConfirmFactorRequest shows a code of an enrolled device.
type ConfirmFactorRequest struct {
	ID   string `path:"id" json:"-"`
	Code string `json:"code"`
}

// PasskeyEnrolment is a new passkey that counts once the browser's answer to
// Options was confirmed.
type PasskeyEnrolment struct {
	Factor  Factor          `json:"factor"`
	Options json.RawMessage `json:"options"` // PublicKeyCredentialCreationOptionsJSON of W3C Web Authentication
}

// PasskeyOptions is what a browser is asked with.
type PasskeyOptions struct {
	Options json.RawMessage `json:"options"` // PublicKeyCredentialRequestOptionsJSON of W3C Web Authentication
}

// ConfirmPasskeyRequest is a browser's answer to an enrolment.
type ConfirmPasskeyRequest struct {
	ID         string          `path:"id" json:"-"`
	Credential json.RawMessage `json:"credential"` // RegistrationResponseJSON of W3C Web Authentication
}

// PasskeyRequest is a browser's answer to PasskeyOptions.
type PasskeyRequest struct {
	Credential json.RawMessage `json:"credential"` // AuthenticationResponseJSON of W3C Web Authentication
}

// CodeRequest carries a one-time code.
type CodeRequest struct {
	Code string `json:"code"`
}

// RecoveryCodes stand for a lost device, each once. They come with the first
// factor and are shown once.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}

// FreshUntil is when a second factor stops counting for dangerous acts.
type FreshUntil struct {
	Until time.Time `json:"until"`
}

// ProviderButton is a provider that people sign in with.
type ProviderButton struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	URL   string `json:"url"`
}

// ListProposalsRequest narrows the list of proposals.
type ListProposalsRequest struct {
	Open  bool `query:"open"`
	Limit int  `query:"limit"`
}

// Proposal is a change that waits for a second person, or did.
type Proposal struct {
	ID          string          `json:"id"`
	Operation   string          `json:"operation"`
	Path        string          `json:"path"`
	Request     json.RawMessage `json:"request"`
	Summary     string          `json:"summary"`
	Reason      string          `json:"reason,omitempty"`
	Team        string          `json:"team"`
	Environment string          `json:"environment"`
	By          string          `json:"by"`
	Mine        bool            `json:"mine"` // who asks is who asked for it, and cannot confirm it
	CreatedAt   time.Time       `json:"created_at"`
	ExpiresAt   time.Time       `json:"expires_at"`
	State       string          `json:"state"` // open, confirmed, done, failed, declined, withdrawn, expired
	DecidedBy   string          `json:"decided_by,omitempty"`
	DecidedAt   *time.Time      `json:"decided_at"`
	Error       string          `json:"error,omitempty"`
}

// Pending is the error of a call whose change waits for a second person: nothing
// has changed yet.
type Pending struct{ Proposal Proposal }

// Error says what waits, and for whom.
func (p *Pending) Error() string {
	return fmt.Sprintf("%s waits for a second person (%s) until %s", p.Proposal.Summary, p.Proposal.ID, p.Proposal.ExpiresAt.Format(time.RFC3339))
}
