package app

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
)

// Nothing that lets somebody in outlives a restore: not even what was made with an
// epoch that stops raised after the backup was made. It is recorded.
func TestRestoredCredentialsAreDead(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	data := t.TempDir()
	db, err := controltest.Open(ctx, filepath.Join(data, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(ctx, func(tx *control.Tx) error {
		for _, sql := range []string{
			`INSERT INTO people (id, name, full_name, email, password, disabled, created_at, version) VALUES ('per_1', 'ada', '', '', 'hash', 0, 1, 1)`,
			`INSERT INTO sign_ins (id, person_id, cookie_hash, secret_hash, address, agent, created_at, used_at) VALUES ('sgn_1', 'per_1', 'a', 'b', '', '', 1, 1)`,
			`INSERT INTO tokens (id, name, kind, owner_id, hash, scopes, created_at, expires_at) VALUES ('tok_1', 'ci', 'service', 'per_1', 'h', '[]', 1, 9000000000000000)`,
			`INSERT INTO intake_keys (id, name, team, environment, hash, spans_per_second, bytes_per_second, created_at) VALUES ('key_1', 'otel', 'shop', 'production', 'h', 0, 0, 1)`,
			`INSERT INTO agents (name, team, body, epoch, revision, version, created_at, updated_at) VALUES ('clerk', 'shop', '{}', 3, 7, '', 1, 1), ('other', 'shop', '{}', 1, 1, '', 1, 1)`,
			`INSERT INTO recovery_codes (person_id, hash) VALUES ('per_1', 'h')`,
			`INSERT INTO agent_keys (id, agent, label, hash, networks, epoch, created_by, created_at, expires_at) VALUES ('rvk_1', 'clerk', '', 'h', '[]', 3, 'ada', 1, 9000000000000000)`,
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ended, err := EndRestored(ctx, data, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	if want := (RestoredEnds{SignIns: 1, Tokens: 1, IntakeKeys: 1, AgentKeys: 1, Agents: 2, RecoveryCodes: 1}); err != nil || ended != want {
		t.Fatalf("%+v, %v", ended, err)
	}
	if db, err = controltest.Open(ctx, filepath.Join(data, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	n, _, err := control.One(ctx, db, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT
		(SELECT COUNT(*) FROM sign_ins WHERE ended_at IS NULL) + (SELECT COUNT(*) FROM tokens WHERE revoked_at IS NULL) +
		(SELECT COUNT(*) FROM intake_keys WHERE revoked_at IS NULL) + (SELECT COUNT(*) FROM agent_keys WHERE revoked_at IS NULL)`)
	if err != nil || n != 0 {
		t.Errorf("%d credentials live: %v", n, err)
	}
	epoch, _, err := control.One(ctx, db, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT epoch FROM agents WHERE name = 'clerk'`)
	if err != nil || epoch < 500 {
		t.Errorf("epoch %d: a credential of the time after the backup may live: %v", epoch, err)
	}
	revision, _, err := control.One(ctx, db, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT epoch FROM agent_revisions WHERE agent = 'clerk' AND revision = 8`)
	if err != nil || revision != epoch {
		t.Errorf("revision of epoch %d, %v", revision, err)
	}
	password, _, err := control.One(ctx, db, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT password FROM people WHERE id = 'per_1'`)
	if err != nil || password != "hash" {
		t.Errorf("people cannot sign in any more: %q, %v", password, err)
	}
	if list, err := audit.List(ctx, db, audit.Filter{Kind: "admin.restored"}); err != nil || len(list) != 1 {
		t.Errorf("it is not recorded: %+v, %v", list, err)
	}
}

// Every column that may hold what lets somebody in is one that a restore ends, or
// one that somebody thought about.
func TestRestoreKnowsEverySecret(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := controltest.Open(ctx, filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ends := []string{"sign_ins", "tokens", "intake_keys", "recovery_codes", "agent_keys", "oauth_keys", "join_tokens", "hook_secrets", "proposals", "approvals"}
	stays := map[string]string{
		"people.password": "people sign in with it, and then look", "factors.secret": "without it nobody could sign in", "channels.secret": "Reeve shows it to others, nobody shows it to Reeve",
		"a2a_tasks.credential": "the id of a credential", "feedback_status.token": "a hash; its link shows what a person said what became of it, and ends by itself", "backups.sealed": "whether one is", "evaluations.tokens": "a number", "spent_ids.hash": "what it names is good for minutes",
		"fleet_approved.hash": "of a version", "fleet_versions.hash": "of a version", "tool_findings.hash": "of a tool", "tool_versions.hash": "of a tool",
	}
	all, err := control.All(ctx, db, func(r control.Row) (s [2]string, err error) { return s, r.Scan(&s[0], &s[1]) }, `SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND (p.name LIKE '%hash%' OR p.name LIKE '%secret%' OR p.name LIKE '%token%' OR p.name LIKE '%password%' OR p.name LIKE '%credential%' OR p.name LIKE '%sealed%') ORDER BY 1, 2`)
	if err != nil || len(all) < 10 {
		t.Fatalf("%d columns: %v", len(all), err)
	}
	for _, c := range all {
		if !slices.Contains(ends, c[0]) && stays[c[0]+"."+c[1]] == "" {
			t.Errorf("%s.%s may let somebody in: end it in EndRestored, or say why it stays", c[0], c[1])
		}
	}
}
