package changes

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"reeve/internal/change"
)

// glEvent is what is looked at of GitLab's webhooks.
type glEvent struct {
	Kind    string `json:"object_kind"`
	Project struct {
		Name   string `json:"name"`
		Path   string `json:"path_with_namespace"`
		Branch string `json:"default_branch"`
		URL    string `json:"web_url"`
	} `json:"project"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`

	// Deployments.
	Status       string          `json:"status"`
	StatusAt     string          `json:"status_changed_at"`
	DeploymentID int64           `json:"deployment_id"`
	Environment  json.RawMessage `json:"environment"`
	DeployURL    string          `json:"deployable_url"`
	ShortSHA     string          `json:"short_sha"`
	CommitTitle  string          `json:"commit_title"`
	CommitURL    string          `json:"commit_url"`

	// Releases.
	Action      string `json:"action"`
	Tag         string `json:"tag"`
	Name        string `json:"name"`
	Description string `json:"description"`
	URL         string `json:"url"`
	ReleasedAt  string `json:"released_at"`

	// Pushes.
	Ref      string `json:"ref"`
	After    string `json:"after"`
	Username string `json:"user_username"`
	Total    int    `json:"total_commits_count"`
	Commits  []struct {
		Title string `json:"title"`
		URL   string `json:"url"`
	} `json:"commits"`

	// Feature flags.
	Attributes *struct {
		ID          int64  `json:"id"`
		Name        string `json:"name"`
		Description string `json:"description"`
		Active      bool   `json:"active"`
	} `json:"object_attributes"`
}

// gitLab reads events of GitLab: deployments, releases, pushes to branches that
// are deployed, and feature flags.
func gitLab(r *Request) ([]change.Report, error) {
	var e glEvent
	if err := decode(r.Body, "an event of GitLab", &e); err != nil {
		return nil, err
	}
	switch e.Kind {
	case "":
		return nil, missing("object_kind")
	case "deployment":
		return e.deployment()
	case "release":
		return e.release()
	case "push":
		return e.push(r)
	case "feature_flag":
		return e.flag(r)
	}
	return nil, nil
}

func (e *glEvent) labels() map[string]string {
	return labels("repository", e.Project.Path, "service", e.Project.Name)
}

// gitLabStates are the states of a deployment in our words.
var gitLabStates = map[string]string{
	"created": "pending", "blocked": "pending", "running": "running", "success": "succeeded", "failed": "failed", "canceled": "failed", "skipped": "inactive",
}

func (e *glEvent) deployment() ([]change.Report, error) {
	status, ok := gitLabStates[e.Status]
	if !ok || e.DeploymentID == 0 {
		return nil, missing("deployment_id, or status that is known")
	}
	var environment string // a name; older releases send an object
	if json.Unmarshal(e.Environment, &environment) != nil {
		var named struct {
			Name string `json:"name"`
		}
		_ = json.Unmarshal(e.Environment, &named) // neither: unknown
		environment = named.Name
	}
	at := timeOf(e.StatusAt)
	return []change.Report{{
		Key: e.Project.Path + "/deployment/" + strconv.FormatInt(e.DeploymentID, 10), Kind: "deployment", Status: status,
		Title: fmt.Sprintf("%s %s to %s", e.Project.Name, e.ShortSHA, cmp.Or(environment, "an environment")), Text: firstLine(e.CommitTitle),
		Environment: environment, Version: e.ShortSHA, By: e.User.Username, URL: cmp.Or(e.DeployURL, e.CommitURL, e.Project.URL), Labels: e.labels(), At: at, StatusAt: at,
	}}, nil
}

func (e *glEvent) release() ([]change.Report, error) {
	if e.Tag == "" {
		return nil, missing("tag")
	}
	if e.Action == "delete" {
		return nil, nil
	}
	return []change.Report{{
		Key: e.Project.Path + "/release/" + e.Tag, Kind: "release", Title: e.Project.Name + " " + cmp.Or(e.Name, e.Tag) + " released",
		Text: e.Description, Version: e.Tag, By: e.User.Username, URL: e.URL, Labels: e.labels(), At: timeOf(e.ReleasedAt),
	}}, nil
}

// noCommit is what a push that removes a branch leads to.
const noCommit = "0000000000000000000000000000000000000000"

func (e *glEvent) push(r *Request) ([]change.Report, error) {
	if e.Ref == "" {
		return nil, missing("ref")
	}
	branch := branchOf(e.Ref)
	if e.After == noCommit || !r.deployed(branch, e.Project.Branch) {
		return nil, nil
	}
	out := change.Report{
		Key: e.Project.Path + "/push/" + branch + "/" + e.After, Kind: "push", Title: fmt.Sprintf("%s: %d commits to %s", e.Project.Name, e.Total, branch),
		Version: short(e.After), By: e.Username, URL: e.Project.URL, Labels: e.labels(),
	}
	if e.Total == 1 {
		out.Title = fmt.Sprintf("%s: a commit to %s", e.Project.Name, branch)
	}
	out.Labels["branch"] = branch
	if n := len(e.Commits); n > 0 {
		out.Text, out.URL = firstLine(e.Commits[n-1].Title), cmp.Or(e.Commits[n-1].URL, out.URL)
	}
	return []change.Report{out}, nil
}

func (e *glEvent) flag(r *Request) ([]change.Report, error) {
	a := e.Attributes
	if a == nil || a.Name == "" {
		return nil, missing("object_attributes.name")
	}
	state := "off"
	if a.Active {
		state = "on"
	}
	out := change.Report{
		Key: fmt.Sprintf("%s/flag/%d/%d", e.Project.Path, a.ID, r.Now.UnixMilli()), Kind: "flag", Title: "flag " + a.Name + " " + state, Text: a.Description,
		By: e.User.Username, URL: e.Project.URL, Labels: e.labels(),
	}
	// GitLab gives the event no time; its delivery's id makes a retry the same.
	if id := cmp.Or(r.Header.Get("Idempotency-Key"), r.Header.Get("X-Gitlab-Webhook-UUID")+r.Header.Get("X-Gitlab-Event-UUID")); id != "" {
		out.Key = fmt.Sprintf("%s/flag/%d/%s", e.Project.Path, a.ID, id)
	}
	out.Labels["flag"] = a.Name
	return []change.Report{out}, nil
}
