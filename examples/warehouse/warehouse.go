// Package warehouse is a small warehouse: tables that jobs load every day, the
// lineage that the jobs report, and an MCP server by which agents read a table.
//
// A fault leaves out today's load: the table keeps yesterday's rows, and the
// scheduler reports the job as skipped. Nothing else changes: whoever reads the
// table gets an answer that looks like any other.
//
// Start reading at New, then Warehouse.Load and Warehouse.Handler.
package warehouse

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Row is a line of the table of return policies.
type Row struct {
	Category string `json:"category"`
	Days     int    `json:"days"` // in which a customer may return something
}

// Faults are what goes wrong.
type Faults struct {
	SkipLoad bool // today's load does not happen
}

// Warehouse holds the truth (what the shop decided) and the table that agents
// read. Safe for concurrent use.
type Warehouse struct {
	name   string
	faults Faults

	mu    sync.Mutex // guards what follows
	truth map[string]int
	table map[string]int
}

// Table is the name of the table that agents read, Job of the job that loads it,
// Export of the one before it.
func (w *Warehouse) Table() string { return w.name + ".return_policy" }

// Job is the name of the job that loads the table.
func (w *Warehouse) Job() string { return "model." + w.name + ".return_policy" }

func (w *Warehouse) export() string { return "model." + w.name + ".staged_policies" }

func (w *Warehouse) staged() string { return w.name + ".staged_policies" }

// Categories are what there are policies for.
var Categories = []string{"audio", "clothing", "computing", "furniture", "kitchen", "lighting", "travel"}

// New makes a warehouse from a seed: yesterday's policies, and today's, which are
// others for most categories.
func New(name string, seed uint64, f Faults) *Warehouse {
	r := rand.New(rand.NewPCG(seed, 77))
	w := &Warehouse{name: name, faults: f, truth: map[string]int{}, table: map[string]int{}}
	for _, c := range Categories {
		w.table[c] = []int{14, 30, 60}[r.IntN(3)]
		if w.truth[c] = w.table[c]; r.IntN(3) > 0 {
			w.truth[c] = []int{10, 20, 45}[r.IntN(3)]
		}
	}
	return w
}

// Right is how many days a customer really has.
func (w *Warehouse) Right(category string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.truth[category]
}

// Load runs the jobs of three days and of today, and reports each as its
// scheduler would: to base, OpenLineage for what ran, dbt's results for what was
// skipped.
func (w *Warehouse) Load(ctx context.Context, base, key string, now time.Time) error {
	for day := 3; day >= 0; day-- {
		at := now.Add(-time.Duration(day)*24*time.Hour - 2*time.Hour)
		if err := w.report(ctx, base, key, w.export(), "cms.policies", w.staged(), at.Add(-10*time.Minute)); err != nil {
			return err
		}
		if day == 0 && w.faults.SkipLoad {
			return w.skipped(ctx, base, key, at)
		}
		if err := w.report(ctx, base, key, w.Job(), w.staged(), w.Table(), at); err != nil {
			return err
		}
	}
	w.fill()
	return nil
}

// fill gives the table what is true, as the job does.
func (w *Warehouse) fill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c, days := range w.truth {
		w.table[c] = days
	}
}

// CatchUp runs the job that was left out.
func (w *Warehouse) CatchUp(ctx context.Context, base, key string, now time.Time) error {
	if err := w.report(ctx, base, key, w.Job(), w.staged(), w.Table(), now); err != nil {
		return err
	}
	w.fill()
	return nil
}

// report sends one run of a job as an OpenLineage event.
func (w *Warehouse) report(ctx context.Context, base, key, job, from, to string, at time.Time) error {
	set := func(name string) []map[string]any { return []map[string]any{{"namespace": "dbt", "name": name}} }
	return send(ctx, base+"/api/v1/lineage", key, map[string]any{
		"eventType": "COMPLETE", "eventTime": at.UTC().Format(time.RFC3339), "producer": "urn:example:warehouse",
		"schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
		"run":       map[string]any{"runId": fmt.Sprintf("%s-%s", job, at.UTC().Format("2006-01-02"))},
		"job":       map[string]any{"namespace": "dbt", "name": job}, "inputs": set(from), "outputs": set(to),
	})
}

// skipped sends what dbt writes when a model was left out.
func (w *Warehouse) skipped(ctx context.Context, base, key string, at time.Time) error {
	return send(ctx, base+"/api/v1/lineage/artefacts", key, map[string]any{
		"metadata": map[string]any{
			"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "generated_at": at.UTC().Format(time.RFC3339),
			"invocation_id": w.Job() + "-" + at.UTC().Format("2006-01-02"),
		},
		"results": []map[string]any{{
			"unique_id": w.Job(), "status": "skipped", "message": "skipped: the warehouse had no free slot in its window", "relation_name": w.Table(),
			"timing": []map[string]any{{"name": "execute", "completed_at": at.UTC().Format(time.RFC3339)}},
		}},
	})
}

func send(ctx context.Context, url, key string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		return fmt.Errorf("reporting lineage: %w", err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 400)) // it is only shown
	if resp.StatusCode >= 300 {
		return fmt.Errorf("reporting lineage: %s: %s", resp.Status, said)
	}
	return nil
}

type policyIn struct {
	Category string `json:"category" jsonschema:"what kind of product"`
}

// Handler serves the table to agents over MCP at /warehouse.
func (w *Warehouse) Handler() http.Handler {
	server := mcp.NewServer(&mcp.Implementation{Name: "warehouse", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "read_policy", Description: "Read in how many days a product may be returned."}, func(_ context.Context, _ *mcp.CallToolRequest, in policyIn) (*mcp.CallToolResult, any, error) {
		category := strings.ToLower(in.Category)
		if !slices.Contains(Categories, category) {
			return nil, nil, fmt.Errorf("there is no policy for %q", in.Category)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		raw, err := json.Marshal(Row{category, w.table[category]})
		if err != nil {
			return nil, nil, err
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(raw)}}}, nil, nil
	})
	mux := http.NewServeMux()
	mux.Handle("/warehouse", mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true, MaxRequestBodyBytes: 1 << 20}))
	return mux
}
