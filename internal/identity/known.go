package identity

import (
	"context"
	"slices"
	"time"

	"reeve/internal/control"
)

// Known is what the directory knows of a person who is known elsewhere too: by an
// account at a provider by which they signed in here.
type Known struct {
	Active bool
	Teams  []string // by name
}

type login struct{ issuer, subject string }

type knownPerson struct {
	disabled bool
	ends     time.Time
	teams    []string
}

// peopleEvery is how far what KnownAs answers may be behind.
const peopleEvery = 2 * time.Second

// KnownAs finds the person who signs in by an account of a provider, by its issuer
// and subject; ok is false for nobody. It reads memory only.
func (d *Directory) KnownAs(issuer, subject string) (k Known, ok bool) {
	all := d.known.Load()
	if all == nil {
		return k, false
	}
	p, ok := (*all)[login{issuer, subject}]
	if !ok {
		return k, false
	}
	return Known{Active: !Person{Disabled: p.disabled, EndsAt: p.ends}.off(d.now()), Teams: p.teams}, true
}

// followPeople keeps what KnownAs answers from, until ctx ends.
func (d *Directory) followPeople(ctx context.Context) {
	tick := time.NewTicker(peopleEvery)
	defer tick.Stop()
	for {
		if err := d.readKnown(ctx); err != nil && ctx.Err() == nil {
			// What was known goes on: a person who was disabled meanwhile is seen when
			// the database answers again, and their sessions and tokens ended at once.
			d.log.Warn("what the directory knows of users could not be read", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (d *Directory) readKnown(ctx context.Context) error {
	type account struct {
		login
		id string
		knownPerson
	}
	accounts, err := control.All(ctx, d.db, func(r control.Row) (a account, err error) {
		var ends *int64
		if err := r.Scan(&a.issuer, &a.subject, &a.id, &a.disabled, &ends); err != nil {
			return a, err
		}
		if ends != nil {
			a.ends = control.Time(*ends)
		}
		return a, nil
	}, `SELECT l.issuer, l.subject, p.id, p.disabled, p.ends_at FROM logins l JOIN people p ON p.id = l.person_id`)
	if err != nil {
		return err
	}
	all := make(map[login]knownPerson, len(accounts))
	if len(accounts) > 0 {
		type member struct{ person, team string }
		members, err := control.All(ctx, d.db, func(r control.Row) (m member, err error) { return m, r.Scan(&m.person, &m.team) },
			`SELECT tp.person_id, t.name FROM team_people tp JOIN teams t ON t.id = tp.team_id ORDER BY t.name`)
		if err != nil {
			return err
		}
		teams := map[string][]string{}
		for _, m := range members {
			teams[m.person] = append(teams[m.person], m.team)
		}
		for _, a := range accounts {
			a.teams = slices.Clip(teams[a.id])
			all[a.login] = a.knownPerson
		}
	}
	d.known.Store(&all)
	return nil
}
