package api

import (
	"cmp"
	"context"
	"math"
	"slices"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/evaluate"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/pin"
)

func (a *API) evaluations() (*evaluate.Book, error) {
	if a.o.Evaluations == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server evaluates nothing")
	}
	return a.o.Evaluations, nil
}

func evaluateActor(ctx context.Context) evaluate.Actor {
	who := actorOf(ctx)
	return evaluate.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: func(role, team, environment string) bool {
		return who.Can(role, everyOf(team), everyOf(environment))
	}}
}

// everyOf is "*" as identity writes it.
func everyOf(s string) string {
	if s == "*" {
		return identity.Everything
	}
	return s
}

func evaluatorOf(e *evaluate.Evaluator) client.Evaluator {
	return client.Evaluator{
		Name: e.Name, Kind: e.Kind, Team: e.Team, Environment: e.Environment, Agents: list(e.Agents), Share: e.Share, When: e.When, Schema: e.Schema, Rules: e.Rules, Judge: (*client.Judge)(e.Judge), Off: e.Off, Revision: e.Revision, UpdatedAt: e.UpdatedAt,
	}
}

func listEvaluators(a *API, ctx context.Context, _ *client.ListEvaluatorsRequest) (*client.List[client.Evaluator], error) {
	book, err := a.evaluations()
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Evaluator]{Items: []client.Evaluator{}}
	for _, e := range book.Evaluators() {
		if e.Team == "" || maySeeAt(whoOf(ctx), e.Team, e.Environment) { // what looks at every team's runs is known to every team
			out.Items = append(out.Items, evaluatorOf(e))
		}
	}
	return out, nil
}

func putEvaluator(a *API, ctx context.Context, req *client.PutEvaluatorRequest) (*client.Evaluator, error) {
	book, err := a.evaluations()
	if err != nil {
		return nil, err
	}
	e, err := book.Put(ctx, evaluateActor(ctx), evaluate.Evaluator{
		Name: req.Name, Kind: req.Kind, Team: req.Team, Environment: req.Environment, Agents: req.Agents, Share: cmp.Or(req.Share, 1), When: req.When, Schema: req.Schema, Rules: req.Rules, Judge: (*evaluate.Judge)(req.Judge), Off: req.Off, Revision: req.Revision,
	})
	if err != nil {
		return nil, err
	}
	out := evaluatorOf(e)
	return &out, nil
}

func deleteEvaluator(a *API, ctx context.Context, req *client.EvaluatorRequest) (*struct{}, error) {
	book, err := a.evaluations()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Delete(ctx, evaluateActor(ctx), req.Name)
}

func tryEvaluator(a *API, ctx context.Context, req *client.TryEvaluatorRequest) (*client.Evaluation, error) {
	book, err := a.evaluations()
	if err != nil {
		return nil, err
	}
	t := evaluate.Texts{Prompt: req.Prompt, Answer: req.Answer}
	for _, d := range req.Documents {
		t.Documents = append(t.Documents, evaluate.Document{Text: d})
	}
	f, cost, err := book.Try(ctx, evaluateActor(ctx), evaluate.Evaluator{Name: "try", Kind: req.Kind, Share: 1, When: req.When, Schema: req.Schema, Rules: req.Rules, Judge: (*evaluate.Judge)(req.Judge)}, &t)
	if err != nil {
		return nil, err
	}
	out := client.Evaluation{Evaluator: "try", Kind: req.Kind, Source: evaluate.Online, Verdict: f.Verdict, Score: f.Score, Text: f.Text, Marks: marksOf(f.Marks), At: a.o.Now()}
	judgeCostOf(&out, cost)
	return &out, nil
}

func tryEvaluatorOnRuns(a *API, ctx context.Context, req *client.TryEvaluatorOnRunsRequest) (*client.EvaluatorTrial, error) {
	book, err := a.evaluations()
	if err != nil {
		return nil, err
	}
	usual := 20
	if req.Judge != nil {
		usual = 5 // each is paid for
	}
	t, err := book.TryRuns(ctx, evaluateActor(ctx), evaluate.Evaluator{
		Name: req.Name, Kind: req.Kind, Team: req.Team, Environment: req.Environment, Agents: req.Agents, When: req.When, Schema: req.Schema, Rules: req.Rules, Judge: (*evaluate.Judge)(req.Judge),
	}, orDefault(req.Runs, usual))
	if err != nil {
		return nil, err
	}
	who, name := whoOf(ctx), a.personNames(ctx)
	pass, unsure, fail := t.Judged[evaluate.Pass], t.Judged[evaluate.Unsure], t.Judged[evaluate.Fail]
	out := &client.EvaluatorTrial{
		Items: []client.Evaluation{}, Pass: pass, Unsure: unsure, Fail: fail, None: int64(len(t.Found)) - pass - unsure - fail, Passed: shareOf(pass, pass+unsure+fail), Gone: t.Gone, Tokens: t.Tokens, CostUnknown: t.CostUnknown,
	}
	for _, x := range t.Found {
		out.Items = append(out.Items, evaluationOf(who, x, name))
	}
	if t.Tokens > 0 && t.Cost > 0 {
		out.CostUSD = &t.Cost
	}
	if f := t.Refused; f != nil {
		out.Refused = &client.JudgeRefusal{At: a.o.Now(), Evaluator: req.Name, Code: f.Code, Detail: f.Message, Hint: f.Hint}
	}
	return out, nil
}

// judgeCostOf adds what asking a judge took.
func judgeCostOf(out *client.Evaluation, c evaluate.Cost) {
	out.Tokens, out.JudgeRun, out.JudgeDecision = c.Tokens, c.Run, c.Decision
	if c.Tokens > 0 && !math.IsNaN(c.Amount) {
		out.CostUSD = &c.Amount
	}
}

func marksOf(all []evaluate.Mark) []client.EvaluationMark {
	out := []client.EvaluationMark{}
	for _, m := range all {
		out = append(out, client.EvaluationMark(m))
	}
	return out
}

func evaluationOf(who identity.Principal, x evaluate.Evaluation, name func(string) string) client.Evaluation {
	out := client.Evaluation{
		ID: x.ID, Run: x.Run, Evaluator: x.Evaluator, Kind: x.Kind, Source: x.Source, Verdict: x.Verdict, Score: x.Score, Text: pin.Visible(x.Text), Marks: []client.EvaluationMark{},
		Agent: x.Agent, Version: x.Version, Team: x.Team, Environment: x.Environment, Revision: x.Revision, TookUS: x.TookUS, At: x.At,
	}
	judgeCostOf(&out, x.Cost)
	if x.Person != "" {
		out.By = name(x.Person)
	}
	if who.Can(identity.Reader, x.Team, x.Environment) {
		out.Marks = marksOf(x.Marks)
	}
	return out
}

// evaluationFilter narrows to what the asker may see.
func evaluationFilter(a *API, ctx context.Context, req *client.ListEvaluationsRequest) (f evaluate.Filter, err error) {
	switch {
	case req.Verdict != "" && req.Verdict != "none" && !slices.Contains(evaluate.Verdicts, req.Verdict):
		return f, fault.New(fault.KindInvalid, "api.parameter_invalid", "verdict is one of pass, unsure, fail and none")
	case !slices.Contains([]string{"", evaluate.Online, evaluate.Human}, req.Source):
		return f, fault.New(fault.KindInvalid, "api.parameter_invalid", "source is online or human")
	}
	f = evaluate.Filter{
		Run: req.Run, Agent: req.Agent, Version: req.Version, Evaluator: req.Evaluator, Verdict: req.Verdict, Source: req.Source, Team: req.Team, Environment: req.Environment, Limit: min(orDefault(req.Limit, 100), 1000),
	}
	if places := placesOf(whoOf(ctx)); places != nil {
		f.Visible = make([]evaluate.Place, len(places))
		for i, p := range places {
			f.Visible[i] = evaluate.Place(p)
		}
	}
	f.From, f.To, err = a.period(req.From, req.To)
	return f, err
}

func listEvaluations(a *API, ctx context.Context, req *client.ListEvaluationsRequest) (*client.List[client.Evaluation], error) {
	book, err := a.evaluations()
	if err != nil {
		return nil, err
	}
	f, err := evaluationFilter(a, ctx, req)
	if err != nil {
		return nil, err
	}
	if req.Cursor != "" {
		if err := readCursor(req.Cursor, &f.After); err != nil || f.After.ID == "" {
			return nil, errCursor
		}
	}
	who, name := whoOf(ctx), a.personNames(ctx)
	all, next, err := book.List(ctx, f)
	out, err := listOf(all, err, func(x evaluate.Evaluation) client.Evaluation { return evaluationOf(who, x, name) })
	if err == nil && next.ID != "" {
		out.Next = writeCursor(next)
	}
	return out, err
}

func evaluationSummary(a *API, ctx context.Context, req *client.EvaluationSummaryRequest) (*client.EvaluationSummary, error) {
	book, err := a.evaluations()
	if err != nil {
		return nil, err
	}
	f, err := evaluationFilter(a, ctx, &client.ListEvaluationsRequest{Agent: req.Agent, Evaluator: req.Evaluator, Team: req.Team, Environment: req.Environment, From: cmp.Or(req.From, "-168h"), To: req.To})
	if err != nil {
		return nil, err
	}
	if f.To.IsZero() {
		f.To = a.o.Now()
	}
	counts, err := book.Counts(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &client.EvaluationSummary{From: f.From, To: f.To, Figures: []client.EvaluationFigures{}, Agreements: []client.EvaluationAgreement{}, Calibrations: []client.EvaluatorCalibration{}}
	for _, c := range counts {
		out.Figures = append(out.Figures, client.EvaluationFigures{
			Evaluator: c.Evaluator, Agent: c.Agent, Version: c.Version, Team: c.Team, Environment: c.Environment, Pass: c.Pass, Unsure: c.Unsure, Fail: c.Fail, None: c.None,
			Passed: shareOf(c.Pass, c.Pass+c.Unsure+c.Fail), Score: c.Score,
		})
	}
	with, err := book.Agreements(ctx, f)
	if err != nil {
		return nil, err
	}
	each, err := book.PeopleAgree(ctx, f)
	if err != nil {
		return nil, err
	}
	for i := range with {
		out.Agreements = append(out.Agreements, agreementOf(&with[i], "people"))
	}
	for i := range each {
		out.Agreements = append(out.Agreements, agreementOf(&each[i], "each_other"))
	}
	all, err := book.Calibrations(ctx, f)
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	seen := map[string]bool{}
	for _, e := range book.Evaluators() {
		seen[e.Name] = e.Team == "" || maySeeAt(who, e.Team, e.Environment)
	}
	for i := range all {
		if seen[all[i].Evaluator] {
			out.Calibrations = append(out.Calibrations, calibrationOf(&all[i]))
		}
	}
	if r := book.Refused(); r != nil && seen[r.Evaluator] {
		out.Refused = &client.JudgeRefusal{At: r.At, Evaluator: r.Evaluator, Code: r.Fault.Code, Detail: r.Fault.Message, Hint: r.Fault.Hint}
	}
	return out, nil
}

func calibrationOf(c *evaluate.Calibration) client.EvaluatorCalibration {
	passed, n := c.Passed()
	out := client.EvaluatorCalibration{
		Evaluator: c.Evaluator, Kind: c.Kind, Revision: c.Revision, Judged: n, Passed: shareOf(passed, n), Labelled: c.Labelled(),
		Kappa: kappaOf(c), Corrected: intervalOf(c.Corrected()), Tokens: c.Tokens, CostUnknown: c.CostUnknown, Beside: []client.CalibrationCell{},
	}
	if c.Tokens > 0 && c.Cost > 0 {
		out.CostUSD = &c.Cost
	}
	for _, v := range evaluate.Verdicts {
		out.Beside = append(out.Beside, client.CalibrationCell{Verdict: v, Judged: c.Judged[v], Passed: c.Beside[v][0], Failed: c.Beside[v][1]})
	}
	return out
}

// kappaOf is kappa with its interval, or alone where there are too few labels for one.
func kappaOf(c *evaluate.Calibration) client.Interval {
	out := intervalOf(c.Kappa())
	if k, ok := c.Point(); ok {
		out.Value = &k
	}
	return out
}

func intervalOf(value, low, high float64, ok bool) (out client.Interval) {
	if ok {
		out = client.Interval{Value: &value, Low: &low, High: &high}
	}
	return out
}

func agreementOf(x *evaluate.Agreement, with string) client.EvaluationAgreement {
	out := client.EvaluationAgreement{Evaluator: x.Evaluator, With: with, N: x.N, Agree: shareOf(x.Both+x.Neither, x.N), MissedBad: x.OnlyFirst, WrongBad: x.OnlyOther}
	if k, ok := x.Kappa(); ok {
		out.Kappa = &k
	}
	return out
}

func annotationQueue(a *API, ctx context.Context, req *client.AnnotationQueueRequest) (*client.List[client.Evaluation], error) {
	book, err := a.evaluations()
	if err != nil {
		return nil, err
	}
	f, err := evaluationFilter(a, ctx, &client.ListEvaluationsRequest{Evaluator: req.Evaluator, Agent: req.Agent, Team: req.Team, Environment: req.Environment, Limit: orDefault(req.Limit, 50)})
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	all, err := book.Queue(ctx, evaluateActor(ctx).Person, f)
	return listOf(all, err, func(x evaluate.Evaluation) client.Evaluation { return evaluationOf(who, x, a.personNames(ctx)) })
}

func labelRun(a *API, ctx context.Context, req *client.LabelRunRequest) (*client.Evaluation, error) {
	book, err := a.evaluations()
	if err != nil {
		return nil, err
	}
	run, err := activity.ParseRunID(req.Run)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "evaluate.invalid", "%.60q is no id of a run", req.Run)
	}
	x, err := book.Label(ctx, evaluateActor(ctx), run, req.Evaluator, req.Verdict, req.Why)
	if err != nil {
		return nil, err
	}
	out := evaluationOf(whoOf(ctx), x, a.personNames(ctx))
	return &out, nil
}
