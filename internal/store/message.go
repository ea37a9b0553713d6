package store

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/scailabs/scaigrid"
)

// messageColumns are those of messageRow, with m for the table.
const messageColumns = `m.id, m.conversation_id, m.turn_id, m.role, m.status, m.content, m.citations, m.passages,
	m.prompt_tokens, m.completion_tokens, m.model, m.first_token_ms, m.latency_ms, m.answered, m.confidence, m.error, m.rating, m.comment, m.created_at`

type messageRow struct {
	v                          scaigrid.Message
	citations, passages, error nullString
	prompt, completion         nullInt
	model                      nullString
	firstToken, latency        nullInt
	answered                   nullBool
	confidence                 nullFloat
	created                    int64
}

func (r *messageRow) dest() []any {
	return []any{
		&r.v.ID, &r.v.ConversationID, &r.v.TurnID, &r.v.Role, &r.v.Status, &r.v.Content, &r.citations, &r.passages,
		&r.prompt, &r.completion, &r.model, &r.firstToken, &r.latency, &r.answered, &r.confidence, &r.error, &r.v.Rating, &r.v.Comment, &r.created,
	}
}

func (r *messageRow) message() (scaigrid.Message, error) {
	m := r.v
	m.CreatedAt = timeOf(r.created)
	m.Citations, m.Passages = []scaigrid.Citation{}, []scaigrid.Passage{}
	if r.prompt.Valid {
		m.Usage = &scaigrid.Usage{PromptTokens: r.prompt.Int64, CompletionTokens: r.completion.Int64, Model: r.model.String}
	}
	if r.firstToken.Valid {
		m.FirstTokenMS = &r.firstToken.Int64
	}
	if r.latency.Valid {
		m.LatencyMS = &r.latency.Int64
	}
	if r.answered.Valid {
		m.Answered = &r.answered.Bool
	}
	if r.confidence.Valid {
		m.Confidence = &r.confidence.Float64
	}
	if err := fromJSON(r.citations, &m.Citations); err != nil {
		return m, err
	}
	if err := fromJSON(r.passages, &m.Passages); err != nil {
		return m, err
	}
	return m, fromJSON(r.error, &m.Error)
}

// Messages returns all of a conversation, oldest first, withdrawn ones too.
func (s *Store) Messages(ctx context.Context, conversationID string) ([]scaigrid.Message, error) {
	return collect(ctx, s.read, "SELECT "+messageColumns+" FROM messages m WHERE m.conversation_id = $1 ORDER BY m.seq", []any{conversationID},
		func(r scanner) (scaigrid.Message, error) {
			var m messageRow
			if err := r.Scan(m.dest()...); err != nil {
				return scaigrid.Message{}, err
			}
			return m.message()
		})
}

// History returns the newest limit messages of a conversation that count as
// context (complete, stopped or interrupted; not withdrawn, not empty), oldest
// first, leaving out the message with id skip and what came after it. What an
// answer was made of is not read: no citations, passages or usage.
func (s *Store) History(ctx context.Context, conversationID, skip string, limit int) ([]scaigrid.Message, error) {
	if limit <= 0 {
		return nil, nil
	}
	list, err := collect(ctx, s.read, `SELECT id, turn_id, role, status, content, created_at FROM messages
		WHERE conversation_id = $1 AND seq < COALESCE((SELECT seq FROM messages WHERE id = $2 AND conversation_id = $1), $3)
			AND status IN ('complete', 'stopped', 'interrupted') AND content <> ''
		ORDER BY seq DESC LIMIT $4`, []any{conversationID, skip, int64(math.MaxInt64), limit},
		func(r scanner) (m scaigrid.Message, err error) {
			var created int64
			err = r.Scan(&m.ID, &m.TurnID, &m.Role, &m.Status, &m.Content, &created)
			m.ConversationID, m.CreatedAt = conversationID, timeOf(created)
			return m, err
		})
	slices.Reverse(list)
	return list, err
}

// RateReply stores what a visitor thinks of a reply: "up", "down" or "" to take
// it back. NOT_FOUND for a message that is not a reply to this visitor.
func (s *Store) RateReply(ctx context.Context, botID, visitorID, replyID, rating, comment string, now time.Time) error {
	if storable("reply_id", replyID) != nil {
		return scaigrid.NotFound()
	}
	return s.write.do(ctx, durable, func(t *tx) error {
		var conversation string
		err := t.get(`UPDATE messages SET rating = $4, comment = $5 WHERE id = $1 AND role IN ('assistant', 'agent')
			AND EXISTS (SELECT 1 FROM conversations c WHERE c.id = messages.conversation_id AND c.bot_id = $2 AND c.visitor_id = $3)
			RETURNING conversation_id`, replyID, botID, visitorID, rating, clean(comment)).Scan(&conversation)
		if err != nil {
			return err
		}
		return t.exec1("UPDATE conversations SET rating = $2, updated_at = $3 WHERE id = $1", conversation, rating, micros(now))
	})
}
