package openslo

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/client"
)

var objectiveName = regexp.MustCompile(`[^a-z0-9-]+`)

// slo reads an SLO into objectives, one for each of its own.
func (d *document) slo(s *set, out *Loaded) error {
	ref, inline := "indicatorRef", "indicator"
	if d.v2 {
		ref, inline = "sliRef", "sli"
	}
	spec := d.spec
	if err := spec.only("description", "service", ref, inline, "timeWindow", "budgetingMethod", "objectives", "alertPolicies"); err != nil {
		return err
	}
	if err := spec.description(); err != nil {
		return err
	}
	if _, err := spec.at("service").text(true); err != nil {
		return err
	}
	composite, err := d.composite(ref, inline)
	if err != nil {
		return err
	}
	if composite.path != "" {
		return composite.bad("an objective of several indicators cannot be counted").WithHint("give each an SLO of its own")
	}
	in, at, name, title, err := d.indicator(s, spec.at(ref), spec.at(inline))
	if err != nil {
		return err
	}
	window, err := window(spec.at("timeWindow"), d.v2)
	if err != nil {
		return err
	}
	method, err := method(spec.at("budgetingMethod"))
	if err != nil {
		return err
	}
	alerts, err := d.alerts(s, spec.at("alertPolicies"))
	if err != nil {
		return err
	}
	text, _ := spec.at("description").text(false)
	base := client.PutObjectiveRequest{
		Title: cmp.Or(d.title, title, d.name), Text: strings.Join(strings.Fields(text), " "), KPI: in.kpi, Agent: in.scope["agent"], Version: in.scope["version"], Task: in.scope["task"],
		Team: in.scope["team"], Environment: in.scope["environment"], Window: window, Alerts: alerts,
	}
	if in.define != nil {
		k := *in.define
		k.ID = strings.Trim(regexp.MustCompile(`[^a-z0-9_]+`).ReplaceAllString(strings.ToLower(name), "_"), "_")
		if k.ID == "" || k.ID[0] < 'a' {
			k.ID = "kpi_" + k.ID
		}
		k.Title, k.Team = cmp.Or(title, name), base.Team
		k.About = "Read from the OpenSLO indicator " + name + "."
		base.KPI = k.ID
		out.KPIs = append(out.KPIs, k)
	}
	list, err := spec.at("objectives").list(true)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return spec.at("objectives").bad("names no objective")
	}
	if in.threshold && len(list) > 1 && !d.v2 {
		return spec.at("objectives").item(1).bad("of a thresholdMetric v1 has one objective")
	}
	for i := range list {
		o := base
		o.Name = strings.Trim(objectiveName.ReplaceAllString(strings.ToLower(d.name), "-"), "-")
		if len(list) > 1 {
			o.Name = fmt.Sprintf("%.59s-%d", o.Name, i+1)
		}
		n := spec.at("objectives").item(i)
		if err := objectiveOf(n, method, in, d.v2, &o); err != nil {
			return err
		}
		switch op, _ := n.at("op").text(false); {
		case in.threshold:
			out.Directions = append(out.Directions, Direction{KPI: o.KPI, Up: op == "gte" || op == "gt", at: n.at("op")})
		case in.define == nil:
			out.Directions = append(out.Directions, Direction{KPI: o.KPI, Up: !in.bad, at: at.at("ratioMetric").at("rawType")})
		}
		out.Objectives = append(out.Objectives, o)
	}
	return nil
}

// composite is the first field that makes an SLO one of several indicators; the
// zero node when none does.
func (d *document) composite(ref, inline string) (node, error) {
	objectives := d.spec.at("objectives")
	list, err := objectives.list(false)
	if err != nil {
		return node{}, err
	}
	for i := range list {
		for _, field := range []string{ref, inline, "compositeWeight"} {
			if n := objectives.item(i).at(field); n.has() {
				return n, nil
			}
		}
	}
	return node{}, nil
}

// indicator finds the SLI of an SLO, and the node that says it.
func (d *document) indicator(s *set, ref, inline node) (in *sli, at node, name, title string, err error) {
	name, err = ref.text(false)
	switch {
	case err != nil:
		return nil, ref, "", "", err
	case name != "" && inline.has():
		return nil, ref, "", "", ref.bad("either it or %s is given, not both", inline.path)
	case name == "" && !inline.has():
		return nil, inline, "", "", inline.bad("is missing")
	case name != "":
		other := s.by["SLI/"+name]
		if other == nil {
			return nil, ref, "", "", ref.bad("there is no SLI %.63q in what was read", name)
		}
		in, err = indicator(s, other.spec, other.v2)
		return in, other.spec, name, other.title, err
	}
	if err := inline.only("kind", "metadata", "spec", "apiVersion"); err != nil {
		return nil, inline, "", "", err
	}
	if name, title, err = meta(inline.at("metadata"), d.v2); err != nil {
		return nil, inline, "", "", err
	}
	if _, err := inline.at("spec").object(true); err != nil {
		return nil, inline, "", "", err
	}
	in, err = indicator(s, inline.at("spec"), d.v2)
	return in, inline.at("spec"), name, title, err
}

// sli is an indicator as Reeve counts it.
type sli struct {
	threshold bool
	kpi       string                // of the catalogue, or one's own
	define    *client.PutKPIRequest // instead: what it means
	bad       bool                  // the KPI is the share of what is bad
	scope     map[string]string
}

var scopes = []string{"agent", "version", "task", "team", "environment"}

// indicator reads the spec of an SLI.
func indicator(s *set, spec node, v2 bool) (*sli, error) {
	if err := spec.only("description", "thresholdMetric", "ratioMetric"); err != nil {
		return nil, err
	}
	if err := spec.description(); err != nil {
		return nil, err
	}
	threshold, ratio := spec.at("thresholdMetric"), spec.at("ratioMetric")
	switch {
	case threshold.has() == ratio.has():
		return nil, ratio.bad("either it or thresholdMetric is given")
	case threshold.has():
		m, err := metric(s, threshold, v2)
		if err != nil {
			return nil, err
		}
		kpi, err := m.at("kpi").text(true)
		if err != nil {
			return nil, err
		}
		in := &sli{threshold: true, kpi: kpi}
		return in, in.scoped(m, "kpi")
	}
	return ratioMetric(s, ratio, v2)
}

func ratioMetric(s *set, n node, v2 bool) (*sli, error) {
	if err := n.only("counter", "good", "bad", "total", "raw", "rawType"); err != nil {
		return nil, err
	}
	if _, err := n.at("counter").flag(); err != nil {
		return nil, err
	}
	good, bad, total, raw := n.at("good"), n.at("bad"), n.at("total"), n.at("raw")
	if raw.has() {
		return rawMetric(s, n, v2)
	}
	switch {
	case n.at("rawType").has():
		return nil, n.at("rawType").bad("goes with raw")
	case !total.has():
		return nil, total.bad("is missing")
	case good.has() == bad.has():
		return nil, good.bad("either it or bad is given")
	}
	part := good
	if bad.has() {
		part = bad
	}
	of, err := metric(s, part, v2)
	if err != nil {
		return nil, err
	}
	among, err := metric(s, total, v2)
	if err != nil {
		return nil, err
	}
	in := &sli{bad: bad.has()}
	if err := in.scoped(of, "table", "query"); err != nil {
		return nil, err
	}
	if err := among.only(append([]string{"table", "query"}, scopes...)...); err != nil {
		return nil, err
	}
	share := &client.KPIShare{}
	for _, x := range []struct {
		from node
		into *string
		need bool
	}{{among.at("table"), &share.Table, true}, {of.at("query"), &share.Of, true}, {among.at("query"), &share.Among, false}} {
		if *x.into, err = x.from.text(x.need); err != nil {
			return nil, err
		}
	}
	if table, err := of.at("table").text(true); err != nil || table != share.Table {
		return nil, cmpErr(err, of.at("table").bad("is %.40q, and that of the total is %.40q: a share is of one table", table, share.Table))
	}
	direction := "up"
	if in.bad {
		direction = "down"
	}
	in.define = &client.PutKPIRequest{Unit: "share", Direction: direction, Owner: "openslo", KPIShape: client.KPIShape{Share: share}}
	return in, nil
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// rawMetric is a share that Reeve computes itself: a KPI.
func rawMetric(s *set, n node, v2 bool) (*sli, error) {
	for _, field := range []string{"good", "bad", "total"} {
		if n.at(field).has() {
			return nil, n.at(field).bad("goes without raw")
		}
	}
	kind, err := n.at("rawType").text(true)
	if err != nil {
		return nil, err
	}
	if kind != "success" && kind != "failure" {
		return nil, n.at("rawType").bad("is success or failure, not %.40q", kind)
	}
	m, err := metric(s, n.at("raw"), v2)
	if err != nil {
		return nil, err
	}
	in := &sli{bad: kind == "failure"}
	if in.kpi, err = m.at("kpi").text(true); err != nil {
		return nil, err
	}
	return in, in.scoped(m, "kpi")
}

// scoped reads whose records are counted.
func (in *sli) scoped(m node, more ...string) error {
	if err := m.only(append(more, scopes...)...); err != nil {
		return err
	}
	in.scope = map[string]string{}
	for _, field := range scopes {
		v, err := m.at(field).text(false)
		if err != nil {
			return err
		}
		in.scope[field] = v
	}
	return nil
}

// metric is the spec of a metric source that Reeve reads.
func metric(s *set, n node, v2 bool) (node, error) {
	if _, err := n.object(true); err != nil {
		return n, err
	}
	source, ref, kindOf := n.at("metricSource"), "metricSourceRef", "type"
	if v2 {
		source, ref = n, "dataSourceRef"
		if err := n.only("dataSourceRef", "dataSourceSpec", "spec"); err != nil {
			return n, err
		}
	} else {
		if err := n.only("metricSource"); err != nil {
			return n, err
		}
		if _, err := source.object(true); err != nil {
			return n, err
		}
		if err := source.only("metricSourceRef", "type", "spec"); err != nil {
			return n, err
		}
	}
	name, err := source.at(ref).text(false)
	if err != nil {
		return n, err
	}
	kind, at := "", source.at(kindOf)
	if v2 {
		at = source.at("dataSourceSpec").at("type")
		if source.at("dataSourceSpec").has() {
			if kind, err = dataSource(source.at("dataSourceSpec")); err != nil {
				return n, err
			}
		}
	} else if kind, err = at.text(false); err != nil {
		return n, err
	}
	if kind == "" {
		if name == "" {
			return n, at.bad("is missing").WithHint("type: reeve")
		}
		other := s.by["DataSource/"+name]
		if other == nil {
			return n, source.at(ref).bad("there is no DataSource %.63q in what was read", name)
		}
		if kind, err = dataSource(other.spec); err != nil {
			return n, err
		}
		at = other.spec.at("type")
	}
	if !strings.EqualFold(kind, "reeve") {
		return n, at.bad("%.60q is no source that is read", kind).WithHint("type: reeve, whose spec names a kpi, or table and query")
	}
	if _, err := source.at("spec").object(true); err != nil {
		return n, err
	}
	return source.at("spec"), nil
}

func method(n node) (string, error) {
	m, err := n.text(true)
	if err != nil {
		return "", err
	}
	switch m {
	case "Occurrences", "Timeslices":
		return m, nil
	case "RatioTimeslices":
		return "", n.bad("an average of ratios forgets how many records each is from").WithHint("Occurrences or Timeslices")
	}
	return "", n.bad("%.60q is no budgeting method", m).WithHint("Occurrences or Timeslices")
}

// objectiveOf reads one objective of an SLO.
func objectiveOf(n node, method string, in *sli, v2 bool, o *client.PutObjectiveRequest) error {
	fields := []string{"displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow"}
	if v2 {
		fields = append(fields, "labels")
	}
	if _, err := n.object(true); err != nil {
		return err
	}
	if err := n.only(fields...); err != nil {
		return err
	}
	title, err := n.at("displayName").text(false)
	if err != nil {
		return err
	}
	if title != "" {
		o.Title = title
	}
	target, err := targetOf(n)
	if err != nil {
		return err
	}
	op, err := n.at("op").text(false)
	if err != nil {
		return err
	}
	if op != "" && !slices.Contains([]string{"lte", "lt", "gte", "gt"}, op) {
		return n.at("op").bad("%.40q is no comparison", op).WithHint("lte, gte, lt or gt")
	}
	value, given, err := n.at("value").number()
	switch {
	case err != nil:
		return err
	case in.threshold && !given:
		return n.at("value").bad("is missing: a thresholdMetric is compared with it")
	case in.threshold && op == "":
		return n.at("op").bad("is missing: a thresholdMetric is compared by it")
	case !in.threshold && (op == "lte" || op == "lt"):
		return n.at("op").bad("a share of what is good is at least its target").WithHint("leave out op, or give the bad ones")
	case !in.threshold && given:
		return n.at("value").bad("goes with a thresholdMetric")
	}
	o.Target = target
	if in.threshold {
		o.Limit = &value
	} else if in.bad {
		o.Target = math.Round((1-target)*1e12) / 1e12
	}
	if method == "Timeslices" {
		return inSlices(n, in, target, o)
	}
	for _, field := range []string{"timeSliceTarget", "timeSliceWindow"} {
		if n.at(field).has() {
			return n.at(field).bad("goes with the budgeting method Timeslices")
		}
	}
	return nil
}

func targetOf(n node) (float64, error) {
	t, given, err := n.at("target").number()
	if err != nil {
		return 0, err
	}
	p, percent, err := n.at("targetPercent").number()
	switch {
	case err != nil:
		return 0, err
	case given == percent:
		return 0, n.at("target").bad("either it or targetPercent is given")
	case percent && !(p >= 0 && p < 100):
		return 0, n.at("targetPercent").bad("is from 0 to below 100")
	case percent:
		return math.Round(p*1e10) / 1e12, nil
	case !(t >= 0 && t < 1):
		return 0, n.at("target").bad("is from 0 to below 1")
	}
	return t, nil
}

// inSlices reads how slices of time are counted.
func inSlices(n node, in *sli, target float64, o *client.PutObjectiveRequest) error {
	at := n.at("timeSliceWindow")
	switch {
	case !at.has():
		return at.bad("is missing: Timeslices have a length")
	case at.value != nil:
		if v, isNumber, err := at.number(); isNumber && err == nil {
			o.Slice = strconv.FormatFloat(v, 'f', -1, 64) + "m" // minutes
			break
		}
		d, err := duration(at, false)
		if err != nil {
			return err
		}
		o.Slice = d.String()
	}
	share, given, err := n.at("timeSliceTarget").number()
	switch {
	case err != nil:
		return err
	case in.threshold && given:
		return n.at("timeSliceTarget").bad("of a thresholdMetric the figure of a slice keeps the value").WithHint("leave it out")
	case in.threshold:
		return nil
	case !given:
		return n.at("timeSliceTarget").bad("is missing: what a good slice comes to")
	case !(share > 0 && share <= 1):
		return n.at("timeSliceTarget").bad("is above 0 and at most 1")
	}
	o.Target = target // of slices, whatever the KPI's direction
	if in.bad {
		share = math.Round((1-share)*1e12) / 1e12
	}
	o.Limit = &share
	return nil
}

var durationShape = regexp.MustCompile(`^([1-9][0-9]{0,5})([mhdwMQY])$`)

// duration reads the shorthand; v2 knows no months, quarters and years.
func duration(n node, v2 bool) (time.Duration, error) {
	text, err := n.text(true)
	if err != nil {
		return 0, err
	}
	m := durationShape.FindStringSubmatch(text)
	const day = 24 * time.Hour
	units := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": day, "w": 7 * day, "M": 30 * day, "Q": 90 * day, "Y": 365 * day}
	if m == nil || v2 && strings.Contains("MQY", m[2]) {
		return 0, n.bad("%.40q is no duration", text).WithHint("30m, 1h, 28d, 4w")
	}
	k, _ := strconv.Atoi(m[1])
	if d := time.Duration(k) * units[m[2]]; d <= 400*day {
		return d, nil
	}
	return 0, n.bad("%.40q is over a year", text)
}

// window reads a time window; nil when none is given.
func window(n node, v2 bool) (*client.ObjectiveWindow, error) {
	list, err := n.list(false)
	if err != nil || list == nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, n.bad("has exactly one window")
	}
	w := n.item(0)
	if err := w.only("duration", "isRolling", "calendar"); err != nil {
		return nil, err
	}
	length, err := duration(w.at("duration"), v2)
	if err != nil {
		return nil, err
	}
	rolling, err := w.at("isRolling").flag()
	if err != nil {
		return nil, err
	}
	calendar := w.at("calendar")
	switch {
	case rolling && calendar.has():
		return nil, calendar.bad("a rolling window has none")
	case rolling:
		return &client.ObjectiveWindow{Rolling: length.String()}, nil
	case !calendar.has():
		return nil, calendar.bad("is missing: a window that is not rolling has one")
	}
	return calendarWindow(w, calendar)
}

func calendarWindow(w, calendar node) (*client.ObjectiveWindow, error) {
	if err := calendar.only("startTime", "timeZone"); err != nil {
		return nil, err
	}
	text, _ := w.at("duration").text(true)
	unit, ok := map[string]string{"1d": "day", "1w": "week", "1M": "month", "1Q": "quarter", "1Y": "year"}[text]
	if !ok {
		return nil, w.at("duration").bad("a calendar window is 1d, 1w, 1M, 1Q or 1Y, not %.40q", text)
	}
	zone, err := calendar.at("timeZone").text(true)
	if err != nil {
		return nil, err
	}
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return nil, calendar.at("timeZone").bad("there is no time zone %.64q", zone)
	}
	start, err := calendar.at("startTime").text(true)
	if err != nil {
		return nil, err
	}
	at, err := time.ParseInLocation(time.DateTime, start, loc)
	if err != nil {
		return nil, calendar.at("startTime").bad("%.40q is no time", start).WithHint("2026-01-01 00:00:00")
	}
	return &client.ObjectiveWindow{Calendar: unit, Zone: zone, Start: &at}, nil
}

// alerts reads the alert policies of an SLO.
func (d *document) alerts(s *set, n node) (out []client.ObjectiveAlert, err error) {
	list, err := n.list(false)
	if err != nil {
		return nil, err
	}
	for i := range list {
		p := n.item(i)
		if _, err := p.object(true); err != nil {
			return nil, err
		}
		spec, v2 := p.at("spec"), d.v2
		if ref := p.at("alertPolicyRef"); ref.has() {
			name, err := ref.text(true)
			if err != nil {
				return nil, err
			}
			other := s.by["AlertPolicy/"+name]
			if other == nil {
				return nil, ref.bad("there is no AlertPolicy %.63q in what was read", name)
			}
			spec, v2 = other.spec, other.v2
		} else if err := inlined(p, "AlertPolicy", d.v2); err != nil {
			return nil, err
		}
		list, err := policy(s, spec, v2)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// inlined checks the head of a document within another.
func inlined(n node, kind string, v2 bool) error {
	d := &document{v2: v2}
	if err := d.head(n, false); err != nil {
		return err
	}
	if d.kind != kind {
		return n.at("kind").bad("is %s where %s belongs", d.kind, kind)
	}
	return nil
}

// policy reads an alert policy; one that does not alert when breaching comes to
// nothing.
func policy(s *set, spec node, v2 bool) ([]client.ObjectiveAlert, error) {
	if err := spec.only("description", "alertWhenNoData", "alertWhenResolved", "alertWhenBreaching", "conditions", "notificationTargets"); err != nil {
		return nil, err
	}
	if err := spec.description(); err != nil {
		return nil, err
	}
	for _, field := range []string{"alertWhenNoData", "alertWhenResolved"} {
		if on, err := spec.at(field).flag(); err != nil {
			return nil, err
		} else if on && field == "alertWhenNoData" {
			return nil, spec.at(field).bad("an objective without data is frozen and says so; it raises no alert").WithHint("false; reeve_objective_state on /metrics tells")
		}
	}
	breaching, err := spec.at("alertWhenBreaching").flag()
	if err != nil {
		return nil, err
	}
	if err := targets(s, spec.at("notificationTargets"), v2); err != nil {
		return nil, err
	}
	conditions := spec.at("conditions")
	list, err := conditions.list(true)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, conditions.bad("has exactly one condition")
	}
	at := conditions.item(0)
	if _, err := at.object(true); err != nil {
		return nil, err
	}
	body := at.at("spec")
	if ref := at.at("conditionRef"); ref.has() {
		name, err := ref.text(true)
		if err != nil {
			return nil, err
		}
		other := s.by["AlertCondition/"+name]
		if other == nil {
			return nil, ref.bad("there is no AlertCondition %.63q in what was read", name)
		}
		body = other.spec
	} else if err := inlined(at, "AlertCondition", v2); err != nil {
		return nil, err
	}
	a, err := condition(body)
	if err != nil || !breaching {
		return nil, err
	}
	return []client.ObjectiveAlert{a}, nil
}

// targets checks where alerts go to. Reeve's go where findings and incidents do.
func targets(s *set, n node, v2 bool) error {
	list, err := n.list(true)
	if err != nil {
		return err
	}
	for i := range list {
		t := n.item(i)
		if _, err := t.object(true); err != nil {
			return err
		}
		if ref := t.at("targetRef"); ref.has() {
			name, err := ref.text(true)
			if err != nil {
				return err
			}
			if s.by["AlertNotificationTarget/"+name] == nil {
				return ref.bad("there is no AlertNotificationTarget %.63q in what was read", name)
			}
			continue
		}
		if err := inlined(t, "AlertNotificationTarget", v2); err != nil {
			return err
		}
		if err := target(t.at("spec")); err != nil {
			return err
		}
	}
	return nil
}

// condition reads a burn rate that alerts.
func condition(spec node) (a client.ObjectiveAlert, err error) {
	if err := spec.only("description", "severity", "condition"); err != nil {
		return a, err
	}
	if err := spec.description(); err != nil {
		return a, err
	}
	severity, err := spec.at("severity").text(true)
	if err != nil {
		return a, err
	}
	c := spec.at("condition")
	if _, err := c.object(true); err != nil {
		return a, err
	}
	if err := c.only("kind", "op", "threshold", "lookbackWindow", "alertAfter"); err != nil {
		return a, err
	}
	if kind, err := c.at("kind").text(false); err != nil || kind != "" && kind != "burnrate" {
		return a, cmpErr(err, c.at("kind").bad("%.40q is no kind of condition", kind).WithHint("burnrate"))
	}
	op, err := c.at("op").text(true)
	if err != nil {
		return a, err
	}
	if op != "gte" && op != "gt" {
		return a, c.at("op").bad("an alert is raised above a burn rate, not by %.40q", op).WithHint("gte or gt")
	}
	factor, given, err := c.at("threshold").number()
	switch {
	case err != nil:
		return a, err
	case !given:
		return a, c.at("threshold").bad("is missing")
	case !(factor > 0):
		return a, c.at("threshold").bad("is above 0")
	}
	long, err := duration(c.at("lookbackWindow"), false)
	if err != nil {
		return a, err
	}
	short := max(long/12, time.Minute)
	if c.at("alertAfter").has() {
		if after, _ := c.at("alertAfter").text(false); after != "0m" {
			if short, err = duration(c.at("alertAfter"), false); err != nil {
				return a, err
			}
		}
	}
	if short >= long {
		return a, c.at("alertAfter").bad("is shorter than lookbackWindow")
	}
	return client.ObjectiveAlert{Severity: severityOf(severity), Long: long.String(), Short: short.String(), Factor: factor}, nil
}

// severityOf is the severity of ours that a word comes to.
func severityOf(word string) string {
	w := strings.ToLower(word)
	switch {
	case slices.Contains([]string{"page", "critical", "sev1", "sev-1", "p1", "high", "fatal"}, w):
		return "critical"
	case slices.Contains([]string{"info", "low", "sev4", "sev5", "p4", "p5"}, w):
		return "info"
	}
	return "warning"
}
