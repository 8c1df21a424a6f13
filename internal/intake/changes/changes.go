// Package changes reads what forges and flag systems say was changed: bytes in,
// changes out.
//
// What for: a deployment, a release, a push to a branch that is deployed, or a
// flag that was turned is where a difference in behaviour often begins.
//
// Who calls it: intake, once a delivery was proved to be its source's; api to
// show what a pasted example would become.
//
// Promises: pure functions of the request. Events that change nothing that runs
// (a push to another branch, a ping) are taken, and nothing comes of them.
//
// How it fails: faults of kind invalid with codes changes.*.
//
// Start reading at Receivers.
package changes

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"reeve/internal/change"
	"reeve/internal/fault"
)

// Request is one delivery.
type Request struct {
	Header http.Header
	Body   []byte
	Now    time.Time
	// Branches are those whose pushes are changes, as patterns of path.Match;
	// none is the repository's default branch.
	Branches []string
}

// Receivers are the receivers by the name of their kind.
var Receivers = map[string]func(*Request) ([]change.Report, error){
	"github":      gitHub,
	"gitlab":      gitLab,
	"openfeature": openFeature,
}

func decode(body []byte, what string, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fault.New(fault.KindInvalid, "changes.malformed", "the body is not %s", what).WithCause(err)
	}
	return nil
}

func missing(what string) error {
	return fault.New(fault.KindInvalid, "changes.missing", "the body has no %s", what)
}

// branchOf is the branch that a ref names; "" for a tag.
func branchOf(ref string) string {
	name, ok := strings.CutPrefix(ref, "refs/heads/")
	if !ok {
		return ""
	}
	return name
}

// deployed reports a branch whose pushes are changes.
func (r *Request) deployed(branch, main string) bool {
	if branch == "" {
		return false
	}
	if len(r.Branches) == 0 {
		return branch == main
	}
	return slices.ContainsFunc(r.Branches, func(pattern string) bool {
		ok, err := path.Match(pattern, branch)
		return err == nil && ok
	})
}

// timeOf reads a time as the forges write it.
func timeOf(s string) time.Time {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1990 && t.Year() < 2200 {
			return t.UTC()
		}
	}
	return time.Time{}
}

func short(hash string) string { return hash[:min(len(hash), 12)] }

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func labels(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := pairs[i+1]; v != "" && len(v) <= 300 {
			out[pairs[i]] = v
		}
	}
	return out
}
