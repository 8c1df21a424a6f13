package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

func peopleCommands() []command {
	return []command{
		{name: "sign-in", args: "[flags]", short: "open a session as a person", long: signInHelp, run: runSignIn},
		{name: "sign-out", args: "[flags]", short: "end the session that sign-in opened", run: runSignOut},
		{name: "factor add", args: "[flags]", short: "enrol a device for one-time codes", run: runFactorAdd},
		{name: "factor confirm", args: "[flags] ID CODE", short: "show a device's first code, so that it counts", run: runFactorConfirm},
		{name: "factor show", args: "[flags] CODE", short: "show a current code, for what is hard to undo", run: runFactorShow},
		{name: "factor list", args: "[flags]", short: "list second factors", run: runFactorList},
		{name: "factor remove", args: "[flags] ID", short: "take a second factor away", run: runFactorRemove},
		{name: "proposal list", args: "[flags]", short: "list changes that wait for a second person", run: runProposalList},
		{name: "proposal confirm", args: "[flags] ID", short: "make a change that another person asked for", run: settleProposal((*client.Client).ConfirmProposal)},
		{name: "proposal decline", args: "[flags] ID", short: "refuse a change that another person asked for", run: settleProposal((*client.Client).DeclineProposal)},
		{name: "proposal withdraw", args: "[flags] ID", short: "take back a change that you asked for", run: settleProposal((*client.Client).WithdrawProposal)},
		{name: "admin recover", args: "--reason TEXT [--data DIR]", short: "make an admin account for an hour, on the host", long: recoverHelp, run: runAdminRecover},
	}
}

const signInHelp = `
Opens a session as a person, for what tokens may not do (releases, roles,
upstream credentials, production keys), and keeps it in a file of mode 0600 in
the user's configuration folder until "reeve sign-out" or an hour of rest.
The password is asked for, or read from a line of standard input.

What is hard to undo needs a code of the second factor that is at most five
minutes old: "reeve factor show CODE", then repeat the command. Where two people
are needed, the command prints a proposal; somebody else confirms it with
"reeve proposal confirm ID".`

// savedSession is a sign-in that the command line keeps.
type savedSession struct {
	Server string `json:"server"`
	Cookie string `json:"cookie"`
	Secret string `json:"secret"`
	Name   string `json:"name"`
}

func sessionFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the configuration folder: %w", err)
	}
	return filepath.Join(dir, "reeve", "session.json"), nil
}

// loadSession is the kept sign-in at a server; false when there is none.
func loadSession(server string) (s savedSession, ok bool) {
	file, err := sessionFile()
	if err != nil {
		return s, false
	}
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &s) != nil {
		return savedSession{}, false
	}
	return s, s.Server == server && s.Cookie != ""
}

func (s savedSession) save() error {
	file, err := sessionFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	// A file that is there already may be readable by others.
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keeping the session: %w", err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	return nil
}

func runSignIn(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.SignInRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Name, "name", os.Getenv("USER"), "your `name` here")
	fs.StringVar(&req.Code, "code", "", "the current `code` of your second factor, where the account has one")
	if err := parse(fs, args); err != nil {
		return err
	}
	var err error
	if req.Password, err = askPassword(e); err != nil {
		return err
	}
	catch := &cookieCatcher{}
	in, err := client.New(r.server, "", client.WithHTTP(&http.Client{Transport: catch})).SignIn(ctx, req)
	if err != nil {
		return err
	}
	if err := (savedSession{r.server, catch.cookie, in.Secret, in.Person.Name}).save(); err != nil {
		return err
	}
	return r.print(e.stdout, in.Person, func(w io.Writer) { fmt.Fprintf(w, "signed in as %s at %s\n", in.Person.Name, r.server) })
}

// cookieCatcher keeps the session's cookie of an answer.
type cookieCatcher struct{ cookie string }

func (c *cookieCatcher) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	for _, k := range res.Cookies() {
		if k.Name == client.SessionCookie {
			c.cookie = k.Value
		}
	}
	return res, nil
}

// askPassword reads a password without showing it, or a line when nobody is at
// the terminal.
func askPassword(e env) (string, error) {
	if f, ok := e.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(e.stderr, "password: ")
		text, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(e.stderr)
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		return string(text), nil
	}
	line, err := bufio.NewReader(io.LimitReader(e.stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func runSignOut(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	if _, ok := loadSession(r.server); !ok {
		return fault.New(fault.KindNotFound, "cli.no_session", "nobody is signed in at %s", r.server)
	}
	r.token = ""
	// A session that ended by itself is as good as ended.
	err := r.client().EndSignIn(ctx, client.IDRequest{ID: "current"})
	file, fileErr := sessionFile()
	if fileErr != nil {
		return fileErr
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("forgetting the session: %w", err)
	}
	var p *client.Problem
	if errors.As(err, &p) && p.Status == http.StatusUnauthorized {
		return nil
	}
	return err
}

func runFactorAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.BeginFactorRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Label, "label", "", "what to call the device")
	if err := parse(fs, args); err != nil {
		return err
	}
	me, err := r.client().Me(ctx)
	if err != nil {
		return err
	}
	if !me.HasFactor {
		if req.Password, err = askPassword(e); err != nil {
			return err
		}
	}
	made, err := r.client().BeginFactor(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, made, func(w io.Writer) {
		fmt.Fprintf(w, "Type this into your authenticator (30 s, 6 digits), or open the address:\n\n  %s\n  %s\n\nThen: reeve factor confirm %s CODE\n", made.Secret, made.URI, made.Factor.ID)
	})
}

func runFactorConfirm(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	w, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(w) != 2 {
		return fmt.Errorf("%w: reeve factor confirm ID CODE", errUsage)
	}
	codes, err := r.client().ConfirmFactor(ctx, client.ConfirmFactorRequest{ID: w[0], Code: w[1]})
	if err != nil {
		return err
	}
	return r.print(e.stdout, codes, func(w io.Writer) {
		fmt.Fprintln(w, "The device counts from now on.")
		if len(codes.Codes) > 0 {
			fmt.Fprintf(w, "Keep these apart from it; each stands for one code, once:\n\n  %s\n", strings.Join(codes.Codes, "\n  "))
		}
	})
}

func runFactorShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	w, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(w) != 1 {
		return fmt.Errorf("%w: reeve factor show CODE", errUsage)
	}
	until, err := r.client().ShowFactor(ctx, client.CodeRequest{Code: w[0]})
	if err != nil {
		return err
	}
	return r.print(e.stdout, until, func(w io.Writer) { fmt.Fprintf(w, "fresh until %s\n", until.Until.Local().Format("15:04:05")) })
}

func runFactorList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	person := fs.String("person", "me", "whose: an `id`, for admins")
	if err := parse(fs, args); err != nil {
		return err
	}
	all, err := r.client().ListFactors(ctx, client.IDRequest{ID: *person})
	if err != nil {
		return err
	}
	return r.print(e.stdout, all, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tLABEL\tKIND\tCONFIRMED")
		for _, f := range all.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%v\n", f.ID, word(f.Label), f.Kind, f.Confirmed)
		}
		fmt.Fprintf(w, "%d recovery codes left\n", all.RecoveryCodesLeft)
	})
}

func runFactorRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	w, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(w) != 1 {
		return fmt.Errorf("%w: reeve factor remove ID", errUsage)
	}
	return r.client().RemoveFactor(ctx, client.IDRequest{ID: w[0]})
}

func runProposalList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	all := false
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&all, "all", false, "also those that are settled")
	if err := parse(fs, args); err != nil {
		return err
	}
	page, err := r.client().ListProposals(ctx, client.ListProposalsRequest{Open: !all})
	if err != nil {
		return err
	}
	return r.print(e.stdout, page, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tSTATE\tBY\tUNTIL\tCHANGE")
		for _, p := range page.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.State, word(p.By), p.ExpiresAt.Local().Format("02 Jan 15:04"), word(p.Summary))
		}
	})
}

// settleProposal is the command that confirms, declines or withdraws one.
func settleProposal(settle func(*client.Client, context.Context, client.IDRequest) (*client.Proposal, error)) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		fs := c.flags(e)
		r.bind(fs)
		w, err := words(fs, args)
		if err != nil {
			return err
		}
		if len(w) != 1 {
			return fmt.Errorf("%w: reeve %s ID", errUsage, c.name)
		}
		p, err := settle(r.client(), ctx, client.IDRequest{ID: w[0]})
		if err != nil {
			return err
		}
		return r.print(e.stdout, p, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", p.State, word(p.Summary)) })
	}
}

const recoverHelp = `
Break-glass, on the host: when nobody can sign in, makes an account with every
role that ends in an hour, and prints its password once. It works beside a
running server. It is written to the audit log, and every admin is told for a
day. Mend what is broken (a password, a second factor, roles), then sign out.`

func runAdminRecover(ctx context.Context, e env, c *command, args []string) error {
	reason := ""
	cfg, err := loadConfig(e, c, args, func(fs *flag.FlagSet) { fs.StringVar(&reason, "reason", "", "why, for the record") })
	if err != nil {
		return err
	}
	file := filepath.Join(cfg.Data, "control.db")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.KindNotFound, "cli.no_data", "there is no control database in %s", cfg.Data).WithHint("name the data folder with --data")
	}
	db, err := control.Open(ctx, file)
	if err != nil {
		return err
	}
	d, err := identity.New(identity.Options{DB: db, Dir: cfg.Data})
	if err == nil {
		var p identity.Person
		var password string
		if p, password, err = d.Recover(ctx, reason); err == nil {
			fmt.Fprintf(e.stdout, "name:     %s\npassword: %s\nuntil:    %s\n", p.Name, password, p.EndsAt.Local().Format("15:04:05"))
		}
	}
	return errors.Join(err, db.Close())
}
