package identity

import (
	"context"
	"time"

	"reeve/internal/control"
)

// RecoverLife is how long an emergency account opens anything.
const RecoverLife = time.Hour

// Recover makes an account with every role that ends in an hour, for whoever
// holds the host when nobody can sign in. It is recorded, and every admin is
// told (Emergencies). The password is shown once.
func (d *Directory) Recover(ctx context.Context, reason string) (p Person, password string, err error) {
	if reason == "" {
		return Person{}, "", invalid("an emergency account needs a reason").WithHint("say why in --reason")
	}
	if err := checkTexts(reason); err != nil {
		return Person{}, "", err
	}
	password = randomText(secretLen)
	hash, err := d.hasher.hash(ctx, password)
	if err != nil {
		return Person{}, "", err
	}
	now := d.now()
	id := newID("per_", now)
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO people (id, name, full_name, email, password, disabled, created_at, ends_at, version) VALUES (?, ?, ?, '', ?, 0, ?, ?, 1)`,
			id, "recover-"+id[len(id)-8:], "Emergency: "+clip(reason, 150), hash, control.Micros(now), control.Micros(now.Add(RecoverLife))); err != nil {
			return err
		}
		if err := setGrants(ctx, tx, id, everyRole()); err != nil {
			return err
		}
		if p, err = readPerson(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, Principal{Kind: KindSetup, Name: "host"}, "admin.recovered", "recover", id, nil, p.state())
	})
	return p, password, err
}

// Emergencies lists the emergency accounts of the last day.
func (d *Directory) Emergencies(ctx context.Context) ([]Person, error) {
	return control.All(ctx, d.db, scanPerson, `SELECT `+personColumns+` WHERE ends_at > ? ORDER BY ends_at DESC LIMIT 20`,
		control.Micros(d.now().Add(-24*time.Hour)))
}
