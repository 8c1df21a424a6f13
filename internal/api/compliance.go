package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/compliance"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/finding"
	"reeve/internal/identity"
	"reeve/internal/incident"
	"reeve/internal/kpi"
	"reeve/internal/policy"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Compliance is what frameworks ask for; the zero value keeps none. Sign signs with
// the keys of the audit log.
type Compliance struct {
	Book    *compliance.Book
	Sign    compliance.Signer
	Install string
}

const compliancePeriod = 30 * 24 * time.Hour

func complianceOperations() []operation {
	// What evidence is of is all teams': an auditor of the house asks.
	auditor := everywhere(identity.Auditor)
	return []operation{
		define(operation{Name: "ListComplianceFrameworks", Method: http.MethodGet, Path: "/compliance-frameworks", Permission: auditor, Summary: "lists mappings of controls to evidence, with what they came to last"}, listComplianceFrameworks),
		define(operation{Name: "GetComplianceFramework", Method: http.MethodGet, Path: "/compliance-frameworks/{id}", Permission: auditor, Summary: "reads a mapping"}, getComplianceFramework),
		define(operation{Name: "PutComplianceFramework", Method: http.MethodPut, Path: "/compliance-frameworks/{id}", Permission: everywhere(identity.Security), Audit: AuditChange, MaxBody: 512 << 10, Summary: "makes a mapping of one's own, or changes it"}, putComplianceFramework),
		define(operation{Name: "DeleteComplianceFramework", Method: http.MethodDelete, Path: "/compliance-frameworks/{id}", Permission: everywhere(identity.Security), Audit: AuditChange, Summary: "removes a mapping of one's own; assessments stay"}, deleteComplianceFramework),
		define(operation{Name: "AssessCompliance", Method: http.MethodPost, Path: "/compliance-frameworks/{id}/assess", Permission: auditor, Audit: AuditChange, Summary: "asks all questions of a framework over a period and keeps what they came to"}, assessCompliance),
		define(operation{Name: "PutComplianceSchedule", Method: http.MethodPut, Path: "/compliance-frameworks/{id}/schedule", Permission: auditor, Audit: AuditChange, Summary: "has a framework assessed by itself every so many days; 0 ends it"}, putComplianceSchedule),
		define(operation{Name: "ListComplianceAssessments", Method: http.MethodGet, Path: "/compliance-assessments", Permission: auditor, Summary: "lists assessments, the newest first"}, listComplianceAssessments),
		define(operation{Name: "GetComplianceAssessment", Method: http.MethodGet, Path: "/compliance-assessments/{id}", Permission: auditor, Summary: "reads an assessment with its controls and their evidence"}, getComplianceAssessment),
		define(operation{Name: "ExportCompliance", Method: http.MethodGet, Path: "/compliance-assessments/{id}/pack", Permission: auditor, Audit: AuditContent, Summary: "gives the evidence of an assessment as a zip whose manifest the audit log's keys sign"}, exportCompliance),
	}
}

func (a *API) compliance() (*compliance.Book, error) {
	if a.o.Compliance.Book == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server assesses nothing")
	}
	return a.o.Compliance.Book, nil
}

func complianceWho(ctx context.Context) compliance.Who {
	who := actorOf(ctx)
	return compliance.Who{Person: who.Person, Name: who.Name, Via: who.Via}
}

func frameworkOf(f *compliance.Framework) client.ComplianceFramework {
	return client.ComplianceFramework{ID: f.ID, Title: f.Title, Source: f.Source, Version: f.Version, About: f.About, Controls: len(f.Controls), Custom: f.Custom, Revision: f.Revision}
}

func listComplianceFrameworks(a *API, ctx context.Context, _ *struct{}) (*client.List[client.ComplianceFramework], error) {
	book, err := a.compliance()
	if err != nil {
		return nil, err
	}
	all, err := book.Frameworks(ctx)
	if err != nil {
		return nil, err
	}
	planned, err := book.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.ComplianceFramework]{Items: []client.ComplianceFramework{}}
	for _, f := range all {
		x := frameworkOf(f)
		if i := slices.IndexFunc(planned, func(s compliance.Schedule) bool { return s.Framework == f.ID }); i >= 0 {
			x.Every, x.Next = planned[i].Days, &planned[i].Next
		}
		last, err := book.Assessments(ctx, f.ID, 1)
		if err != nil {
			return nil, err
		}
		if len(last) > 0 {
			s := assessmentOf(last[0], false)
			x.Last = &s
		}
		out.Items = append(out.Items, x)
	}
	return out, nil
}

func getComplianceFramework(a *API, ctx context.Context, req *client.ComplianceFrameworkRequest) (*client.ComplianceFramework, error) {
	book, err := a.compliance()
	if err != nil {
		return nil, err
	}
	f, err := book.Framework(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	out := frameworkOf(f)
	out.Mapping = f.Text
	return &out, nil
}

func putComplianceFramework(a *API, ctx context.Context, req *client.PutComplianceFrameworkRequest) (*client.ComplianceFramework, error) {
	book, err := a.compliance()
	if err != nil {
		return nil, err
	}
	f, err := compliance.Read(req.Mapping)
	if err != nil {
		return nil, err
	}
	if f.ID != req.ID {
		return nil, invalid("the mapping is of %.80s, the address of %.80s", f.ID, req.ID)
	}
	if err := a.complianceAsks(f); err != nil {
		return nil, err
	}
	if f, err = book.Put(ctx, complianceWho(ctx), req.Mapping, req.Revision); err != nil {
		return nil, err
	}
	out := frameworkOf(f)
	return &out, nil
}

// complianceAsks refuses a mapping that asks for what there is not.
func (a *API) complianceAsks(f *compliance.Framework) error {
	for _, c := range f.Controls {
		for _, e := range c.Evidence {
			if e.Count != nil {
				if _, err := search.ParseIn(queryTables[e.Count.Table], e.Count.Where); err != nil {
					return fault.New(fault.KindInvalid, "compliance.invalid", "%s, %s: %s", c.ID, e.ID, fault.From(err).Message).WithHint("docs/search.md has the language")
				}
			}
			if e.KPI != "" && a.o.KPIs != nil {
				if _, err := a.o.KPIs.Get(e.KPI); err != nil {
					return fault.New(fault.KindInvalid, "compliance.invalid", "%s, %s: there is no KPI %.60s", c.ID, e.ID, e.KPI)
				}
			}
		}
	}
	return nil
}

func deleteComplianceFramework(a *API, ctx context.Context, req *client.ComplianceFrameworkRequest) (*struct{}, error) {
	book, err := a.compliance()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Delete(ctx, complianceWho(ctx), req.ID)
}

func putComplianceSchedule(a *API, ctx context.Context, req *client.PutComplianceScheduleRequest) (*struct{}, error) {
	book, err := a.compliance()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.PutSchedule(ctx, complianceWho(ctx), req.ID, req.Every)
}

// AssessByItself assesses frameworks on their schedules, of everything that this
// house has, until ctx ends.
func (a *API) AssessByItself(ctx context.Context, worse compliance.Worse) error {
	return a.o.Compliance.Book.RunSchedules(asHouse(ctx), complianceFacts{a}, worse, a.o.Logger)
}

func assessmentOf(x *compliance.Assessment, whole bool) client.ComplianceAssessment {
	out := client.ComplianceAssessment{
		ID: x.ID, Framework: x.Framework, Title: x.Title, Version: x.Version, Mapping: x.Mapping, Custom: x.Custom, From: x.From, To: x.To, At: x.At, By: x.By, Pass: x.Pass, Fail: x.Fail, Unknown: x.Unknown, Controls: []client.ComplianceControl{},
	}
	if !whole {
		return out
	}
	for _, c := range x.Controls {
		k := client.ComplianceControl{ID: c.ID, Title: c.Title, Article: c.Article, About: c.About, Result: c.Result, Evidence: []client.ComplianceEvidence{}}
		for _, e := range c.Evidence {
			k.Evidence = append(k.Evidence, client.ComplianceEvidence{
				ID: e.ID, Title: e.Title, Asks: asksOf(&e.Evidence), AtLeast: e.AtLeast, AtMost: e.AtMost, Result: e.Result, Value: e.Value.Value, Records: e.N, Text: e.Text, AsOf: e.AsOf, Table: e.Table, Search: e.Search,
			})
		}
		out.Controls = append(out.Controls, k)
	}
	return out
}

func asksOf(e *compliance.Evidence) string {
	switch {
	case e.KPI != "":
		return "KPI " + e.KPI
	case e.Count != nil:
		return strings.TrimSpace("number of " + e.Count.Table + " " + e.Count.Where)
	}
	return compliance.FactNames[e.Fact]
}

func assessCompliance(a *API, ctx context.Context, req *client.AssessComplianceRequest) (*client.ComplianceAssessment, error) {
	book, err := a.compliance()
	if err != nil {
		return nil, err
	}
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	if to.IsZero() {
		to = a.o.Now()
	}
	if from.IsZero() {
		from = to.Add(-compliancePeriod)
	}
	switch {
	case to.Sub(from) > 400*24*time.Hour:
		return nil, invalid("an assessment is of 400 days at most")
	case to.After(a.o.Now().Add(time.Minute)):
		return nil, invalid("an assessment is not of the future")
	case !to.After(from):
		return nil, invalid("the period ends before it begins")
	}
	x, err := book.Assess(ctx, complianceWho(ctx), req.ID, complianceFacts{a}, from, to)
	if err != nil {
		return nil, err
	}
	out := assessmentOf(x, true)
	return &out, nil
}

func listComplianceAssessments(a *API, ctx context.Context, req *client.ListComplianceAssessmentsRequest) (*client.List[client.ComplianceAssessment], error) {
	book, err := a.compliance()
	if err != nil {
		return nil, err
	}
	all, err := book.Assessments(ctx, req.Framework, min(orDefault(req.Limit, 50), 1000))
	return listOf(all, err, func(x *compliance.Assessment) client.ComplianceAssessment { return assessmentOf(x, false) })
}

func getComplianceAssessment(a *API, ctx context.Context, req *client.ComplianceAssessmentRequest) (*client.ComplianceAssessment, error) {
	book, err := a.compliance()
	if err != nil {
		return nil, err
	}
	x, err := book.Assessment(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	out := assessmentOf(x, true)
	return &out, nil
}

func exportCompliance(a *API, ctx context.Context, req *client.ComplianceAssessmentRequest) (*client.CompliancePack, error) {
	book, err := a.compliance()
	if err != nil {
		return nil, err
	}
	if a.o.Compliance.Sign == nil || a.o.Proofs == nil {
		return nil, errNoProofs
	}
	x, err := book.Assessment(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	body, object, err := book.Body(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	receipt, err := a.o.Proofs.ProveChange(ctx, compliance.AssessedKind, object)
	if fault.Is(err, fault.KindNotFound) {
		return nil, fault.New(fault.KindConflict, "compliance.not_recorded", "the log of changes has no record of assessment %s as it is now", x.ID).WithHint("it was changed since, or made by an older release: assess again")
	}
	if err != nil {
		return nil, err
	}
	var trusted []string
	for _, k := range a.o.Proofs.Keys() {
		trusted = append(trusted, k.Key)
	}
	f, err := book.Framework(ctx, x.Framework)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return nil, err
	}
	marks, err := json.MarshalIndent(a.o.Proofs.Checkpoints(), "", " ")
	if err != nil {
		return nil, err
	}
	keys, err := json.MarshalIndent(a.o.Proofs.Keys(), "", " ")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"audit/checkpoints.json": marks, "audit/keys.json": keys}
	pack, err := compliance.Pack(body, receipt, f, a.o.Compliance.Install, files, trusted, a.o.Compliance.Sign, a.o.Now())
	if err != nil {
		return nil, err
	}
	return &client.CompliancePack{Name: x.Framework + "-" + x.At.UTC().Format("2006-01-02") + ".zip", Zip: base64.StdEncoding.EncodeToString(pack)}, nil
}

// complianceFacts answers what evidence asks for.
type complianceFacts struct{ a *API }

func (c complianceFacts) KPI(ctx context.Context, id string, from, to time.Time) (compliance.Value, error) {
	if c.a.o.KPIs == nil {
		return compliance.Value{Why: "no KPIs are computed here"}, nil
	}
	d, err := c.a.o.KPIs.Get(id)
	if err != nil {
		return compliance.Value{}, err
	}
	q, err := c.a.kpiQuestion(&client.KPIScope{From: from.Format(time.RFC3339Nano), To: to.Format(time.RFC3339Nano)})
	if err != nil {
		return compliance.Value{}, err
	}
	all, err := kpi.Evaluate(ctx, c.a.ask, []*kpi.Definition{d}, q)
	if err != nil {
		return compliance.Value{}, err
	}
	f := all[id].Whole()
	table, records := d.Records()
	where, unread := search.ParseIn(queryTables[cmp.Or(table, "runs")], records)
	said := unread != nil || search.HasText(where) // one that cannot be read may ask for anything
	gone, err := c.gone(ctx, from, cmp.Or(table, "runs"), said)
	if d.PerRun != nil && gone == "" && err == nil {
		gone, err = c.gone(ctx, from, "runs", said)
	}
	if err != nil {
		return compliance.Value{}, err
	}
	erased, err := c.erased(ctx, from)
	return compliance.Value{Value: f.Value, N: f.N, Why: f.Why, Search: records, Table: table, Gone: gone, Erased: erased}, err
}

func (c complianceFacts) Count(ctx context.Context, of compliance.Count, from, to time.Time) (compliance.Value, error) {
	where, err := search.ParseIn(queryTables[of.Table], of.Where)
	if err != nil {
		return compliance.Value{}, err
	}
	res, err := c.a.ask(ctx, telemetry.Query{Table: of.Table, From: from, To: to, NoTests: true, Select: []telemetry.Measure{{Func: "count", As: "n", Where: where}, {Func: "count", As: "all"}}})
	if err != nil {
		return compliance.Value{}, err
	}
	gone, err := c.gone(ctx, from, of.Table, search.HasText(where))
	if err != nil {
		return compliance.Value{}, err
	}
	erased, err := c.erased(ctx, from)
	if err != nil {
		return compliance.Value{}, err
	}
	v := compliance.Value{Search: of.Where, Table: of.Table, Gone: gone, Erased: erased, Why: "there is no record of " + of.Table + " in the period"}
	if len(res.Rows) == 0 {
		return v, nil
	}
	// Of nothing that could be looked at, nothing was found: that is not "none".
	answers := newAnswers(res)
	if v.N = answers.count(res.Rows[0], "all"); v.N > 0 {
		n := float64(answers.count(res.Rows[0], "n"))
		v.Value, v.Why = &n, ""
	}
	return v, nil
}

// gone says what of a period that begins at from is no longer kept. With said it is asked
// what was said, which may go before its record.
func (c complianceFacts) gone(ctx context.Context, from time.Time, table string, said bool) (string, error) {
	if c.a.o.Keeping == nil {
		return "", nil
	}
	since, err := c.a.o.Keeping.KeptSince(ctx, table, false)
	if err != nil {
		return "", err
	}
	if said && !from.Before(since) {
		if since, err = c.a.o.Keeping.KeptSince(ctx, table, true); err != nil || !from.Before(since) {
			return "", err
		}
		return fmt.Sprintf("what was said in %s before %s may be dropped by retention, and the period begins on %s", table, since.Format(time.DateOnly), from.UTC().Format(time.DateOnly)), nil
	}
	if !from.Before(since) {
		return "", nil
	}
	return fmt.Sprintf("%s of before %s may be gone by their age or for space, and the period begins on %s", table, since.Format(time.DateOnly), from.UTC().Format(time.DateOnly)), nil
}

// erased names the receipts of erasures since from: what they took is of records that
// may have been in the period.
func (c complianceFacts) erased(ctx context.Context, from time.Time) (string, error) {
	if c.a.o.Keeping == nil {
		return "", nil
	}
	all, err := c.a.o.Keeping.Erasures(ctx)
	if err != nil {
		return "", err
	}
	var ids []string
	n := 0
	for _, e := range all {
		if e.At.Before(from) {
			continue
		}
		if n++; len(ids) < mostErased {
			ids = append(ids, e.ID)
		}
	}
	switch {
	case n == 0:
		return "", nil
	case n > len(ids):
		ids = append(ids, "...")
	}
	return fmt.Sprintf("without what %s since then took (%s)", counted(n, "erasure"), strings.Join(ids, ", ")), nil
}

// mostErased is how many receipts a result names.
const mostErased = 5

func numberOf(n int64) compliance.Value {
	v := float64(n)
	return compliance.Value{Value: &v, N: n}
}

func partOf(k, n int64, of string) compliance.Value {
	if n == 0 {
		return compliance.Value{Why: "there is no " + of}
	}
	v := float64(k) / float64(n)
	return compliance.Value{Value: &v, N: n}
}

var noPart = compliance.Value{Why: "this server keeps none"}

// ofNow are facts that nobody keeps the past of.
var ofNow = []string{"agents_registered", "agents_with_owner_share", "agents_with_purpose_share", "unknown_agents", "policies_enforced", "audit_chain_intact"}

func (c complianceFacts) Fact(ctx context.Context, name string, from, to time.Time) (compliance.Value, error) {
	now := c.a.o.Now().UTC()
	if slices.Contains(ofNow, name) && now.Sub(to) > 24*time.Hour {
		return compliance.Value{Why: "it is known as of now alone, and the period ended on " + to.UTC().Format(time.DateOnly)}, nil
	}
	v, err := c.fact(ctx, name, from, to)
	if slices.Contains(ofNow, name) && v.Value != nil {
		v.AsOf = &now
	}
	return v, err
}

func (c complianceFacts) fact(ctx context.Context, name string, from, to time.Time) (compliance.Value, error) {
	switch name {
	case "agents_registered", "agents_with_owner_share", "agents_with_purpose_share":
		return c.agents(name), nil
	case "unknown_agents":
		if c.a.o.Fleet == nil {
			return noPart, nil
		}
		return numberOf(int64(len(c.a.o.Fleet.Unknowns("open")))), nil
	case "policies_enforced":
		if c.a.o.Policies == nil {
			return noPart, nil
		}
		n := int64(0)
		for _, p := range c.a.o.Policies.List() {
			if p.Mode() == policy.ModeEnforce {
				n++
			}
		}
		return numberOf(n), nil
	case "audit_chain_intact":
		return c.chain(ctx)
	case "incidents_reviewed_share":
		return c.reviewed(ctx, from, to)
	case "findings_judged_share":
		return c.judged(ctx, from, to)
	case "feedback_received":
		if c.a.o.Feedback == nil {
			return noPart, nil
		}
		all, err := c.a.o.Feedback.Counts(ctx, feedback.Filter{From: from, To: to})
		n := int64(0)
		for _, x := range all {
			n += x.Positive + x.Neutral + x.Negative + x.Other
		}
		return numberOf(n), err
	}
	return compliance.Value{Why: "nobody knows this fact"}, nil
}

func (c complianceFacts) agents(name string) compliance.Value {
	if c.a.o.Agents == nil {
		return noPart
	}
	var n, owned, meant int64
	for _, g := range c.a.o.Agents.List() {
		if g.Lifecycle == agent.Retired {
			continue
		}
		n++
		if g.Owner != "" {
			owned++
		}
		if g.Purpose != "" {
			meant++
		}
	}
	switch name {
	case "agents_with_owner_share":
		return partOf(owned, n, "registered agent")
	case "agents_with_purpose_share":
		return partOf(meant, n, "registered agent")
	}
	return numberOf(n)
}

func (c complianceFacts) chain(ctx context.Context) (compliance.Value, error) {
	if c.a.o.Proofs == nil {
		return noPart, nil
	}
	reports, err := c.a.o.Proofs.Verify(ctx)
	if err != nil {
		return compliance.Value{}, err
	}
	v := compliance.Value{}
	holds := 1.0
	for _, r := range reports {
		v.N += r.Records
		if r.Break != nil {
			holds = 0
		}
	}
	v.Value = &holds
	return v, nil
}

// complianceMost bounds the incidents and findings that one assessment reads.
const complianceMost = 500

// tooMany is why a share is not known: a part is not the whole.
func tooMany(what string) string {
	return fmt.Sprintf("there are %d %s and more, of which only the newest were looked at", complianceMost, what)
}

func (c complianceFacts) reviewed(ctx context.Context, from, to time.Time) (compliance.Value, error) {
	if c.a.o.Incidents == nil {
		return noPart, nil
	}
	all, err := c.a.o.Incidents.List(ctx, incident.Filter{Limit: complianceMost}, func(*incident.Incident) bool { return true })
	if len(all) == complianceMost {
		return compliance.Value{Why: tooMany("incidents")}, err
	}
	var n, done int64
	for i := range all {
		x := &all[i]
		if x.ResolvedAt.Before(from) || !x.ResolvedAt.Before(to) {
			continue
		}
		n++
		if !x.ReviewedAt.IsZero() {
			done++
		}
	}
	return partOf(done, n, "incident that was resolved in the period"), err
}

func (c complianceFacts) judged(ctx context.Context, from, to time.Time) (compliance.Value, error) {
	if c.a.o.Findings == nil {
		return noPart, nil
	}
	all, err := c.a.o.Findings.List(ctx, finding.Filter{From: from, To: to, Limit: complianceMost})
	if len(all) == complianceMost {
		return compliance.Value{Why: tooMany("findings")}, err
	}
	var done int64
	for i := range all {
		if all[i].Verdict != nil {
			done++
		}
	}
	return partOf(done, int64(len(all)), "finding in the period"), err
}
