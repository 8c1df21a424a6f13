package identity

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// Person is somebody who signs in.
type Person struct {
	ID        string
	Name      string // what one signs in with, lower case
	FullName  string
	Email     string
	Disabled  bool
	Teams     []string // by name, sorted
	Grants    []Grant
	CreatedAt time.Time
	EndsAt    time.Time // of an account for an emergency; zero: stays
	Version   int64     // grows with each change
}

// off reports whether the account opens nothing now.
func (p Person) off(now time.Time) bool {
	return p.Disabled || !p.EndsAt.IsZero() && !now.Before(p.EndsAt)
}

// NewPerson is an account to make.
type NewPerson struct {
	Name     string
	FullName string
	Email    string
	Password string
	Teams    []string // must exist
	Grants   []Grant
}

// PersonChange changes an account; a nil field stays. Version is the one that
// was read.
type PersonChange struct {
	ID       string
	Version  int64
	FullName *string
	Email    *string
	Password *string
	Disabled *bool
	Teams    *[]string
	Grants   *[]Grant
}

const personColumns = `id, name, full_name, email, disabled, created_at, ends_at, version FROM people`

func scanPerson(r control.Row) (p Person, err error) {
	var at int64
	var ends *int64
	err = r.Scan(&p.ID, &p.Name, &p.FullName, &p.Email, &p.Disabled, &at, &ends, &p.Version)
	p.CreatedAt = control.Time(at)
	if ends != nil {
		p.EndsAt = control.Time(*ends)
	}
	return p, err
}

// People lists accounts by name after the name after, at most limit (1000).
// next is what to pass as after for the next page, "" at the end.
func (d *Directory) People(ctx context.Context, after string, limit int) (people []Person, next string, err error) {
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	people, err = control.All(ctx, d.db, scanPerson, `SELECT `+personColumns+` WHERE name > ? ORDER BY name LIMIT ?`, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(people) > limit {
		people = people[:limit]
		next = people[limit-1].Name
	}
	return people, next, complete(ctx, d.db, people)
}

// Person finds an account by id; identity.not_found without one.
func (d *Directory) Person(ctx context.Context, id string) (Person, error) {
	return readPerson(ctx, d.db, id)
}

func readPerson(ctx context.Context, r control.Reader, id string) (Person, error) {
	p, ok, err := control.One(ctx, r, scanPerson, `SELECT `+personColumns+` WHERE id = ?`, id)
	if err != nil {
		return Person{}, err
	}
	if !ok {
		return Person{}, notFound("person")
	}
	list := []Person{p}
	err = complete(ctx, r, list)
	return list[0], err
}

// complete fills in teams and grants.
func complete(ctx context.Context, r control.Reader, people []Person) error {
	if len(people) == 0 {
		return nil
	}
	byID := map[string]*Person{}
	ids := make([]any, len(people))
	for i := range people {
		byID[people[i].ID], ids[i] = &people[i], people[i].ID
	}
	in := `(?` + strings.Repeat(",?", len(ids)-1) + `)`
	type pair struct {
		person, team string
		grant        Grant
	}
	teams, err := control.All(ctx, r, func(r control.Row) (p pair, err error) { return p, r.Scan(&p.person, &p.team) },
		`SELECT tp.person_id, t.name FROM team_people tp JOIN teams t ON t.id = tp.team_id WHERE tp.person_id IN `+in+` ORDER BY t.name`, ids...)
	if err != nil {
		return err
	}
	for _, t := range teams {
		byID[t.person].Teams = append(byID[t.person].Teams, t.team)
	}
	grants, err := control.All(ctx, r, func(r control.Row) (p pair, err error) {
		return p, r.Scan(&p.person, &p.grant.Role, &p.grant.Team, &p.grant.Environment)
	}, `SELECT person_id, role, team, environment FROM grants WHERE person_id IN `+in+` ORDER BY role, team, environment`, ids...)
	if err != nil {
		return err
	}
	for _, g := range grants {
		byID[g.person].Grants = append(byID[g.person].Grants, g.grant)
	}
	return nil
}

// mayManagePeople: roles are handed out by people, never by tokens.
func mayManagePeople(who Principal, what string) error {
	if who.Kind == KindToken {
		return fault.New(fault.KindDenied, "identity.person_only", "%s needs a person, not a token", what).WithHint("sign in as a person")
	}
	if !who.Everywhere(Admin) {
		return denied(what, Admin)
	}
	return nil
}

// CreatePerson makes an account; needs admin everywhere and a person.
func (d *Directory) CreatePerson(ctx context.Context, who Principal, p NewPerson) (Person, error) {
	if err := mayManagePeople(who, "making an account"); err != nil {
		return Person{}, err
	}
	return d.create(ctx, who, p, func(*control.Tx) error { return nil })
}

func (d *Directory) create(ctx context.Context, who Principal, n NewPerson, also func(*control.Tx) error) (Person, error) {
	name := strings.ToLower(strings.TrimSpace(n.Name))
	if err := checkPersonName(name); err != nil {
		return Person{}, err
	}
	if err := checkTexts(n.FullName, n.Email); err != nil {
		return Person{}, err
	}
	grants, err := checkGrants(n.Grants)
	if err != nil {
		return Person{}, err
	}
	if err := checkPassword(n.Password, name); err != nil {
		return Person{}, err
	}
	hash, err := d.hasher.hash(ctx, n.Password)
	if err != nil {
		return Person{}, err
	}
	id := newID("per_", d.now())
	var made Person
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		if err := also(tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO people (id, name, full_name, email, password, disabled, created_at, version) VALUES (?, ?, ?, ?, ?, 0, ?, 1)`,
			id, name, n.FullName, n.Email, hash, control.Micros(d.now())); err != nil {
			return exists(err, "an account named %q", name)
		}
		if err := setTeams(ctx, tx, id, n.Teams); err != nil {
			return err
		}
		if err := setGrants(ctx, tx, id, grants); err != nil {
			return err
		}
		if made, err = readPerson(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, who, "admin.person_created", "create", id, nil, made.state())
	})
	return made, err
}

// state is a person as the audit log keeps it.
func (p Person) state() any {
	return map[string]any{
		"name": p.Name, "full_name": p.FullName, "email": p.Email, "disabled": p.Disabled,
		"teams": p.Teams, "grants": grantTexts(p.Grants),
	}
}

func grantTexts(grants []Grant) []string {
	texts := []string{}
	for _, g := range grants {
		texts = append(texts, string(g.Role)+" "+g.Team+" "+g.Environment)
	}
	return texts
}

// exists makes a unique constraint's fault speak of what was to be made.
func exists(err error, format string, args ...any) error {
	if f := fault.From(err); f.Code == "control.exists" {
		return fault.New(fault.KindConflict, "identity.exists", format+" exists already", args...).WithCause(err)
	}
	return err
}

func checkPersonName(name string) error {
	for i, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || i > 0 && strings.ContainsRune("._-@+", r)) {
			return invalid("the name %q has a character other than letters, digits and . _ - @ +", name)
		}
	}
	if name == "" || len(name) > 100 {
		return invalid("a name has 1 to 100 characters")
	}
	return nil
}

func checkTexts(texts ...string) error {
	for _, t := range texts {
		if len(t) > 200 || strings.ContainsFunc(t, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
			return invalid("a text is longer than 200 bytes or has control characters")
		}
	}
	return nil
}

func setTeams(ctx context.Context, tx *control.Tx, person string, teams []string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM team_people WHERE person_id = ?`, person); err != nil {
		return err
	}
	for _, name := range teams {
		n, err := tx.Exec(ctx, `INSERT INTO team_people (team_id, person_id) SELECT id, ? FROM teams WHERE name = ? ON CONFLICT DO NOTHING`, person, name)
		if err != nil {
			return err
		}
		if n == 0 && !slices.Contains(teams[:slices.Index(teams, name)], name) {
			if _, ok, err := control.One(ctx, tx, scanText, `SELECT id FROM teams WHERE name = ?`, name); err != nil || !ok {
				return invalid("there is no team %q", name).WithHint("make the team first").WithCause(err)
			}
		}
	}
	return nil
}

func setGrants(ctx context.Context, tx *control.Tx, person string, grants []Grant) error {
	if _, err := tx.Exec(ctx, `DELETE FROM grants WHERE person_id = ?`, person); err != nil {
		return err
	}
	for _, g := range grants {
		if _, err := tx.Exec(ctx, `INSERT INTO grants (person_id, role, team, environment) VALUES (?, ?, ?, ?)`, person, string(g.Role), g.Team, g.Environment); err != nil {
			return err
		}
	}
	return nil
}

// UpdatePerson changes an account. Admins everywhere change everything, people
// their own full name, email and password. A new password and disabling end
// the person's sign-ins, except the one that asks. The last admin can neither
// be disabled nor lose the role.
func (d *Directory) UpdatePerson(ctx context.Context, who Principal, c PersonChange) (Person, error) {
	self := who.Kind == KindPerson && who.PersonID == c.ID
	if !self || c.Disabled != nil || c.Teams != nil || c.Grants != nil {
		if err := mayManagePeople(who, "changing an account"); err != nil {
			return Person{}, err
		}
	}
	before, err := d.Person(ctx, c.ID)
	if err != nil {
		return Person{}, err
	}
	if before.Version != c.Version { // and the transaction checks that it still is
		return Person{}, errVersion()
	}
	after := before
	if c.FullName != nil {
		after.FullName = *c.FullName
	}
	if c.Email != nil {
		after.Email = *c.Email
	}
	if err := checkTexts(after.FullName, after.Email); err != nil {
		return Person{}, err
	}
	if c.Disabled != nil {
		after.Disabled = *c.Disabled
	}
	if c.Grants != nil {
		if after.Grants, err = checkGrants(*c.Grants); err != nil {
			return Person{}, err
		}
	}
	var hash string
	if c.Password != nil {
		if err := checkPassword(*c.Password, before.Name); err != nil {
			return Person{}, err
		}
		if hash, err = d.hasher.hash(ctx, *c.Password); err != nil {
			return Person{}, err
		}
	}
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE people SET full_name = ?, email = ?, disabled = ?, password = CASE WHEN ? = '' THEN password ELSE ? END, version = version + 1 WHERE id = ? AND version = ?`,
			after.FullName, after.Email, after.Disabled, hash, hash, c.ID, c.Version)
		if err != nil {
			return err
		}
		if n == 0 {
			return errVersion()
		}
		if c.Teams != nil {
			if err := setTeams(ctx, tx, c.ID, *c.Teams); err != nil {
				return err
			}
		}
		if c.Grants != nil {
			if err := setGrants(ctx, tx, c.ID, after.Grants); err != nil {
				return err
			}
		}
		if within(Grant{Admin, Everything, Everything}, before.Grants) {
			if err := lastAdmin(ctx, tx); err != nil {
				return err
			}
		}
		if hash != "" || after.Disabled {
			if _, err := tx.Exec(ctx, `UPDATE sign_ins SET ended_at = ? WHERE person_id = ? AND ended_at IS NULL AND id <> ?`, control.Micros(d.now()), c.ID, who.SignInID); err != nil {
				return err
			}
		}
		if after, err = readPerson(ctx, tx, c.ID); err != nil {
			return err
		}
		action := "update"
		if hash != "" {
			action = "update_password"
		}
		return record(ctx, tx, who, "admin.person_updated", action, c.ID, before.state(), after.state())
	})
	if err != nil {
		return Person{}, err
	}
	return after, nil
}

func errVersion() error {
	return fault.New(fault.KindConflict, "identity.version", "the account was changed since it was read").WithHint("read it again and repeat the change")
}

// lastAdmin refuses a transaction after which nobody could manage people.
func lastAdmin(ctx context.Context, tx *control.Tx) error {
	_, ok, err := control.One(ctx, tx, scanText, adminExists)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.KindConflict, "identity.last_admin", "nobody would be left to manage people").WithHint("make somebody else an admin first")
	}
	return nil
}

// grantsJSON is how a token's scopes are stored.
func grantsJSON(grants []Grant) string {
	texts := make([][3]string, len(grants))
	for i, g := range grants {
		texts[i] = [3]string{string(g.Role), g.Team, g.Environment}
	}
	data, err := json.Marshal(texts)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(data)
}

func parseGrants(text string) ([]Grant, error) {
	var texts [][3]string
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return nil, fault.New(fault.KindInternal, "identity.damaged", "a token's scopes cannot be read").WithCause(err)
	}
	grants := make([]Grant, len(texts))
	for i, t := range texts {
		grants[i] = Grant{Role(t[0]), t[1], t[2]}
	}
	return grants, nil
}
