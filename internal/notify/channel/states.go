package channel

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"reeve/internal/fault"
)

// What systems of paging and tickets tell of what we sent them: somebody took it
// up there, ended it, or gave it to somebody else.

// States that come back; the first three are those of Action.
const (
	Unacknowledge = "unacknowledge" // nobody has it any more, or it came back
	Reassign      = "reassign"
)

// StateChange is one change in another system.
type StateChange struct {
	ID    string    `json:"id"` // the change's own, the same when it is sent again
	Key   string    `json:"key"`
	State string    `json:"state"` // acknowledge, resolve, unacknowledge, reassign; "" what we do not follow
	By    string    `json:"by,omitempty"`
	To    string    `json:"to,omitempty"` // of a reassignment
	At    time.Time `json:"at"`
}

// Tells reports whether a kind of channel tells of states.
func Tells(kind string) bool { return kind == "pagerduty" || kind == "jsm" || kind == "servicenow" }

// ReadState checks that a request came from a kind of channel, by any of the
// secrets, and reads what it tells.
func ReadState(kind string, secrets []string, h http.Header, body []byte) (StateChange, error) {
	if !fromThem(kind, secrets, h, body) {
		return StateChange{}, fault.New(fault.KindUnauthenticated, "channel.forged", "this was not signed by the channel's receiver")
	}
	var c StateChange
	var ok bool
	switch kind {
	case "pagerduty":
		c, ok = readPagerDuty(body)
	case "jsm":
		c, ok = readJSM(body)
	case "servicenow":
		c, ok = readServiceNow(body)
	}
	if !ok {
		return c, fault.New(fault.KindInvalid, "channel.state", "this is no change of state as %s sends them", kind)
	}
	c.ID, c.Key, c.By, c.To = clip(c.ID, 200), clip(c.Key, 512), clip(c.By, 200), clip(c.To, 200)
	if c.ID == "" { // then the same bytes are the same change
		sum := sha256.Sum256(body)
		c.ID = "sum_" + hex.EncodeToString(sum[:16])
	}
	return c, nil
}

// fromThem: PagerDuty signs the raw body. The others send a secret that we gave
// them, as a bearer token.
func fromThem(kind string, secrets []string, h http.Header, body []byte) bool {
	ok := 0
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		if kind != "pagerduty" {
			ok |= subtle.ConstantTimeCompare([]byte("Bearer "+secret), []byte(h.Get("Authorization")))
			continue
		}
		want := []byte("v1=" + mac(secret, string(body)))
		for i, given := range strings.Split(h.Get("X-PagerDuty-Signature"), ",") {
			if i < 10 {
				ok |= subtle.ConstantTimeCompare(want, []byte(strings.TrimSpace(given)))
			}
		}
	}
	return ok == 1
}

// named is somebody as PagerDuty writes them.
type named struct {
	Summary string
	ID      string
}

func (n *named) name() string {
	if n == nil {
		return ""
	}
	return cmp.Or(n.Summary, n.ID)
}

// readPagerDuty reads a v3 webhook.
func readPagerDuty(body []byte) (c StateChange, ok bool) {
	var p struct {
		Event struct {
			ID         string
			EventType  string    `json:"event_type"`
			OccurredAt time.Time `json:"occurred_at"`
			Agent      *named
			Data       struct {
				IncidentKey string `json:"incident_key"`
				Assignees   []named
			}
		}
	}
	if json.Unmarshal(body, &p) != nil || p.Event.EventType == "" {
		return c, false
	}
	e := &p.Event
	c = StateChange{ID: e.ID, Key: e.Data.IncidentKey, By: e.Agent.name(), At: e.OccurredAt}
	switch e.EventType {
	case "incident.acknowledged":
		c.State = Acknowledge
	case "incident.resolved":
		c.State = Resolve
	case "incident.unacknowledged", "incident.reopened":
		c.State = Unacknowledge
	case "incident.reassigned", "incident.delegated", "incident.escalated":
		c.State = Reassign
	}
	var to []string
	for i := range e.Data.Assignees {
		to = append(to, e.Data.Assignees[i].name())
	}
	c.To = strings.Join(to, ", ")
	return c, true
}

// readJSM reads a webhook of Jira Service Management Operations or Opsgenie. It has
// no id of its own: the alert's, what was done and when are one.
func readJSM(body []byte) (c StateChange, ok bool) {
	var p struct {
		Action string
		Alert  struct {
			AlertID, Alias, Username, Owner string
			UpdatedAt                       json.Number
		}
	}
	if json.Unmarshal(body, &p) != nil || p.Action == "" || p.Alert.AlertID == "" {
		return c, false
	}
	c = StateChange{Key: p.Alert.Alias, By: p.Alert.Username, To: p.Alert.Owner}
	// Milliseconds by the documents, nanoseconds from some: told apart by their size.
	if n, err := strconv.ParseInt(p.Alert.UpdatedAt.String(), 10, 64); err == nil && n > 0 {
		for n > 1e14 {
			n /= 1000
		}
		c.At = time.UnixMilli(n)
		c.ID = p.Alert.AlertID + "/" + p.Action + "/" + p.Alert.UpdatedAt.String()
	}
	switch p.Action {
	case "Acknowledge":
		c.State = Acknowledge
	case "Close", "Delete":
		c.State = Resolve
	case "UnAcknowledge":
		c.State = Unacknowledge
	case "AssignOwnership", "TakeOwnership", "Escalate":
		c.State = Reassign
	}
	return c, true
}

// readServiceNow reads what a business rule on its table sends, in the words of
// the table (docs/oncall.md has the rule).
func readServiceNow(body []byte) (c StateChange, ok bool) {
	var p struct {
		SysID         string      `json:"sys_id"`
		CorrelationID string      `json:"correlation_id"`
		State         json.Number `json:"state"`
		UpdatedBy     string      `json:"sys_updated_by"`
		UpdatedOn     string      `json:"sys_updated_on"`
		ModCount      json.Number `json:"sys_mod_count"`
		AssignedTo    string      `json:"assigned_to"`
		Assigned      bool        `json:"assigned"` // who it is assigned to changed
	}
	if json.Unmarshal(body, &p) != nil || p.SysID == "" {
		return c, false
	}
	c = StateChange{Key: p.CorrelationID, By: p.UpdatedBy, To: p.AssignedTo}
	if p.ModCount != "" {
		c.ID = p.SysID + "/" + p.ModCount.String()
	}
	c.At, _ = time.Parse(time.DateTime, p.UpdatedOn) // UTC; zero is when it arrived
	switch p.State.String() {
	case "1":
		c.State = Unacknowledge
	case "2", "3":
		c.State = Acknowledge
	case "6", "7", "8":
		c.State = Resolve
	}
	if p.Assigned {
		c.State = Reassign
	}
	return c, true
}
