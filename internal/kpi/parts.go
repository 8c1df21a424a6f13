package kpi

import "reeve/internal/telemetry/search"

// Parts are what a definition counts record by record, for those who count
// themselves. Kind is share, field or events; "" for a definition that is only a
// figure over a time. The searches are shared: do not change them.
type Parts struct {
	Kind            string
	Table           string
	Of, Among, Base search.Expr // of a share
	Field           string      // of values
	Scale           float64     // what the field is divided by; 0 is 1
	Events          string      // of events by run: their table
	Where           search.Expr // and which of them
}

// Parts of a definition.
func (d *Definition) Parts() Parts {
	switch {
	case d.Share != nil:
		s := d.Share
		return Parts{Kind: "share", Table: s.Table, Of: s.of, Among: s.among, Base: s.base}
	case d.Mean != nil:
		return Parts{Kind: "field", Table: d.Mean.Table, Among: d.Mean.among, Field: d.Mean.Field, Scale: d.Mean.Scale}
	case d.Quantile != nil:
		return Parts{Kind: "field", Table: d.Quantile.Table, Among: d.Quantile.among, Field: d.Quantile.Field}
	case d.PerRun != nil && d.PerRun.Table != "runs":
		return Parts{Kind: "events", Table: "runs", Among: d.PerRun.among, Events: d.PerRun.Table, Where: d.PerRun.where}
	}
	return Parts{}
}
