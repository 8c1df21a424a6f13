package identity

import (
	"context"
	"strings"
	"time"

	"reeve/internal/control"
)

// Team owns agents; people belong to it.
type Team struct {
	ID        string
	Name      string
	Channel   string   // where it is reached, as text
	People    []string // names, sorted
	CreatedAt time.Time
	Version   int64
}

func scanTeam(r control.Row) (t Team, err error) {
	var at int64
	err = r.Scan(&t.ID, &t.Name, &t.Channel, &at, &t.Version)
	t.CreatedAt = control.Time(at)
	return t, err
}

// Teams lists all teams by name.
func (d *Directory) Teams(ctx context.Context) ([]Team, error) {
	teams, err := control.All(ctx, d.db, scanTeam, `SELECT id, name, channel, created_at, version FROM teams ORDER BY name`)
	if err != nil {
		return nil, err
	}
	type member struct{ team, name string }
	members, err := control.All(ctx, d.db, func(r control.Row) (m member, err error) { return m, r.Scan(&m.team, &m.name) },
		`SELECT tp.team_id, p.name FROM team_people tp JOIN people p ON p.id = tp.person_id ORDER BY p.name`)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for i, t := range teams {
		at[t.ID] = i
	}
	for _, m := range members {
		if i, ok := at[m.team]; ok { // a team made between the two reads is not in the list
			teams[i].People = append(teams[i].People, m.name)
		}
	}
	return teams, nil
}

// CreateTeam makes a team; needs admin everywhere.
func (d *Directory) CreateTeam(ctx context.Context, who Principal, name, channel string) (Team, error) {
	if !who.Everywhere(Admin) {
		return Team{}, denied("making a team", Admin)
	}
	name = strings.TrimSpace(name)
	if !validName(name) {
		return Team{}, invalid("%q cannot name a team", name).WithHint("use 1 to 64 letters, digits and . _ - / space")
	}
	if err := checkTexts(channel); err != nil {
		return Team{}, err
	}
	t := d.newTeam(name, channel)
	err := d.db.Write(ctx, func(tx *control.Tx) error { return insertTeam(ctx, tx, who, &t) })
	return t, err
}

// ValidTeam reports whether a text can name a team.
func ValidTeam(name string) bool { return validName(name) }

func (d *Directory) newTeam(name, channel string) Team {
	return Team{ID: newID("tem_", d.now()), Name: name, Channel: channel, CreatedAt: d.now().UTC().Truncate(time.Microsecond), Version: 1}
}

func insertTeam(ctx context.Context, tx *control.Tx, who Principal, t *Team) error {
	if _, err := tx.Exec(ctx, `INSERT INTO teams (id, name, channel, created_at, version) VALUES (?, ?, ?, ?, 1)`,
		t.ID, t.Name, t.Channel, control.Micros(t.CreatedAt)); err != nil {
		return exists(err, "a team named %q", t.Name)
	}
	return record(ctx, tx, who, "admin.team_created", "create", t.ID, nil, map[string]any{"name": t.Name, "channel": t.Channel})
}

// needTeam refuses what names a team that is not there: a slip of the pen would
// file telemetry where nobody looks. Who may make teams gets it made.
func (d *Directory) needTeam(ctx context.Context, tx *control.Tx, who Principal, name string) error {
	n, _, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT count(*) FROM teams WHERE name = ?`, name)
	if err != nil || n > 0 {
		return err
	}
	if !who.Everywhere(Admin) {
		return invalid("there is no team %q", name).WithHint("make the team first: an administrator does, under Settings, Teams")
	}
	t := d.newTeam(name, "")
	return insertTeam(ctx, tx, who, &t)
}
