package feedback

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Form is from where a web page may send feedback. Its key stands in the page
// and is no secret: origins, and tickets where they are asked for, are what
// keeps others out.
type Form struct {
	Name        string   `json:"-"`
	Key         string   `json:"-"`
	Team        string   `json:"-"`
	Environment string   `json:"-"`
	Revision    int64    `json:"-"`
	Origins     []string `json:"origins"`
	Ticket      bool     `json:"ticket,omitempty"` // each feedback shows a ticket
	Question    string   `json:"question,omitempty"`
}

// Actor is who changes something.
type Actor struct {
	Person, Name, Via string
	// Can reports whether the actor has a role for a team and environment.
	Can func(role, team, environment string) bool
}

const (
	maxForms   = 200
	maxOrigins = 20
)

// FormPrefix begins a form's key.
const FormPrefix = "rvff_"

const formColumns = `name, form_key, team, environment, revision, body`

func scanForm(r control.Row) (f Form, err error) {
	var text string
	if err := r.Scan(&f.Name, &f.Key, &f.Team, &f.Environment, &f.Revision, &text); err != nil {
		return f, err
	}
	return f, json.Unmarshal([]byte(text), &f)
}

// Forms lists them by name.
func (b *Book) Forms(ctx context.Context) ([]Form, error) {
	return control.All(ctx, b.o.DB, scanForm, `SELECT `+formColumns+` FROM feedback_forms ORDER BY name`)
}

// FormOf finds a form by its key.
func (b *Book) FormOf(ctx context.Context, key string) (Form, error) {
	f, ok, err := control.One(ctx, b.o.DB, scanForm, `SELECT `+formColumns+` FROM feedback_forms WHERE form_key = ?`, key)
	if err == nil && !ok {
		err = fault.New(fault.KindUnauthenticated, "feedback.no_form", "no form has this key").WithHint("`reeve feedback form list` shows the keys")
	}
	return f, err
}

// May reports whether a page of an origin may use the form.
func (f *Form) May(origin string) bool { return origin != "" && slices.Contains(f.Origins, origin) }

// origin makes an origin canonical, or says what is wrong with it.
func origin(s string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil || u.Fragment != "" || strings.Contains(u.Host, "*") {
		return "", invalid("%.80q is no origin", s).WithHint("an origin is a scheme, a host and a port, such as https://shop.example")
	}
	return strings.ToLower(u.Scheme + "://" + u.Host), nil
}

// PutForm makes a form, or changes the one of that revision.
func (b *Book) PutForm(ctx context.Context, who Actor, f Form) (Form, error) {
	switch {
	case f.Name == "" || len(f.Name) > 80 || clip(f.Name, 80) != f.Name || strings.ContainsAny(f.Name, "/ \n\t"):
		return f, invalid("a form has a name without spaces, of 80 bytes at most")
	case len(f.Origins) == 0 || len(f.Origins) > maxOrigins:
		return f, invalid("a form has 1 to %d origins", maxOrigins).WithHint("the pages that may send: https://shop.example")
	}
	for i, o := range f.Origins {
		var err error
		if f.Origins[i], err = origin(o); err != nil {
			return f, err
		}
	}
	f.Question = clip(f.Question, maxWord)
	if !who.Can("developer", f.Team, f.Environment) {
		return f, fault.New(fault.KindDenied, "feedback.denied", "a form of team %q in %q needs the role developer there", f.Team, f.Environment)
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		was, known, err := control.One(ctx, tx, scanForm, `SELECT `+formColumns+` FROM feedback_forms WHERE name = ?`, f.Name)
		if err != nil {
			return err
		}
		if known && !who.Can("developer", was.Team, was.Environment) {
			return fault.New(fault.KindDenied, "feedback.denied", "form %s is another team's", f.Name)
		}
		if f.Revision != was.Revision {
			return fault.New(fault.KindConflict, "feedback.conflict", "form %s was changed meanwhile, or is there already", f.Name).WithHint("read it again and give its revision")
		}
		f.Key, f.Revision = was.Key, was.Revision+1
		if !known {
			n, _, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM feedback_forms`)
			if err != nil {
				return err
			}
			if n >= maxForms {
				return fault.New(fault.KindExhausted, "feedback.too_many", "there are %d forms", n).WithHint("remove one")
			}
			f.Key = FormPrefix + strings.ToLower(rand.Text())
		}
		text, err := json.Marshal(f)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO feedback_forms (`+formColumns+`) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET team = excluded.team, environment = excluded.environment, revision = excluded.revision, body = excluded.body`,
			f.Name, f.Key, f.Team, f.Environment, f.Revision, string(text)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.feedback_form_put", Person: who.Person, Via: who.Via, Action: "put", Object: f.Name, After: json.RawMessage(text)})
	})
	return f, err
}

// DeleteForm removes a form; what it sent stays.
func (b *Book) DeleteForm(ctx context.Context, who Actor, name string) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		was, known, err := control.One(ctx, tx, scanForm, `SELECT `+formColumns+` FROM feedback_forms WHERE name = ?`, name)
		if err != nil {
			return err
		}
		if !known || !who.Can("viewer", was.Team, was.Environment) {
			return fault.New(fault.KindNotFound, "feedback.not_found", "there is no form %.80s", name).WithHint("`reeve feedback form list` lists them")
		}
		if !who.Can("developer", was.Team, was.Environment) {
			return fault.New(fault.KindDenied, "feedback.denied", "removing form %s needs the role developer for team %q", name, was.Team)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM feedback_forms WHERE name = ?`, name); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.feedback_form_deleted", Person: who.Person, Via: who.Via, Action: "delete", Object: name})
	})
}

// Word is what a form's report is about when it shows no ticket, and its key: one
// word a form and run, by whatever names the run. Whoever saw a page could choose
// keys without end. A session beside a join key is left out: with it any key would
// name the run.
func (f *Form) Word(on On) (On, string, error) {
	if on.JoinKey != "" {
		on.Session = ""
	}
	if err := on.check(); err != nil {
		return on, "", err
	}
	fb := Feedback{Team: f.Team, Environment: f.Environment, On: on}
	t := fb.target()
	switch {
	case !t.run.IsZero():
		return on, "page run " + t.run.String(), nil
	case t.key != "":
		return on, "page key " + shorten(t.key), nil
	}
	return on, "page session " + shorten(t.session), nil
}

// shorten makes room for what stands before it in a key.
func shorten(s string) string {
	if len(s) <= maxWord {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return activity.Text32(sum[:])
}
