package store

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
)

// Limits of an upload.
const (
	partBytes    = 256 << 10        // per transaction, so that turns need not wait long
	uploadWithin = 10 * time.Minute // an upload that takes longer is taken for cut off
	uploadNode   = "upload"         // who holds a document while its bytes arrive
)

// cutBytes takes the first part of a document's bytes.
func cutBytes(original []byte) (first, rest []byte) {
	n := min(len(original), partBytes)
	return original[:n:n], original[n:]
}

// uploadUntil is when a document can be claimed: at once where all of it came
// with its row, else when its upload is taken for cut off.
func uploadUntil(now time.Time, rest []byte) int64 {
	if len(rest) == 0 {
		return 0
	}
	return micros(now.Add(uploadWithin))
}

func uploader(rest []byte) string {
	if len(rest) == 0 {
		return ""
	}
	return uploadNode
}

func putPart(t *tx, documentID string, version int64, part int, body []byte) error {
	if body == nil {
		body = []byte{} // not NULL
	}
	_, err := t.exec("INSERT INTO document_blobs (document_id, version, part, body) VALUES ($1, $2, $3, $4)", documentID, version, part, body)
	return err
}

// upload stores the bytes after the first part and lets the document be read.
// CONFLICT where it was replaced or deleted meanwhile.
func (s *Store) upload(ctx context.Context, documentID string, version int64, rest []byte) error {
	for part := 1; len(rest) > 0; part++ {
		var body []byte
		body, rest = cutBytes(rest)
		class, last := soon, len(rest) == 0
		if last {
			class = durable
		}
		err := s.write.do(ctx, class, func(t *tx) error {
			// Taking the row keeps a replacement from coming in between.
			n, err := t.exec(`UPDATE documents SET lease_until = CASE WHEN $3 THEN 0 ELSE lease_until END, lease_node = CASE WHEN $3 THEN '' ELSE lease_node END
				WHERE id = $1 AND version = $2 AND lease_node = 'upload'`, documentID, version, last)
			if err != nil {
				return err
			}
			if n == 0 {
				return errClaimLost()
			}
			return putPart(t, documentID, version, part, body)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// cutUploads marks documents as failed whose bytes stopped arriving: the one
// with this id, or all of them where it is "", that should have come by now.
func cutUploads(t *tx, documentID string, now int64) error {
	why, err := jsonText(scaigrid.DocumentError{Code: "upload_incomplete", Message: "The upload was cut off. Upload the document again."})
	if err != nil {
		return err
	}
	type cut struct {
		id      string
		version int64
	}
	list, err := collect(t.ctx, t, `UPDATE documents SET status = 'failed', error = $3, lease_until = NULL, lease_node = ''
		WHERE lease_node = 'upload' AND lease_until <= $1 AND ($2 = '' OR id = $2) RETURNING id, version`, []any{now, documentID, why},
		func(r scanner) (c cut, err error) {
			err = r.Scan(&c.id, &c.version)
			return c, err
		})
	if err != nil {
		return err
	}
	for _, c := range list {
		if _, err := t.exec("DELETE FROM document_blobs WHERE document_id = $1 AND version = $2", c.id, c.version); err != nil {
			return err
		}
	}
	return nil
}

// DocumentBlob returns the newest original bytes of a document; NOT_FOUND where
// there are none, also while they arrive.
func (s *Store) DocumentBlob(ctx context.Context, documentID string) ([]byte, error) {
	parts, err := collect(ctx, s.read, `SELECT b.body FROM document_blobs b WHERE b.document_id = $1 AND b.version =
			(SELECT MAX(n.version) FROM document_blobs n JOIN documents d ON d.id = n.document_id
			WHERE n.document_id = $1 AND (d.lease_node <> 'upload' OR n.version < d.version))
		ORDER BY b.part`, []any{documentID}, func(r scanner) (body []byte, err error) {
		err = r.Scan(&body)
		return body, err
	})
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, scaigrid.NotFound()
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	whole := make([]byte, 0, len(parts)*partBytes)
	for _, p := range parts {
		whole = append(whole, p...)
	}
	return whole, nil
}
