package store

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
)

// Value returns what is noted for the installation under a name; NOT_FOUND where nothing is.
func (s *Store) Value(ctx context.Context, name string) (string, error) {
	var v string
	err := s.read.row(ctx, "SELECT value FROM installation WHERE name = $1", name).Scan(&v)
	return v, err
}

// SetValue notes a value under a name, in place of the one before.
func (s *Store) SetValue(ctx context.Context, name, value string) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		_, err := t.exec("INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
		return err
	})
}

// PutValue notes a value unless there is one, and returns the one that holds.
func (s *Store) PutValue(ctx context.Context, name, value string) (string, error) {
	var held string
	err := s.write.do(ctx, durable, func(t *tx) error {
		if _, err := t.exec("INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, value); err != nil {
			return err
		}
		return t.get("SELECT value FROM installation WHERE name = $1", name).Scan(&held)
	})
	return held, err
}

// SigningKeys returns all signing keys, newest first, retired ones too.
func (s *Store) SigningKeys(ctx context.Context) ([]scaigrid.SigningKey, error) {
	return collect(ctx, s.read, "SELECT id, sealed, created_at, retired_at FROM signing_keys ORDER BY created_at DESC, id DESC", nil, scanSigningKey)
}

func scanSigningKey(r scanner) (k scaigrid.SigningKey, err error) {
	var created int64
	var retired nullInt
	err = r.Scan(&k.ID, &k.Sealed, &created, &retired)
	k.CreatedAt, k.RetiredAt = timeOf(created), nullTime(retired)
	return k, err
}

// AddSigningKey stores a key; CONFLICT where its id is taken.
func (s *Store) AddSigningKey(ctx context.Context, k scaigrid.SigningKey) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		_, err := t.exec("INSERT INTO signing_keys (id, sealed, created_at, retired_at) VALUES ($1, $2, $3, $4)",
			k.ID, k.Sealed, micros(k.CreatedAt), nullMicros(k.RetiredAt))
		return err
	})
}

// RetireSigningKey ends the signing with a key; it goes on to verify.
func (s *Store) RetireSigningKey(ctx context.Context, id string, now time.Time) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		return t.exec1("UPDATE signing_keys SET retired_at = COALESCE(retired_at, $2) WHERE id = $1", id, micros(now))
	})
}

// ResealSigningKey replaces how a key is sealed, when the installation secret changes.
func (s *Store) ResealSigningKey(ctx context.Context, id string, sealed []byte) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		return t.exec1("UPDATE signing_keys SET sealed = $2 WHERE id = $1", id, sealed)
	})
}

// DropSigningKeys forgets the keys that were retired before the given time.
func (s *Store) DropSigningKeys(ctx context.Context, retiredBefore time.Time) (dropped int64, err error) {
	err = s.write.do(ctx, durable, func(t *tx) error {
		dropped, err = t.exec("DELETE FROM signing_keys WHERE retired_at < $1", micros(retiredBefore))
		return err
	})
	return dropped, err
}

// AddRevocation stores a revocation. Its id is given here and is larger than
// that of any other that can be seen by then.
func (s *Store) AddRevocation(ctx context.Context, r scaigrid.Revocation) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		var id int64
		if err := t.get("UPDATE counters SET n = n + 1 WHERE name = 'revocation' RETURNING n").Scan(&id); err != nil {
			return err
		}
		_, err := t.exec("INSERT INTO revocations (id, tenant_id, bot_id, token_id, visitor_id, at, until) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			id, r.TenantID, r.BotID, r.TokenID, r.VisitorID, micros(r.At), micros(r.Until))
		return err
	})
}

// RevocationsAfter returns the revocations with an id above the given one, in
// the order of their ids. Who asks again with the last id misses none.
func (s *Store) RevocationsAfter(ctx context.Context, id int64) ([]scaigrid.Revocation, error) {
	return collect(ctx, s.read, "SELECT id, tenant_id, bot_id, token_id, visitor_id, at, until FROM revocations WHERE id > $1 ORDER BY id", []any{id},
		func(r scanner) (v scaigrid.Revocation, err error) {
			var at, until int64
			err = r.Scan(&v.ID, &v.TenantID, &v.BotID, &v.TokenID, &v.VisitorID, &at, &until)
			v.At, v.Until = timeOf(at), timeOf(until)
			return v, err
		})
}

// DropDeadRevocations forgets those that no living token can need any more.
func (s *Store) DropDeadRevocations(ctx context.Context, now time.Time) (dropped int64, err error) {
	err = s.write.do(ctx, soon, func(t *tx) error {
		dropped, err = t.exec("DELETE FROM revocations WHERE until < $1", micros(now))
		return err
	})
	return dropped, err
}
