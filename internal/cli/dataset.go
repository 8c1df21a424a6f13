package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"reeve/client"
)

func datasetCommands() []command {
	return []command{
		{name: "dataset list", args: "[flags]", short: "list data sets: cases from recorded runs", long: datasetHelp, run: runDatasetList},
		{name: "dataset set", args: "[flags] NAME", short: "make a data set, or change what is said of it", long: datasetHelp, run: runDatasetSet},
		{name: "dataset show", args: "[flags] NAME", short: "list the items of a version", run: runDatasetShow},
		{name: "dataset delete", args: "[flags] NAME", short: "remove a data set with its items", run: runDatasetDelete},
		{name: "dataset export", args: "[flags] NAME", short: "give out what has consent, as JSONL", long: datasetHelp, run: runDatasetExport},
		{name: "dataset exports", args: "[flags] NAME", short: "list what was given out, and what of that was withdrawn", run: runDatasetExports},
		{name: "case add", args: "[flags] [RUN]", short: "make a run a case of a data set", long: datasetHelp, run: runCaseAdd},
		{name: "case list", args: "[flags] RUN", short: "list the data sets in which a run is a case", run: runCaseList},
		{name: "case remove", args: "[flags] ITEM", short: "take an item out of the next version", run: runCaseRemove},
	}
}

const datasetHelp = `
A data set holds cases: what a run was asked, what it answered, and what would
have been right. Personal data and secrets are cut out when a case is made. Each
change makes a new version; versions before stay as they were.

  reeve dataset set refunds --team support --environment production
  reeve case add RUN --dataset refunds --expected "Within 14 days." --contains 14
  reeve dataset show refunds
  reeve dataset export refunds --format sft --reason "training of May" > refunds.jsonl

Formats are evaluation, sft and preferences, JSONL as OpenAI takes it. Only what
its user agreed to, or the data set's basis covers, is exported. Erasing a user
takes their cases out and lists the exports that had them.`

func runDatasetList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	all, err := r.client().ListDatasets(ctx, client.ListDatasetsRequest{})
	if err != nil {
		return err
	}
	return r.print(e.stdout, all, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tTEAM\tENVIRONMENT\tVERSION\tITEMS\tABOUT")
		for _, s := range all.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", s.Name, orDash(s.Team), orDash(s.Environment), s.Version, s.Items, word(s.About))
		}
	})
}

func runDatasetSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutDatasetRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Team, "team", "", "whose it is; it stays")
	fs.StringVar(&in.Environment, "environment", "", "of which environment; it stays")
	fs.StringVar(&in.About, "about", "", "what it is for")
	fs.StringVar(&in.Basis, "basis", "", "why what users said may be used without asking each, such as a contract's clause")
	var err error
	if in.Name, err = oneWord(fs, args, "data set"); err != nil {
		return err
	}
	s, err := r.client().PutDataset(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) { fmt.Fprintf(w, "%s\tversion %d\t%d items\n", s.Name, s.Version, s.Items) })
}

func runDatasetDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "data set")
	if err != nil {
		return err
	}
	if err := r.client().DeleteDataset(ctx, client.DatasetRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "data set %s is removed; what was exported of it stays on record\n", name)
	return nil
}

func runDatasetShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListDatasetItemsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.Int64Var(&req.Version, "version", 0, "as it was in this version; 0 is the newest")
	fs.IntVar(&req.Limit, "limit", 200, "at most so many")
	var err error
	if req.Name, err = oneWord(fs, args, "data set"); err != nil {
		return err
	}
	all, err := r.client().ListDatasetItems(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, all, func(w io.Writer) { itemRows(w, all.Items) })
}

func itemRows(w io.Writer, all []client.DatasetItem) {
	fmt.Fprintln(w, "ITEM\tRUN\tAGENT\tVERDICT\tCONSENT\tCUT OUT\tASKED\tANSWERED\tEXPECTED")
	for _, i := range all {
		asked, consent := "", i.Consent
		if n := len(i.Input); n > 0 {
			asked = i.Input[n-1].Content
		}
		if i.Withdrawn {
			consent = "withdrawn"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", i.ID, orDash(i.Run), orDash(i.Agent), orDash(i.Verdict), consent, orDash(strings.Join(i.Redacted, ",")), short(asked), short(i.Answer), short(i.Expected))
	}
}

// short is the beginning of a text, for a cell.
func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return word(s)
}

func runCaseAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.AddDatasetItemRequest
	var contains, absent, labels, prompt string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Name, "dataset", "", "the data set that it becomes a case of (needed)")
	fs.StringVar(&in.Expected, "expected", "", "what would have been right")
	fs.StringVar(&contains, "contains", "", "words that an answer must have in it, with commas")
	fs.StringVar(&absent, "absent", "", "words that it must not have, with commas")
	fs.StringVar(&labels, "label", "", "labels, with commas")
	fs.StringVar(&in.Note, "note", "", "what to know of it")
	fs.StringVar(&in.Verdict, "verdict", "", "of the recorded answer: good or bad")
	fs.StringVar(&in.Consent, "consent", "", "of the run's user: given or refused")
	fs.StringVar(&prompt, "prompt", "", "without a run: what is asked")
	runs, err := words(fs, args)
	switch {
	case err != nil:
		return err
	case len(runs) > 1, len(runs) == 0 && prompt == "", len(runs) == 1 && prompt != "", in.Name == "":
		return fmt.Errorf("%w: name one run, or give --prompt; and --dataset", errUsage)
	case prompt != "":
		in.Input = []client.ChatMessage{{Role: "user", Content: prompt}}
	default:
		in.Run = runs[0]
	}
	for _, l := range []struct {
		text string
		to   *[]string
	}{{contains, &in.Contains}, {absent, &in.Absent}, {labels, &in.Labels}} {
		for _, part := range strings.Split(l.text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*l.to = append(*l.to, part)
			}
		}
	}
	i, err := r.client().AddDatasetItem(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, i, func(w io.Writer) { itemRows(w, []client.DatasetItem{*i}) })
}

func runCaseList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	run, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	all, err := r.client().ListRunCases(ctx, client.IDRequest{ID: run})
	if err != nil {
		return err
	}
	return r.print(e.stdout, all, func(w io.Writer) {
		fmt.Fprintln(w, "CASE\tDATASET\tITEM\tSINCE VERSION\tBY\tAT")
		for _, i := range all.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", i.Case, i.Dataset, i.ID, i.Added, orDash(i.By), i.At.Local().Format(time.DateTime))
		}
	})
}

func runCaseRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DatasetItemRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Name, "dataset", "", "the data set (needed)")
	var err error
	if req.Item, err = oneWord(fs, args, "item"); err != nil {
		return err
	}
	if err := r.client().RemoveDatasetItem(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "item %s is not in the next version of %s\n", req.Item, req.Name)
	return nil
}

func runDatasetExport(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.ExportDatasetRequest
	var file string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Format, "format", "evaluation", "evaluation, sft or preferences")
	fs.StringVar(&in.Reason, "reason", "", "why, and for whom (needed)")
	fs.Int64Var(&in.Version, "version", 0, "this version; 0 is the newest")
	fs.StringVar(&file, "file", "", "write it there; without, to standard output")
	var err error
	if in.Name, err = oneWord(fs, args, "data set"); err != nil {
		return err
	}
	x, err := r.client().ExportDataset(ctx, in)
	if err != nil {
		return err
	}
	if file != "" {
		err = os.WriteFile(file, []byte(x.Content), 0o600)
	} else {
		_, err = io.WriteString(e.stdout, x.Content)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "export %s: %d items of %s, version %d, sha256 %s\n", x.ID, x.Items, x.Dataset, x.Version, x.SHA256)
	for why, n := range x.Left {
		fmt.Fprintf(e.stderr, "%d left out: %s\n", n, strings.ReplaceAll(why, "_", " "))
	}
	return nil
}

func runDatasetExports(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "data set")
	if err != nil {
		return err
	}
	all, err := r.client().ListDatasetExports(ctx, client.DatasetRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, all, func(w io.Writer) {
		fmt.Fprintln(w, "EXPORT\tAT\tVERSION\tFORMAT\tITEMS\tWITHDRAWN SINCE\tBY\tREASON")
		for _, x := range all.Items {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\t%d\t%s\t%s\n", x.ID, x.At.Local().Format(time.DateTime), x.Version, x.Format, x.Items, x.Withdrawn, orDash(x.By), word(x.Reason))
		}
	})
}
