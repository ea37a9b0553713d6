package store

import (
	"context"

	"github.com/scailabs/scaigrid"
)

// Accept stores the visitor's message and opens a turn, in one synced commit.
// A retry, known by its client message id, joins the newest turn of its stored
// message; after an end that may be retried it opens a new turn on the same
// message and the reply before is withdrawn.
//
// Errors: NOT_FOUND for a conversation that is not this visitor's or a bot that
// is gone, TURN_IN_PROGRESS, IDEMPOTENCY_MISMATCH, CONFLICT for a closed
// conversation or a question that cannot be replaced, STORAGE_ERROR.
func (s *Store) Accept(ctx context.Context, a scaigrid.Acceptance) (scaigrid.Accepted, error) {
	if err := storable("client_message_id", a.ClientMessageID); err != nil {
		return scaigrid.Accepted{}, err
	}
	if a.ConversationID != "" && storable("conversation_id", a.ConversationID) != nil {
		return scaigrid.Accepted{}, scaigrid.NotFound()
	}
	if a.Replaces != "" && storable("replaces", a.Replaces) != nil {
		return scaigrid.Accepted{}, errNotReplaceable()
	}
	in, err := newIncoming(a)
	if err != nil {
		return scaigrid.Accepted{}, err
	}
	var out scaigrid.Accepted
	err = s.write.do(ctx, durable, func(t *tx) (err error) {
		try := *in // a second run starts from nothing
		out, err = try.accept(t)
		return err
	})
	if err != nil {
		return scaigrid.Accepted{}, err
	}
	return out, nil
}

// incoming is an acceptance on its way through the transaction.
type incoming struct {
	scaigrid.Acceptance
	page, claimed any // JSON or nil
	now           int64
	anonymous     bool
}

func newIncoming(a scaigrid.Acceptance) (*incoming, error) {
	a.Text, a.Locale = clean(a.Text), clean(a.Locale)
	in := &incoming{Acceptance: a, now: micros(a.Now), anonymous: a.Pass.Anonymous}
	var err error
	if in.page, err = jsonText(a.Page); err != nil {
		return nil, err
	}
	in.claimed, err = jsonText(a.Claimed)
	return in, err
}

func (in *incoming) accept(t *tx) (scaigrid.Accepted, error) {
	out, err := in.open(t)
	if scaigrid.ErrorCode(err) != scaigrid.CodeTurnInProgress || in.ClientMessageID == "" {
		return out, err
	}
	// What runs may be the turn of this very message, begun by another node since we looked.
	held, retryable, lookErr := in.heldTurn(t)
	if lookErr != nil || retryable {
		return out, err
	}
	return scaigrid.Accepted{Turn: held, VisitorID: in.VisitorID}, nil
}

func (in *incoming) open(t *tx) (scaigrid.Accepted, error) {
	fresh, err := in.findVisitor(t)
	if err != nil {
		return scaigrid.Accepted{}, err
	}
	if in.ClientMessageID != "" && !fresh {
		held, retryable, err := in.heldTurn(t)
		switch {
		case err == nil && retryable:
			return in.again(t, held)
		case err == nil:
			return scaigrid.Accepted{Turn: held, VisitorID: in.VisitorID}, nil
		case !none(err):
			return scaigrid.Accepted{}, err
		}
	}
	seq, err := in.placeInConversation(t)
	if err != nil {
		return scaigrid.Accepted{}, err
	}
	var bot, visitor, retry nullString
	if in.ClientMessageID != "" {
		bot, visitor, retry = emptyNull(in.Bot.ID), emptyNull(in.VisitorID), emptyNull(in.ClientMessageID)
	}
	_, err = t.exec(`INSERT INTO messages (id, conversation_id, seq, turn_id, role, status, content, bot_id, visitor_id, client_message_id, rating, comment, created_at)
		VALUES ($1, $3, $4, $6, 'user', 'complete', $7, $8, $9, $10, '', '', $11),
		($2, $3, $5, $6, 'assistant', 'streaming', '', NULL, NULL, NULL, '', '', $11)`,
		in.NewMessageID, in.NewReplyID, in.ConversationID, seq-1, seq, in.NewTurnID, in.Text, bot, visitor, retry, in.now)
	if err != nil {
		return scaigrid.Accepted{}, err
	}
	return in.openTurn(t)
}

// findVisitor settles who speaks: the known visitor, the one who has this key
// since a moment ago, or a new one. A dead key is not stored again.
func (in *incoming) findVisitor(t *tx) (fresh bool, err error) {
	if in.VisitorID != "" {
		return false, nil
	}
	key := in.KeyHash
	if len(key) > 0 {
		var id string
		var dead bool
		err := t.get("SELECT id, key_dead FROM visitors WHERE bot_id = $1 AND key_hash = $2", in.Bot.ID, key).Scan(&id, &dead)
		switch {
		case err == nil && !dead:
			in.VisitorID = id
			return false, nil
		case err == nil:
			key = nil
		case !none(err):
			return false, err
		}
	}
	if len(key) == 0 {
		key = nil
	}
	if in.ConversationID != "" || in.Replaces != "" {
		return false, scaigrid.NotFound() // somebody new owns nothing yet
	}
	in.VisitorID = in.NewVisitorID
	_, err = t.exec(`INSERT INTO visitors (id, tenant_id, bot_id, key_hash, key_dead, created_at, updated_at) VALUES ($1, $2, $3, $4, FALSE, $5, $5)`,
		in.VisitorID, in.Bot.TenantID, in.Bot.ID, key, in.now)
	return true, err
}

// heldTurn finds the newest turn of the message that this one repeats, and
// whether it ended so that a retry begins anew.
func (in *incoming) heldTurn(t *tx) (scaigrid.Turn, bool, error) {
	var r turnRow
	var content string
	err := t.get("SELECT m.content, "+turnColumns+` FROM messages m JOIN turns t ON t.id = m.turn_id
		WHERE m.bot_id = $1 AND m.visitor_id = $2 AND m.client_message_id = $3`, in.Bot.ID, in.VisitorID, in.ClientMessageID).
		Scan(append([]any{&content}, r.dest()...)...)
	if err != nil {
		return scaigrid.Turn{}, false, err
	}
	if content != in.Text {
		return scaigrid.Turn{}, false, scaigrid.Errorf(scaigrid.CodeIdempotencyMismatch,
			"This client_message_id was used for another text before. Give each message an id of its own, and repeat it only with the same text.")
	}
	turn, err := r.turn()
	return turn, r.retryable && turn.State == scaigrid.TurnDone, err
}

// again opens a new turn on the message of the held one.
func (in *incoming) again(t *tx, held scaigrid.Turn) (scaigrid.Accepted, error) {
	in.ConversationID, in.NewMessageID = held.ConversationID, held.MessageID
	seq, err := in.extend(t, 1)
	if err != nil {
		return scaigrid.Accepted{}, err
	}
	if _, err := t.exec("UPDATE messages SET status = 'withdrawn' WHERE id = $1", held.ReplyID); err != nil {
		return scaigrid.Accepted{}, err
	}
	if _, err := t.exec("UPDATE messages SET turn_id = $2 WHERE id = $1", held.MessageID, in.NewTurnID); err != nil {
		return scaigrid.Accepted{}, err
	}
	if _, err := t.exec(`INSERT INTO messages (id, conversation_id, seq, turn_id, role, status, content, rating, comment, created_at)
		VALUES ($1, $2, $3, $4, 'assistant', 'streaming', '', '', '', $5)`, in.NewReplyID, in.ConversationID, seq, in.NewTurnID, in.now); err != nil {
		return scaigrid.Accepted{}, err
	}
	return in.openTurn(t)
}

// placeInConversation begins or goes on with a conversation and returns the
// seq of the reply; the question has the one before.
func (in *incoming) placeInConversation(t *tx) (int64, error) {
	switch {
	case in.Replaces != "":
		return in.replace(t)
	case in.ConversationID != "":
		return in.extend(t, 2)
	}
	in.ConversationID = in.NewConversationID
	return 2, in.begin(t, 2)
}

// begin stores a new conversation; NOT_FOUND where the bot has gone meanwhile.
func (in *incoming) begin(t *tx, messages int64) error {
	return t.exec1(`INSERT INTO conversations (id, tenant_id, bot_id, visitor_id, status, claimed, metadata, page, locale, preview,
			escalated, rating, message_count, prompt_tokens, completion_tokens, cost, created_at, updated_at)
		SELECT $1, tenant_id, id, $2, 'open', $3, (SELECT metadata FROM visitors WHERE id = $2), $4, $5, CAST($6 AS BOOLEAN),
			FALSE, '', CAST($7 AS BIGINT), 0, 0, 0, CAST($8 AS BIGINT), CAST($8 AS BIGINT)
		FROM bots WHERE id = $9 AND tenant_id = $10`,
		in.ConversationID, in.VisitorID, in.claimed, in.page, in.Locale, in.Pass.Preview, messages, in.now, in.Bot.ID, in.Bot.TenantID)
}

// extend makes room for n messages in the conversation and returns the seq of
// the last. It takes the row first, so that two nodes come one after the other.
func (in *incoming) extend(t *tx, n int64) (seq int64, err error) {
	err = t.get(`UPDATE conversations SET message_count = message_count + $4, updated_at = $5, page = COALESCE($6, page),
			claimed = COALESCE($7, claimed), locale = COALESCE(NULLIF($8, ''), locale)
		WHERE id = $1 AND bot_id = $2 AND visitor_id = $3 AND status <> 'closed'
			AND EXISTS (SELECT 1 FROM bots WHERE id = $2)
			AND NOT EXISTS (SELECT 1 FROM turns WHERE conversation_id = $1 AND state = 'running')
		RETURNING message_count`,
		in.ConversationID, in.Bot.ID, in.VisitorID, n, in.now, in.page, in.claimed, in.Locale).Scan(&seq)
	if !none(err) {
		return seq, err
	}
	var status string
	err = t.get("SELECT status FROM conversations WHERE id = $1 AND bot_id = $2 AND visitor_id = $3 AND EXISTS (SELECT 1 FROM bots WHERE id = $2)",
		in.ConversationID, in.Bot.ID, in.VisitorID).Scan(&status)
	switch {
	case err != nil:
		return 0, err
	case status == string(scaigrid.ConversationClosed):
		return 0, scaigrid.Errorf(scaigrid.CodeConflict, "This conversation is closed. Begin a new one.")
	}
	return 0, errTurnInProgress()
}

// replace makes room like extend, and takes back the last question of the
// conversation with what followed it.
func (in *incoming) replace(t *tx) (int64, error) {
	var old int64
	var conversation string
	err := t.get(`SELECT m.seq, m.conversation_id FROM messages m JOIN conversations c ON c.id = m.conversation_id
		WHERE m.id = $1 AND m.role = 'user' AND m.status <> 'withdrawn' AND c.bot_id = $2 AND c.visitor_id = $3
			AND NOT EXISTS (SELECT 1 FROM messages n WHERE n.conversation_id = m.conversation_id AND n.seq > m.seq AND n.role = 'user')`,
		in.Replaces, in.Bot.ID, in.VisitorID).Scan(&old, &conversation)
	if none(err) || (err == nil && in.ConversationID != "" && conversation != in.ConversationID) {
		return 0, errNotReplaceable()
	}
	if err != nil {
		return 0, err
	}
	in.ConversationID = conversation
	seq, err := in.extend(t, 2)
	if err != nil {
		return 0, err
	}
	_, err = t.exec("UPDATE messages SET status = 'withdrawn' WHERE conversation_id = $1 AND seq >= $2", conversation, old)
	return seq, err
}

func (in *incoming) openTurn(t *tx) (scaigrid.Accepted, error) {
	_, err := t.exec(`INSERT INTO turns (id, tenant_id, bot_id, conversation_id, visitor_id, message_id, reply_id, anonymous, preview,
			state, epoch, node, lease_until, stop_requested, retryable, marks, finish_reason, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'running', 1, $10, $11, FALSE, FALSE, '[]', '', $12)`,
		in.NewTurnID, in.Bot.TenantID, in.Bot.ID, in.ConversationID, in.VisitorID, in.NewMessageID, in.NewReplyID, in.anonymous, in.Pass.Preview,
		in.Node, micros(in.LeaseUntil), in.now)
	if err != nil {
		return scaigrid.Accepted{}, err
	}
	return scaigrid.Accepted{NewTurn: true, VisitorID: in.VisitorID, Turn: scaigrid.Turn{
		ID: in.NewTurnID, TenantID: in.Bot.TenantID, BotID: in.Bot.ID, ConversationID: in.ConversationID, VisitorID: in.VisitorID,
		MessageID: in.NewMessageID, ReplyID: in.NewReplyID, State: scaigrid.TurnRunning, Epoch: 1, Node: in.Node, CreatedAt: timeOf(in.now),
	}}, nil
}

func errNotReplaceable() error {
	return scaigrid.Errorf(scaigrid.CodeConflict, "Only the last question of a conversation can be edited. Load the conversation again.")
}

func errTurnInProgress() error {
	return &scaigrid.Error{Code: scaigrid.CodeTurnInProgress, Message: "An answer is being written in this conversation. Wait for its end, or stop it first.", Retryable: true}
}
