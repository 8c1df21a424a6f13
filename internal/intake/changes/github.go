package changes

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"reeve/internal/change"
)

type ghUser struct {
	Login string `json:"login"`
}

// ghEvent is what is looked at of GitHub's webhooks.
type ghEvent struct {
	Action     string `json:"action"`
	Repository struct {
		Name     string `json:"name"`
		FullName string `json:"full_name"`
		Branch   string `json:"default_branch"`
		URL      string `json:"html_url"`
	} `json:"repository"`
	Sender ghUser `json:"sender"`

	Deployment *struct {
		ID          int64           `json:"id"`
		SHA         string          `json:"sha"`
		Ref         string          `json:"ref"`
		Task        string          `json:"task"`
		Environment string          `json:"environment"`
		Description string          `json:"description"`
		Created     string          `json:"created_at"`
		Creator     ghUser          `json:"creator"`
		Payload     json.RawMessage `json:"payload"`
	} `json:"deployment"`
	Status *struct {
		State       string `json:"state"`
		Description string `json:"description"`
		Environment string `json:"environment"`
		URL         string `json:"environment_url"`
		Target      string `json:"target_url"`
		Log         string `json:"log_url"`
		Created     string `json:"created_at"`
		Updated     string `json:"updated_at"`
		Creator     ghUser `json:"creator"`
	} `json:"deployment_status"`
	Release *struct {
		ID         int64  `json:"id"`
		Tag        string `json:"tag_name"`
		Name       string `json:"name"`
		Body       string `json:"body"`
		URL        string `json:"html_url"`
		Draft      bool   `json:"draft"`
		Prerelease bool   `json:"prerelease"`
		Published  string `json:"published_at"`
		Author     ghUser `json:"author"`
	} `json:"release"`

	Ref     string `json:"ref"`
	Before  string `json:"before"`
	After   string `json:"after"`
	Compare string `json:"compare"`
	Deleted bool   `json:"deleted"`
	Pusher  struct {
		Name string `json:"name"`
	} `json:"pusher"`
	Commits []json.RawMessage `json:"commits"`
	Head    *struct {
		ID        string `json:"id"`
		Message   string `json:"message"`
		Timestamp string `json:"timestamp"`
	} `json:"head_commit"`
}

// gitHub reads events of GitHub: deployments with their statuses, releases that
// are out, and pushes to branches that are deployed.
func gitHub(r *Request) ([]change.Report, error) {
	kind := r.Header.Get("X-GitHub-Event")
	if kind == "" {
		return nil, missing("X-GitHub-Event among its headers")
	}
	var e ghEvent
	if err := decode(r.Body, "an event of GitHub", &e); err != nil {
		return nil, err
	}
	switch kind {
	case "deployment", "deployment_status":
		return e.deployment(kind == "deployment_status")
	case "release":
		return e.release()
	case "push":
		return e.push(r)
	}
	return nil, nil
}

func (e *ghEvent) labels() map[string]string {
	return labels("repository", e.Repository.FullName, "service", e.Repository.Name)
}

// gitHubStates are the states of a deployment in our words.
var gitHubStates = map[string]string{
	"pending": "pending", "queued": "pending", "waiting": "pending", "in_progress": "running",
	"success": "succeeded", "failure": "failed", "error": "failed", "inactive": "inactive",
}

func (e *ghEvent) deployment(status bool) ([]change.Report, error) {
	d := e.Deployment
	if d == nil || d.ID == 0 || status && e.Status == nil {
		return nil, missing("deployment")
	}
	out := change.Report{
		Key: e.Repository.FullName + "/deployment/" + strconv.FormatInt(d.ID, 10), Kind: "deployment", Status: "pending",
		Title: fmt.Sprintf("%s %s to %s", e.Repository.Name, cmp.Or(d.Ref, short(d.SHA)), cmp.Or(d.Environment, "an environment")),
		Text:  d.Description, Environment: d.Environment, Version: short(d.SHA), By: d.Creator.Login, URL: e.Repository.URL, Labels: e.labels(), At: timeOf(d.Created),
	}
	var said struct { // a payload is the deployer's own; one that names the agent helps
		Agent   string `json:"agent"`
		Version string `json:"version"`
	}
	if json.Unmarshal(d.Payload, &said) == nil {
		if said.Agent != "" {
			out.Labels["agent"] = said.Agent
		}
		out.Version = cmp.Or(said.Version, out.Version)
	}
	if s := e.Status; status {
		var ok bool
		if out.Status, ok = gitHubStates[s.State]; !ok {
			return nil, missing("state of the deployment that is known")
		}
		out.StatusAt = timeOf(cmp.Or(s.Updated, s.Created))
		out.Text, out.URL = cmp.Or(s.Description, out.Text), cmp.Or(s.Log, s.Target, s.URL, out.URL)
	}
	return []change.Report{out}, nil
}

func (e *ghEvent) release() ([]change.Report, error) {
	x := e.Release
	if x == nil || x.Tag == "" {
		return nil, missing("release")
	}
	if e.Action != "published" && e.Action != "released" || x.Draft {
		return nil, nil
	}
	out := change.Report{
		Key: e.Repository.FullName + "/release/" + x.Tag, Kind: "release", Title: e.Repository.Name + " " + cmp.Or(x.Name, x.Tag) + " released",
		Text: x.Body, Version: x.Tag, By: x.Author.Login, URL: x.URL, Labels: e.labels(), At: timeOf(x.Published),
	}
	if x.Prerelease {
		out.Labels["prerelease"] = "true"
	}
	return []change.Report{out}, nil
}

func (e *ghEvent) push(r *Request) ([]change.Report, error) {
	if e.Ref == "" {
		return nil, missing("ref")
	}
	branch := branchOf(e.Ref)
	if e.Deleted || !r.deployed(branch, e.Repository.Branch) {
		return nil, nil
	}
	out := change.Report{
		Key: e.Repository.FullName + "/push/" + branch + "/" + e.After, Kind: "push", Version: short(e.After), By: cmp.Or(e.Pusher.Name, e.Sender.Login), URL: e.Compare, Labels: e.labels(),
		Title: fmt.Sprintf("%s: %d commits to %s", e.Repository.Name, len(e.Commits), branch),
	}
	if len(e.Commits) == 1 {
		out.Title = fmt.Sprintf("%s: a commit to %s", e.Repository.Name, branch)
	}
	out.Labels["branch"] = branch
	if e.Head != nil {
		// The time of a commit may be days before it is pushed; the push is now.
		out.Text = firstLine(e.Head.Message)
	}
	return []change.Report{out}, nil
}
