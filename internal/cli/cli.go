// Package cli is the command line: one table of commands, each a thin user of
// the public client (serve, demo and bench excepted).
//
// What for: `reeve <noun> <verb>`; data on stdout, messages on stderr.
//
// Who calls it: cmd/reeve, and scripts in cmd/reeve/testdata as its tests.
//
// Promises: exit 0 done, 1 failed, 2 wrong usage, 3 refused; `-o json` on
// everything that prints data; nothing is read from a terminal unless said.
//
// How it fails: one line "reeve: error: …" and, where there is one, a second
// "reeve: hint: …".
//
// Start reading at commands and Main.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
)

// env is what a command may touch of the world.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// command is one entry of the table. Run gets the words after the command's
// name and returns nil, an error, or an exitCode.
type command struct {
	name   string // "config check"
	args   string // what follows, for the usage line
	short  string // one line, lower case
	long   string // the manual; may be empty
	hidden bool
	run    func(ctx context.Context, e env, c *command, args []string) error
}

// exitCode ends the program with a code after everything was said already.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }

// errUsage marks wrong usage: exit code 2.
var errUsage = errors.New("wrong usage")

// commands is the table: each file has the part of what it does. Its order is that
// of `reeve help NOUN`; help.go says where a noun stands.
func commands() []command {
	return slices.Concat(
		serveCommands(),
		demoCommands(),
		remoteCommands(),
		runCommands(),
		causesCommands(),
		whyCommands(),
		steerCommands(),
		recordCommands(),
		agentCommands(),
		agentsetCommands(),
		fleetCommands(),
		findingCommands(),
		policyCommands(),
		credentialsCommands(),
		svidCommands(),
		stopCommands(),
		approvalCommands(),
		incidentCommands(),
		oncallCommands(),
		runbookCommands(),
		lessonCommands(),
		upstreamCommands(),
		connectCommands(),
		peerCommands(),
		toolCommands(),
		canaryCommands(),
		frameworkCommands(),
		lintCommands(),
		backupCommands(),
		remapCommands(),
		retentionCommands(),
		mapCommands(),
		sourceCommands(),
		readinessCommands(),
		alertCommands(),
		changeCommands(),
		evaluationCommands(),
		datasetCommands(),
		complianceCommands(),
		topicCommands(),
		promoteCommands(),
		replayCommands(),
		biasCommands(),
		drillCommands(),
		experimentCommands(),
		feedbackCommands(),
		outcomeCommands(),
		kpiCommands(),
		objectiveCommands(),
		spendCommands(),
		costCommands(),
		budgetCommands(),
		contentCommands(),
		applyCommands(),
		peopleCommands(),
		tokenCommands(),
		personCommands(),
		decisionCommands(),
		eraseCommands(),
		pointsCommands(),
		auditCommands(),
		relayCommands(),
		rerateCommands(),
		pollerCommands(),
		configCommands(),
	)
}

// Main runs the command that args name and returns the exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	e := env{stdin: stdin, stdout: stdout, stderr: stderr}
	all := commands()
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		if len(args) > 1 && args[1] != "--all" {
			c, _ := find(all, args[1:])
			// "run" is a command and a noun of others: its commands say more.
			if len(args) == 2 && verbs(all, args[1]) > 1 && about(stdout, all, args[1]) {
				return 0
			}
			if c == nil {
				return unknown(stderr, all, args[1:])
			}
			c.help(stdout)
			return 0
		}
		usage(stdout, all, len(args) > 1)
		return 0
	}
	c, rest := find(all, args)
	if c == nil {
		c, rest = find(all, bySynonym(args))
	}
	if c == nil && len(args) > 1 && (args[1] == "--help" || args[1] == "-h") && about(stdout, all, args[0]) {
		return 0
	}
	if c == nil {
		return unknown(stderr, all, args)
	}
	return report(stderr, c, c.run(ctx, e, c, rest))
}

// find picks the command with the most words that args begin with.
func find(all []command, args []string) (*command, []string) {
	var best *command
	var words int
	for i := range all {
		name := strings.Fields(all[i].name)
		if len(name) > len(args) || len(name) <= words {
			continue
		}
		if strings.Join(args[:len(name)], " ") == all[i].name {
			best, words = &all[i], len(name)
		}
	}
	return best, args[words:]
}

// bySynonym is what args may mean: what is got is shown, and the other way round.
func bySynonym(args []string) []string {
	if len(args) < 2 {
		return args
	}
	other := map[string]string{"show": "get", "get": "show"}[args[1]]
	if other == "" {
		return args
	}
	return slices.Concat([]string{args[0], other}, args[2:])
}

func unknown(stderr io.Writer, all []command, args []string) int {
	noun, same := meant(all, args[0])
	if noun == args[0] && (len(args) == 1 || strings.HasPrefix(args[1], "-")) {
		fmt.Fprintf(stderr, "reeve: error: wrong usage: say what to do after \"reeve %s\"\n", noun)
	} else {
		fmt.Fprintf(stderr, "reeve: error: there is no command %q\n", strings.Join(args[:min(2, len(args))], " "))
	}
	switch {
	case len(same) == 0:
		hint(stderr, "`reeve help` lists the commands")
	case len(same) <= maxSuggested:
		hint(stderr, "try "+strings.Join(same, ", "))
	default:
		hint(stderr, "`reeve help "+noun+"` explains the commands of "+noun)
		fmt.Fprintln(stderr)
		listNoun(stderr, all, noun)
	}
	return 2
}

// maxSuggested is how many commands are named whole where one was meant.
const maxSuggested = 6

// meant is the noun that a word may stand for ("runs" is meant as "run"), with its commands.
func meant(all []command, word string) (noun string, same []string) {
	for i := range all {
		if n := nounOf(&all[i]); (n == word || n == strings.TrimSuffix(word, "s")) && !all[i].hidden {
			noun, same = n, append(same, "reeve "+all[i].name)
		}
	}
	return noun, same
}

func (c *command) help(w io.Writer) {
	fmt.Fprintf(w, "reeve %s %s\n\n%s.\n", c.name, c.args, strings.ToUpper(c.short[:1])+c.short[1:])
	if c.long != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.long))
	}
	fmt.Fprintf(w, "\n`reeve %s --help` lists the flags.\n", c.name)
}

// flags makes a flag set whose --help is the command's manual.
func (c *command) flags(e env) *flag.FlagSet {
	fs := flag.NewFlagSet("reeve "+c.name, flag.ContinueOnError)
	fs.SetOutput(manual{c: c, env: e})
	fs.Usage = func() {} // the package calls it for help and for a mistake alike: parse tells them apart
	return fs
}

// manual stands as a flag set's output. What the package writes there itself is
// dropped: parse says it in the words of every other error.
type manual struct {
	c   *command
	env env
}

func (manual) Write(p []byte) (int, error) { return len(p), nil }

// print writes the manual and the flags; it was asked for, so it is data.
func (m manual) print(fs *flag.FlagSet) {
	w := m.env.stdout
	fmt.Fprintf(w, "Usage: reeve %s %s\n\n%s.\n", m.c.name, m.c.args, strings.ToUpper(m.c.short[:1])+m.c.short[1:])
	if m.c.long != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(m.c.long))
	}
	fmt.Fprint(w, "\nFlags:\n")
	fs.SetOutput(w)
	fs.PrintDefaults()
}

// parse reads flags; asking for help is done (exit 0), a bad flag is wrong usage.
func parse(fs *flag.FlagSet, args []string) error {
	m, _ := fs.Output().(manual)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		m.print(fs)
		return exitCode(0)
	case err != nil:
		what := err.Error()
		if name, ok := strings.CutPrefix(what, "flag provided but not defined: -"); ok {
			what = "there is no flag --" + name
		}
		fmt.Fprintf(m.env.stderr, "reeve: error: wrong usage: %s\n", what)
		hint(m.env.stderr, "`reeve "+m.c.name+" --help` lists the flags")
		return exitCode(2)
	}
	return nil
}

// words reads flags that may stand before, between and after the other words,
// as people write them, and returns those words. What follows "--" is words.
func words(fs *flag.FlagSet, args []string) ([]string, error) {
	var out []string
	for {
		if err := parse(fs, args); err != nil {
			return nil, err
		}
		rest := fs.Args()
		if len(rest) == 0 {
			return out, nil
		}
		if at := len(args) - len(rest); at > 0 && args[at-1] == "--" {
			return append(out, rest...), nil
		}
		out, args = append(out, rest[0]), rest[1:]
	}
}

// report says what went wrong and gives the exit code.
func report(stderr io.Writer, c *command, err error) int {
	if err == nil {
		return 0
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	var waits *client.Pending
	if errors.As(err, &waits) {
		fmt.Fprintf(stderr, "reeve: %v\n", waits)
		hint(stderr, "nothing has changed yet; somebody else confirms it with reeve proposal confirm "+waits.Proposal.ID)
		return 1
	}
	var p *client.Problem
	var f *fault.Error
	var call *url.Error
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "reeve: error: %v\nreeve: hint: reeve %s %s\n", err, c.name, c.args)
		return 2
	case errors.As(err, &p):
		fmt.Fprintf(stderr, "reeve: error: %s\n", p.Detail)
		hint(stderr, p.Hint)
		switch p.Status {
		case 400:
			return 2
		case 403:
			return 3
		}
		return 1
	case errors.As(err, &f):
		fmt.Fprintf(stderr, "reeve: error: %s", f.Message)
		if f.Cause != nil {
			fmt.Fprintf(stderr, ": %v", f.Cause)
		}
		fmt.Fprintln(stderr)
		hint(stderr, f.Hint)
		return f.Kind.ExitCode()
	}
	fmt.Fprintf(stderr, "reeve: error: %v\n", err)
	if errors.As(err, &call) && !call.Timeout() {
		hint(stderr, "no Reeve answers there: `reeve serve` or `reeve demo` starts one; --server or REEVE_SERVER names another address")
	}
	return 1
}

func hint(w io.Writer, text string) {
	if text != "" {
		fmt.Fprintf(w, "reeve: hint: %s\n", text)
	}
}
