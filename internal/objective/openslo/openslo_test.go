package openslo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"reeve/internal/fault"
)

func decode(t testing.TB, text string) (docs []Document) {
	t.Helper()
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var m map[string]any
		err := dec.Decode(&m)
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(m) > 0 {
			docs = append(docs, Document{File: "slo.yaml", Fields: m})
		}
	}
}

// shapes are documents of the shapes that the specification shows, on records of
// ours: latency by occurrences, availability by slices of a calendar month, bad
// ones of all, a KPI of the catalogue, everything by reference.
const shapes = `
apiVersion: openslo/v1
kind: DataSource
metadata: {name: fleet, displayName: The fleet}
spec: {type: reeve, connectionDetails: {any: thing}}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: refunds, labels: {team: [shop, bank], tier: one}, annotations: {example.org/page: yes it has}}
spec: {description: Gives money back.}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: refund-latency, displayName: Refunds are fast}
spec:
  description: |
    No refund takes
    longer than eight seconds.
  service: refunds
  indicator:
    metadata: {name: latency}
    spec:
      thresholdMetric:
        metricSource: {metricSourceRef: fleet, spec: {kpi: run_latency_p95, agent: refund-agent}}
  timeWindow: [{duration: 2w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: Good experience, op: lte, value: 8000, target: 0.99}]
  alertPolicies:
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: refund-availability}
spec:
  service: refunds
  indicatorRef: refund-done
  timeWindow:
    - duration: 1M
      calendar: {startTime: 2022-01-01 12:00:00, timeZone: America/New_York}
  budgetingMethod: Timeslices
  objectives:
    - {displayName: Ours, target: 0.995, timeSliceTarget: 0.9, timeSliceWindow: 1h}
    - {displayName: Contract, op: gte, targetPercent: 99, timeSliceTarget: 0.9, timeSliceWindow: 60}
  alertPolicies: [{alertPolicyRef: fast}, {kind: AlertPolicy, metadata: {name: quiet}, spec: {alertWhenBreaching: false, conditions: [{conditionRef: burns}], notificationTargets: [{targetRef: chat}]}}]
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: refund-done, displayName: Refunds done}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Reeve, spec: {table: runs, query: "outcome:verified_resolved", agent: refund-agent}}}
    total: {metricSource: {type: Reeve, spec: {table: runs, query: "outcome!=unknown"}}}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
spec:
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata: {name: inline}
      spec: {severity: page, condition: {kind: burnrate, op: gte, threshold: 2, lookbackWindow: 1h, alertAfter: 5m}}
  notificationTargets:
    - {targetRef: chat}
    - {kind: AlertNotificationTarget, metadata: {name: mail}, spec: {target: email}}
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: burns}
spec: {severity: ticket, condition: {op: gt, threshold: 1, lookbackWindow: 6h}}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: chat}
spec: {target: slack, description: the channel}
---
apiVersion: openslo.com/v2alpha
kind: SLO
metadata: {name: Escalations}
spec:
  service: refunds
  sli:
    metadata: {name: bad-ones}
    spec:
      ratioMetric:
        bad: {dataSourceSpec: {type: reeve}, spec: {table: runs, query: "outcome:failed"}}
        total: {dataSourceRef: fleet, spec: {table: runs}}
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}, {target: 0.8, labels: {a: b}}]
---
apiVersion: openslo.com/v2alpha
kind: SLO
metadata: {name: people}
spec:
  service: refunds
  sli:
    metadata: {name: people}
    spec: {ratioMetric: {rawType: failure, raw: {dataSourceRef: fleet, spec: {kpi: escalation_rate, team: shop, environment: production, task: refund, version: "2"}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
`

func TestShapes(t *testing.T) {
	t.Parallel()
	got, err := Load(decode(t, shapes))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Objectives) != 6 || len(got.KPIs) != 2 || len(got.Others) != 6 {
		t.Fatalf("loaded %d objectives, %d KPIs, %d others", len(got.Objectives), len(got.KPIs), len(got.Others))
	}
	fast := got.Objectives[0]
	if fast.Name != "refund-latency" || fast.Title != "Good experience" || fast.KPI != "run_latency_p95" || fast.Agent != "refund-agent" || *fast.Limit != 8000 || fast.Target != 0.99 ||
		fast.Window.Rolling != "336h0m0s" || fast.Text != "No refund takes longer than eight seconds." {
		t.Errorf("latency is %+v", fast)
	}
	ours, contract := got.Objectives[1], got.Objectives[2]
	if ours.Name != "refund-availability-1" || ours.KPI != "refund_done" || ours.Slice != "1h0m0s" || *ours.Limit != 0.9 || ours.Target != 0.995 || ours.Window.Calendar != "month" ||
		ours.Window.Zone != "America/New_York" || ours.Window.Start.Hour() != 12 || len(ours.Alerts) != 1 || ours.Alerts[0].Severity != "critical" || ours.Alerts[0].Long != "1h0m0s" || ours.Alerts[0].Short != "5m0s" || ours.Alerts[0].Factor != 2 {
		t.Errorf("availability is %+v", ours)
	}
	if contract.Target != 0.99 || contract.Slice != "60m" || contract.Title != "Contract" {
		t.Errorf("the contract is %+v", contract)
	}
	done, bad := got.KPIs[0], got.KPIs[1]
	if done.ID != "refund_done" || done.Direction != "up" || done.Share.Of != "outcome:verified_resolved" || done.Share.Among != "outcome!=unknown" {
		t.Errorf("the KPI is %+v", done)
	}
	if bad.ID != "bad_ones" || bad.Direction != "down" || got.Objectives[3].Name != "escalations-1" || got.Objectives[3].Target != 0.1 || got.Objectives[4].Target != 0.2 {
		t.Errorf("bad ones: %+v, %+v", bad, got.Objectives[3])
	}
	people := got.Objectives[5]
	if people.KPI != "escalation_rate" || people.Target != 0.1 || people.Team != "shop" || people.Environment != "production" || people.Task != "refund" || people.Version != "2" {
		t.Errorf("people: %+v", people)
	}
	last := got.Directions[len(got.Directions)-1]
	if err := last.Fits("down"); err != nil {
		t.Errorf("a failure of a KPI of which less is better: %v", err)
	}
	if err := last.Fits("up"); err == nil || !strings.Contains(err.Error(), "spec.sli.spec.ratioMetric.rawType") {
		t.Errorf("a failure of a KPI of which more is better: %v", err)
	}
}

// Each mistake is refused with the path of its field.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, path string }{
		{"apiVersion: openslo/v1\nkind: DataSource", "apiVersion: openslo/v1alpha\nkind: DataSource", "apiVersion: "},
		{"kind: DataSource", "kind: Source", "kind: "},
		{"name: fleet, displayName: The fleet", "name: fleet, color: red", "metadata.color: "},
		{"metadata: {name: refunds,", "metadata: {name: -refunds,", "metadata.name: "},
		{"{name: Escalations}", "{name: Escalations, displayName: x}", "metadata.displayName: "},
		{"tier: one", "'ti er': one", "metadata.labels.ti er: "},
		{"tier: one", "tier: {a: b}", "metadata.labels.tier: "},
		{"type: reeve, connectionDetails", "type: Prometheus, connectionDetails", "spec.type: "},
		{"type: reeve, connectionDetails", "connectionDetails", "spec.type: "},
		{"metricSourceRef: fleet", "metricSourceRef: nowhere", "spec.indicator.spec.thresholdMetric.metricSource.metricSourceRef: "},
		{"metricSourceRef: fleet, ", "", "spec.indicator.spec.thresholdMetric.metricSource.type: "},
		{"kpi: run_latency_p95, ", "", "spec.indicator.spec.thresholdMetric.metricSource.spec.kpi: "},
		{"kpi: run_latency_p95", "kpi: run_latency_p95, colour: red", "spec.indicator.spec.thresholdMetric.metricSource.spec.colour: "},
		{"op: lte, value: 8000", "value: 8000", "spec.objectives[0].op: "},
		{"op: lte, value: 8000", "op: under, value: 8000", "spec.objectives[0].op: "},
		{"op: lte, value: 8000", "op: lte", "spec.objectives[0].value: "},
		{"value: 8000, target: 0.99", "value: 8000", "spec.objectives[0].target: "},
		{"value: 8000, target: 0.99", "value: 8000, target: 99", "spec.objectives[0].target: "},
		{"value: 8000, target: 0.99", "value: 8000, target: high", "spec.objectives[0].target: "},
		{"value: 8000, target: 0.99}", "value: 8000, target: 0.99}, {op: lte, value: 1, target: 0.5}", "spec.objectives[1]: "},
		{"value: 8000, target: 0.99", "value: 8000, target: 0.99, timeSliceWindow: 1m", "spec.objectives[0].timeSliceWindow: "},
		{"value: 8000, target: 0.99", "value: 8000, target: 0.99, compositeWeight: 2", "spec.objectives[0].compositeWeight: "},
		{"budgetingMethod: Occurrences\n  objectives: [{displayName", "budgetingMethod: RatioTimeslices\n  objectives: [{displayName", "spec.budgetingMethod: "},
		{"  budgetingMethod: Occurrences\n  objectives: [{displayName", "  objectives: [{displayName", "spec.budgetingMethod: "},
		{"[{duration: 2w, isRolling: true}]", "[{duration: 2 weeks, isRolling: true}]", "spec.timeWindow[0].duration: "},
		{"[{duration: 2w, isRolling: true}]", "[{duration: 2w}]", "spec.timeWindow[0].calendar: "},
		{"[{duration: 2w, isRolling: true}]", "[{duration: 2w, isRolling: true}, {duration: 1w, isRolling: true}]", "spec.timeWindow: "},
		{"duration: 28d, isRolling", "duration: 1M, isRolling", "spec.timeWindow[0].duration: "}, // v2 has no months
		{"duration: 1M\n", "duration: 2M\n", "spec.timeWindow[0].duration: "},
		{"startTime: 2022-01-01 12:00:00", "startTime: noon", "spec.timeWindow[0].calendar.startTime: "},
		{"timeZone: America/New_York", "timeZone: Mars/Base", "spec.timeWindow[0].calendar.timeZone: "},
		{"indicatorRef: refund-done", "indicatorRef: nothing", "spec.indicatorRef: "},
		{"indicatorRef: refund-done", "{}", ""},
		{"target: 0.995, timeSliceTarget: 0.9,", "target: 0.995,", "spec.objectives[0].timeSliceTarget: "},
		{"timeSliceWindow: 1h", "timeSliceWindow: soon", "spec.objectives[0].timeSliceWindow: "},
		{"alertPolicyRef: fast", "alertPolicyRef: none", "spec.alertPolicies[0].alertPolicyRef: "},
		{"conditionRef: burns", "conditionRef: none", "spec.alertPolicies[1].spec.conditions[0].conditionRef: "},
		{"targetRef: chat}]}}]", "targetRef: none}]}}]", "spec.alertPolicies[1].spec.notificationTargets[0].targetRef: "},
		{"op: gte, threshold: 2", "op: lte, threshold: 2", "spec.conditions[0].spec.condition.op: "},
		{"threshold: 1,", "threshold: 0,", "spec.condition.threshold: "},
		{"lookbackWindow: 6h", "lookbackWindow: 6h, alertAfter: 7h", "spec.condition.alertAfter: "},
		{"severity: ticket, ", "", "spec.severity: "},
		{"target: slack, ", "", "spec.target: "},
		{"alertWhenBreaching: true", "alertWhenNoData: true", "spec.alertWhenNoData: "},
		{"alertWhenBreaching: true", "alertWhenBreaching: often", "spec.alertWhenBreaching: "},
		{"    good: {metricSource", "    worse: {metricSource", "spec.ratioMetric.worse: "},
		{"table: runs, query: \"outcome!=unknown\"", "table: steps", "spec.ratioMetric.good.metricSource.spec.table: "},
		{"rawType: failure", "rawType: sometimes", "spec.sli.spec.ratioMetric.rawType: "},
		{"rawType: failure, ", "", "spec.sli.spec.ratioMetric.rawType: "},
		{"kind: Service\nmetadata: {name: refunds", "kind: DataSource\nmetadata: {name: fleet", "metadata.name: "},
		{"description: Gives money back.", "description: [a]", "spec.description: "},
		{"spec: {description: Gives money back.}", "spec: nothing", "spec: "},
	} {
		if c.path == "" {
			continue
		}
		if !strings.Contains(shapes, c.from) {
			t.Fatalf("%q is not in the documents", c.from)
		}
		_, err := Load(decode(t, strings.Replace(shapes, c.from, c.to, 1)))
		if err == nil || !fault.Is(err, fault.KindInvalid) || !strings.Contains(err.Error(), "slo.yaml: "+c.path) {
			t.Errorf("%q for %q: %v, want %q", c.to, c.from, err, c.path)
		}
	}
}

var block = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Each document of testdata/examples loads or is refused as its first line says: every
// kind of both versions, and what of each cannot be read.
func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{} // version, kind and whether it loaded
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(data), "\n")
		what, want, ok := strings.Cut(strings.TrimPrefix(head, "# "), ": ")
		if !ok || what != "loads" && what != "refused" {
			t.Errorf("%s: its first line says neither what it loads nor how it is refused: %q", file, head)
			continue
		}
		docs := decode(t, string(data))
		got, err := Load(docs)
		switch {
		case what == "refused":
			if err == nil || !fault.Is(err, fault.KindInvalid) || !strings.Contains(err.Error(), "slo.yaml: "+want) {
				t.Errorf("%s: %v, want %s", file, err, want)
			}
		case err != nil:
			t.Errorf("%s: %v", file, err)
		default:
			var objectives, kpis, others int
			if _, err := fmt.Sscanf(strings.NewReplacer("objectives", "objective", "KPIs", "KPI", "others", "other").Replace(want), "%d objective, %d KPI, %d other", &objectives, &kpis, &others); err != nil {
				t.Fatalf("%s: %q: %v", file, want, err)
			}
			if len(got.Objectives) != objectives || len(got.KPIs) != kpis || len(got.Others) != others {
				t.Errorf("%s: %d objectives, %d KPIs, %d others; want %s", file, len(got.Objectives), len(got.KPIs), len(got.Others), want)
			}
		}
		for _, d := range docs {
			seen[fmt.Sprint(d.Fields["apiVersion"], " ", d.Fields["kind"], " ", what)] = true
		}
	}
	for _, version := range []string{"openslo/v1", "openslo.com/v2alpha"} {
		for _, kind := range kinds {
			for _, what := range []string{"loads", "refused"} {
				if key := version + " " + kind + " " + what; !seen[key] {
					t.Errorf("no example of %s", key)
				}
			}
		}
	}
}

// Every example of OpenSLO's own repository, where its folder is named, loads or
// is refused with a path: its sources are others than ours.
func TestExamplesOfOpenSLO(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("REEVE_OPENSLO_DIR")
	if dir == "" {
		t.Skip("REEVE_OPENSLO_DIR names no clone of OpenSLO/OpenSLO")
	}
	pathed := regexp.MustCompile(`^\S+: [a-zA-Z]+(\.[a-zA-Z]+|\[\d+\])*: `)
	seen := 0
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var texts []string
		switch filepath.Ext(name) {
		case ".yaml":
			texts = []string{string(data)}
		case ".md":
			for _, m := range block.FindAllStringSubmatch(string(data), -1) {
				texts = append(texts, m[1])
			}
		}
		for i, text := range texts {
			var m map[string]any
			if err := yaml.Unmarshal([]byte(text), &m); err != nil {
				t.Logf("%s, %d: no YAML, which is refused with its line: %v", name, i, err)
				continue
			}
			seen++
			for what, fields := range map[string]map[string]any{"as it is": m, "read from reeve": ours(m)} {
				loaded, err := Load([]Document{{File: "example", Fields: fields}})
				switch {
				case err == nil:
					t.Logf("%s, %d, %s: %d objectives, %v", filepath.Base(name), i, what, len(loaded.Objectives), loaded.Others)
				case !pathed.MatchString(err.Error()):
					t.Errorf("%s, %d, %s: refused without a path: %v", name, i, what, err)
				default:
					t.Logf("%s, %d, %s: %v", filepath.Base(name), i, what, err)
				}
			}
		}
		return nil
	})
	if err != nil || seen < 20 {
		t.Errorf("%d documents: %v", seen, err)
	}
}

// ours is a document with its sources replaced by ours.
func ours(v map[string]any) map[string]any {
	out := map[string]any{}
	for key, x := range v {
		m, isMap := x.(map[string]any)
		switch {
		case key == "metricSource":
			out[key] = map[string]any{"type": "reeve", "spec": map[string]any{"table": "runs", "query": "status:done"}}
		case isMap && key == "thresholdMetric":
			out[key] = map[string]any{"metricSource": map[string]any{"type": "reeve", "spec": map[string]any{"kpi": "run_latency_p95"}}}
		case isMap:
			out[key] = ours(m)
		default:
			out[key] = x
		}
	}
	return out
}

func FuzzLoad(f *testing.F) {
	f.Add(shapes)
	for _, part := range strings.Split(shapes, "---\n") {
		f.Add(part)
	}
	f.Add("apiVersion: openslo/v1\nkind: SLO\nmetadata:\nspec:\n")
	f.Fuzz(func(t *testing.T, text string) {
		dec := yaml.NewDecoder(strings.NewReader(text))
		var docs []Document
		for len(docs) < 20 {
			var m map[string]any
			if err := dec.Decode(&m); err != nil {
				break
			}
			docs = append(docs, Document{File: "x", Fields: m})
		}
		loaded, err := Load(docs)
		if (err == nil) == (loaded == nil) {
			t.Fatalf("neither loaded nor refused: %v", err)
		}
		if err != nil && !fault.Is(err, fault.KindInvalid) {
			t.Fatalf("refused by %v", err)
		}
	})
}
