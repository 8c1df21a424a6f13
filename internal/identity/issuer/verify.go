package issuer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"reeve/internal/identity/token"
)

// claims is a token's body; numbers keep their text.
type claims map[string]any

// at finds a claim: by its name, or by a JSON pointer when it begins with "/"
// (names may hold dots and slashes, as "kubernetes.io" does).
func (c claims) at(path string) (any, bool) {
	if !strings.HasPrefix(path, "/") {
		v, ok := c[path]
		return v, ok
	}
	var at any = map[string]any(c)
	for part := range strings.SplitSeq(path[1:], "/") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]; !ok {
			return nil, false
		}
	}
	return at, true
}

// text is a claim that is a string, number or boolean.
func (c claims) text(path string) string {
	switch v, _ := c.at(path); v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// list is a claim that is a string, split at spaces, or a list of strings.
func (c claims) list(path string) []string {
	switch v, _ := c.at(path); v := v.(type) {
	case string:
		return strings.Fields(v)
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// first is the first of these claims that says something.
func (c claims) first(paths []string) string {
	for _, p := range paths {
		if s := c.text(p); s != "" {
			return s
		}
	}
	return ""
}

func (c claims) time(name string) (time.Time, bool) {
	n, ok := c[name].(json.Number)
	if !ok {
		return time.Time{}, false
	}
	f, err := n.Float64()
	if err != nil || f < 0 || f > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}

func (e *entry) verify(ctx context.Context, text string, now time.Time) (token.Principal, error) {
	none := token.Principal{}
	t, err := jwt.ParseSigned(text, token.Algorithms())
	if err != nil {
		return none, refuse(err)
	}
	if len(t.Headers) != 1 {
		return none, refuse(errors.New("not one signature"))
	}
	keys, err := e.keys.find(ctx, t.Headers[0].KeyID, now)
	if err != nil {
		return none, err
	}
	var body json.RawMessage
	err = errors.New("no key of the issuer fits")
	for _, k := range keys {
		if k.Algorithm != "" && k.Algorithm != t.Headers[0].Algorithm {
			continue
		}
		if err = t.Claims(k.Key, &body); err == nil {
			break
		}
	}
	if err != nil {
		return none, refuse(err)
	}
	c := claims{}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&c); err != nil {
		return none, refuse(err)
	}
	if err := e.checkClaims(c, now); err != nil {
		return none, refuse(err)
	}
	p, err := e.principal(c)
	if err != nil {
		return none, refuse(err)
	}
	return p, nil
}

func (e *entry) checkClaims(c claims, now time.Time) error {
	if c.text("iss") != e.Issuer.Issuer {
		return errors.New("another issuer")
	}
	if _, ok := c["cnf"]; ok {
		// Whoever made it wants possession shown, which cannot be checked for all
		// the ways there are.
		return errors.New("bound to a key")
	}
	aud := c.list("aud")
	if s, ok := c["aud"].(string); ok {
		aud = []string{s} // a single audience may hold spaces
	}
	if !slices.ContainsFunc(aud, func(a string) bool { return slices.Contains(e.Audiences, a) }) {
		return errors.New("another audience")
	}
	exp, ok := c.time("exp")
	if !ok || !now.Before(exp.Add(token.Leeway)) {
		return errors.New("expired, or without an end")
	}
	if nbf, ok := c.time("nbf"); ok && nbf.After(now.Add(token.Leeway)) {
		return errors.New("not yet valid")
	}
	iat, ok := c.time("iat")
	switch {
	case !ok || iat.After(now.Add(token.Leeway)):
		return errors.New("without iat, or issued in the future")
	case exp.Sub(iat) > e.MaxLife:
		return errors.New("lives too long")
	}
	for claim, values := range e.Required {
		got := c.list(claim)
		if s := c.text(claim); s != "" {
			got = []string{s}
		}
		if len(got) == 0 {
			return fmt.Errorf("the claim %s is missing", claim)
		}
		if len(values) > 0 && !slices.ContainsFunc(got, func(g string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return fitsValue(v, g) })
		}) {
			return fmt.Errorf("the claim %s has another value", claim)
		}
	}
	return nil
}

// fitsValue compares exactly, or by the beginning before a *.
func fitsValue(want, got string) bool {
	if prefix, ok := strings.CutSuffix(want, "*"); ok {
		return strings.HasPrefix(got, prefix)
	}
	return want == got
}

// agent is that of the first rule that fits, or "".
func (e *entry) agent(c claims) string {
	for _, r := range e.Rules {
		fit := true
		for claim, want := range r.Claims {
			got := c.text(claim)
			if got == "" || !fitsValue(want, got) {
				fit = false
				break
			}
		}
		if fit {
			return r.Agent
		}
	}
	return ""
}

// principal says in our words who a token speaks for. A workload's token is the
// agent's own; a user's token was given to the agent that its rule names (azp),
// which may act for that user.
func (e *entry) principal(c claims) (token.Principal, error) {
	id := token.Identity{
		Issuer: e.Issuer.Issuer, Tenant: c.first(e.words.tenant), Kind: e.words.kind(c), Subject: c.first(e.words.subject), Parent: c.first(e.words.parent),
	}
	if id.Subject == "" {
		return token.Principal{}, errors.New("without a subject")
	}
	act, _ := c["act"].(map[string]any)
	for at := claims(act); at != nil; {
		if len(id.Actors) == token.MaxDepth {
			return token.Principal{}, errors.New("delegated too often")
		}
		sub := at.text("sub")
		if sub == "" {
			return token.Principal{}, errors.New("an actor without sub")
		}
		id.Actors = append(id.Actors, sub)
		next, _ := at["act"].(map[string]any)
		at = next
	}
	agent := e.agent(c)
	if may, ok := c["may_act"].(map[string]any); ok {
		// Whoever it names is the only one that may act, whatever azp says: the
		// rules read the named one as the party.
		named := claims{}
		for k, v := range c {
			named[k] = v
		}
		for _, k := range e.words.party {
			named[k] = claims(may).first([]string{"client_id", "sub"})
		}
		if agent != "" && e.agent(named) != agent {
			return token.Principal{}, errors.New("another agent may act")
		}
	}
	exp, _ := c.time("exp")
	iat, _ := c.time("iat")
	p := token.Principal{
		Credential: "foreign_token", CredentialID: c.first([]string{"jti", "uti"}), Issued: iat, Expires: exp, Identity: id,
		Prior: id.Actors, Uses: e.Uses, Scopes: c.list("scope"),
	}
	if p.Scopes == nil {
		p.Scopes = c.list("scp")
	}
	if p.CredentialID == "" {
		p.CredentialID = e.Name + ":" + clip(id.Subject)
	}
	if id.Kind == token.KindUser {
		user := c.first(e.words.user)
		if !line(user) {
			return token.Principal{}, errors.New("without a user")
		}
		p.User, p.UserName, p.UserGroups = e.Name+":"+user, user, bounded(c.list(e.words.groups))
		return p.WithParty(agent), nil
	}
	if agent == "" {
		return token.Principal{}, errors.New("no rule names an agent for it")
	}
	p.Agent = agent
	return p, nil
}

func bounded(list []string) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return !line(s) })
	return list[:min(len(list), 200)]
}
