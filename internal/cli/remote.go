package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"reeve/client"
	"reeve/internal/visible"
)

func remoteCommands() []command {
	return []command{
		{name: "run list", args: "[flags] [SEARCH]", short: "list runs; SEARCH is the console's search language", long: runListHelp, run: runRunList},
		{name: "health", args: "[flags]", short: "how Reeve itself is: its parts, and whom the door had to refuse", run: runHealth},
		{name: "run get", args: "[flags] RUN", short: "show one run with its steps", run: runRunGet},
		{name: "query", args: "[flags] MEASURE...", short: "ask for figures over runs or steps", long: queryHelp, run: runQuery},
		{name: "key create", args: "[flags]", short: "make an intake key for senders", long: keyHelp, run: runKeyCreate},
		{name: "key list", args: "[flags]", short: "list intake keys", run: runKeyList},
		{name: "key revoke", args: "[flags] ID", short: "end an intake key", run: runKeyRevoke},
	}
}

// remote are the flags of every command that asks a running Reeve.
type remote struct {
	server, token, output string
}

func (r *remote) bind(fs *flag.FlagSet) {
	fs.StringVar(&r.server, "server", envOr("REEVE_SERVER", "http://127.0.0.1:7300"), "`address` of the server (REEVE_SERVER)")
	fs.StringVar(&r.token, "token", os.Getenv("REEVE_TOKEN"), "`rvt_` token; none is needed in dev mode (REEVE_TOKEN)")
	fs.StringVar(&r.output, "o", "text", "output: text or json")
}

// client acts with the token when there is one, else in the session that
// "reeve sign-in" keeps for this server.
func (r *remote) client() *client.Client {
	if s, ok := loadSession(r.server); ok && r.token == "" {
		return client.New(r.server, "", client.WithSession(s.Cookie, s.Secret))
	}
	return client.New(r.server, r.token)
}

// print writes v as JSON, or lets text write it for people.
func (r *remote) print(w io.Writer, v any, text func(io.Writer)) error {
	switch r.output {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case "text":
		t := tabwriter.NewWriter(cleaner{w}, 0, 8, 2, ' ', 0)
		text(t)
		return t.Flush()
	}
	return fmt.Errorf("%w: -o %s is neither text nor json", errUsage, r.output)
}

// cleaner is the last look at what is printed: nothing that senders wrote acts on
// a terminal or hides in it.
type cleaner struct{ w io.Writer }

func (c cleaner) Write(p []byte) (int, error) {
	if _, err := io.WriteString(c.w, visible.Safe(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// word is what a sender wrote in a cell of a table: there a line break or a tab
// would make rows and cells that are not ours, so they are shown too.
func word(s string) string { return visible.Line(s, 0) }

func envOr(key, other string) string {
	if v := os.Getenv(key); v != "" {
		return v
	}
	return other
}

const runListHelp = `
SEARCH is made of fields and free words:
  agent:refund-agent status:done,stale     equality, a set
  duration>2s  cost>0.10  tokens>10k       comparison, with units
  name~refund  -environment:test           contains; not
  any(kind:tool status:error)              some step of the run
  all(kind:model model:gpt-4o*)            every step
  parent(kind:agent)  child(kind:tool)     within any() and all(), around a step
  "exact phrase"                           in what was said
The console and the API take the same text; GET /api/v1/search/fields lists
every field.`

func runRunList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListRunsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "-24h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.StringVar(&req.Environment, "environment", "", "only this environment")
	fs.StringVar(&req.Team, "team", "", "only this team")
	fs.StringVar(&req.Sort, "sort", "started", "started, duration, cost, steps, errors, tokens or updated; - before it turns it round")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	terms, err := words(fs, args)
	if err != nil {
		return err
	}
	req.Query = strings.Join(terms, " ")
	page, err := r.client().ListRuns(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, page, func(w io.Writer) {
		fmt.Fprintln(w, "RUN\tAGENT\tSTATUS\tSTARTED\tDURATION\tSTEPS\tERRORS\tTOKENS\tCOST")
		for _, run := range page.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", run.ID, show(run.Agent), run.Status,
				run.StartedAt.Local().Format(time.DateTime), millis(run.DurationMS), run.StepCount, run.ErrorCount,
				tokens(run.Usage), money(run.Cost))
		}
		if page.Next != "" {
			fmt.Fprintf(w, "\nmore: --cursor %s\n", page.Next)
		}
	})
}

func runRunGet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	run, err := r.client().GetRun(ctx, client.RunRequest{ID: id})
	if err != nil {
		return err
	}
	steps, err := allSteps(ctx, r.client(), id)
	if err != nil {
		return err
	}
	whole := struct {
		*client.Run
		Steps []client.Step `json:"steps"`
	}{run, steps}
	return r.print(e.stdout, whole, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s  %s\n", run.ID, show(run.Agent), run.Status)
		fmt.Fprintf(w, "started %s, took %s, %s tokens, cost %s (%s)\n", run.StartedAt.Local().Format(time.DateTime), millis(run.DurationMS), tokens(run.Usage), money(run.Cost), run.Cost.Basis)
		for _, l := range run.Linked {
			fmt.Fprintf(w, "%s  %s  %s  %s\n", linkWords[l.Kind], l.RunID, show(l.Agent), l.Status)
		}
		fmt.Fprintln(w, "\nOFFSET\tKIND\tNAME\tSTATUS\tDURATION\tMODEL\tTOKENS\tCOST")
		depth := depths(steps)
		for _, s := range steps {
			fmt.Fprintf(w, "%s\t%s\t%s%s\t%s\t%s\t%s\t%s\t%s\n", time.Duration(s.StartNS-run.StartedAt.UnixNano()).Round(time.Millisecond), s.Kind,
				strings.Repeat("  ", depth[s.ID]), word(s.Name), s.Status, millis(s.DurationMS), word(s.Model), tokens(s.Usage), money(s.Cost))
		}
	})
}

// allSteps reads page after page: a run may have more steps than one holds.
func allSteps(ctx context.Context, c *client.Client, run string) ([]client.Step, error) {
	all := []client.Step{}
	req := client.ListStepsRequest{ID: run}
	for {
		page, err := c.ListSteps(ctx, req)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		req.Cursor = page.Next
	}
}

// linkWords say why a run is linked.
var linkWords = map[string]string{"same_call": "tells the same call as", "span": "links to", "linked_by": "is linked by"}

// depths is how far each step is from its root, at most 20 for the eye.
func depths(steps []client.Step) map[string]int {
	parent := make(map[string]string, len(steps))
	for _, s := range steps {
		if s.ParentID != nil {
			parent[s.ID] = *s.ParentID
		}
	}
	out := make(map[string]int, len(steps))
	for _, s := range steps {
		for at := parent[s.ID]; at != "" && out[s.ID] < 20; at = parent[at] {
			out[s.ID]++
		}
	}
	return out
}

func runHealth(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if _, err := words(fs, args); err != nil {
		return err
	}
	h, err := r.client().Health(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, h, func(w io.Writer) {
		for _, p := range h.Parts {
			fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, p.State, p.Reason)
		}
	})
}

const queryHelp = `
A measure is count, or a function of a field: p95(duration_ms), sum(cost),
avg(input_tokens), distinct(user). Examples:
  reeve query count 'p95(duration_ms)' --by agent --bucket 1h
  reeve query 'sum(cost)' --over steps --by model --where 'environment:production'`

func runQuery(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var q client.Query
	var by string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&q.From, "over", "runs", "runs, steps, messages or logs")
	fs.StringVar(&q.Where, "where", "", "a search (see reeve help run list)")
	fs.StringVar(&by, "by", "", "dimensions, with commas: agent, model, tool, team, status...")
	fs.StringVar(&q.Bucket, "bucket", "", "also by time: 5m, 1h, 24h")
	fs.StringVar(&q.Start, "from", "-24h", "start of the period")
	fs.StringVar(&q.End, "to", "", "end of the period")
	fs.StringVar(&q.OrderBy, "order", "", "a measure or dimension; - before it for descending")
	fs.IntVar(&q.Limit, "limit", 100, "at most so many rows")
	measures, err := words(fs, args)
	if err != nil {
		return err
	}
	for _, m := range measures {
		fn, field, ok := strings.Cut(strings.TrimSuffix(m, ")"), "(")
		if ok != strings.HasSuffix(m, ")") {
			return fmt.Errorf("%w: %q is no measure; write count or p95(duration_ms)", errUsage, m)
		}
		q.Select = append(q.Select, client.Measure{Func: fn, Field: field})
	}
	if by != "" {
		q.GroupBy = strings.Split(by, ",")
	}
	res, err := r.client().Query(ctx, q)
	if err != nil {
		return err
	}
	return r.print(e.stdout, res, func(w io.Writer) {
		for i, col := range res.Columns {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, col.Name)
			if col.Unit != "" {
				fmt.Fprintf(w, " (%s)", col.Unit)
			}
		}
		fmt.Fprintln(w)
		for _, row := range res.Rows {
			for i, v := range row {
				if i > 0 {
					fmt.Fprint(w, "\t")
				}
				fmt.Fprint(w, word(cell(v)))
			}
			fmt.Fprintln(w)
		}
	})
}

const keyHelp = `
The key can only send telemetry, for one team and environment. It is shown
once. Senders present it as Authorization: Bearer, x-api-key, DD-API-KEY, or as
the password of Basic.`

func runKeyCreate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CreateIntakeKeyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Name, "name", "", "what it is for")
	fs.StringVar(&req.Team, "team", "", "team that its telemetry belongs to")
	fs.StringVar(&req.Environment, "environment", "production", "environment that its telemetry belongs to")
	fs.Int64Var(&req.SpansPerSecond, "spans-per-second", 0, "quota; 0: none of its own")
	fs.Int64Var(&req.BytesPerSecond, "bytes-per-second", 0, "quota; 0: none of its own")
	fs.StringVar(&req.ExpiresIn, "expires-in", "", "life, like 2160h; empty: the server's default")
	if err := parse(fs, args); err != nil {
		return err
	}
	key, err := r.client().CreateIntakeKey(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, key, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", key.Secret)
		fmt.Fprintf(e.stderr, "key %s for %s in %s; it is not shown again. Use it like this:\n  export OTEL_EXPORTER_OTLP_HEADERS=\"authorization=Bearer %s\"\n", key.Key.ID, key.Key.Team, key.Key.Environment, key.Secret)
	})
}

func runKeyList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	keys, err := r.client().ListIntakeKeys(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, keys, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tNAME\tTEAM\tENVIRONMENT\tSTATE\tLAST USED\tEXPIRES")
		for _, k := range keys.Items {
			state := "active"
			if k.Revoked {
				state = "revoked"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Team, k.Environment, state, when(k.LastUsed), when(k.ExpiresAt))
		}
	})
}

func runKeyRevoke(ctx context.Context, e env, c *command, args []string) error {
	return endOne(ctx, e, c, args, "key", "key %s is revoked\n", (*client.Client).RevokeIntakeKey)
}

// knowsTeam reports whether there is a team of that name; true where that cannot be
// found out.
func (r *remote) knowsTeam(ctx context.Context, name string) bool {
	list, err := r.client().ListTeams(ctx)
	return err != nil || slices.ContainsFunc(list.Items, func(t client.Team) bool { return t.Name == name })
}

// oneWord reads flags and the one word that names the object.
func oneWord(fs *flag.FlagSet, args []string, noun string) (string, error) {
	list, err := words(fs, args)
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", fmt.Errorf("%w: name one %s", errUsage, noun)
	}
	return list[0], nil
}

func show(s string) string {
	if s == "" {
		return "unknown"
	}
	return word(s)
}

func when(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format(time.DateTime)
}

func millis(ms *float64) string {
	if ms == nil {
		return "unknown"
	}
	return time.Duration(*ms * float64(time.Millisecond)).Round(time.Millisecond).String()
}

// tokens are input and output; unknown is not zero.
func tokens(u client.Usage) string {
	if u.InputTotal == nil && u.OutputTotal == nil {
		return "unknown"
	}
	part := func(n *int64) string {
		if n == nil {
			return "?"
		}
		return strconv.FormatInt(*n, 10)
	}
	return part(u.InputTotal) + "+" + part(u.OutputTotal)
}

func money(c client.Cost) string {
	if c.Amount == nil {
		return "unknown"
	}
	return strconv.FormatFloat(*c.Amount, 'f', 6, 64) + " " + c.Currency
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "unknown"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
