package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"reeve/client"
	"reeve/internal/objective/openslo"
	"reeve/internal/telemetry/search"
)

// fromOpenSLO makes documents of ours from those of OpenSLO.
func fromOpenSLO(docs []openslo.Document) ([]applied, error) {
	loaded, err := openslo.Load(docs)
	if err != nil {
		return nil, err
	}
	var out []applied
	add := func(kind, name string, req any) error {
		raw, err := json.Marshal(req)
		if err != nil {
			return err
		}
		d := applied{kind: kind, name: name, file: docs[0].File}
		if err := json.Unmarshal(raw, &d.fields); err != nil {
			return err
		}
		out = append(out, d)
		return nil
	}
	for _, k := range loaded.KPIs {
		if err := add("kpi", k.ID, k); err != nil {
			return nil, err
		}
	}
	for _, o := range loaded.Objectives {
		if err := add("objective", o.Name, o); err != nil {
			return nil, err
		}
		for _, d := range loaded.Directions {
			if d.KPI == o.KPI {
				out[len(out)-1].directions = append(out[len(out)-1].directions, d)
			}
		}
	}
	return out, nil
}

// planKPI: a KPI's version is its revision.
func planKPI(ctx context.Context, api *client.Client, d applied, reason string) (step, error) {
	var req client.PutKPIRequest
	if err := into(d, &req); err != nil {
		return step{}, err
	}
	req.ID, req.Reason = d.name, cmp.Or(req.Reason, reason)
	list, err := api.ListKPIs(ctx, client.ListKPIsRequest{Definitions: true})
	if err != nil {
		return step{}, err
	}
	s := step{Kind: d.kind, Name: d.name, Sign: "+", What: "is defined", do: func() error { _, err := api.PutKPI(ctx, req); return err }}
	for _, k := range list.Items {
		if k.ID != d.name || !k.Custom {
			continue
		}
		req.Version = k.Version
		if formulaOf(&req) == k.Formula && req.Title == k.Title && req.About == k.About && req.Direction == k.Direction && req.Unit == k.Unit && req.Team == k.Team {
			return step{Kind: d.kind, Name: d.name, Sign: "=", What: "is so"}, nil
		}
		s.Sign, s.What = "~", "another version"
	}
	return s, nil
}

// formulaOf is the formula of a share as the server writes it; "" of others,
// which are put again.
func formulaOf(k *client.PutKPIRequest) string {
	s := k.Share
	if s == nil {
		return ""
	}
	return s.Table + " with " + cmp.Or(s.Of, "all") + " / " + s.Table + " with " + cmp.Or(s.Among, "all")
}

func planObjective(ctx context.Context, api *client.Client, d applied, reason string) (step, error) {
	var req client.PutObjectiveRequest
	if err := into(d, &req); err != nil {
		return step{}, err
	}
	if len(d.directions) > 0 {
		list, err := api.ListKPIs(ctx, client.ListKPIsRequest{Definitions: true})
		if err != nil {
			return step{}, err
		}
		for _, k := range list.Items {
			for _, x := range d.directions {
				if x.KPI != k.ID {
					continue
				}
				if err := x.Fits(k.Direction); err != nil {
					return step{}, err
				}
			}
		}
	}
	have, err := api.GetObjective(ctx, client.ObjectiveRequest{Name: d.name})
	if err == nil {
		req.Revision = have.Revision
		shorten(d.fields, have)
	}
	req.Name, req.Reason = d.name, cmp.Or(req.Reason, reason)
	delete(d.fields, "reason")
	return settled(d, have, err, func() error { _, err := api.PutObjective(ctx, req); return err })
}

// shorten takes out of a document what the server writes another way and means
// the same: lengths of time.
func shorten(fields map[string]any, have *client.Objective) {
	now, err := asJSON(have)
	if err != nil {
		return
	}
	same(fields, now)
}

func same(wish, have map[string]any) {
	for key, v := range wish {
		switch v := v.(type) {
		case map[string]any:
			if h, ok := have[key].(map[string]any); ok {
				same(v, h)
			}
		case []any:
			h, _ := have[key].([]any)
			for i := range v {
				w, ok := v[i].(map[string]any)
				if ok && i < len(h) {
					if x, ok := h[i].(map[string]any); ok {
						same(w, x)
					}
				}
			}
		case string:
			if h, ok := have[key].(string); ok && v != h && sameLength(v, h) {
				wish[key] = h
			}
		}
	}
}

// sameLength reports whether two texts say the same length of time.
func sameLength(a, b string) bool {
	x, err1 := lengthOf(a)
	y, err2 := lengthOf(b)
	return err1 == nil && err2 == nil && x == y
}

// lengthOf reads a length of time as searches do, in milliseconds.
func lengthOf(text string) (float64, error) {
	v, err := (search.Field{Type: search.TypeDuration}).Read(text, time.Time{})
	return v.Number, err
}
