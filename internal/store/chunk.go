package store

import (
	"context"
	"fmt"
	"time"

	"github.com/scailabs/scaigrid"
)

// Limits of the work on documents.
const (
	maxAttempts   = 5                // a document whose worker died this often is given up
	chunksAtOnce  = 200              // per transaction, so that turns need not wait long
	keptForAnswer = 60 * time.Second // old passages stay, for answers that are being found in them
)

// ClaimDocuments gives the node documents that wait, or whose worker's lease
// ended, until the given time; their status becomes extracting. A document on
// which workers died again and again is marked as failed instead.
func (s *Store) ClaimDocuments(ctx context.Context, node string, now, until time.Time, limit int) ([]scaigrid.Document, error) {
	if err := s.sweepChunks(ctx, now); err != nil {
		return nil, err
	}
	var waiting int
	if err := s.read.row(ctx, "SELECT COUNT(*) FROM documents WHERE lease_until <= $1", micros(now)).Scan(&waiting); err != nil || waiting == 0 {
		return nil, err
	}
	gaveUp, err := jsonText(scaigrid.DocumentError{
		Code: "unreadable", Message: fmt.Sprintf("Reading this document was begun %d times and never came to its end. Split it or save it in another format, then upload it again.", maxAttempts),
	})
	if err != nil {
		return nil, err
	}
	var claimed []scaigrid.Document
	err = s.write.do(ctx, durable, func(t *tx) error {
		if err := cutUploads(t, "", micros(now)); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE documents SET status = 'failed', error = $2, lease_until = NULL, updated_at = $1 WHERE lease_until <= $1 AND attempts >= $3",
			micros(now), gaveUp, maxAttempts); err != nil {
			return err
		}
		// The condition stands twice: where two nodes choose the same row, the
		// second looks at it again after the first has taken it.
		rows, err := collect(t.ctx, t, `UPDATE documents AS d SET status = 'extracting', progress = 0, lease_until = $2, lease_span = $3, lease_node = $4,
				attempts = attempts + 1, updated_at = $1
			WHERE lease_until <= $1 AND id IN (SELECT id FROM documents WHERE lease_until <= $1 ORDER BY lease_until, created_at LIMIT $5)`+returning(documentColumns),
			[]any{micros(now), micros(until), until.Sub(now).Microseconds(), node, limit}, scanDocument)
		claimed = rows
		return err
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// SetDocumentStatus notes status, progress, pages and error of a document that
// the node has claimed, and renews the claim by the time it was made for;
// failed ends it. CONFLICT where the document was replaced, deleted or claimed
// by another node meanwhile.
func (s *Store) SetDocumentStatus(ctx context.Context, d scaigrid.Document, node string, now time.Time) error {
	failure, err := jsonText(d.Error)
	if err != nil {
		return err
	}
	return s.write.do(ctx, soon, func(t *tx) error {
		n, err := t.exec(`UPDATE documents SET status = $4, progress = $5, pages = $6, error = $7, updated_at = $8,
				lease_until = CASE WHEN $4 = 'failed' THEN NULL ELSE $8 + lease_span END
			WHERE id = $1 AND version = $2 AND lease_node = $3 AND lease_until > 0`,
			d.ID, d.Version, node, string(d.Status), d.Progress, d.Pages, failure, micros(now))
		if err == nil && n == 0 {
			return errClaimLost()
		}
		return err
	})
}

// PublishChunks replaces all passages of a document that the node has claimed:
// in one instant answers come from the new ones, the document is indexed and
// the bot's knowledge version has grown. CONFLICT as for SetDocumentStatus.
// Ids and positions must be fresh; ids of older versions go on to be found by
// ChunksByID for a minute.
func (s *Store) PublishChunks(ctx context.Context, d scaigrid.Document, node string, chunks []scaigrid.Chunk, now time.Time) error {
	for first := 0; ; first += chunksAtOnce {
		part := chunks[min(first, len(chunks)):min(first+chunksAtOnce, len(chunks))]
		if err := s.stage(ctx, &d, node, part, first == 0); err != nil {
			return err
		}
		if first+chunksAtOnce >= len(chunks) {
			break
		}
	}
	return s.write.do(ctx, durable, func(t *tx) error {
		var bot string
		err := t.get(`UPDATE documents SET status = 'indexed', error = NULL, progress = 1, chunks = $4, pages = $5, published = version,
				lease_until = NULL, lease_node = '', sweep_at = $6, indexed_at = $7, updated_at = $7
			WHERE id = $1 AND version = $2 AND lease_node = $3 AND lease_until > 0 RETURNING bot_id`,
			d.ID, d.Version, node, len(chunks), d.Pages, micros(now.Add(keptForAnswer)), micros(now)).Scan(&bot)
		if none(err) {
			return errClaimLost()
		}
		if err != nil {
			return err
		}
		// What the passages are made of now, and what may come, is all that is kept.
		if _, err := t.exec(`DELETE FROM document_blobs WHERE document_id = $1 AND version <
			(SELECT MAX(version) FROM document_blobs WHERE document_id = $1 AND version <= $2)`, d.ID, d.Version); err != nil {
			return err
		}
		return bumpKnowledge(t, bot)
	})
}

// stage stores passages that do not count yet.
func (s *Store) stage(ctx context.Context, d *scaigrid.Document, node string, chunks []scaigrid.Chunk, first bool) error {
	return s.write.do(ctx, soon, func(t *tx) error {
		// Taking the row keeps a replacement or deletion from coming in between.
		n, err := t.exec("UPDATE documents SET lease_node = lease_node WHERE id = $1 AND version = $2 AND lease_node = $3 AND lease_until > 0", d.ID, d.Version, node)
		if err != nil {
			return err
		}
		if n == 0 {
			return errClaimLost()
		}
		if first {
			// Left by a worker that died on the same version.
			if _, err := t.exec("DELETE FROM chunks WHERE document_id = $1 AND version = $2", d.ID, d.Version); err != nil {
				return err
			}
		}
		for _, c := range chunks {
			if _, err := t.exec("INSERT INTO chunks (id, document_id, version, position, title, heading, body, terms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
				c.ID, d.ID, d.Version, c.Position, clean(c.Title), clean(c.Heading), clean(c.Text), c.Terms); err != nil {
				return err
			}
		}
		return nil
	})
}

func errClaimLost() error {
	return scaigrid.Errorf(scaigrid.CodeConflict, "The document was replaced, deleted or taken by another worker meanwhile.")
}

// sweepChunks removes passages of older versions, some at a time.
func (s *Store) sweepChunks(ctx context.Context, now time.Time) error {
	type stale struct {
		id        string
		published int64
	}
	list, err := collect(ctx, s.read, "SELECT id, published FROM documents WHERE sweep_at <= $1 LIMIT 20", []any{micros(now)}, func(r scanner) (d stale, err error) {
		return d, r.Scan(&d.id, &d.published)
	})
	if err != nil {
		return err
	}
	for _, d := range list {
		for more := true; more; {
			err := s.write.do(ctx, soon, func(t *tx) error {
				n, err := t.exec(`DELETE FROM chunks WHERE document_id = $1 AND version < $2 AND position IN
					(SELECT position FROM chunks WHERE document_id = $1 AND version < $2 LIMIT $3)`, d.id, d.published, chunksAtOnce)
				if more = n > 0; more || err != nil {
					return err
				}
				_, err = t.exec("UPDATE documents SET sweep_at = NULL WHERE id = $1 AND published = $2", d.id, d.published)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// KnowledgeVersion returns the number that grows when what the bot answers from changes.
func (s *Store) KnowledgeVersion(ctx context.Context, botID string) (int64, error) {
	var v int64
	err := s.read.row(ctx, "SELECT knowledge_version FROM bots WHERE id = $1", botID).Scan(&v)
	return v, err
}

// ScanChunks calls f for every published passage of the bot in the order of
// document id and position, without its text, as they are at one moment. It
// stops at f's first error and returns it. F must not write to the store.
func (s *Store) ScanChunks(ctx context.Context, botID string, f func(scaigrid.Chunk) error) error {
	rows, err := s.read.rows(ctx, `SELECT k.id, k.document_id, k.position, k.title, k.heading, k.terms
		FROM documents d JOIN chunks k ON k.document_id = d.id AND k.version = d.published
		WHERE d.bot_id = $1 ORDER BY k.document_id, k.position`, botID)
	if err != nil {
		return s.d.explain(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c scaigrid.Chunk
		if err := rows.Scan(&c.ID, &c.DocumentID, &c.Position, &c.Title, &c.Heading, &c.Terms); err != nil {
			return s.d.explain(err)
		}
		if err := f(c); err != nil {
			return err
		}
	}
	return s.d.explain(rows.Err())
}

// ChunksByID returns those of the bot's passages that still exist, in any
// order. A passage of the version before is found for a minute after its
// document was replaced, so that an answer made from it is whole.
func (s *Store) ChunksByID(ctx context.Context, botID string, ids []string) ([]scaigrid.Chunk, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var w where
	w.in("k.id", ids)
	w.add("d.bot_id = ?", botID)
	return collect(ctx, s.read, `SELECT k.id, k.document_id, k.position, k.title, k.heading, k.body, k.terms
		FROM chunks k JOIN documents d ON d.id = k.document_id WHERE k.version <= d.published AND `+w.String(), w.args,
		func(r scanner) (c scaigrid.Chunk, err error) {
			return c, r.Scan(&c.ID, &c.DocumentID, &c.Position, &c.Title, &c.Heading, &c.Text, &c.Terms)
		})
}
