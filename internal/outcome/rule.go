package outcome

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry/search"
)

// Rule says something about the runs that a search finds: how they ended, unless
// stronger evidence says otherwise, or how long they may take and stand still.
type Rule struct {
	Name        string        `json:"-"`
	Text        string        `json:"text,omitempty"`
	Where       string        `json:"where"` // a search over runs
	Outcome     string        `json:"outcome,omitempty"`
	Deadline    time.Duration `json:"deadline,omitempty"` // from start to end; 0 none
	Stuck       time.Duration `json:"stuck,omitempty"`    // without any news; 0 never
	Team        string        `json:"team,omitempty"`     // "" all
	Environment string        `json:"environment,omitempty"`
	Revision    int64         `json:"-"`
	By          string        `json:"-"`
	Reason      string        `json:"-"`
	UpdatedAt   time.Time     `json:"-"`

	where search.Expr
}

var nameShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "outcome.invalid", format, args...)
}

// compile checks a rule and makes its search.
func (r *Rule) compile() (err error) {
	switch {
	case !nameShape.MatchString(r.Name):
		return invalid("a rule's name has 1 to 63 of a-z, 0-9 and hyphens")
	case r.Outcome != "" && !slices.Contains(activity.Outcomes(), r.Outcome):
		return invalid("there is no outcome %.40q", r.Outcome).WithHint("%s", strings.Join(activity.Outcomes(), ", "))
	case r.Outcome == "" && r.Deadline == 0 && r.Stuck == 0:
		return invalid("the rule says nothing").WithHint("give it an outcome, a deadline or a time after which a run is stuck")
	case r.Deadline < 0 || r.Stuck < 0 || r.Deadline > 90*24*time.Hour || r.Stuck > 90*24*time.Hour:
		return invalid("a deadline is at most 90 days")
	case strings.TrimSpace(r.Where) == "":
		return invalid("the rule names no runs").WithHint("a search over runs, such as task:refund tool:issue_refund")
	case !line(r.Text, 400) || !line(r.Reason, 1000) || !line(r.Team, 200) || !line(r.Environment, 200):
		return invalid("text and reason are one line each, of at most 400 and 1000 bytes")
	}
	if r.where, err = search.Parse(r.Where); err != nil {
		return invalid("where: %s", err).WithCause(err)
	}
	if search.HasText(r.where) {
		return invalid("a rule cannot look for phrases in content").WithHint("name fields: task, tool, status, label.NAME")
	}
	return nil
}

func line(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// holds asks a rule about a run; steps loads its steps where the search needs
// them.
func (r *Rule) holds(run *activity.Run, now time.Time, steps func() []activity.Step) (bool, error) {
	if r.Team != "" && r.Team != run.Team || r.Environment != "" && r.Environment != run.Environment {
		return false, nil
	}
	return search.MatchAt(r.where, now, run, steps)
}
