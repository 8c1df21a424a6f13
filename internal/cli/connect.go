package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"reeve/client"
)

func connectCommands() []command {
	return []command{
		{name: "upstream connect", args: "[flags] NAME", short: "let a person agree once to what an upstream's authorization server asks", long: connectHelp, run: runUpstreamConnect},
		{name: "upstream disconnect", args: "[flags] NAME", short: "give up what was granted for an upstream", run: runUpstreamDisconnect},
	}
}

// oauthFlags are those of an upstream that is called with tokens.
type oauthFlags struct {
	grant, issuer, clientID, clientAuth, resource string
	scopes                                        texts
}

func (o *oauthFlags) bind(fs *flag.FlagSet) {
	fs.StringVar(&o.grant, "oauth", "", "it is called with tokens of its authorization server: code, where a person connects it once, or client, where Reeve speaks for itself")
	fs.StringVar(&o.issuer, "issuer", "", "of --oauth: the authorization server, if not the one that the upstream names")
	fs.StringVar(&o.clientID, "client-id", "", "of --oauth: who Reeve is there, if people registered it; --credential is then its secret or key")
	fs.StringVar(&o.clientAuth, "client-auth", "", "of --oauth: none, client_secret_basic, client_secret_post or private_key_jwt, if not what is taken there")
	fs.StringVar(&o.resource, "resource", "", "of --oauth: what tokens are asked for, if not what the upstream's metadata says")
	fs.Var(&o.scopes, "scope", "of --oauth: a scope to ask for, instead of what the upstream wants; several")
}

var oauthGrants = map[string]string{"code": "authorization_code", "client": "client_credentials"}

// merged is the credential c with the flags that were given, for an upstream that
// had the credential old. A secret that is given anew for one of --oauth is the
// client's, unless --as says how it is sent.
func (o *oauthFlags) merged(c, old *client.Credential, given map[string]bool) (*client.Credential, error) {
	some := given["oauth"] || given["issuer"] || given["client-id"] || given["client-auth"] || given["resource"] || given["scope"]
	had := old != nil && old.OAuth != nil
	if !some && (!had || c == nil || given["as"]) {
		return c, nil
	}
	out := client.OAuth{}
	next := client.Credential{Kind: "oauth"}
	if had {
		out = *old.OAuth
	}
	if c != nil && (given["credential"] || had) {
		next.Source, next.Ref, next.Value = c.Source, c.Ref, c.Value
	}
	if given["oauth"] {
		if out.Grant = oauthGrants[o.grant]; out.Grant == "" {
			return nil, fmt.Errorf("%w: --oauth is code or client", errUsage)
		}
	}
	for name, set := range map[string]func(){
		"issuer": func() { out.Issuer = o.issuer }, "client-id": func() { out.ClientID = o.clientID }, "client-auth": func() { out.ClientAuth = o.clientAuth },
		"resource": func() { out.Resource = o.resource }, "scope": func() { out.Scopes = o.scopes },
	} {
		if given[name] {
			set()
		}
	}
	next.OAuth = &out
	return &next, nil
}

const connectHelp = `
An upstream with --oauth code needs a person once: this prints the address at
which you agree (--open opens it in a browser) and waits until the browser came
back to the console, where you must be signed in as the same person. Where the
console cannot be reached from that browser, copy the address that it ends at:

  reeve upstream connect tracker
  reeve upstream connect tracker --finish 'http://127.0.0.1:7300/auth/upstream/callback/tracker?code=...'

With --oauth client nobody has to agree: it is connected at once. Connecting
anew is how a person agrees to further scopes, or to another authorization
server than before.`

func runUpstreamConnect(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var finish string
	var open bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&finish, "finish", "", "the `address` that the browser ended at, instead of waiting for it")
	fs.BoolVar(&open, "open", false, "open the address in a browser")
	name, err := oneWord(fs, args, "upstream")
	if err != nil {
		return err
	}
	if finish != "" {
		said, err := saidIn(finish)
		if err != nil {
			return err
		}
		said.Name = name
		got, err := r.client().FinishUpstreamConnection(ctx, said)
		if err != nil {
			return err
		}
		return printConnection(e.stdout, &r, name, *got)
	}
	a, err := r.client().ConnectUpstream(ctx, client.ConnectUpstreamRequest{Name: name, Anywhere: true})
	if err != nil {
		return err
	}
	if a.AuthorizationURL == "" {
		return printConnection(e.stdout, &r, name, a.Connection)
	}
	if to := a.Connection.Redirect; to != "" && a.Connection.Client == "registered" {
		fmt.Fprintf(e.stderr, "the client that you registered there must come back to %s\n", word(to))
	}
	fmt.Fprintf(e.stderr, "agree here, by %s:\n\n  %s\n\nwaiting for it ...\n", a.ExpiresAt.Local().Format(time.TimeOnly), cleanAddress(a.AuthorizationURL))
	if open {
		openBrowser(ctx, a.AuthorizationURL)
	}
	return awaitConnection(ctx, e.stdout, &r, name, a)
}

// cleanAddress is an address without anything that acts on a terminal: it is of
// an authorization server that the upstream named.
func cleanAddress(text string) string {
	at, err := url.Parse(text)
	if err != nil {
		return word(text)
	}
	return word(at.String())
}

// awaitConnection asks until the connection is another than before.
func awaitConnection(ctx context.Context, w io.Writer, r *remote, name string, a *client.ConnectionAttempt) error {
	before := time.Time{}
	if at := a.Connection.ConnectedAt; at != nil {
		before = *at
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for time.Now().Before(*a.ExpiresAt) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		u, err := r.client().GetUpstream(ctx, client.UpstreamRequest{Name: name})
		if err != nil {
			return err
		}
		if k := u.Connection; k != nil && k.ConnectedAt != nil && k.ConnectedAt.After(before) {
			return printConnection(w, r, name, *k)
		}
	}
	return fmt.Errorf("upstream %s was not connected in time: begin again", name)
}

// saidIn reads what an authorization server said from the address at which a
// browser ended: at the console's callback or on its page.
func saidIn(address string) (client.FinishConnectionRequest, error) {
	at, err := url.Parse(address)
	if err != nil {
		return client.FinishConnectionRequest{}, fmt.Errorf("%w: --finish is no address", errUsage)
	}
	q := at.Query()
	if _, part, ok := strings.Cut(at.Path, "/auth/upstream/callback/"); ok {
		q.Set("at", part)
	}
	if q.Get("state") == "" {
		if q, err = url.ParseQuery(at.Fragment); err != nil || q.Get("state") == "" {
			return client.FinishConnectionRequest{}, fmt.Errorf("%w: --finish has no state: copy the whole address", errUsage)
		}
	}
	return client.FinishConnectionRequest{
		State: q.Get("state"), At: q.Get("at"), Code: q.Get("code"), Issuer: q.Get("iss"), Error: q.Get("error"), ErrorDescription: q.Get("error_description"),
	}, nil
}

func printConnection(w io.Writer, r *remote, name string, k client.Connection) error {
	return r.print(w, k, func(w io.Writer) {
		fmt.Fprintf(w, "upstream %s: %s at %s", name, strings.ReplaceAll(k.State, "_", " "), cmp.Or(word(k.Issuer), "no authorization server"))
		if len(k.Scopes) > 0 {
			fmt.Fprintf(w, ", with the scopes %s", word(strings.Join(k.Scopes, " ")))
		}
		fmt.Fprintln(w)
		if k.State == "connected" && !k.Renews {
			fmt.Fprintln(w, "its authorization server gave nothing to renew it with: it must be connected again when its token ends")
		}
	})
}

func runUpstreamDisconnect(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "upstream")
	if err != nil {
		return err
	}
	if err := r.client().DisconnectUpstream(ctx, client.UpstreamRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "upstream %s is not connected any more\n", name)
	return nil
}

// openBrowser asks the desktop to show an address; where there is none the
// printed address serves.
func openBrowser(ctx context.Context, address string) {
	if at, err := url.Parse(address); err != nil || at.Scheme != "https" && at.Scheme != "http" {
		return
	}
	program, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		program = "open"
	case "windows":
		program, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	_ = exec.CommandContext(ctx, program, args...).Start() // the address is printed too
}
