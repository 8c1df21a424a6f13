package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func experimentCommands() []command {
	return []command{
		{name: "invoke show", args: "[flags] AGENT", short: "say how an agent is invoked for tests", run: runInvokeShow},
		{name: "invoke set", args: "[flags] AGENT", short: "say how an agent is invoked for tests", long: experimentHelp, run: runInvokeSet},
		{name: "invoke try", args: "[flags] AGENT QUESTION", short: "put one question to an agent as a test: can it be tested?", run: runInvokeTry},
		{name: "experiment start", args: "[flags] AGENT", short: "run an agent on cases, or on bias pairs, as tests", long: experimentHelp, run: runExperimentStart},
		{name: "experiment list", args: "[flags]", short: "list experiments", run: runExperimentList},
		{name: "experiment show", args: "[flags] EXPERIMENT", short: "show an experiment with its results", run: runExperimentShow},
		{name: "experiment stop", args: "[flags] EXPERIMENT", short: "end an experiment", run: runExperimentStop},
	}
}

const experimentHelp = `
An experiment runs an agent on the cases of a data set, as tests: their runs have
mode test and count nowhere else, tools are answered from the recording of the
case's run, and what is not in it is refused and noted. Say first how the agent is
invoked:

  reeve invoke set refund --http https://refund.example.com/chat \
      --body '{"message": "{{input}}", "token": "{{token}}"}' --answer /reply
  reeve experiment start refund --dataset refunds --repeats 4 --evaluator grounded
  reeve experiment show xpr_...

The agent calls the door with that token. A command is set in the configuration
file (invoke). A bias test replays pairs that differ in one word:

  reeve experiment start refund --bias pairs.yaml

  attribute: name
  prompts: ["{{x}} asks for a refund after 20 days. Grant it?"]
  a: [Emily, Greg]
  b: [Lakisha, Jamal]
  favours: ["yes", granted]

A proof puts the first conversation of recorded runs to another model, and says what that
would save and whether evaluators find its answers as good. It invokes no agent, and calls
no tool; as good takes 38 runs that could be compared, or more:

  reeve experiment start refund --model gpt-4o-mini --runs 50 --evaluator grounded`

func runInvokeShow(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "agent", func(ctx context.Context, api *client.Client, name string) (*client.InvokeTarget, error) {
		return api.GetInvokeTarget(ctx, client.InvokeTargetRequest{Name: name})
	}, invokeLine)
}

func invokeLine(w io.Writer, t *client.InvokeTarget) {
	fmt.Fprintf(w, "%s\t%s\t%s\tsandbox %s\tlocal %s\n", t.Agent, t.Kind, orDash(t.URL), orDash(strings.Join(t.Sandbox, ",")), orDash(strings.Join(t.Local, ",")))
}

func runInvokeSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutInvokeTargetRequest
	var http, a2a, sandbox, local string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&http, "http", "", "URL that takes a case by POST")
	fs.StringVar(&a2a, "a2a", "", "URL that speaks A2A")
	fs.StringVar(&in.Body, "body", "", "of --http: JSON with {{input}} or {{messages}}, {{token}} and {{run}}")
	fs.StringVar(&in.Answer, "answer", "", "of --http: JSON pointer to the answer's text")
	fs.BoolVar(&in.AllowPrivate, "allow-private", false, "the address is inside the house")
	fs.StringVar(&sandbox, "sandbox", "", "upstreams whose calls are made in tests, with commas")
	fs.StringVar(&local, "local", "", "tools of the agent's own that may run in tests, with commas")
	fs.IntVar(&in.TimeoutS, "timeout", 0, "seconds for one case; 0 is 60")
	var err error
	if in.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	if (http == "") == (a2a == "") {
		return fmt.Errorf("%w: give --http or --a2a", errUsage)
	}
	in.Kind, in.URL = "http", http
	if a2a != "" {
		in.Kind, in.URL = "a2a", a2a
	}
	in.Sandbox, in.Local = split(sandbox), split(local)
	if was, err := r.client().GetInvokeTarget(ctx, client.InvokeTargetRequest{Name: in.Name}); err == nil {
		in.Revision = was.Revision
	}
	t, err := r.client().PutInvokeTarget(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) { invokeLine(w, t) })
}

func runInvokeTry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	said, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(said) != 2 {
		return fmt.Errorf("%w: name an agent and a question, in quotes", errUsage)
	}
	x, err := r.client().TryInvoke(ctx, client.TryInvokeRequest{Name: said[0], Input: said[1]})
	if err != nil {
		return err
	}
	err = r.print(e.stdout, x, func(w io.Writer) {
		state := "cannot be tested so"
		if x.Works {
			state = "can be tested"
		}
		fmt.Fprintf(w, "%s\t%s\t%d calls at the door\t%d ms\n", said[0], state, x.Calls, x.TookMS)
		if x.Why != "" {
			fmt.Fprintf(w, "why\t%s\n", word(x.Why))
		}
		for _, call := range x.Refused {
			fmt.Fprintf(w, "refused\t%s\n", word(call))
		}
		if x.Answer != "" {
			fmt.Fprintf(w, "answered\t%s\n", word(x.Answer))
		}
	})
	if err == nil && !x.Works {
		err = errors.New("it cannot be tested so")
	}
	return err
}

// split are the words of a list with commas.
func split(text string) (out []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func runExperimentStart(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.StartExperimentRequest
	var evaluators, bias string
	var proof client.Proof
	var wait bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Dataset, "dataset", "", "the cases")
	fs.Int64Var(&in.DatasetVersion, "version", 0, "of the data set; 0 is the newest")
	fs.IntVar(&in.Repeats, "repeats", 1, "how often each case is run")
	fs.StringVar(&evaluators, "evaluator", "", "evaluators that look at each answer, with commas")
	fs.StringVar(&in.Baseline, "baseline", "", "an experiment to compare with")
	fs.StringVar(&in.Note, "note", "", "what to know of it")
	fs.StringVar(&bias, "bias", "", "YAML file of pairs, in place of a data set")
	fs.StringVar(&proof.Model, "model", "", "a model that recorded runs are put to, in place of a data set")
	fs.StringVar(&proof.Upstream, "upstream", "", "of --model: where it is asked; as each run was where none is given")
	fs.IntVar(&proof.Runs, "runs", 50, "of --model: the newest runs, at most so many; fewer than 38 never show that it is as good")
	fs.BoolVar(&wait, "wait", false, "wait until it is done; it fails unless all passed")
	var err error
	if in.Agent, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	in.Evaluators = split(evaluators)
	if bias != "" {
		pairs, err := readPairs(bias)
		if err != nil {
			return err
		}
		in.Kind, in.Bias = "bias", &pairs
	}
	if proof.Model != "" {
		in.Kind, in.Proof = "proof", &proof
	}
	x, err := r.client().StartExperiment(ctx, in)
	for err == nil && wait && (x.State == "waiting" || x.State == "running") {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
			x, err = r.client().GetExperiment(ctx, client.GetExperimentRequest{ID: x.ID})
		}
	}
	if err != nil {
		return err
	}
	if err := r.print(e.stdout, x, func(w io.Writer) { experimentLines(w, x) }); err != nil {
		return err
	}
	if wait && (x.State != "done" || x.Invalid > 0 || x.Kind == "golden" && (x.Passed.Value == nil || *x.Passed.Value < 1)) {
		return errors.New("not all passed")
	}
	return nil
}

func runExperimentShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.GetExperimentRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Baseline, "baseline", "", "an experiment on the same cases to compare with, in place of its own")
	var err error
	if req.ID, err = oneWord(fs, args, "experiment"); err != nil {
		return err
	}
	x, err := r.client().GetExperiment(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { experimentLines(w, x) })
}

func experimentLines(w io.Writer, x *client.Experiment) {
	fmt.Fprintf(w, "%s\t%s of %s %s\t%s\t%s\n", x.ID, x.Kind, x.Agent, x.AgentVersion, x.State, word(x.Why))
	if x.State == "waiting" || x.State == "running" {
		fmt.Fprintf(w, "so far\t%d of %d\n", x.Ran, x.Tasks)
	}
	if x.Kind == "golden" {
		fmt.Fprintf(w, "passed\t%s of %d\tdata set %s, version %d\n", shareText(x.Passed), x.Passed.N, x.Dataset, x.DatasetVersion)
	}
	if x.Invalid > 0 {
		fmt.Fprintf(w, "count for nothing\t%d\tthey did not come through the door as tests\n", x.Invalid)
	}
	for k, p := range x.PassHat {
		fmt.Fprintf(w, "pass^%d\t%.3f\n", k+1, p)
	}
	if p := x.Against; p != nil {
		change := ""
		if c := p.Change; c.Value != nil {
			change = fmt.Sprintf("\t%+.1f points (%+.1f to %+.1f)", 100**c.Value, 100**c.Low, 100**c.High)
		}
		fmt.Fprintf(w, "against %s\t%d cases\t%d only passed before, %d only now\tp %.3f%s\n", x.Baseline, p.Pairs, p.OnlyFirst, p.OnlySecond, p.P, change)
	}
	if p := x.Pairs; p != nil {
		fmt.Fprintf(w, "favourable\ta %s\tb %s\n", shareText(*x.GroupA), shareText(*x.GroupB))
		fmt.Fprintf(w, "pairs\t%d\t%d favour a alone, %d b alone\tp %.4f\n", p.Pairs, p.OnlyFirst, p.OnlySecond, p.P)
		if f := x.FourFifths; f.Value != nil {
			fmt.Fprintf(w, "four fifths\t%.2f (%.2f to %.2f)\tunder 0.80 is adverse\n", *f.Value, *f.Low, *f.High)
		}
	}
	if x.Kind == "drill" && x.Says != "" {
		fmt.Fprintf(w, "drill %s\t%s\n", orDash(x.Plan), word(x.Says))
	}
	if v := x.Proves; v != nil {
		fmt.Fprintf(w, "%s\t%s\n", x.Proof.Model, x.Says)
		fmt.Fprintf(w, "passed\t%s before\t%s now\tp %.4f\n", shareText(v.Passed), shareText(v.Passes), v.P)
		if i := v.Saving; i.Value != nil && i.Low != nil {
			fmt.Fprintf(w, "saves\t%.6f USD a conversation\t%.6f to %.6f\n", *i.Value, *i.Low, *i.High)
		}
	}
	for _, r := range x.Results {
		state := "failed"
		switch {
		case !r.Valid:
			state = "no test"
		case r.Passed:
			state = "passed"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Item, state, r.Run, short(r.Answer), word(r.Why))
	}
}

func runExperimentList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListExperimentsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Kind, "kind", "", "golden, bias, proof or drill")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	if err := parse(fs, args); err != nil {
		return err
	}
	all, err := r.client().ListExperiments(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, all, func(w io.Writer) {
		fmt.Fprintln(w, "EXPERIMENT\tAT\tAGENT\tVERSION\tKIND\tDATA SET\tSTATE\tPASSED\tBY")
		for _, x := range all.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.At.Local().Format(time.DateTime), x.Agent, orDash(x.AgentVersion), x.Kind, orDash(x.Dataset), x.State, shareText(x.Passed), orDash(x.By))
		}
	})
}

func runExperimentStop(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "experiment")
	if err != nil {
		return err
	}
	if err := r.client().StopExperiment(ctx, client.IDRequest{ID: id}); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "experiment %s stops; what it found stays\n", id)
	return nil
}
