package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"reeve/client"
)

func credentialsCommands() []command {
	return []command{
		{name: "agent jwk add", args: "[flags] AGENT FILE", short: "register an agent's public keys for the token endpoint", long: jwkHelp, run: runAgentJWKAdd},
		{name: "agent jwk list", args: "[flags] AGENT", short: "list an agent's public keys", run: runAgentJWKList},
		{name: "agent jwk remove", args: "[flags] AGENT KID", short: "take a public key of an agent away", run: runAgentJWKRemove},
		{name: "agent oauth", args: "[flags] AGENT", short: "show or say what an agent may ask of the token endpoint", long: oauthHelp, run: runAgentOAuth},
		{name: "agent join-token create", args: "[flags] AGENT", short: "make a token by which one instance enrols; it is shown once", long: joinHelp, run: runJoinTokenCreate},
		{name: "agent join-token list", args: "[flags] AGENT", short: "list the join tokens of an agent", run: runJoinTokenList},
		{name: "agent join-token revoke", args: "[flags] AGENT ID", short: "end an unused join token", run: runJoinTokenRevoke},
		{name: "agent workload add", args: "[flags] AGENT", short: "say which processes of the server's host are an agent", long: workloadHelp, run: runWorkloadAdd},
		{name: "agent workload list", args: "[flags] AGENT", short: "list an agent's workloads", run: runWorkloadList},
		{name: "agent workload remove", args: "[flags] AGENT ID", short: "end a workload's registration", run: runWorkloadRemove},
		{name: "agent credential revoke", args: "[flags] AGENT JTI|SERIAL", short: "end one token or certificate of an agent", run: runCredentialRevoke},
		{name: "issuer list", args: "[flags]", short: "list the outside issuers whose tokens are taken", run: runIssuerList},
		{name: "issuer set", args: "[flags] NAME FILE", short: "register an outside issuer", long: issuerHelp, run: runIssuerSet},
		{name: "issuer delete", args: "[flags] NAME", short: "take no more tokens of an outside issuer", run: runIssuerDelete},
		{name: "ca show", args: "[flags]", short: "show the certificate authority and its roots", run: runCAShow},
		{name: "ca rotate", args: "[flags]", short: "make a new root", long: caRotateHelp, run: runCARotate},
	}
}

// readFile reads a file, or stdin for "-", up to a bound.
func readFile(e env, name string, most int64) ([]byte, error) {
	from := e.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	raw, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && int64(len(raw)) > most {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, most)
	}
	return raw, err
}

func commas(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

const jwkHelp = `
The agent keeps the private key and signs client assertions with it
(private_key_jwt); FILE holds the public key, as a JWK or a JWK set, - is stdin.
Then it gets access tokens at the door's /oauth/token.`

func runAgentJWKAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.AddAgentJWKsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.ExpiresIn, "expires-in", "", "life, like 30d; empty: 90 days")
	var file string
	var err error
	if req.Name, file, err = twoWords(fs, args, "an agent and a file"); err != nil {
		return err
	}
	raw, err := readFile(e, file, 64<<10)
	if err != nil {
		return err
	}
	if req.JWKS = raw; !json.Valid(raw) {
		return fmt.Errorf("%w: %s is no JSON", errUsage, file)
	}
	list, err := r.client().AddAgentJWKs(ctx, req)
	if err != nil {
		return err
	}
	return r.jwks(e, list)
}

func (r *remote) jwks(e env, list *client.List[client.AgentJWK]) error {
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "KID\tAGENT\tADDED\tEXPIRES")
		for _, k := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", word(k.KeyID), k.Agent, when(&k.CreatedAt), when(&k.ExpiresAt))
		}
	})
}

func runAgentJWKList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	list, err := r.client().ListAgentJWKs(ctx, client.AgentRequest{Name: name})
	if err != nil {
		return err
	}
	return r.jwks(e, list)
}

func runAgentJWKRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.AgentJWKRequest
	fs := c.flags(e)
	r.bind(fs)
	var err error
	if req.Name, req.KeyID, err = twoWords(fs, args, "an agent and a kid"); err != nil {
		return err
	}
	if err := r.client().RemoveAgentJWK(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "public key %s of %s is removed\n", req.KeyID, req.Name)
	return nil
}

const oauthHelp = `
Without flags it shows what the agent may ask of the token endpoint; with flags
it replaces it. An agent always gets tokens for the door.

  reeve agent oauth refund --scopes tools:call --audiences https://api.example.org`

func runAgentOAuth(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PutAgentOAuthRequest
	var scopes, audiences, resources string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&scopes, "scopes", "", "that it may ask for, with commas")
	fs.StringVar(&audiences, "audiences", "", "beside the door, with commas")
	fs.StringVar(&resources, "resources", "", "audiences that it is itself: it may introspect their tokens")
	fs.Int64Var(&req.LifeS, "life", 0, "`seconds` that its tokens live; 0: 15 minutes")
	fs.BoolVar(&req.Bound, "bound", false, "its tokens must be bound to a key (DPoP or certificate)")
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	change := false
	fs.Visit(func(f *flag.Flag) {
		change = change || slices.Contains([]string{"scopes", "audiences", "resources", "life", "bound"}, f.Name)
	})
	var o *client.AgentOAuth
	if change {
		req.Name, req.Scopes, req.Audiences, req.Resources = name, commas(scopes), commas(audiences), commas(resources)
		o, err = r.client().PutAgentOAuth(ctx, req)
	} else {
		o, err = r.client().GetAgentOAuth(ctx, client.AgentRequest{Name: name})
	}
	if err != nil {
		return err
	}
	return r.print(e.stdout, o, func(w io.Writer) {
		fmt.Fprintf(w, "client id\t%s\nscopes\t%s\naudiences\t%s\nresources\t%s\nlife\t%d s\nbound\t%v\n", o.ClientID, strings.Join(o.Scopes, " "), strings.Join(o.Audiences, " "),
			strings.Join(o.Resources, " "), o.LifeS, o.Bound)
	})
}

const joinHelp = `
An instance shows the token once at the door, with a certificate request, and
gets its SVID. It is good for an hour.

  reeve agent join-token create refund
  reeve svid --join-token rvj_... --out ./svid`

func runJoinTokenCreate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CreateJoinTokenRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Label, "label", "", "where it is used")
	fs.StringVar(&req.ExpiresIn, "expires-in", "", "life, like 12h, a week at most; empty: an hour")
	var err error
	if req.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	j, err := r.client().CreateJoinToken(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, j, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", j.Token)
		fmt.Fprintf(e.stderr, "join token %s of %s until %s; it is good once and not shown again\n", j.ID, j.Agent, when(&j.ExpiresAt))
	})
}

func runJoinTokenList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	list, err := r.client().ListJoinTokens(ctx, client.AgentRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tLABEL\tEXPIRES\tUSED\tINSTANCE")
		for _, j := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", j.ID, word(j.Label), when(&j.ExpiresAt), when(j.UsedAt), j.Instance)
		}
	})
}

func runJoinTokenRevoke(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.AgentItemRequest
	fs := c.flags(e)
	r.bind(fs)
	var err error
	if req.Name, req.ID, err = twoWords(fs, args, "an agent and a join token"); err != nil {
		return err
	}
	if err := r.client().RevokeJoinToken(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "join token %s is revoked\n", req.ID)
	return nil
}

func runCredentialRevoke(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.RevokeCredentialRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Name, req.ID, err = twoWords(fs, args, "an agent and a jti or serial"); err != nil {
		return err
	}
	if err := r.client().RevokeCredential(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "credential %s is revoked\n", req.ID)
	return nil
}

const workloadHelp = `
A process of the server's host that fits gets the agent's SVIDs from the
Workload API (identity.workload_socket), without any secret. Every selector that
is given must fit.

  reeve agent workload add refund --exe /opt/refund/agent --uid 1001
  reeve agent workload add refund --cgroup /system.slice/refund.service`

func runWorkloadAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CreateWorkloadRequest
	var exe string
	uid := int64(-1)
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&exe, "exe", "", "its executable: a `file` of this host, or sha256:HEX")
	fs.StringVar(&req.Cgroup, "cgroup", "", "its cgroup, or one above it")
	fs.Int64Var(&uid, "uid", -1, "the user it runs as")
	fs.StringVar(&req.ExpiresIn, "expires-in", "", "life, like 30d; empty: until removed")
	var err error
	if req.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	if uid >= 0 {
		req.UID = &uid
	}
	if req.Exe, err = digestOf(exe); err != nil {
		return err
	}
	made, err := r.client().CreateWorkload(ctx, req)
	if err != nil {
		return err
	}
	return r.workloads(e, &client.List[client.Workload]{Items: []client.Workload{*made}})
}

func digestOf(exe string) (string, error) {
	if sum, ok := strings.CutPrefix(exe, "sha256:"); ok || exe == "" {
		return sum, nil
	}
	f, err := os.Open(exe)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (r *remote) workloads(e env, list *client.List[client.Workload]) error {
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tAGENT\tUID\tEXE\tCGROUP\tPARENT\tEXPIRES")
		for _, x := range list.Items {
			uid, parent := "any", ""
			if x.UID != nil {
				uid = fmt.Sprint(*x.UID)
			}
			if x.ParentPID != 0 {
				parent = fmt.Sprint(x.ParentPID)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%.12s\t%s\t%s\t%s\n", x.ID, x.Agent, uid, x.Exe, word(x.Cgroup), parent, when(x.ExpiresAt))
		}
	})
}

func runWorkloadList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	list, err := r.client().ListWorkloads(ctx, client.AgentRequest{Name: name})
	if err != nil {
		return err
	}
	return r.workloads(e, list)
}

func runWorkloadRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.AgentItemRequest
	fs := c.flags(e)
	r.bind(fs)
	var err error
	if req.Name, req.ID, err = twoWords(fs, args, "an agent and a workload"); err != nil {
		return err
	}
	if err := r.client().DeleteWorkload(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "workload %s is removed\n", req.ID)
	return nil
}

const issuerHelp = `
Tokens of this issuer are taken when they name one of the audiences, carry what
is required, and a rule says which agent they belong to. FILE holds the rest of
the registration as JSON, - is stdin:

  reeve issuer set ci - <<'END'
  {"preset": "github-actions", "audiences": ["https://reeve.example.org"],
   "required": {"repository": ["example/shop"]},
   "rules": [{"agent": "releaser", "claims": {"sub": "repo:example/shop:ref:refs/heads/main"}}]}
  END

Presets: oidc, kubernetes, github-actions, entra, okta, oracle.`

func runIssuerSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PutTokenIssuerRequest
	fs := c.flags(e)
	r.bind(fs)
	name, file, err := twoWords(fs, args, "an issuer and a file")
	if err != nil {
		return err
	}
	raw, err := readFile(e, file, 512<<10)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		return fmt.Errorf("%w: %s: %w", errUsage, file, err)
	}
	req.Name = name
	i, err := r.client().PutTokenIssuer(ctx, req)
	if err != nil {
		return err
	}
	return r.issuers(e, &client.List[client.TokenIssuer]{Items: []client.TokenIssuer{*i}})
}

func (r *remote) issuers(e env, list *client.List[client.TokenIssuer]) error {
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tPRESET\tISSUER\tAUDIENCES\tUSES\tRULES\tREVISION")
		for _, i := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\n", i.Name, i.Preset, word(i.Issuer), word(strings.Join(i.Audiences, " ")), strings.Join(i.Uses, " "), len(i.Rules), i.Revision)
		}
	})
}

func runIssuerList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListTokenIssuers(ctx)
	if err != nil {
		return err
	}
	return r.issuers(e, list)
}

func runIssuerDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "issuer")
	if err != nil {
		return err
	}
	if err := r.client().DeleteTokenIssuer(ctx, client.TokenIssuerRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "tokens of %s are taken no longer\n", name)
	return nil
}

func runCAShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	pem := false
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&pem, "pem", false, "print the roots alone, as clients need them in a file")
	if err := parse(fs, args); err != nil {
		return err
	}
	a, err := r.client().GetAuthority(ctx)
	if err != nil {
		return err
	}
	if pem {
		for _, root := range a.Roots {
			fmt.Fprint(e.stdout, root.Certificate)
		}
		return nil
	}
	return r.authority(e, a)
}

func (r *remote) authority(e env, a *client.Authority) error {
	return r.print(e.stdout, a, func(w io.Writer) {
		keys := "encrypted under a passphrase"
		if !a.Sealed {
			keys = "file mode only: protected by the rights of their file"
		}
		fmt.Fprintf(w, "trust domain\t%s\nissuer\t%s\nkeys\t%s\nbundle\t%d\n", a.TrustDomain, a.Issuer, keys, a.Sequence)
		for _, root := range a.Roots {
			fmt.Fprintf(w, "root\tSHA-256 %s until %s\n", root.Fingerprint, when(&root.NotAfter))
		}
	})
}

const caRotateHelp = `
The new root is published at once and signs ten minutes later, when readers of
the bundle have it; the old one leaves when its last certificate has ended.
--compromised drops the old root at once: every certificate of it is refused,
and instances enrol anew.`

func runCARotate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.RotateAuthorityRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	fs.BoolVar(&req.Compromised, "compromised", false, "drop the old root at once")
	if err := parse(fs, args); err != nil {
		return err
	}
	a, err := r.client().RotateAuthority(ctx, req)
	if err != nil {
		return err
	}
	return r.authority(e, a)
}
