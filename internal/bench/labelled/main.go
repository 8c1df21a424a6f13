package labelled

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
)

// kind is one of the benches. Those without a folder make their own data.
type kind struct {
	name, about, folder string
	run                 func(ctx context.Context, dir string, seed uint64) (*Report, error)
	// scores writes what the set's own scorer reads; nil: there is none.
	scores func(ctx context.Context, dir, into string) error
}

var kinds = []kind{
	{"nab", "one number over time: the Numenta benchmark, by its own score", "a half with windows.json and data/", nab, nabScoresFor},
	{"loghub", "log templates: grouping accuracy on Loghub-2k", "a half with SYSTEM/structured_min.csv", loghub, nil},
	{"petshop", "likely causes over a service graph: PetShop's recorded incidents", "the set, with common/ and a half", petshop, nil},
	{"whowhen", "the agent and the step that failed a run: Who&When", "a half with runs.jsonl", whowhen, nil},
	{"tau", "which runs failed: tau-bench", "a half with runs.jsonl", tau, nil},
	{"passk", "repeatability: pass^k and spread of tau-bench's rewards", "the folder with rewards.csv", passK, nil},
	{"origins", "hijacked runs by where arguments came from: AgentDojo", "a half with runs.jsonl.gz", origins, nil},
	{"groundedness", "answers that their texts do not carry, without a model: BEGIN", "BEGIN's folder, with .tsv files", groundedness, nil},
	{"topics", "prompts grouped by what they ask, against labelled intents: CLINC150", "the folder with train_val.json", topics, nil},
	{"drift", "changes that break nothing, on simulated agents", "", driftBench, nil},
	{"different", "what sets a selection apart, on simulated tables", "", different, nil},
}

// Names are the benches of this package, in the order of the help.
func Names() (out []string) {
	for _, k := range kinds {
		out = append(out, k.name)
	}
	return out
}

// Help is the list of them, a line each.
func Help() (out string) {
	for _, k := range kinds {
		out += fmt.Sprintf("  %-12s %s\n", k.name, k.about)
	}
	return out
}

// ErrUsage says that the words were wrong; why was written to stderr.
var ErrUsage = errors.New("wrong usage")

// Main runs the bench of that name with the rest of the command's words.
func Main(ctx context.Context, name string, args []string, stdout, stderr io.Writer) error {
	at := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if at < 0 {
		return fmt.Errorf("no bench %q", name)
	}
	k := kinds[at]
	fs := flag.NewFlagSet("reeve bench "+name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	output := fs.String("o", "text", "text or json")
	var seed uint64 = 1
	if k.folder == "" {
		fs.Uint64Var(&seed, "seed", 1, "the data are a function of it")
	}
	into := ""
	if k.scores != nil {
		fs.StringVar(&into, "scores", "", "also write the score of each value into this folder, for the set's own scorer")
	}
	fs.Usage = func() {
		fmt.Fprintf(stderr, "Usage: reeve bench %s [flags]%s\n\n%s.\n", name, folderWord(k), k.about)
		if k.folder != "" {
			fmt.Fprintf(stderr, "DIR is %s.\n", k.folder)
		}
		fmt.Fprintln(stderr)
		fs.PrintDefaults()
	}
	dir, rest := "", args
	if len(rest) > 0 && k.folder != "" && rest[0] != "" && rest[0][0] != '-' {
		dir, rest = rest[0], rest[1:]
	}
	if err := fs.Parse(rest); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return ErrUsage
	}
	want := 0
	if k.folder != "" && dir == "" {
		dir, want = fs.Arg(0), min(1, fs.NArg())
	}
	switch {
	case k.folder != "" && dir == "":
		fmt.Fprintf(stderr, "reeve: error: give the folder of the data: reeve bench %s DIR\n", name)
		return ErrUsage
	case fs.NArg() > want:
		fmt.Fprintf(stderr, "reeve: error: %q is one word too many\n", fs.Arg(want))
		return ErrUsage
	case *output != "text" && *output != "json":
		fmt.Fprintf(stderr, "reeve: error: -o %s: want text or json\n", *output)
		return ErrUsage
	}
	if into != "" {
		if err := k.scores(ctx, dir, into); err != nil {
			return err
		}
	}
	r, err := k.run(ctx, dir, seed)
	if err != nil {
		return err
	}
	r.Bench = name
	return r.write(stdout, *output)
}

func folderWord(k kind) string {
	if k.folder == "" {
		return ""
	}
	return " DIR"
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
