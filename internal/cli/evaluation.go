package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"reeve/client"
)

func evaluationCommands() []command {
	return []command{
		{name: "evaluator list", args: "[flags]", short: "list what looks at runs that ended", long: evaluatorHelp, run: runEvaluatorList},
		{name: "evaluator set", args: "[flags] NAME", short: "make or change an evaluator", long: evaluatorHelp, run: runEvaluatorSet},
		{name: "evaluator delete", args: "[flags] NAME", short: "remove an evaluator; what it found stays", run: runEvaluatorDelete},
		{name: "evaluator try", args: "[flags] [ANSWER]", short: "show what an evaluator would find of a text, or of recent runs; nothing is kept", long: evaluatorHelp, run: runEvaluatorTry},
		{name: "evaluation list", args: "[flags]", short: "list what evaluators and people said of runs", run: runEvaluationList},
		{name: "evaluation summary", args: "[flags]", short: "add up what evaluators found, and how far people agree", run: runEvaluationSummary},
		{name: "evaluation queue", args: "[flags]", short: "list what you should label", run: runEvaluationQueue},
		{name: "evaluation label", args: "[flags] RUN", short: "say of a run, in an evaluator's place, whether it is good", run: runEvaluationLabel},
	}
}

const evaluatorHelp = `
An evaluator looks at runs when they end and says pass, unsure or fail, with the
places that show it. None but a judge needs a model:

  groundedness  the answer's words stand in what the run read
  schema        the answer is JSON of a shape
  rule          a condition in CEL holds: answer, prompt, documents, steps, errors, cost
  voice         rule files in the form of Vale
  leak          no personal data or secret that the user had not given
  refusal       a refusal gives its reason, and another way
  judge         a model is asked, through the door, as an agent of its own

  reeve evaluator set grounded --kind groundedness --agent support-agent
  reeve evaluator set house-voice --kind voice --rules styles/house --share 0.2
  reeve evaluator set short --kind rule --when 'size(answer) < 2000'
  reeve evaluator set helpful --kind judge --judge judge-agent --upstream openai \
      --model gpt-4o-mini --prompt-file helpful.txt --after grounded --daily 100
  reeve evaluator try --kind groundedness --document policy.txt "Refunds take 14 days."
  reeve evaluator try --kind rule --when 'size(answer) < 2000' --runs 50 --agent support-agent

docs/evaluations.md has each.`

func runEvaluatorList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListEvaluators(ctx, client.ListEvaluatorsRequest{})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tKIND\tAGENTS\tTEAM\tSHARE\tSTATE\tREVISION")
		for _, x := range list.Items {
			state, agents := "on", "all"
			if x.Off {
				state = "off"
			}
			if len(x.Agents) > 0 {
				agents = strings.Join(x.Agents, ",")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%g\t%s\t%d\n", x.Name, x.Kind, word(agents), orDash(x.Team), x.Share, state, x.Revision)
		}
	})
}

// evaluatorFlags are what an evaluator consists of.
type evaluatorFlags struct {
	kind, when, schema, rules string
	judge                     client.Judge // Prompt: its file
}

// judgeFlags are those of a judge.
func (f *evaluatorFlags) judgeFlags(fs *flag.FlagSet) {
	fs.StringVar(&f.judge.Agent, "judge", "", "of a judge: the agent that it asks as")
	fs.StringVar(&f.judge.Upstream, "upstream", "", "of a judge: the provider that is asked (format of OpenAI or Anthropic)")
	fs.StringVar(&f.judge.Model, "model", "", "of a judge: the model")
	fs.StringVar(&f.judge.Prompt, "prompt-file", "", "of a judge: the file that says what is good and what is not")
	fs.StringVar(&f.judge.After, "after", "", "of a judge: only what this evaluator was unsure of")
	fs.Int64Var(&f.judge.Daily, "daily", 0, "of a judge: questions a day at most (200 where none is given)")
}

// asked is the judge that the flags make; nil for none.
func (f *evaluatorFlags) asked() (*client.Judge, error) {
	if f.judge == (client.Judge{}) {
		return nil, nil
	}
	j := f.judge
	if j.Prompt != "" {
		text, err := os.ReadFile(j.Prompt)
		if err != nil {
			return nil, err
		}
		j.Prompt = string(text)
	}
	return &j, nil
}

func (f *evaluatorFlags) read() (schema json.RawMessage, rules map[string]string, err error) {
	if f.schema != "" {
		if schema, err = os.ReadFile(f.schema); err != nil {
			return nil, nil, err
		}
	}
	if f.rules == "" {
		return schema, nil, nil
	}
	rules = map[string]string{}
	files := []string{f.rules}
	if info, err := os.Stat(f.rules); err != nil {
		return nil, nil, err
	} else if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(f.rules, "*.yml")); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		rules[strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))] = string(text)
	}
	return schema, rules, nil
}

func runEvaluatorSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutEvaluatorRequest
	var f evaluatorFlags
	var agents string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&f.kind, "kind", "", "groundedness, schema, rule, voice, leak, refusal or judge")
	fs.StringVar(&f.when, "when", "", "of a rule: CEL that is true of what passes")
	fs.StringVar(&f.schema, "schema", "", "of a schema: its file")
	fs.StringVar(&f.rules, "rules", "", "of a voice: a rule file, or a folder of .yml files")
	f.judgeFlags(fs)
	fs.StringVar(&agents, "agent", "", "only runs of these agents, with commas")
	fs.StringVar(&in.Team, "team", "", "only this team's")
	fs.StringVar(&in.Environment, "environment", "", "only of this environment")
	fs.Float64Var(&in.Share, "share", 1, "of the runs, above 0 to 1")
	fs.BoolVar(&in.Off, "off", false, "look at nothing for now")
	name, err := oneWord(fs, args, "evaluator")
	if err != nil {
		return err
	}
	if in.Schema, in.Rules, err = f.read(); err != nil {
		return err
	}
	if in.Judge, err = f.asked(); err != nil {
		return err
	}
	in.Name, in.Kind, in.When = name, f.kind, f.when
	if agents != "" {
		in.Agents = strings.Split(agents, ",")
	}
	list, err := r.client().ListEvaluators(ctx, client.ListEvaluatorsRequest{})
	if err != nil {
		return err
	}
	for _, x := range list.Items {
		if x.Name == name {
			in.Revision = x.Revision
		}
	}
	x, err := r.client().PutEvaluator(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { fmt.Fprintf(w, "%s\t%s\trevision %d\n", x.Name, x.Kind, x.Revision) })
}

func runEvaluatorDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "evaluator")
	if err != nil {
		return err
	}
	if err := r.client().DeleteEvaluator(ctx, client.EvaluatorRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "evaluator %s is removed; what it found stays\n", name)
	return nil
}

func runEvaluatorTry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.TryEvaluatorRequest
	var f evaluatorFlags
	var on client.TryEvaluatorOnRunsRequest
	var documents, agents string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&f.kind, "kind", "groundedness", "groundedness, schema, rule, voice, leak, refusal or judge")
	fs.StringVar(&f.when, "when", "", "of a rule: its condition")
	fs.StringVar(&f.schema, "schema", "", "of a schema: its file")
	fs.StringVar(&f.rules, "rules", "", "of a voice: a rule file, or a folder of .yml files")
	f.judgeFlags(fs)
	fs.StringVar(&in.Prompt, "prompt", "", "what the user said")
	fs.StringVar(&documents, "document", "", "files that were read, with commas")
	fs.IntVar(&on.Runs, "runs", 0, "in place of an answer: the newest runs that it would look at, at most 100, 10 of a judge")
	fs.StringVar(&agents, "agent", "", "of --runs: only of these agents, with commas")
	fs.StringVar(&on.Team, "team", "", "of --runs: only this team's")
	fs.StringVar(&on.Environment, "environment", "", "of --runs: only of this environment")
	said, err := words(fs, args)
	switch {
	case err != nil:
		return err
	case on.Runs == 0 && len(said) != 1 || on.Runs != 0 && len(said) != 0:
		return fmt.Errorf("%w: give an answer in quotes, or --runs", errUsage)
	case on.Runs == 0:
		in.Answer = said[0]
	}
	if in.Schema, in.Rules, err = f.read(); err != nil {
		return err
	}
	if in.Judge, err = f.asked(); err != nil {
		return err
	}
	in.Kind, in.When = f.kind, f.when
	if on.Runs != 0 {
		on.Kind, on.When, on.Schema, on.Rules, on.Judge, on.Agents = in.Kind, in.When, in.Schema, in.Rules, in.Judge, split(agents)
		x, err := r.client().TryEvaluatorOnRuns(ctx, on)
		if err != nil {
			return err
		}
		return r.print(e.stdout, x, func(w io.Writer) { writeTrial(w, x) })
	}
	for _, name := range strings.FieldsFunc(documents, func(r rune) bool { return r == ',' }) {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		in.Documents = append(in.Documents, string(text))
	}
	x, err := r.client().TryEvaluator(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { writeEvaluation(w, x) })
}

func writeTrial(w io.Writer, x *client.EvaluatorTrial) {
	fmt.Fprintf(w, "passed\t%s\t%d pass, %d unsure, %d fail, %d nothing to judge\n", shareText(x.Passed), x.Pass, x.Unsure, x.Fail, x.None)
	if x.Gone > 0 {
		fmt.Fprintf(w, "left out\t%d\ttheir texts are not kept\n", x.Gone)
	}
	if x.Tokens > 0 {
		cost := "unknown"
		if x.CostUSD != nil {
			cost = fmt.Sprintf("%.5f USD", *x.CostUSD)
		}
		fmt.Fprintf(w, "cost\t%s\t%d tokens\n", cost, x.Tokens)
	}
	if x.Refused != nil {
		fmt.Fprintf(w, "asked no more\t%s\n", word(x.Refused.Detail))
	}
	for _, i := range x.Items {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", i.Run, verdictWord(i.Verdict), scoreText(i.Score), word(i.Text))
	}
}

func writeEvaluation(w io.Writer, x *client.Evaluation) {
	fmt.Fprintf(w, "%s\t%s\t%s\n", verdictWord(x.Verdict), scoreText(x.Score), word(x.Text))
	for _, m := range x.Marks {
		sign := "not"
		if m.Good {
			sign = "carried"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", sign, word(m.Text), word(m.Says))
	}
	if x.Tokens > 0 {
		fmt.Fprintf(w, "  %d tokens\t%s\tdecision %s\n", x.Tokens, dollars(x.CostUSD), orDash(x.JudgeDecision))
	}
}

func verdictWord(v string) string {
	if v == "" {
		return "nothing to judge"
	}
	return v
}

func dollars(v *float64) string {
	if v == nil {
		return "unknown cost"
	}
	return fmt.Sprintf("%.4f USD", *v)
}

func scoreText(s *float64) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *s)
}

func runEvaluationList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListEvaluationsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Run, "run", "", "only of this run")
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Version, "version", "", "only of this version")
	fs.StringVar(&req.Evaluator, "evaluator", "", "only by this evaluator")
	fs.StringVar(&req.Verdict, "verdict", "", "pass, unsure, fail or none")
	fs.StringVar(&req.Source, "source", "", "online or human")
	fs.StringVar(&req.From, "from", "-168h", "start of the period")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListEvaluations(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		evaluationRows(w, list.Items)
		if list.Next != "" {
			fmt.Fprintf(w, "\nmore: --cursor %s\n", list.Next)
		}
	})
}

func evaluationRows(w io.Writer, all []client.Evaluation) {
	fmt.Fprintln(w, "AT\tRUN\tEVALUATOR\tVERDICT\tSCORE\tAGENT\tVERSION\tBY\tWHAT")
	for _, x := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.At.Local().Format(time.DateTime), x.Run, x.Evaluator, verdictWord(x.Verdict), scoreText(x.Score), orDash(x.Agent), orDash(x.Version), orDash(x.By), word(x.Text))
	}
}

func runEvaluationSummary(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.EvaluationSummaryRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Evaluator, "evaluator", "", "only by this evaluator")
	fs.StringVar(&req.From, "from", "-168h", "start of the period")
	fs.StringVar(&req.To, "to", "", "end of the period")
	if err := parse(fs, args); err != nil {
		return err
	}
	s, err := r.client().EvaluationSummary(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		fmt.Fprintln(w, "EVALUATOR\tAGENT\tVERSION\tPASSED\tUNSURE\tFAILED\tNOTHING TO JUDGE\tSCORE")
		for _, f := range s.Figures {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", f.Evaluator, orDash(f.Agent), orDash(f.Version), shareText(f.Passed), f.Unsure, f.Fail, f.None, scoreText(f.Score))
		}
		for _, a := range s.Agreements {
			fmt.Fprintf(w, "\n%s and %s agree on %s\tkappa %s\n", a.Evaluator, strings.ReplaceAll(a.With, "_", " "), shareText(a.Agree), scoreText(a.Kappa))
		}
		for i := range s.Calibrations {
			calibrationLines(w, &s.Calibrations[i])
		}
		if x := s.Refused; x != nil {
			fmt.Fprintf(w, "\n%s was not asked at %s\t%s: %s\n", x.Evaluator, x.At.Local().Format(time.DateTime), x.Code, word(x.Detail))
		}
	})
}

// calibrationLines tell how far an evaluator can be believed; of one that nobody
// labelled and that costs nothing there is nothing to tell.
func calibrationLines(w io.Writer, c *client.EvaluatorCalibration) {
	if c.Labelled == 0 && c.Kind != "judge" {
		return
	}
	interval := func(i client.Interval) string {
		if i.Value == nil {
			return "unknown"
		}
		if i.Low == nil {
			return fmt.Sprintf("%.2f, of too few labels for an interval", *i.Value)
		}
		return fmt.Sprintf("%.2f (%.2f to %.2f)", *i.Value, *i.Low, *i.High)
	}
	fmt.Fprintf(w, "\n%s, revision %d\tkappa %s of %d labels\tit passed %s\tpeople would pass %s\n", c.Evaluator, c.Revision, interval(c.Kappa), c.Labelled, shareText(c.Passed), interval(c.Corrected))
	for _, b := range c.Beside {
		fmt.Fprintf(w, "  %s\t%d\tof which people passed %d\tand failed %d\n", b.Verdict, b.Judged, b.Passed, b.Failed)
	}
	if c.Tokens > 0 {
		fmt.Fprintf(w, "  cost\t%s\t%d tokens\t%d answers without a price\n", dollars(c.CostUSD), c.Tokens, c.CostUnknown)
	}
}

func runEvaluationQueue(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.AnnotationQueueRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Evaluator, "evaluator", "", "only by this evaluator")
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.IntVar(&req.Limit, "limit", 20, "at most so many")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().AnnotationQueue(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) { evaluationRows(w, list.Items) })
}

func runEvaluationLabel(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.LabelRunRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Evaluator, "evaluator", "", "in whose place you say it (needed)")
	fs.StringVar(&in.Verdict, "verdict", "", "pass or fail; none takes it back")
	fs.StringVar(&in.Why, "why", "", "why")
	var err error
	if in.Run, err = oneWord(fs, args, "run"); err != nil {
		return err
	}
	x, err := r.client().LabelRun(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { writeEvaluation(w, x) })
}
