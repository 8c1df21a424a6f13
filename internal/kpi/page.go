package kpi

import (
	"fmt"
	"strings"
)

const pageHead = `# KPIs

This page is generated from the catalogue (internal/kpi/catalogue.yaml). Each figure on the pages KPIs, Overview and Objectives, in ` + "`reeve kpi`" + ` and on /metrics is one of these, or one that you defined yourself.

A figure always comes with:

- **n**: how many records it is from, and the search that opens them, of each group of a split too; what no search finds (what users said, sessions, evaluations, cases) ` + "`reeve kpi records`" + ` and GET /api/v1/kpis/{id}/records list
- **interval**: 95 %, by the method named here; none where it was counted and not sampled
- **coverage**: n of all the records that it could be from; what is missing is unknown, not zero
- **definition version**: it rises when the meaning changes

Quantiles, and the latencies of the Overview, are read from bins, which add up over days: of milliseconds and dollars the middle of the bin is shown (right to 0.012 %, values up to 4,095 nanoseconds or nano-dollars exactly), of tokens and counts its least value (right to 0.025 %); the interval reaches to the outer edges of its bins. POST /api/v1/query answers quantiles exactly. Sums, counts and all that is made of them are exact. A figure that would be of a part of the records alone is unknown, with its reason.

Of a split the 500 groups with the most records are shown, and it is said when there are more.

Runs of mode ` + "`test`" + ` are in no figure. Several agents' figures differ by chance: compare intervals, not values.

## Alarms

Any KPI can be an objective (docs/objectives.md) or a rule (docs/detection.md), the spread of outcomes too. A rule asks about the figure's ` + "`value`" + `, about ` + "`low` and `high`" + `, the ends of its interval, and about ` + "`records`" + `. An interval that is not known is as wide as can be, so that nothing holds of it.

` + "```" + `
reeve rule put spread --kpi outcome_spread --by agent --window 24h --when 'low > 0.35 && records >= 40.0'
` + "```" + `

fires for an agent whose runs of the same task end differently more often than 35 in 100 pairs beyond what chance explains, and not for one that was always like that at 32: at most one window in twenty of such an agent has its interval above the truth. "Save as a rule" on the page of a KPI writes the condition that the whole interval has left the one that is shown, and tells when it would have held in the last 30 days.

## Your own

` + "`reeve kpi set NAME -f FILE`" + ` or PUT /api/v1/kpis/{id}, with exactly one shape:

| shape | keys | is |
|---|---|---|
| share | table, of, among, base | rows of ` + "`of`" + ` among rows of ` + "`among`" + `; coverage is among of base |
| mean | table, field, scale, among | sum of the field / scale / rows that have it |
| ratio | table, field, per_field or per, among | sum of the field over the sum of another, or over the number of rows that fulfil ` + "`per`" + ` |
| quantile | table, field, at, among | the value that a share ` + "`at`" + ` of the rows is not above |
| per_run | table, where, among | rows of the table / runs that fulfil among |
| repeat | what (pass, spread, path), k, among | over runs of the same agent and task |
| count | table, among | number of rows |

Tables are runs, steps and decisions; searches are those of docs/search.md, without phrases in content. ` + "`$known`, `$ended`, `$resolved`, `$alone` and `$failed`" + ` stand for the catalogue's own. Every change is a version; ` + "`reeve kpi versions`" + ` lists them. ` + "`reeve kpi try -f FILE`" + ` (POST /api/v1/kpis/try) says what a definition would come to and keeps nothing.

Console: Results, Outcomes and KPIs, "Define a KPI". The figure of the period stands beside the form and follows what is typed; a search that is none is marked at its field. One that people defined is changed and removed where it is shown, with its versions and what each changed.

## Value ledger

` + "`reeve kpi assume -f FILE`" + ` says what a resolved run of each task is worth (people's minutes saved, money beside them), what an hour of people costs, and what a run does harm that failed, was abandoned, escalated or deflected. Each assumption has a value, a low and a high. ` + "`reeve kpi value`" + ` (GET /api/v1/value) gives value less models, people's minutes and harm, and how far each assumption alone moves the result. Every version of the assumptions stays (` + "`reeve kpi assumptions`" + `). The page Value has all of it: what each task and outcome came to with its runs, what each assumption alone moves, and a form for the next version.

## The catalogue
`

// Page is docs/kpis.md.
func Page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	for _, d := range catalogue {
		fmt.Fprintf(&b, "\n### %s\n\n%s (`%s`, version %d). %s\n\n", d.Title, d.Unit, d.ID, d.Version, d.About)
		better := map[string]string{"up": "more is better", "down": "less is better", "none": "neither more nor less is better"}[d.Direction]
		fmt.Fprintf(&b, "- formula: `%s`\n- %s; owner %s; from %s\n", d.Formula(), better, d.Owner, d.Source)
		if m := d.Method(); m != "" {
			fmt.Fprintf(&b, "- interval: %s\n", m)
		}
		if len(d.Guards) > 0 {
			fmt.Fprintf(&b, "- read beside it: %s\n", strings.Join(d.Guards, ", "))
		}
	}
	return b.String()
}
