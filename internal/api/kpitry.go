package api

import (
	"cmp"
	"context"
	"time"

	"reeve/client"
	"reeve/internal/kpi"
)

// shapeInto puts the shape that a request names into a definition.
func shapeInto(d *kpi.Definition, is *client.KPIShape) {
	if s := is.Share; s != nil {
		d.Share = &kpi.Share{Table: s.Table, Of: s.Of, Among: s.Among, Base: s.Base}
	}
	if s := is.Mean; s != nil {
		d.Mean = &kpi.Mean{Table: s.Table, Field: s.Field, Scale: s.Scale, Among: s.Among}
	}
	if s := is.Ratio; s != nil {
		d.Ratio = &kpi.Ratio{Table: s.Table, Field: s.Field, PerField: s.PerField, Per: s.Per, Among: s.Among}
	}
	if s := is.Quantile; s != nil {
		d.Quantile = &kpi.Quantile{Table: s.Table, Field: s.Field, At: s.At, Among: s.Among}
	}
	if s := is.PerRun; s != nil {
		d.PerRun = &kpi.PerRun{Table: s.Table, Where: s.Where, Among: s.Among}
	}
	if s := is.Repeat; s != nil {
		d.Repeat = &kpi.Repeat{What: s.What, K: s.K, Among: s.Among}
	}
	if s := is.Count; s != nil {
		d.Count = &kpi.Count{Table: s.Table, Among: s.Among}
	}
}

// shapeOf is the shape of a definition as a request would name it.
func shapeOf(d *kpi.Definition) *client.KPIShape {
	out := &client.KPIShape{}
	switch {
	case d.Share != nil:
		s := d.Share
		out.Share = &client.KPIShare{Table: s.Table, Of: s.Of, Among: s.Among, Base: s.Base}
		if s.Base == s.Among { // what it stands for where nobody says it
			out.Share.Base = ""
		}
	case d.Mean != nil:
		s := d.Mean
		out.Mean = &client.KPIMean{Table: s.Table, Field: s.Field, Scale: s.Scale, Among: s.Among}
	case d.Ratio != nil:
		s := d.Ratio
		out.Ratio = &client.KPIRatio{Table: s.Table, Field: s.Field, PerField: s.PerField, Per: s.Per, Among: s.Among}
	case d.Quantile != nil:
		s := d.Quantile
		out.Quantile = &client.KPIQuantile{Table: s.Table, Field: s.Field, At: s.At, Among: s.Among}
	case d.PerRun != nil:
		s := d.PerRun
		out.PerRun = &client.KPIPerRun{Table: s.Table, Where: s.Where, Among: s.Among}
	case d.Repeat != nil:
		s := d.Repeat
		out.Repeat = &client.KPIRepeat{What: s.What, K: s.K, Among: s.Among}
	case d.Count != nil:
		s := d.Count
		out.Count = &client.KPICount{Table: s.Table, Among: s.Among}
	}
	return out
}

// tryKPI computes a definition that is kept nowhere, within the asker's reach.
func tryKPI(a *API, ctx context.Context, req *client.TryKPIRequest) (*client.KPITrial, error) {
	if _, err := a.kpis(); err != nil {
		return nil, err
	}
	// Words that only name it are not yet written while it is tried.
	d := kpi.Definition{
		ID: "trial", Title: cmp.Or(req.Title, "trial"), About: cmp.Or(req.About, "trial"), Owner: cmp.Or(req.Owner, "trial"),
		Unit: req.Unit, Direction: cmp.Or(req.Direction, "none"), Team: req.Team, Custom: true,
	}
	shapeInto(&d, &req.KPIShape)
	if err := d.Compile(); err != nil {
		return nil, err
	}
	q, err := a.kpiQuestion(&client.KPIScope{From: req.From, To: req.To, Environment: req.Environment, Team: req.Team})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	before := q
	before.From, before.To = q.From.Add(-q.To.Sub(q.From)), q.From
	asked, answers := []kpi.Question{q, before}, make([]kpi.Figure, 2)
	if err := together(ctx, 2, len(asked), func(ctx context.Context, i int) error {
		all, err := kpi.Evaluate(ctx, a.ask, []*kpi.Definition{&d}, asked[i])
		if err == nil {
			answers[i] = all[d.ID].Whole()
		}
		return err
	}); err != nil {
		return nil, err
	}
	shown, previous := kpiShape(&d, q.Where), kpiFigure(answers[1])
	return &client.KPITrial{
		Formula: shown.Formula, Method: shown.Method, Table: shown.Table, Records: shown.Records, KPIFigure: kpiFigure(answers[0]), Previous: &previous,
		From: q.From, To: q.To, TookMS: float64(time.Since(began).Microseconds()) / 1e3,
	}, nil
}
