package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
)

// api asks a server's API; the bench measures what a client sees, so it goes
// over HTTP like one.
type api struct {
	base  string // http://host:port
	token string
	http  *http.Client
}

func newAPI(base, token string) *api {
	return &api{strings.TrimSuffix(base, "/"), token, &http.Client{Timeout: 2 * time.Minute}}
}

// call sends one request; into may be nil.
func (a *api) call(ctx context.Context, method, path string, body, into any) error {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+"/api/v1"+path, r)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 256<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		p := client.Problem{Status: resp.StatusCode, Title: resp.Status, Detail: string(raw[:min(len(raw), 300)])}
		_ = json.Unmarshal(raw, &p) // an answer that is no problem document keeps its text as detail
		return fmt.Errorf("%s %s: %w", method, path, &p)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s %s: reading the answer: %w", method, path, err)
	}
	return nil
}

// window is a period of event time.
type window struct{ from, to time.Time }

func (w window) query(q client.Query) client.Query {
	q.Start, q.End = w.from.UTC().Format(time.RFC3339), w.to.UTC().Format(time.RFC3339)
	return q
}

// count is how many steps are stored.
func (a *api) count(ctx context.Context, w window) (int64, error) {
	var res client.QueryResult
	err := a.call(ctx, http.MethodPost, "/query", w.query(client.Query{From: "steps", Select: []client.Measure{{Func: "count", As: "n"}}}), &res)
	if err != nil || len(res.Rows) == 0 {
		return 0, err
	}
	return number(res.Rows[0][len(res.Rows[0])-1]), nil
}

func number(v any) int64 {
	f, _ := v.(float64)
	return int64(f)
}

// Latency is what one kind of question took, in milliseconds, over twenty
// tries. Error is set when it could not be asked.
type Latency struct {
	Name     string  `json:"name"`
	MedianMS float64 `json:"median_ms"`
	P95MS    float64 `json:"p95_ms"`
	ColdMS   float64 `json:"first_ms,omitempty"`         // the first time, that counts in no median
	ServerMS float64 `json:"server_median_ms,omitempty"` // as the server says in took_ms
	Source   string  `json:"source,omitempty"`           // rollups or rows
	Rows     int     `json:"rows"`
	Error    string  `json:"error,omitempty"`
}

const readTries = 20

// reads measures the five questions of the console. Traces are runs known to
// be stored; w is the event time of the load.
func (a *api) reads(ctx context.Context, traces [][16]byte, w window) []Latency {
	type ask func(i int) (rows int, took float64, source string, err error)
	query := func(q client.Query) ask {
		return func(int) (int, float64, string, error) {
			var res client.QueryResult
			err := a.call(ctx, http.MethodPost, "/query", w.query(q), &res)
			return len(res.Rows), res.TookMS, res.Source, err
		}
	}
	period := "&from=" + url.QueryEscape(w.from.UTC().Format(time.RFC3339)) + "&to=" + url.QueryEscape(w.to.UTC().Format(time.RFC3339))
	figures := []client.Measure{
		{Func: "p95", Field: "duration_ms", As: "p95"},
		{Func: "sum", Field: "input_tokens", As: "tokens"},
		{Func: "sum", Field: "cost", As: "cost"},
	}
	questions := []struct {
		name string
		ask  ask
	}{
		{"run by id", func(i int) (int, float64, string, error) {
			if len(traces) == 0 {
				return 0, 0, "", fmt.Errorf("no run was completed")
			}
			id := activity.RunOfTrace(traces[i*7%len(traces)]).String()
			var page client.List[client.Step]
			err := a.call(ctx, http.MethodGet, "/runs/"+id+"/steps", nil, &page)
			return len(page.Items), 0, "", err
		}},
		{"runs list", func(int) (int, float64, string, error) {
			var page client.List[client.Run]
			err := a.call(ctx, http.MethodGet, "/runs?limit=50"+period, nil, &page)
			return len(page.Items), 0, "", err
		}},
		{"5-minute p95, tokens, cost of the top 20 agents", query(client.Query{
			From: "steps", Select: figures, GroupBy: []string{"agent"}, Bucket: "5m", OrderBy: "-tokens", Limit: 20,
		})},
		{"raw aggregate over everything", query(client.Query{
			From: "steps", Select: append([]client.Measure{{Func: "count", As: "n"}}, figures...), GroupBy: []string{"kind", "error_type"},
		})},
		{"phrase in one hour", func(int) (int, float64, string, error) {
			mid := w.from.Add(w.to.Sub(w.from) / 2)
			q := url.Values{
				"q":     {`"` + Phrase + `"`},
				"from":  {mid.UTC().Format(time.RFC3339)},
				"to":    {mid.Add(time.Hour).UTC().Format(time.RFC3339)},
				"limit": {"50"},
			}
			var page client.List[client.Run]
			err := a.call(ctx, http.MethodGet, "/runs?"+q.Encode(), nil, &page)
			return len(page.Items), 0, "", err
		}},
	}
	var out []Latency
	for _, q := range questions {
		l := Latency{Name: q.name}
		var times, server []float64
		for i := range readTries + 1 {
			start := time.Now()
			rows, took, source, err := q.ask(i)
			if err != nil {
				l.Error = err.Error()
				break
			}
			if i == 0 {
				continue // the first opens the connection and warms the caches, as a page that is open has done
			}
			times = append(times, float64(time.Since(start).Microseconds())/1000)
			server = append(server, took)
			l.Rows, l.Source = rows, source
		}
		if len(times) > 0 {
			slices.Sort(times)
			slices.Sort(server)
			l.MedianMS, l.P95MS, l.ServerMS = times[len(times)/2], times[len(times)*19/20], server[len(server)/2]
		}
		out = append(out, l)
	}
	return out
}
