package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/scailabs/scaigrid"
)

// conversationColumns read a conversation with what the token said of its visitor.
const conversationColumns = `SELECT c.id, c.tenant_id, c.bot_id, c.status, c.visitor_id, v.external_id, v.email, v.name, c.claimed, c.metadata, c.page,
	c.locale, c.preview, c.escalated, c.rating, c.message_count, c.prompt_tokens, c.completion_tokens, c.cost, c.created_at, c.updated_at
	FROM conversations c LEFT JOIN visitors v ON v.id = c.visitor_id`

func scanConversation(r scanner) (c scaigrid.Conversation, err error) {
	var external, email, name, claimed, metadata, page nullString
	var created, updated int64
	if err = r.Scan(&c.ID, &c.TenantID, &c.BotID, &c.Status, &c.Visitor.Ref, &external, &email, &name, &claimed, &metadata, &page,
		&c.Locale, &c.Preview, &c.Escalated, &c.Rating, &c.MessageCount, &c.PromptTokens, &c.CompletionTokens, &c.Cost, &created, &updated); err != nil {
		return c, err
	}
	c.CreatedAt, c.UpdatedAt = timeOf(created), timeOf(updated)
	c.Visitor.ID, c.Visitor.Email, c.Visitor.Name = textOrNil(external), textOrNil(email), textOrNil(name)
	c.Visitor.Verified = external.Valid
	if metadata.Valid {
		c.Metadata = json.RawMessage(metadata.String)
	}
	if err = fromJSON(claimed, &c.Claimed); err != nil {
		return c, err
	}
	return c, fromJSON(page, &c.Page)
}

func textOrNil(s nullString) *string {
	if !s.Valid {
		return nil
	}
	return &s.String
}

func conversationOf(r scanner) (*scaigrid.Conversation, error) {
	c, err := scanConversation(r)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Conversation returns a conversation of the tenant; NOT_FOUND where it has
// none with this id. A caller narrowed to some bots must look at BotID.
func (s *Store) Conversation(ctx context.Context, tenantID, conversationID string) (*scaigrid.Conversation, error) {
	if storable("id", conversationID) != nil {
		return nil, scaigrid.NotFound()
	}
	return conversationOf(s.read.row(ctx, conversationColumns+" WHERE c.id = $1 AND c.tenant_id = $2", conversationID, tenantID))
}

// VisitorConversation returns a conversation of this visitor with this bot,
// else NOT_FOUND.
func (s *Store) VisitorConversation(ctx context.Context, botID, visitorID, conversationID string) (*scaigrid.Conversation, error) {
	if storable("id", conversationID) != nil {
		return nil, scaigrid.NotFound()
	}
	return conversationOf(s.read.row(ctx, conversationColumns+" WHERE c.id = $1 AND c.bot_id = $2 AND c.visitor_id = $3", conversationID, botID, visitorID))
}

// Conversations lists those of a tenant, newest first.
func (s *Store) Conversations(ctx context.Context, tenantID string, f scaigrid.ConversationFilter, page scaigrid.PageRequest) ([]scaigrid.Conversation, scaigrid.PageResult, error) {
	var w where
	switch {
	case f.VisitorID != "":
		// By the visitor's own list; the tenant stands beside it.
		if err := storable("query.visitor_id", f.VisitorID); err != nil {
			return nil, scaigrid.PageResult{}, err
		}
		w.add("c.visitor_id IN (SELECT id FROM visitors WHERE tenant_id = ? AND external_id = ? UNION ALL SELECT CAST(? AS TEXT))", tenantID, f.VisitorID, f.VisitorID)
	case len(f.BotIDs) > 0:
		w.in("c.bot_id", f.BotIDs)
	}
	w.add("c.tenant_id = ?", tenantID)
	if f.VisitorID != "" && len(f.BotIDs) > 0 {
		w.in("c.bot_id", f.BotIDs)
	}
	if f.Status != "" {
		w.add("c.status = ?", string(f.Status))
	}
	if f.Escalated != nil {
		w.add("c.escalated = ?", *f.Escalated)
	}
	if f.Rating != "" {
		w.add("c.rating = ?", f.Rating)
	}
	if !f.Since.IsZero() {
		w.add("c.created_at >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		w.add("c.created_at < ?", micros(f.Until))
	}
	if !f.Preview {
		w.add("c.preview = FALSE")
	}
	if f.Query != "" {
		w.add(`EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND m.status <> 'withdrawn' AND LOWER(m.content) LIKE LOWER(?) ESCAPE '\')`, likeWords(clean(f.Query)))
	}
	return s.conversations(ctx, &w, page)
}

// VisitorConversations lists those of a visitor with a bot, newest first.
func (s *Store) VisitorConversations(ctx context.Context, botID, visitorID string, page scaigrid.PageRequest) ([]scaigrid.Conversation, scaigrid.PageResult, error) {
	var w where
	w.add("c.visitor_id = ?", visitorID)
	w.add("c.bot_id = ?", botID)
	return s.conversations(ctx, &w, page)
}

func (s *Store) conversations(ctx context.Context, w *where, page scaigrid.PageRequest) ([]scaigrid.Conversation, scaigrid.PageResult, error) {
	limit, after, err := pageOf(page)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	w.add("(c.created_at, c.id) < (?, ?)", after.at, after.id)
	list, err := collect(ctx, s.read, conversationColumns+w.newestFirst("c.", limit), w.args, scanConversation)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	list, next := cut(list, limit, func(c scaigrid.Conversation) place { return place{micros(c.CreatedAt), c.ID} })
	return list, next, nil
}

// CurrentConversation returns the newest of the visitor's conversations with
// the bot that is not closed and in which something was said since the given
// time; NOT_FOUND where there is none.
func (s *Store) CurrentConversation(ctx context.Context, botID, visitorID string, since time.Time) (*scaigrid.Conversation, error) {
	return conversationOf(s.read.row(ctx, conversationColumns+` WHERE c.visitor_id = $1 AND c.bot_id = $2 AND c.status <> 'closed' AND c.updated_at >= $3
		ORDER BY c.created_at DESC, c.id DESC LIMIT 1`, visitorID, botID, micros(since)))
}

// NewConversation begins an empty conversation of a visitor who is known.
// NOT_FOUND where the bot of the pass has gone.
func (s *Store) NewConversation(ctx context.Context, pass scaigrid.Pass, visitorID, id string, now time.Time) (*scaigrid.Conversation, error) {
	in := incoming{now: micros(now), Acceptance: scaigrid.Acceptance{
		Bot: &scaigrid.Bot{ID: pass.BotID, TenantID: pass.TenantID}, Pass: pass, VisitorID: visitorID, ConversationID: id,
	}}
	if err := s.write.do(ctx, durable, func(t *tx) error { return in.begin(t, 0) }); err != nil {
		return nil, err
	}
	return s.VisitorConversation(ctx, pass.BotID, visitorID, id)
}

// CloseConversation ends a conversation: nothing can be said in it any more.
// Closing again changes nothing.
func (s *Store) CloseConversation(ctx context.Context, tenantID, conversationID string, now time.Time) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		return t.exec1("UPDATE conversations SET status = 'closed', updated_at = $3 WHERE id = $1 AND tenant_id = $2", conversationID, tenantID, micros(now))
	})
}

// DeleteConversation removes a conversation with all that was said in it, and
// an anonymous visitor of whom nothing else is left. What its turns cost stays
// in the accounts; a turn that runs is counted there and leaves nothing more.
func (s *Store) DeleteConversation(ctx context.Context, tenantID, conversationID string) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		var visitor string
		if err := t.get("DELETE FROM conversations WHERE id = $1 AND tenant_id = $2 RETURNING visitor_id", conversationID, tenantID).Scan(&visitor); err != nil {
			return err
		}
		if err := countRunning(t, conversationID); err != nil {
			return err
		}
		for _, query := range []string{
			"DELETE FROM turns WHERE id IN (SELECT turn_id FROM messages WHERE conversation_id = $1)", // each turn has its reply
			"DELETE FROM messages WHERE conversation_id = $1",
		} {
			if _, err := t.exec(query, conversationID); err != nil {
				return err
			}
		}
		_, err := t.exec(`DELETE FROM visitors WHERE id = $1 AND external_id IS NULL
			AND NOT EXISTS (SELECT 1 FROM conversations WHERE visitor_id = $1)`, visitor)
		return err
	})
}

// countRunning puts the turn that runs in a conversation into the accounts,
// without tokens since nobody will tell how many they were.
func countRunning(t *tx, conversationID string) error {
	var created int64
	err := t.get("SELECT created_at FROM turns WHERE conversation_id = $1 AND state = 'running'", conversationID).Scan(&created)
	if none(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO usage (tenant_id, day, turn_id, epoch, bot_id, model, anonymous, preview, prompt_tokens, completion_tokens, cost, created_at)
		SELECT tenant_id, CAST($2 AS BIGINT), id, epoch, bot_id, '', anonymous, preview, 0, 0, 0, created_at FROM turns WHERE conversation_id = $1 AND state = 'running'`,
		conversationID, dayOf(created))
	return err
}
