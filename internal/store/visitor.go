package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/scailabs/scaigrid"
)

const visitorColumns = "SELECT id, tenant_id, bot_id, external_id, email, name, metadata, key_hash, created_at, updated_at FROM visitors"

// SaveVisitor notes what the site says of its visitor v.ExternalID and returns
// the visitor's id, which is v.ID for one not seen before. It writes only when
// something changed. v.UpdatedAt is the time of the call.
func (s *Store) SaveVisitor(ctx context.Context, v scaigrid.Visitor) (string, error) {
	if err := storable("visitor_id", v.ExternalID); err != nil {
		return "", err
	}
	metadata, err := jsonText(v.Metadata)
	if err != nil {
		return "", scaigrid.Invalid("metadata", "is not JSON")
	}
	email, name := emptyNull(clean(v.Email)), emptyNull(clean(v.Name))
	var id string
	var heldEmail, heldName, heldMetadata nullString
	err = s.read.row(ctx, "SELECT id, email, name, metadata FROM visitors WHERE bot_id = $1 AND external_id = $2", v.BotID, v.ExternalID).
		Scan(&id, &heldEmail, &heldName, &heldMetadata)
	if err == nil && heldEmail == email && heldName == name && sameText(heldMetadata, metadata) {
		return id, nil
	}
	if err != nil && !none(err) {
		return "", err
	}
	err = s.write.do(ctx, durable, func(t *tx) error {
		return t.get(`INSERT INTO visitors (id, tenant_id, bot_id, external_id, email, name, metadata, key_dead, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, $8, $8)
			ON CONFLICT (bot_id, external_id) DO UPDATE SET email = excluded.email, name = excluded.name, metadata = excluded.metadata, updated_at = excluded.updated_at
			RETURNING id`, v.ID, v.TenantID, v.BotID, v.ExternalID, email, name, metadata, micros(v.UpdatedAt)).Scan(&id)
	})
	return id, err
}

// VisitorByID returns a visitor; NOT_FOUND where there is none.
func (s *Store) VisitorByID(ctx context.Context, visitorID string) (*scaigrid.Visitor, error) {
	return visitorOf(s.read.row(ctx, visitorColumns+" WHERE id = $1", visitorID))
}

// VisitorByExternalID returns the visitor that the site knows by this id;
// NOT_FOUND where none was ever minted for.
func (s *Store) VisitorByExternalID(ctx context.Context, botID, externalID string) (*scaigrid.Visitor, error) {
	if storable("visitor_id", externalID) != nil {
		return nil, scaigrid.NotFound()
	}
	return visitorOf(s.read.row(ctx, visitorColumns+" WHERE bot_id = $1 AND external_id = $2", botID, externalID))
}

// VisitorByKey returns the anonymous visitor of the bot with this key hash;
// NOT_FOUND where there is none or where the key is dead.
func (s *Store) VisitorByKey(ctx context.Context, botID string, keyHash []byte) (*scaigrid.Visitor, error) {
	return visitorOf(s.read.row(ctx, visitorColumns+" WHERE bot_id = $1 AND key_hash = $2 AND key_dead = FALSE", botID, keyHash))
}

// JoinVisitor moves the conversations of the anonymous visitor with this key
// hash to a verified one and ends the key. It reports whether it did; a key
// that is unknown or dead moves nothing.
func (s *Store) JoinVisitor(ctx context.Context, botID string, keyHash []byte, toVisitorID string, now time.Time) (bool, error) {
	if _, err := s.VisitorByKey(ctx, botID, keyHash); err != nil {
		if none(err) {
			return false, nil
		}
		return false, err
	}
	var joined bool
	err := s.write.do(ctx, durable, func(t *tx) error {
		joined = false
		var from string
		err := t.get("UPDATE visitors SET key_dead = TRUE, updated_at = $3 WHERE bot_id = $1 AND key_hash = $2 AND key_dead = FALSE RETURNING id",
			botID, keyHash, micros(now)).Scan(&from)
		if none(err) {
			return nil
		}
		if err != nil {
			return err
		}
		var to string
		if err := t.get("SELECT id FROM visitors WHERE id = $1 AND bot_id = $2 AND external_id IS NOT NULL", toVisitorID, botID).Scan(&to); err != nil {
			return err
		}
		joined = true
		return moveVisitor(t, botID, from, to)
	})
	return joined && err == nil, err
}

func moveVisitor(t *tx, botID, from, to string) error {
	// Two ids for retries may be equal by malice only; the moved one is forgotten then.
	if _, err := t.exec(`UPDATE messages SET client_message_id = NULL WHERE bot_id = $1 AND visitor_id = $2 AND client_message_id IN
		(SELECT client_message_id FROM messages WHERE bot_id = $1 AND visitor_id = $3 AND client_message_id IS NOT NULL)`, botID, from, to); err != nil {
		return err
	}
	if _, err := t.exec("UPDATE messages SET visitor_id = $3 WHERE bot_id = $1 AND visitor_id = $2 AND client_message_id IS NOT NULL", botID, from, to); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE turns SET visitor_id = $2 WHERE id IN
		(SELECT m.turn_id FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.visitor_id = $1)`, from, to); err != nil {
		return err
	}
	_, err := t.exec("UPDATE conversations SET visitor_id = $2 WHERE visitor_id = $1", from, to)
	return err
}

func visitorOf(r scanner) (*scaigrid.Visitor, error) {
	var v scaigrid.Visitor
	var external, email, name, metadata nullString
	var created, updated int64
	if err := r.Scan(&v.ID, &v.TenantID, &v.BotID, &external, &email, &name, &metadata, &v.KeyHash, &created, &updated); err != nil {
		return nil, err
	}
	v.ExternalID, v.Email, v.Name = external.String, email.String, name.String
	if metadata.Valid {
		v.Metadata = json.RawMessage(metadata.String)
	}
	v.CreatedAt, v.UpdatedAt = timeOf(created), timeOf(updated)
	return &v, nil
}

func emptyNull(s string) nullString { return nullString{String: s, Valid: s != ""} }

func sameText(held nullString, v any) bool {
	if text, ok := v.(string); ok {
		return held.Valid && held.String == text
	}
	return !held.Valid
}
