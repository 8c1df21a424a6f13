package api

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// AlertmanagerPrefix is where what Alertmanager's own clients read lives.
const AlertmanagerPrefix = "/api/v2/"

// Alertmanager answers clients of Alertmanager's API v2 (amtool, Grafana), in its
// shapes: the alerts that fire and silences to who may view them; who may respond
// silences and ends silences, as on the console.
func (a *API) Alertmanager() http.Handler {
	op := &operation{Name: "Alertmanager", Permission: rows(identity.Viewer)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{op: op, id: newRequestID(), address: addressOf(r), agent: clip(r.UserAgent(), 200), secure: r.TLS != nil}
		ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), callKey{}, c), a.o.Timeout)
		defer cancel()
		r = r.WithContext(ctx)
		answer, err := a.alertmanager(r, c)
		var body []byte
		if err == nil {
			body, err = encode(answer)
		}
		if err != nil {
			a.problem(w, r, err)
			return
		}
		writeJSON(w, r, http.StatusOK, body)
	})
}

func (a *API) alertmanager(r *http.Request, c *call) (any, error) {
	who, err := a.authenticate(r, c)
	if err == nil {
		err = c.op.Permission.allow(who)
	}
	if err != nil {
		return nil, err
	}
	c.who = who
	path := strings.TrimPrefix(r.URL.Path, AlertmanagerPrefix)
	if r.Method != http.MethodGet && path != "silences" && !strings.HasPrefix(path, "silence/") {
		return nil, fault.New(fault.KindNotFound, "api.no_such_path", "nothing can be written to %s", r.URL.Path).WithHint("alerts are sent to the address of an alert source")
	}
	switch path {
	case "status":
		return a.amStatus(), nil
	case "receivers":
		return []amReceiver{{"reeve"}}, nil
	case "silences":
		if r.Method == http.MethodPost {
			return a.amSilence(r)
		}
		return a.amSilences(r)
	case "alerts":
		return a.amAlerts(r)
	case "alerts/groups":
		all, err := a.amAlerts(r)
		if err != nil {
			return nil, err
		}
		return amGroups(all), nil
	}
	if id, ok := strings.CutPrefix(path, "silence/"); ok {
		if r.Method == http.MethodDelete {
			return a.amEndSilence(r, id)
		}
		return a.amOneSilence(r, id)
	}
	return nil, fault.New(fault.KindNotFound, "api.no_such_path", "nothing lives at %s", r.URL.Path).WithHint("alerts, alerts/groups, receivers, silences and status do")
}

type amReceiver struct {
	Name string `json:"name"`
}

type amVersion struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	Branch    string `json:"branch"`
	BuildUser string `json:"buildUser"`
	BuildDate string `json:"buildDate"`
	GoVersion string `json:"goVersion"`
}

type amStatus struct {
	Cluster struct {
		Status string   `json:"status"`
		Peers  []string `json:"peers"`
	} `json:"cluster"`
	Version amVersion `json:"versionInfo"`
	Config  struct {
		Original string `json:"original"`
	} `json:"config"`
	Uptime time.Time `json:"uptime"`
}

func (a *API) amStatus() amStatus {
	out := amStatus{Version: amVersion{Version: "reeve " + a.o.Version}, Uptime: a.o.Now().UTC()}
	out.Cluster.Status, out.Cluster.Peers = "disabled", []string{}
	return out
}

type amAlertStatus struct {
	State       string   `json:"state"`
	SilencedBy  []string `json:"silencedBy"`
	InhibitedBy []string `json:"inhibitedBy"`
	MutedBy     []string `json:"mutedBy"`
}

// amAlert is an alert as Alertmanager shows it.
type amAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	UpdatedAt    time.Time         `json:"updatedAt"`
	Fingerprint  string            `json:"fingerprint"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
	Receivers    []amReceiver      `json:"receivers"`
	Status       amAlertStatus     `json:"status"`
}

// maxAM bounds an answer: this API knows no pages.
const maxAM = 10_000

func (a *API) amAlerts(r *http.Request) ([]amAlert, error) {
	book, err := a.alerts()
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	matchers, err := amMatchers(q["filter"])
	if err != nil {
		return nil, err
	}
	held, err := a.silencesInForce(r.Context())
	if err != nil {
		return nil, err
	}
	all, _, err := book.List(r.Context(), alert.Filter{State: alert.Firing, Visible: placesOf(whoOf(r.Context())), Limit: maxAM})
	if err != nil {
		return nil, err
	}
	out := []amAlert{}
	for i := range all {
		one := amShape(&all[i], a.o.Now())
		for k := range held {
			if held[k].Covers(signalLike(&all[i]), a.o.Now()) {
				one.Status.State = "suppressed"
				one.Status.SilencedBy = append(one.Status.SilencedBy, held[k].ID)
			}
		}
		if q.Get(map[string]string{"active": "active", "suppressed": "silenced"}[one.Status.State]) == "false" {
			continue
		}
		if !slices.ContainsFunc(matchers, func(m amMatcher) bool { return !m.matches(one.Labels) }) {
			out = append(out, one)
		}
	}
	return out, nil
}

func amShape(a *client.Alert, now time.Time) amAlert {
	out := amAlert{
		Labels: map[string]string{}, Annotations: map[string]string{"summary": a.Title}, StartsAt: a.StartedAt, EndsAt: now.Add(5 * time.Minute).UTC(), UpdatedAt: a.LastSeenAt,
		Fingerprint: a.ID, Receivers: []amReceiver{{"reeve"}}, Status: amAlertStatus{State: "active", SilencedBy: []string{}, InhibitedBy: []string{}, MutedBy: []string{}},
	}
	for n, v := range a.Labels {
		out.Labels[n] = v
	}
	if out.Labels["alertname"] == "" {
		out.Labels["alertname"] = a.Title
	}
	if out.Labels["severity"] == "" && a.Severity != "" {
		out.Labels["severity"] = a.Severity
	}
	if a.Kind == "alertmanager" {
		out.Fingerprint = a.Key
	}
	if a.Text != "" {
		out.Annotations["description"] = a.Text
	}
	if a.ExpiresAt != nil {
		out.EndsAt = *a.ExpiresAt
	}
	if len(a.Links) > 0 {
		out.GeneratorURL = a.Links[0].URL
	}
	return out
}

type amGroup struct {
	Labels   map[string]string `json:"labels"`
	Receiver amReceiver        `json:"receiver"`
	Alerts   []amAlert         `json:"alerts"`
}

// amGroups puts alerts of one name together.
func amGroups(all []amAlert) []amGroup {
	at := map[string]int{}
	out := []amGroup{}
	for _, one := range all {
		name := one.Labels["alertname"]
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name] = i
			out = append(out, amGroup{Labels: map[string]string{"alertname": name}, Receiver: amReceiver{"reeve"}})
		}
		out[i].Alerts = append(out[i].Alerts, one)
	}
	return out
}

// amMatcher is a matcher of labels: name="value", !=, =~ or !~.
type amMatcher struct {
	name, value string
	not         bool
	pattern     *regexp.Regexp
}

func (m *amMatcher) matches(labels map[string]string) bool {
	ok := labels[m.name] == m.value
	if m.pattern != nil {
		ok = m.pattern.MatchString(labels[m.name])
	}
	return ok != m.not
}

var amMatcherForm = regexp.MustCompile(`^\s*"?([\w.\-:]+)"?\s*(=~|!~|!=|=)\s*(.*?)\s*$`)

func amMatchers(texts []string) ([]amMatcher, error) {
	bad := func(text string) error {
		return fault.New(fault.KindInvalid, "api.parameter_invalid", "filter %q is no matcher", clip(text, 100)).WithHint(`like alertname="Down" or severity=~"critical|error"`)
	}
	var out []amMatcher
	for _, text := range texts[:min(len(texts), 20)] {
		parts := amMatcherForm.FindStringSubmatch(strings.Trim(text, "{}"))
		if parts == nil || len(text) > 1000 {
			return nil, bad(text)
		}
		m := amMatcher{name: parts[1], value: strings.Trim(parts[3], `"`), not: strings.HasPrefix(parts[2], "!")}
		if strings.HasSuffix(parts[2], "~") {
			var err error
			if m.pattern, err = regexp.Compile("^(?:" + m.value + ")$"); err != nil {
				return nil, bad(text)
			}
		}
		out = append(out, m)
	}
	return out, nil
}
