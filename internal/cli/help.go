package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// groups says which nouns stand together in `reeve help`, in the order of the
// console's navigation, and what each is about. A noun of one command has that
// command's own line.
var groups = []struct {
	title string
	nouns [][2]string
}{
	{"Start", [][2]string{
		{"serve"},
		{"demo", "run Reeve with a small fleet of live agents, and replay stories in it"},
		{"connect"},
		{"lint"},
		{"health"},
		{"version"},
	}},
	{"What agents do", [][2]string{
		{"run", "list, read and steer runs, say why one ended so; run a process as an agent"},
		{"replay"},
		{"query"},
		{"log", "log records that came by telemetry"},
		{"metric", "metric points that came by telemetry"},
		{"map", "what hangs on what, and what a fault would take down"},
		{"source", "the data that agents read: fresh, in use, audited"},
		{"change", "deployments, jobs and edits that may explain what came after"},
		{"decision", "what was decided of proposed actions, and why"},
		{"coverage"},
		{"can"},
	}},
	{"Agents and what they may", [][2]string{
		{"agent", "register, promote, contain, read and retire agents; their keys and versions"},
		{"promote"},
		{"gate", "what an agent has to pass before production"},
		{"invoke", "how an agent is asked for tests"},
		{"standard", "what every agent keeps to, and who may break it until when"},
		{"policy", "write, check, simulate and enforce policies"},
		{"budget", "what may be spent, by whom"},
		{"content", "rules for secrets and personal data"},
		{"tool", "tools of servers: what changed in one, accept, hold"},
		{"upstream", "models, tools, agents and APIs behind the door"},
		{"connection", "systems that Reeve speaks to, and whether each works"},
		{"approval", "calls that wait for a person"},
		{"stop", "stop agents, users, tools or everything, and lift it"},
		{"apply"},
		{"svid"},
		{"issuer", "outside issuers whose tokens are taken"},
		{"ca", "the certificate authority of agents"},
	}},
	{"Respond", [][2]string{
		{"incident", "what is broken, for whom, why, and what is done about it"},
		{"runbook", "steps to take in an incident, with dry run and undo"},
		{"lesson", "what agents read of former incidents"},
		{"finding", "what detectors saw; judge it"},
		{"detector", "what is wanted of detectors, by effect"},
		{"rule", "rules over measures, tried on the past first"},
		{"response", "what follows from findings by itself, and taking it back"},
		{"canary", "fixed prompts to models, to see a silent change"},
		{"alert", "alerts of other monitoring, and who sends them"},
		{"silence", "alerts that are known and need nobody"},
		{"oncall", "who is called, when"},
		{"channel", "where messages go: chat, mail, pagers"},
	}},
	{"Results", [][2]string{
		{"kpi", "figures with interval and coverage; what runs were worth"},
		{"outcome", "what runs came to, and on what evidence"},
		{"objective", "objectives with error budgets"},
		{"cost", "who pays for what, forecasts, savings, reports"},
		{"feedback", "what users say, and links and keys to say it by"},
		{"topic", "what users ask for"},
		{"evaluator", "checks and judges of answers"},
		{"evaluation", "what they found; label by hand"},
		{"dataset", "cases from recorded runs, and exports"},
		{"case", "add or take out a case"},
		{"experiment", "try an agent on a data set"},
		{"bias", "counterfactual pairs on a schedule"},
		{"drill", "failovers tried on a schedule"},
		{"compliance", "controls with pass or fail from records"},
	}},
	{"Run Reeve", [][2]string{
		{"config", "check or show the configuration"},
		{"key", "intake keys of senders"},
		{"relay", "forward telemetry to other back ends"},
		{"poller", "fetch telemetry of platforms that do not send"},
		{"remap"},
		{"remaps"},
		{"retention", "how long what is kept"},
		{"erase", "erase a person, with a receipt"},
		{"backup", "back up, try a backup"},
		{"restore"},
		{"audit", "verify the records of decisions and changes"},
		{"siem", "where records stream to"},
		{"person", "accounts and their roles"},
		{"team", "teams"},
		{"token", "tokens for programs"},
		{"sign-in", "sign in as a person; where people are signed in"},
		{"sign-out"},
		{"factor", "second factors"},
		{"proposal", "changes that wait for a second person"},
		{"admin", "an account for an hour, on the host"},
		{"bench"},
	}},
}

// nounOf is the first word of a command's name.
func nounOf(c *command) string {
	noun, _, _ := strings.Cut(c.name, " ")
	return noun
}

// verbs counts the commands of a noun.
func verbs(all []command, noun string) (n int) {
	for i := range all {
		if nounOf(&all[i]) == noun && !all[i].hidden {
			n++
		}
	}
	return n
}

// usage tells what there is, by what it is about; with everything, each command.
func usage(w io.Writer, all []command, everything bool) {
	fmt.Fprint(w, "Reeve watches, records and answers for AI agents.\n\nUsage: reeve COMMAND [flags]\n")
	for _, g := range groups {
		fmt.Fprintf(w, "\n%s\n", g.title)
		for _, n := range g.nouns {
			if everything {
				listNoun(w, all, n[0])
				continue
			}
			about := n[1]
			if about == "" {
				i := slices.IndexFunc(all, func(c command) bool { return c.name == n[0] })
				about = all[i].short
			}
			fmt.Fprintf(w, "  %-12s %s\n", n[0], about)
		}
	}
	fmt.Fprint(w, `
Try it:  reeve demo            (opens a console at http://127.0.0.1:7300)
Use it:  reeve serve --dev     (then send OTLP to 127.0.0.1:4318)

`+"`reeve help agent`"+` lists the commands of one of them, `+"`reeve help agent list`"+` explains one,
`+"`reeve help --all`"+` lists all.
`)
}

// listNoun lists the commands that begin with a noun, and reports whether there are any.
func listNoun(w io.Writer, all []command, noun string) bool {
	known := false
	for i := range all {
		if c := &all[i]; nounOf(c) == noun && !c.hidden {
			known = true
			fmt.Fprintf(w, "  %-22s %s\n", c.name, c.short)
		}
	}
	return known
}

// about explains a noun by its commands: false when none begins with it.
func about(w io.Writer, all []command, noun string) bool {
	if !slices.ContainsFunc(all, func(c command) bool { return nounOf(&c) == noun && !c.hidden }) {
		return false
	}
	fmt.Fprintf(w, "Commands of reeve %s:\n\n", noun)
	listNoun(w, all, noun)
	said := map[string]bool{}
	for i := range all {
		if c := &all[i]; nounOf(c) == noun && !c.hidden && c.long != "" && !said[c.long] {
			said[c.long] = true
			fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.long))
		}
	}
	fmt.Fprintf(w, "\n`reeve COMMAND --help` lists the flags of one.\n")
	return true
}
