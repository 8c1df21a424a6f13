package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"reeve/client"
)

func sourceCommands() []command {
	return []command{
		{name: "source list", args: "[flags]", short: "list what agents read, with how fresh it is", run: runSourceList},
		{name: "source show", args: "[flags] NAME", short: "show a source's versions, jobs, checks and documents", run: runSourceShow},
		{name: "source set", args: "[flags] NAME", short: "register a source: owner, aliases, how old it may be", long: sourceHelp, run: runSourceSet},
		{name: "source out", args: "[flags] NAME", short: "take a source out of use: the door refuses to read it", long: sourceOutHelp, run: runSourceOut},
		{name: "source back", args: "[flags] NAME", short: "put a source back into use", run: runSourceBack},
		{name: "source delete", args: "[flags] NAME", short: "forget a source", run: runSourceDelete},
		{name: "source used", args: "[flags] RUN", short: "say what a run read, and how old it was then", run: runSourceUsed},
	}
}

const sourceHelp = `
A source is what agents read: a dataset, a corpus of documents, an index, an API.
Sources are found in lineage (OpenLineage, dbt, Great Expectations, Soda) and in
what crawlers report; docs/sources.md says how to send it. Registering one gives
it an owner and says how old it may be.

  reeve source list --state stale
  reeve source set refund_policy --team support --max-age 24h --warn-age 12h
  reeve source used run_...

Flags that are not given keep what is there.`

func runSourceList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListSourcesRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.State, "state", "", "fresh, warn, stale or unknown")
	fs.StringVar(&req.Q, "q", "", "a part of the name or description")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListSources(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "SOURCE\tKIND\tSTATE\tVERSION\tDOCUMENTS\tCHECKS\tTEAM\tWHY")
		for _, s := range list.Items {
			version := "-"
			if s.Version != nil {
				version = word(s.Version.Version)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", s.Name, s.Kind, s.State, version, s.Documents, checksWord(s), word(s.Team), s.Reason)
		}
	})
}

func checksWord(s client.Source) string {
	switch {
	case s.Checks == 0:
		return "-"
	case s.Failing > 0:
		return fmt.Sprintf("%d of %d fail", s.Failing, s.Checks)
	}
	return fmt.Sprintf("%d pass", s.Checks)
}

func runSourceShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "source")
	if err != nil {
		return err
	}
	s, err := r.client().GetSource(ctx, client.SourceRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s, %s: %s\n", s.Name, s.Kind, s.State, s.Reason)
		for _, u := range s.Upstream {
			fmt.Fprintf(w, "  because\t%s was %s at %s (%s)\n", u.Job, u.State, u.At.Format(time.RFC3339), strings.Join(u.Path, " > "))
		}
		for _, v := range s.History {
			fmt.Fprintf(w, "  version\t%s\t%s\t%s\n", word(v.Version), v.At.Format(time.RFC3339), word(v.Job))
		}
		for _, j := range s.Writers {
			fmt.Fprintf(w, "  made by\t%s\t%s\t%s\n", word(j.Name), word(j.State), word(j.Note))
		}
		for _, k := range s.Results {
			fmt.Fprintf(w, "  check\t%s\t%t\t%s\n", word(k.Name), k.OK, word(k.Note))
		}
		for _, d := range s.Newest {
			fmt.Fprintf(w, "  document\t%s\tversion %s\t%s\n", word(d.ID), word(d.Version), d.CrawledAt.Format(time.RFC3339))
		}
	})
}

func runSourceSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutSourceRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Kind, "kind", "", "dataset, corpus, index or api")
	fs.StringVar(&in.Namespace, "namespace", "", "of its name in lineage")
	fs.StringVar(&in.Dataset, "dataset", "", "its name in lineage")
	fs.Var((*texts)(&in.Aliases), "alias", "another name by which steps call it; may be given again")
	fs.StringVar(&in.Team, "team", "", "the team that answers for it")
	fs.StringVar(&in.Owner, "owner", "", "a person who answers for it")
	fs.StringVar(&in.Description, "description", "", "what it is")
	fs.Var((*texts)(&in.Classes), "class", "a class of data in it; may be given again")
	fs.BoolVar(&in.Trusted, "trusted", false, "its text comes from people we trust")
	fs.StringVar(&in.MaxAge, "max-age", "", "older is stale: 24h, 7d")
	fs.StringVar(&in.WarnAge, "warn-age", "", "older is nearly stale")
	share := func(to **float64) func(string) error {
		return func(s string) error {
			v, err := strconv.ParseFloat(s, 64)
			*to = &v
			return err
		}
	}
	fs.Func("max-error-rate", "share of its assertions' results that may fail: 0.05", share(&in.MaxErrorRate))
	fs.Func("min-accuracy", "share of answers that an audit must find right: 0.95", share(&in.MinAccuracy))
	fs.StringVar(&in.OnBreach, "on-breach", "", "tell, or out: out of use while it breaks a limit")
	name, err := oneWord(fs, args, "source")
	if err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	old, err := r.client().GetSource(ctx, client.SourceRequest{Name: name})
	isNew := false
	var problem *client.Problem
	switch {
	case err == nil:
		in = mergedSource(in, old.Source, given)
	case errors.As(err, &problem) && problem.Code == "source.not_found":
		isNew = true
	default:
		return err
	}
	in.Name = name
	newTeam := given["team"] && !r.knowsTeam(ctx, in.Team)
	s, err := r.client().PutSource(ctx, in)
	if err != nil {
		return err
	}
	if isNew {
		r.noteNewSource(ctx, e, s)
	}
	if newTeam {
		hint(e.stderr, "there was no team "+word(in.Team)+": it was made")
	}
	return r.print(e.stdout, s, func(w io.Writer) { fmt.Fprintf(w, "%s is %s: %s\n", s.Name, s.State, s.Reason) })
}

// noteNewSource says that nothing names a source that was registered just now:
// its name may be a slip.
func (r *remote) noteNewSource(ctx context.Context, e env, s *client.Source) {
	text := s.Name + " is new: nothing in lineage and no crawler names it yet"
	if list, err := r.client().ListSources(ctx, client.ListSourcesRequest{}); err == nil { // else the note is shorter
		var near []string
		for _, o := range list.Items {
			if o.Name != s.Name && alike(o.Name, s.Name) && len(near) < 3 {
				near = append(near, word(o.Name))
			}
		}
		if len(near) > 0 {
			text += "; there is " + strings.Join(near, ", ")
		}
	}
	hint(e.stderr, text)
}

// alike reports whether one of two names may have been meant for the other: they
// differ in case and marks alone, one holds the other, or a few letters differ.
func alike(a, b string) bool {
	plain := strings.NewReplacer("_", "", "-", "", ".", "")
	a, b = plain.Replace(strings.ToLower(a)), plain.Replace(strings.ToLower(b))
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	return strings.Contains(a, b) || strings.Contains(b, a) || distance(a, b) <= max(len(a), len(b))/5
}

// distance is how many letters must be put in, taken out or changed to make one
// text of another.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// mergedSource keeps what no flag was given for.
func mergedSource(in client.PutSourceRequest, old client.Source, given map[string]bool) client.PutSourceRequest {
	out := client.PutSourceRequest{
		Kind: old.Kind, Namespace: old.Namespace, Dataset: old.Dataset, Aliases: old.Aliases, Team: old.Team, Owner: old.Owner,
		Description: old.Description, Classes: old.Classes, Trusted: old.Trusted, Revision: old.Revision,
	}
	if old.AgePolicy == "people" {
		out.MaxAge, out.WarnAge = old.MaxAge, old.WarnAge
	}
	keep := func(flag string, to, from *string) {
		if given[flag] {
			*to = *from
		}
	}
	keep("kind", &out.Kind, &in.Kind)
	keep("namespace", &out.Namespace, &in.Namespace)
	keep("dataset", &out.Dataset, &in.Dataset)
	keep("team", &out.Team, &in.Team)
	keep("owner", &out.Owner, &in.Owner)
	keep("description", &out.Description, &in.Description)
	if out.MaxErrorRate, out.MinAccuracy = old.MaxErrorRate, old.MinAccuracy; given["max-error-rate"] {
		out.MaxErrorRate = in.MaxErrorRate
	}
	if given["min-accuracy"] {
		out.MinAccuracy = in.MinAccuracy
	}
	out.OnBreach = old.OnBreach
	keep("on-breach", &out.OnBreach, &in.OnBreach)
	keep("max-age", &out.MaxAge, &in.MaxAge)
	keep("warn-age", &out.WarnAge, &in.WarnAge)
	if given["alias"] {
		out.Aliases = in.Aliases
	}
	if given["class"] {
		out.Classes = in.Classes
	}
	if given["trusted"] {
		out.Trusted = in.Trusted
	}
	return out
}

func runSourceDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "source")
	if err != nil {
		return err
	}
	if err := r.client().DeleteSource(ctx, client.SourceRequest{Name: name}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s is forgotten\n", name)
	return err
}

func runSourceUsed(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	list, err := r.client().ListRunSources(ctx, client.RunRequest{ID: id})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		if len(list.Items) == 0 {
			fmt.Fprintln(w, "no step of this run says that it read something")
		}
		for _, u := range list.Items {
			fmt.Fprintf(w, "%s\t%s\n", u.State, u.Sentence)
			for _, d := range u.Documents {
				fmt.Fprintf(w, "\t%s\n", d.Sentence)
			}
			for _, cause := range u.Causes {
				fmt.Fprintf(w, "\tbecause %s was %s at %s: %s\n", cause.Job, cause.State, cause.At.Format(time.RFC3339), strings.Join(cause.Path, " > "))
			}
		}
	})
}

const sourceOutHelp = `
Takes a source out of use: what reads it at the door is refused
(floor.source_out_of_use), whatever policies permit, until somebody puts it back
or the time is over. What counts as reading: resources of MCP servers by the
source's name, and tools, routes and peers that are one of its aliases, by the
name that decisions give them ("docs.search", "search").

  reeve source set refund_policy --alias docs.search
  reeve source out refund_policy --reason "prices of last year" --for 4h
  reeve source back refund_policy --reason "loaded again"`

func runSourceOut(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.TakeSourceOutRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Reason, "reason", "", "why; it is kept in the audit log")
	fs.StringVar(&in.For, "for", "", "for how long: 4h, 7d; until it is put back by default")
	fs.StringVar(&in.Cause, "cause", "", "the incident or finding it is taken out for")
	var err error
	if in.Name, err = oneWord(fs, args, "source"); err != nil {
		return err
	}
	s, err := r.client().TakeSourceOut(ctx, in)
	return r.sourceUse(e, s, err)
}

func runSourceBack(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutSourceBackRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Reason, "reason", "", "why; it is kept in the audit log")
	var err error
	if in.Name, err = oneWord(fs, args, "source"); err != nil {
		return err
	}
	s, err := r.client().PutSourceBack(ctx, in)
	return r.sourceUse(e, s, err)
}

func (r *remote) sourceUse(e env, s *client.Source, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		switch o := s.OutOfUse; {
		case o == nil:
			fmt.Fprintf(w, "%s is in use\n", s.Name)
		case o.Until == nil:
			fmt.Fprintf(w, "%s is out of use until it is put back: %s\n", s.Name, o.Reason)
		default:
			fmt.Fprintf(w, "%s is out of use until %s: %s\n", s.Name, o.Until.Format(time.RFC3339), o.Reason)
		}
	})
}
