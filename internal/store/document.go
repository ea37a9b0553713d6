package store

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/scailabs/scaigrid"
)

// documentColumns are those of scanDocument, with d for the table.
const documentColumns = `d.id, d.tenant_id, d.bot_id, d.name, d.source, d.media_type, d.url, d.bytes, d.sha256, d.status, d.error,
	d.chunks, d.pages, d.progress, d.metadata, d.version, d.created_at, d.indexed_at`

func scanDocument(r scanner) (d scaigrid.Document, err error) {
	var failure, metadata nullString
	var pages, indexed nullInt
	var created int64
	if err = r.Scan(&d.ID, &d.TenantID, &d.BotID, &d.Name, &d.Source, &d.MediaType, &d.URL, &d.Bytes, &d.SHA256, &d.Status, &failure,
		&d.Chunks, &pages, &d.Progress, &metadata, &d.Version, &created, &indexed); err != nil {
		return d, err
	}
	d.CreatedAt, d.IndexedAt = timeOf(created), nullTime(indexed)
	if pages.Valid {
		n := int(pages.Int64)
		d.Pages = &n
	}
	if metadata.Valid {
		d.Metadata = json.RawMessage(metadata.String)
	}
	return d, fromJSON(failure, &d.Error)
}

func documentOf(r scanner) (*scaigrid.Document, error) {
	d, err := scanDocument(r)
	if err != nil {
		return nil, err
	}
	return &d, nil
}

// AddDocument stores a document with its original bytes, to be read by a
// worker. NOT_FOUND where the tenant has no bot d.BotID. When it fails nothing
// is left.
func (s *Store) AddDocument(ctx context.Context, d *scaigrid.Document, original []byte) error {
	metadata, err := jsonText(d.Metadata)
	if err != nil {
		return scaigrid.Invalid("metadata", "is not JSON")
	}
	d.Version, d.Status, d.Bytes = 1, scaigrid.DocumentUploaded, int64(len(original))
	first, rest := cutBytes(original)
	err = s.write.do(ctx, durable, func(t *tx) error {
		if err := t.exec1(`INSERT INTO documents (id, tenant_id, bot_id, name, source, media_type, url, bytes, sha256, status, chunks, progress, metadata,
				version, published, lease_until, lease_span, lease_node, attempts, created_at, updated_at)
			SELECT $1, tenant_id, id, $2, $3, $4, $5, CAST($6 AS BIGINT), $7, 'uploaded', 0, 0, $8, 1, 0, CAST($12 AS BIGINT), 0, $13, 0, CAST($9 AS BIGINT), CAST($9 AS BIGINT)
			FROM bots WHERE id = $10 AND tenant_id = $11`,
			d.ID, clean(d.Name), d.Source, d.MediaType, clean(d.URL), d.Bytes, d.SHA256, metadata, micros(d.CreatedAt), d.BotID, d.TenantID,
			uploadUntil(d.CreatedAt, rest), uploader(rest)); err != nil {
			return err
		}
		return putPart(t, d.ID, 1, 0, first)
	})
	if err != nil || len(rest) == 0 {
		return err
	}
	if err := s.upload(ctx, d.ID, 1, rest); err != nil {
		return errors.Join(err, s.write.do(context.WithoutCancel(ctx), soon, func(t *tx) error {
			_, err := t.exec("DELETE FROM documents WHERE id = $1 AND version = 1", d.ID)
			return err
		}))
	}
	return nil
}

// Document returns a document of the bot; NOT_FOUND where it has none with this id.
func (s *Store) Document(ctx context.Context, botID, documentID string) (*scaigrid.Document, error) {
	if storable("id", documentID) != nil {
		return nil, scaigrid.NotFound()
	}
	return documentOf(s.read.row(ctx, "SELECT "+documentColumns+" FROM documents d WHERE d.id = $1 AND d.bot_id = $2", documentID, botID))
}

// DocumentByHash returns the bot's oldest document whose newest bytes have
// this SHA-256, in hex; NOT_FOUND where there is none.
func (s *Store) DocumentByHash(ctx context.Context, botID, sha256 string) (*scaigrid.Document, error) {
	return documentOf(s.read.row(ctx, "SELECT "+documentColumns+" FROM documents d WHERE d.bot_id = $1 AND d.sha256 = $2 ORDER BY d.created_at, d.id LIMIT 1", botID, sha256))
}

// DocumentsByID returns those of the documents that still exist, in any order.
func (s *Store) DocumentsByID(ctx context.Context, botID string, ids []string) ([]scaigrid.Document, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var w where
	w.in("d.id", ids)
	w.add("d.bot_id = ?", botID)
	return collect(ctx, s.read, "SELECT "+documentColumns+" FROM documents d WHERE "+w.String(), w.args, scanDocument)
}

// Documents lists those of a bot, newest first; status "" is any.
func (s *Store) Documents(ctx context.Context, botID string, status scaigrid.DocumentStatus, page scaigrid.PageRequest) ([]scaigrid.Document, scaigrid.PageResult, error) {
	limit, after, err := pageOf(page)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	var w where
	w.add("d.bot_id = ?", botID)
	w.add("(d.created_at, d.id) < (?, ?)", after.at, after.id)
	if status != "" {
		w.add("d.status = ?", string(status))
	}
	list, err := collect(ctx, s.read, "SELECT "+documentColumns+" FROM documents d"+w.newestFirst("d.", limit), w.args, scanDocument)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	list, next := cut(list, limit, func(d scaigrid.Document) place { return place{micros(d.CreatedAt), d.ID} })
	return list, next, nil
}

// ReplaceDocument gives a document new bytes, a name and what else is known of
// it. Until the new version is indexed, answers come from the old one. With
// expected other than 0 the document must have this version, else CONFLICT. When
// it fails on the way the document has failed and can be replaced again.
func (s *Store) ReplaceDocument(ctx context.Context, d scaigrid.Document, original []byte, expected int64, now time.Time) (*scaigrid.Document, error) {
	metadata, err := jsonText(d.Metadata)
	if err != nil {
		return nil, scaigrid.Invalid("metadata", "is not JSON")
	}
	first, rest := cutBytes(original)
	next, err := s.renew(ctx, d.BotID, d.ID, expected, now, func(t *tx, version int64) error {
		if err := t.exec1(`UPDATE documents SET name = $2, source = $3, media_type = $4, url = $5, bytes = $6, sha256 = $7, metadata = $8, pages = NULL,
				lease_until = $9, lease_node = $10 WHERE id = $1`,
			d.ID, clean(d.Name), d.Source, d.MediaType, clean(d.URL), len(original), d.SHA256, metadata, uploadUntil(now, rest), uploader(rest)); err != nil {
			return err
		}
		return putPart(t, d.ID, version, 0, first)
	})
	if err != nil || len(rest) == 0 {
		return next, err
	}
	if err := s.upload(ctx, d.ID, next.Version, rest); err != nil {
		return nil, errors.Join(err, s.write.do(context.WithoutCancel(ctx), soon, func(t *tx) error { return cutUploads(t, d.ID, math.MaxInt64) }))
	}
	return next, nil
}

// ReindexDocument lets a document be read anew from the bytes it has.
func (s *Store) ReindexDocument(ctx context.Context, botID, documentID string, expected int64, now time.Time) (*scaigrid.Document, error) {
	return s.renew(ctx, botID, documentID, expected, now, func(*tx, int64) error { return nil })
}

// renew begins the next version of a document and puts it into the queue.
func (s *Store) renew(ctx context.Context, botID, documentID string, expected int64, now time.Time, change func(t *tx, version int64) error) (*scaigrid.Document, error) {
	var d *scaigrid.Document
	err := s.write.do(ctx, durable, func(t *tx) error {
		var version int64
		// The row is taken before anything is decided, so that two come one after the other.
		err := t.get("UPDATE documents SET version = version + 1, updated_at = $3 WHERE id = $1 AND bot_id = $2 RETURNING version",
			documentID, botID, micros(now)).Scan(&version)
		if err != nil {
			return err
		}
		if expected != 0 && version != expected+1 {
			return versionConflict(version - 1)
		}
		if _, err := t.exec(`DELETE FROM document_blobs WHERE document_id = $1 AND version = $2
			AND EXISTS (SELECT 1 FROM documents WHERE id = $1 AND lease_node = 'upload')`, documentID, version-1); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE documents SET status = 'uploaded', error = NULL, progress = 0, lease_until = 0, lease_node = '', attempts = 0 WHERE id = $1`, documentID); err != nil {
			return err
		}
		if err := change(t, version); err != nil {
			return err
		}
		d, err = documentOf(t.get("SELECT "+documentColumns+" FROM documents d WHERE d.id = $1", documentID))
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// DeleteDocument removes a document with its bytes and passages. Expected as
// for ReplaceDocument.
func (s *Store) DeleteDocument(ctx context.Context, botID, documentID string, expected int64, now time.Time) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		var version, published int64
		if err := t.get("DELETE FROM documents WHERE id = $1 AND bot_id = $2 RETURNING version, published", documentID, botID).Scan(&version, &published); err != nil {
			return err
		}
		if expected != 0 && version != expected {
			return versionConflict(version)
		}
		return bumpKnowledge(t, botID)
	})
}

func bumpKnowledge(t *tx, botID string) error {
	_, err := t.exec("UPDATE bots SET knowledge_version = knowledge_version + 1 WHERE id = $1", botID)
	return err
}
