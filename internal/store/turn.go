package store

import (
	"context"
	"slices"
	"time"

	"github.com/scailabs/scaigrid"
)

// turnColumns are those of turnRow, with t for the table.
const turnColumns = `t.id, t.tenant_id, t.bot_id, t.conversation_id, t.visitor_id, t.message_id, t.reply_id,
	t.state, t.epoch, t.node, t.marks, t.stop_requested, t.retryable, t.created_at, t.finished_at`

type turnRow struct {
	v         scaigrid.Turn
	marks     nullString
	retryable bool
	created   int64
	finished  nullInt
}

func (r *turnRow) dest() []any {
	return []any{
		&r.v.ID, &r.v.TenantID, &r.v.BotID, &r.v.ConversationID, &r.v.VisitorID, &r.v.MessageID, &r.v.ReplyID,
		&r.v.State, &r.v.Epoch, &r.v.Node, &r.marks, &r.v.StopRequested, &r.retryable, &r.created, &r.finished,
	}
}

func (r *turnRow) turn() (scaigrid.Turn, error) {
	r.v.CreatedAt, r.v.FinishedAt = timeOf(r.created), nullTime(r.finished)
	return r.v, fromJSON(r.marks, &r.v.Marks)
}

// SaveText stores text of running turns in one transaction without waiting for
// the disk. Turns that are over are left alone.
func (s *Store) SaveText(ctx context.Context, updates []scaigrid.TextUpdate) error {
	marks := make([]any, len(updates))
	for i, u := range updates {
		var err error
		if marks[i], err = listText(u.Marks); err != nil {
			return err
		}
	}
	return s.write.do(ctx, soon, func(t *tx) error {
		for i, u := range updates {
			n, err := t.exec("UPDATE turns SET marks = $2 WHERE id = $1 AND state = 'running'", u.TurnID, marks[i])
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if _, err := t.exec("UPDATE messages SET content = $2 WHERE id = $1", u.ReplyID, clean(u.Content)); err != nil {
				return err
			}
		}
		return nil
	})
}

// FinishTurn stores the end of a turn with a synced commit: reply, marks,
// usage, counters. It does nothing to a turn that is over already, nor to one
// whose conversation was deleted meanwhile.
func (s *Store) FinishTurn(ctx context.Context, turnID string, o scaigrid.Outcome, marks []scaigrid.Mark, now time.Time) error {
	e := ending{Outcome: o, turnID: turnID, now: micros(now)}
	if err := e.encode(marks); err != nil {
		return err
	}
	return s.write.do(ctx, durable, e.store)
}

// ending is the end of a turn on its way into the store.
type ending struct {
	scaigrid.Outcome
	turnID                                          string
	now                                             int64
	marks, steps, citations, passages, failure      any
	prompt, completion, firstToken, answered, doubt any // NULL where not known
	model                                           any
}

func (e *ending) encode(marks []scaigrid.Mark) (err error) {
	if e.marks, err = listText(marks); err != nil {
		return err
	}
	for _, c := range []struct {
		to *any
		v  any
	}{{&e.steps, e.Steps}, {&e.citations, e.Citations}, {&e.passages, e.Passages}, {&e.failure, e.Error}} {
		if *c.to, err = jsonText(c.v); err != nil {
			return err
		}
	}
	if e.Usage != nil {
		e.prompt, e.completion, e.model = e.Usage.PromptTokens, e.Usage.CompletionTokens, e.Usage.Model
	}
	if e.FirstToken != nil {
		e.firstToken = e.FirstToken.Milliseconds()
	}
	if e.Error == nil {
		e.answered, e.doubt = e.Answered, e.Confidence
	}
	e.Content = clean(e.Content)
	return nil
}

// retryable tells whether a retry of the message begins a new turn.
func (e *ending) retryable() bool {
	return e.Status == scaigrid.MessageInterrupted || (e.Error != nil && e.Error.Retryable)
}

func (e *ending) store(t *tx) error {
	var conversation, reply, tenant, bot string
	var anonymous, preview bool
	var epoch, created int64
	rebuilt := 0
	if e.Rebuilt {
		rebuilt = 1
	}
	err := t.get(`UPDATE turns SET state = 'done', finished_at = $2, marks = $3, finish_reason = $4, retryable = $5, steps = $6, epoch = epoch + $7
		WHERE id = $1 AND state = 'running'
		RETURNING conversation_id, reply_id, tenant_id, bot_id, anonymous, preview, epoch, created_at`,
		e.turnID, e.now, e.marks, e.FinishReason, e.retryable(), e.steps, rebuilt).
		Scan(&conversation, &reply, &tenant, &bot, &anonymous, &preview, &epoch, &created)
	if none(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE messages SET status = $2, content = $3, citations = $4, passages = $5, prompt_tokens = $6, completion_tokens = $7,
			model = $8, first_token_ms = $9, latency_ms = $10, answered = $11, confidence = $12, error = $13 WHERE id = $1`,
		reply, string(e.Status), e.Content, e.citations, e.passages, e.prompt, e.completion,
		e.model, e.firstToken, e.Latency.Milliseconds(), e.answered, e.doubt, e.failure); err != nil {
		return err
	}
	var u scaigrid.Usage
	if e.Usage != nil {
		u = *e.Usage
	}
	if _, err := t.exec(`UPDATE conversations SET updated_at = $2, prompt_tokens = prompt_tokens + $3, completion_tokens = completion_tokens + $4,
			cost = cost + $5 WHERE id = $1`, conversation, e.now, u.PromptTokens, u.CompletionTokens, e.Cost); err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO usage (tenant_id, day, turn_id, epoch, bot_id, model, anonymous, preview, prompt_tokens, completion_tokens, cost, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		tenant, dayOf(created), e.turnID, epoch, bot, u.Model, anonymous, preview, u.PromptTokens, u.CompletionTokens, e.Cost, created)
	return err
}

// dayOf is the UTC day of a time, as yyyymmdd.
func dayOf(us int64) int64 {
	y, m, d := timeOf(us).Date()
	return int64(y*10_000 + int(m)*100 + d)
}

// listText is a list as JSON, never NULL.
func listText(marks []scaigrid.Mark) (any, error) {
	if marks == nil {
		return "[]", nil
	}
	return jsonText(marks)
}

// Turn returns a turn and its reply so far; NOT_FOUND where there is none.
func (s *Store) Turn(ctx context.Context, turnID string) (*scaigrid.Turn, *scaigrid.Message, error) {
	if storable("turn_id", turnID) != nil {
		return nil, nil, scaigrid.NotFound()
	}
	var t turnRow
	var m messageRow
	err := s.read.row(ctx, "SELECT "+turnColumns+", "+messageColumns+" FROM turns t JOIN messages m ON m.id = t.reply_id WHERE t.id = $1", turnID).
		Scan(append(t.dest(), m.dest()...)...)
	if err != nil {
		return nil, nil, err
	}
	return pair(&t, &m)
}

func pair(t *turnRow, m *messageRow) (*scaigrid.Turn, *scaigrid.Message, error) {
	turn, err := t.turn()
	if err != nil {
		return nil, nil, err
	}
	reply, err := m.message()
	if err != nil {
		return nil, nil, err
	}
	return &turn, &reply, nil
}

// RunningTurn returns the id of the turn that runs in a conversation, "" where none does.
func (s *Store) RunningTurn(ctx context.Context, conversationID string) (string, error) {
	var id string
	err := s.read.row(ctx, "SELECT id FROM turns WHERE conversation_id = $1 AND state = 'running'", conversationID).Scan(&id)
	if none(err) {
		return "", nil
	}
	return id, err
}

// RequestStop notes that a turn is to be stopped by the node that owns it. A
// turn that is over is left alone.
func (s *Store) RequestStop(ctx context.Context, turnID string) error {
	return s.write.do(ctx, soon, func(t *tx) error {
		_, err := t.exec("UPDATE turns SET stop_requested = TRUE WHERE id = $1 AND state = 'running'", turnID)
		return err
	})
}

// StopsRequested returns the running turns of the node that are to be stopped.
func (s *Store) StopsRequested(ctx context.Context, node string) ([]string, error) {
	return collect(ctx, s.read, "SELECT id FROM turns WHERE state = 'running' AND node = $1 AND stop_requested = TRUE", []any{node}, scanText)
}

// RenewLeases says that the node still works on its turns, until the given time.
func (s *Store) RenewLeases(ctx context.Context, node string, until time.Time) error {
	return s.write.do(ctx, soon, func(t *tx) error {
		_, err := t.exec("UPDATE turns SET lease_until = $2 WHERE state = 'running' AND node = $1", node, micros(until))
		return err
	})
}

// AbandonedTurns returns running turns whose lease ended before now.
func (s *Store) AbandonedTurns(ctx context.Context, now time.Time, limit int) ([]scaigrid.Turn, error) {
	return collect(ctx, s.read, "SELECT "+turnColumns+" FROM turns t WHERE t.state = 'running' AND t.lease_until < $1 LIMIT $2", []any{micros(now), limit},
		func(r scanner) (scaigrid.Turn, error) {
			var t turnRow
			if err := r.Scan(t.dest()...); err != nil {
				return scaigrid.Turn{}, err
			}
			return t.turn()
		})
}

// ReopenTurn makes a finished turn run again on this node, with the next epoch
// and without its last (error or finish) mark. CONFLICT where it runs, where
// its answer is whole or was withdrawn; TURN_IN_PROGRESS where another turn runs
// in its conversation.
func (s *Store) ReopenTurn(ctx context.Context, turnID, node string, leaseUntil time.Time) (*scaigrid.Turn, *scaigrid.Message, error) {
	if storable("turn_id", turnID) != nil {
		return nil, nil, scaigrid.NotFound()
	}
	var turn *scaigrid.Turn
	var reply *scaigrid.Message
	err := s.write.do(ctx, durable, func(t *tx) (err error) {
		turn, reply, err = reopen(t, turnID, node, leaseUntil)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return turn, reply, nil
}

func reopen(t *tx, turnID, node string, leaseUntil time.Time) (*scaigrid.Turn, *scaigrid.Message, error) {
	var tr turnRow
	err := t.get(`UPDATE turns AS t SET state = 'running', epoch = epoch + 1, node = $2, lease_until = $3, stop_requested = FALSE,
			retryable = FALSE, finish_reason = '', finished_at = NULL
		WHERE id = $1 AND state = 'done' AND finish_reason NOT IN ('stop', 'refused', 'handoff')
			AND NOT EXISTS (SELECT 1 FROM turns o WHERE o.conversation_id = t.conversation_id AND o.state = 'running')
`+returning(turnColumns), turnID, node, micros(leaseUntil)).Scan(tr.dest()...)
	if none(err) {
		return nil, nil, whyNotReopened(t, turnID)
	}
	if err != nil {
		return nil, nil, err
	}
	turn, err := tr.turn()
	if err != nil {
		return nil, nil, err
	}
	if n := len(turn.Marks); n > 0 && (turn.Marks[n-1].Name == scaigrid.EventFinish || turn.Marks[n-1].Name == scaigrid.EventError) {
		turn.Marks = slices.Clip(turn.Marks[:n-1])
	}
	marks, err := listText(turn.Marks)
	if err != nil {
		return nil, nil, err
	}
	if err := t.exec1("UPDATE turns SET marks = $2 WHERE id = $1", turnID, marks); err != nil {
		return nil, nil, err
	}
	var m messageRow
	err = t.get("UPDATE messages AS m SET status = 'streaming', error = NULL, answered = NULL, confidence = NULL WHERE id = $1 AND status <> 'withdrawn'"+returning(messageColumns),
		turn.ReplyID).Scan(m.dest()...)
	if none(err) {
		return nil, nil, scaigrid.Errorf(scaigrid.CodeConflict, "This answer was replaced and cannot go on.")
	}
	if err != nil {
		return nil, nil, err
	}
	reply, err := m.message()
	return &turn, &reply, err
}

func whyNotReopened(t *tx, turnID string) error {
	var state, reason string
	if err := t.get("SELECT state, finish_reason FROM turns WHERE id = $1", turnID).Scan(&state, &reason); err != nil {
		return err
	}
	switch {
	case state == string(scaigrid.TurnRunning):
		return scaigrid.Errorf(scaigrid.CodeConflict, "This answer is being written already.")
	case reason == "stop" || reason == "refused" || reason == "handoff":
		return scaigrid.Errorf(scaigrid.CodeConflict, "This answer is whole; there is nothing to go on with.")
	}
	return errTurnInProgress()
}

// TurnCounts tells how much of a bot's limits is used up since a time: turns
// of anonymous visitors, running ones too, and tokens of all. Deleting a
// conversation gives nothing back. The cost grows with the count: keep the
// answer for some seconds.
func (s *Store) TurnCounts(ctx context.Context, botID string, since time.Time) (scaigrid.TurnLimitUse, error) {
	var use scaigrid.TurnLimitUse
	err := s.read.row(ctx, `SELECT COALESCE(SUM(CASE WHEN anonymous THEN 1 ELSE 0 END), 0)
			+ (SELECT COUNT(*) FROM turns WHERE state = 'running' AND bot_id = $1 AND anonymous = TRUE AND created_at >= $2),
			CAST(COALESCE(SUM(prompt_tokens + completion_tokens), 0) AS BIGINT)
		FROM usage WHERE bot_id = $1 AND created_at >= $2`, botID, micros(since)).Scan(&use.BotTurns, &use.BotTokens)
	return use, err
}

func scanText(r scanner) (string, error) {
	var s string
	return s, r.Scan(&s)
}
