package identity

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"reeve/internal/control"
)

// again reads a session's principal as the next request would see it.
func (h *house) again(who Principal) Principal {
	h.t.Helper()
	s, err := h.SignIns(h.t.Context(), who, false)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, x := range s {
		if x.ID == who.SignInID {
			who.FactorAt = x.FactorAt
		}
	}
	if who.HasFactor, err = hasFactor(h.t.Context(), h.db, who.PersonID); err != nil {
		h.t.Fatal(err)
	}
	return who
}

func (h *house) code(seed string) string {
	h.t.Helper()
	code, err := totp.GenerateCode(seed, h.Directory.now())
	if err != nil {
		h.t.Fatal(err)
	}
	return code
}

func (h *house) enrol(who Principal) (seed string, recovery []string) {
	h.t.Helper()
	e, err := h.BeginFactor(h.t.Context(), who, "phone", good)
	if err != nil {
		h.t.Fatal(err)
	}
	codes, err := h.ConfirmFactor(h.t.Context(), who, e.Factor.ID, h.code(e.Secret))
	if err != nil {
		h.t.Fatal(err)
	}
	return e.Secret, codes
}

func TestFactorOfASignIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, ada := t.Context(), h.admin()

	h.wantCode("nothing enrolled", NeedFresh(ada, h.Directory.now()), "identity.factor_missing")
	_, err := h.BeginFactor(ctx, ada, "phone", "not the password")
	h.wantCode("enrolling without the password", err, "identity.password")
	e, err := h.BeginFactor(ctx, ada, "phone", good)
	h.wantCode("enrolling", err, "")
	if !strings.HasPrefix(e.URI, "otpauth://totp/Reeve:ada?") || !bytes.HasPrefix(e.PNG, []byte("\x89PNG")) {
		t.Errorf("enrolment: %s, %d bytes of picture", e.URI, len(e.PNG))
	}
	_, err = h.SignIn(ctx, "ada", good, "", "127.0.0.1", "")
	h.wantCode("signing in before the first code", err, "")
	_, err = h.ConfirmFactor(ctx, ada, e.Factor.ID, "000000")
	h.wantCode("a wrong first code", err, "identity.factor")
	codes, err := h.ConfirmFactor(ctx, ada, e.Factor.ID, h.code(e.Secret))
	h.wantCode("the first code", err, "")
	if len(codes) != recoveryCodes {
		t.Errorf("%d recovery codes, want %d", len(codes), recoveryCodes)
	}
	ada = h.again(ada)
	h.wantCode("fresh after the first code", NeedFresh(ada, h.Directory.now()), "")
	h.pass(FreshFor)
	h.wantCode("five minutes later", NeedFresh(ada, h.Directory.now()), "identity.factor_stale")

	_, err = h.SignIn(ctx, "ada", good, "", "127.0.0.1", "")
	h.wantCode("without a code", err, "identity.factor_needed")
	_, err = h.SignIn(ctx, "ada", "wrong", h.code(e.Secret), "127.0.0.1", "")
	h.wantCode("a wrong password says nothing of the code", err, "identity.sign_in")
	used := h.code(e.Secret)
	_, err = h.SignIn(ctx, "ada", good, used, "127.0.0.1", "")
	h.wantCode("with a code", err, "")
	_, err = h.SignIn(ctx, "ada", good, used, "127.0.0.1", "")
	h.wantCode("the same code again", err, "identity.factor")
	h.pass(2 * totpPeriod)
	_, err = h.SignIn(ctx, "ada", good, used, "127.0.0.1", "")
	h.wantCode("a code of a minute ago", err, "identity.factor")

	_, err = h.SignIn(ctx, "ada", good, codes[0][:6]+"-"+codes[0][6:], "127.0.0.1", "")
	h.wantCode("a recovery code, typed in two halves", err, "")
	_, err = h.SignIn(ctx, "ada", good, codes[0], "127.0.0.1", "")
	h.wantCode("the same recovery code again", err, "identity.factor")
	if _, left, err := h.Factors(ctx, ada, ada.PersonID); err != nil || left != recoveryCodes-1 {
		t.Errorf("%d recovery codes left, %v", left, err)
	}
}

func TestFactorGuessesAreLimited(t *testing.T) {
	t.Parallel()
	h := open(t)
	ada := h.admin()
	seed, _ := h.enrol(ada)
	h.pass(time.Hour / 2)
	ada = h.again(ada)
	for range 5 {
		_, err := h.Refresh(t.Context(), ada, "123")
		h.wantCode("a guess", err, "identity.factor")
	}
	_, err := h.Refresh(t.Context(), ada, h.code(seed))
	h.wantCode("the right code after five guesses", err, "identity.too_many")
	h.pass(31 * time.Second)
	_, err = h.Refresh(t.Context(), ada, h.code(seed))
	h.wantCode("the right code half a minute later", err, "")
	h.wantCode("fresh", NeedFresh(h.again(ada), h.Directory.now()), "")
}

func TestFurtherFactorsNeedAFreshOne(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, ada := t.Context(), h.admin()
	h.enrol(ada)
	h.pass(FreshFor)
	ada = h.again(ada)
	_, err := h.BeginFactor(ctx, ada, "second", good)
	h.wantCode("adding with the password alone", err, "identity.factor_stale")
	all, _, err := h.Factors(ctx, ada, ada.PersonID)
	if err != nil || len(all) != 1 {
		t.Fatalf("factors: %v, %v", all, err)
	}
	h.wantCode("removing while stale", h.RemoveFactor(ctx, ada, all[0].ID), "identity.factor_stale")

	bob := h.person(ada, "bob")
	bobs := h.signIn("bob")
	h.enrol(bobs)
	bobs = h.again(bobs)
	h.wantCode("removing another's", h.RemoveFactor(ctx, bobs, all[0].ID), "identity.not_found")
	_, _, err = h.Factors(ctx, bobs, ada.PersonID)
	h.wantCode("seeing another's", err, "identity.denied")
	mine, _, err := h.Factors(ctx, bobs, bob.ID)
	if err != nil || len(mine) != 1 {
		t.Fatalf("bob's factors: %v, %v", mine, err)
	}
	h.wantCode("a token shows no factor", NeedFresh(Principal{Kind: KindToken, HasFactor: true}, h.Directory.now()), "identity.person_only")
	h.wantCode("removing one's own", h.RemoveFactor(ctx, bobs, mine[0].ID), "")
	if _, left, err := h.Factors(ctx, bobs, bob.ID); err != nil || left != 0 {
		t.Errorf("%d recovery codes outlive the last factor, %v", left, err)
	}
}

// box seals by turning bytes around, and only under the name given.
type box struct{}

func (box) Seal(name string, secret []byte) ([]byte, error) {
	return append([]byte(name+"\x00"), secret...), nil
}

func (box) Unseal(name string, sealed []byte) ([]byte, error) {
	return bytes.TrimPrefix(sealed, []byte(name+"\x00")), nil
}

func TestFactorSecretsAreSealed(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Directory.sealer = box{}
	ada := h.admin()
	seed, _ := h.enrol(ada)
	stored, _, err := control.One(t.Context(), h.db, scanText, `SELECT secret FROM factors`)
	if err != nil || !strings.HasPrefix(stored, "sealed:") || strings.Contains(stored, seed) {
		t.Errorf("stored as %q, %v", stored, err)
	}
	h.pass(time.Minute)
	_, err = h.Refresh(t.Context(), h.again(ada), h.code(seed))
	h.wantCode("a code of a sealed factor", err, "")
	h.Directory.sealer = nil
	h.pass(time.Minute)
	_, err = h.Refresh(t.Context(), h.again(ada), h.code(seed))
	h.wantCode("without the passphrase", err, "identity.sealed")
}

func TestProposalNeedsAnother(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, ada := t.Context(), h.admin()
	admins := []Role{Admin}
	alone, err := h.Alone(ctx, ada, admins, Everything, Everything)
	if err != nil || !alone {
		t.Errorf("the only admin is alone: %v, %v", alone, err)
	}
	h.person(ada, "bob", Grant{Admin, Everything, Everything})
	h.person(ada, "eve", Grant{Viewer, Everything, Everything})
	if alone, err = h.Alone(ctx, ada, admins, Everything, Everything); err != nil || alone {
		t.Errorf("with a second admin: alone %v, %v", alone, err)
	}
	bob := h.signIn("bob")
	p, err := h.Propose(ctx, ada, Proposal{Operation: "UpdatePerson", Path: "/people/x", Body: "{}", Summary: "give eve a role", Team: "*", Environment: "*"})
	h.wantCode("proposing", err, "")
	_, err = h.Decide(ctx, ada, p.ID, ProposalConfirmed)
	h.wantCode("confirming one's own", err, "identity.second_person")
	_, err = h.Decide(ctx, bob, p.ID, ProposalWithdrawn)
	h.wantCode("withdrawing another's", err, "identity.denied")
	p, err = h.Decide(ctx, bob, p.ID, ProposalConfirmed)
	if err != nil || p.State != ProposalConfirmed || p.DecidedBy != "bob" {
		t.Errorf("confirmed: %+v, %v", p, err)
	}
	_, err = h.Decide(ctx, bob, p.ID, ProposalDeclined)
	h.wantCode("deciding twice", err, "identity.proposal_settled")
	h.wantCode("finishing", h.Finish(ctx, bob, p.ID, "agent.conflict: too late"), "")
	if p, err = h.Proposal(ctx, p.ID); err != nil || p.State != ProposalFailed || p.Error == "" {
		t.Errorf("finished: %+v, %v", p, err)
	}

	p, err = h.Propose(ctx, ada, Proposal{Operation: "UpdatePerson", Summary: "again"})
	h.wantCode("proposing again", err, "")
	h.pass(ProposalLife)
	_, err = h.Decide(ctx, bob, p.ID, ProposalConfirmed)
	h.wantCode("a day later", err, "identity.proposal_settled")
	if open, err := h.Proposals(ctx, true, 0); err != nil || len(open) != 0 {
		t.Errorf("open after a day: %v, %v", open, err)
	}
}

func TestSignInWithAProvider(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, ada := t.Context(), h.admin()
	if _, err := h.CreateTeam(ctx, ada, "support", ""); err != nil {
		t.Fatal(err)
	}
	teams, grants := []string{"support", "elsewhere"}, []Grant{{Developer, "support", Everything}}
	l := Login{Issuer: "https://idp.example", Subject: "s-1", Name: "Ada", FullName: "Ada Again", Email: "ada@example.com", Teams: &teams, Grants: &grants}
	_, err := h.SignInWith(ctx, l, "10.0.0.1", "")
	h.wantCode("an unknown login where accounts are not made", err, "identity.login_unknown")
	l.Create = true
	n, err := h.SignInWith(ctx, l, "10.0.0.1", "")
	h.wantCode("the first sign-in", err, "")
	if n.Person.Name != "ada-2" || len(n.Person.Teams) != 2 || len(n.Person.Grants) != 1 {
		t.Errorf("made %+v; an account is never taken over by its name", n.Person)
	}
	_, err = h.SignIn(ctx, "ada-2", "", "", "10.0.0.1", "")
	h.wantCode("an account without a password", err, "identity.sign_in")

	grants = nil
	l.FactorAt = h.Directory.now()
	if n, err = h.SignInWith(ctx, l, "10.0.0.1", ""); err != nil || len(n.Person.Grants) != 0 {
		t.Errorf("after the group was lost: %+v, %v", n.Person, err)
	}
	who, err := h.Session(ctx, n.Cookie, n.Secret)
	if err != nil || !who.Fresh(h.Directory.now()) {
		t.Errorf("the provider's factor counts: %+v, %v", who, err)
	}

	h.wantCode("linking", h.Link(ctx, ada, "https://idp.example", "s-2"), "")
	h.wantCode("linking another's login", h.Link(ctx, ada, "https://idp.example", "s-1"), "identity.login_taken")
	if n, err = h.SignInWith(ctx, Login{Issuer: "https://idp.example", Subject: "s-2"}, "10.0.0.1", ""); err != nil || n.Person.Name != "ada" || len(n.Person.Grants) == 0 {
		t.Errorf("signing in by a linked login keeps one's own roles: %+v, %v", n.Person, err)
	}
	h.wantCode("a factor of somebody else", h.ShownFactor(ctx, ada.SignInID, "https://idp.example", "s-1", h.Directory.now()), "identity.login_other")
	h.wantCode("a factor of one's own", h.ShownFactor(ctx, ada.SignInID, "https://idp.example", "s-2", h.Directory.now()), "")
}
