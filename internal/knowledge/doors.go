package knowledge

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
)

// Shelf is where finished chunks lie.
type Shelf interface {
	// ScanChunks calls f for every published chunk of the bot in the order of
	// document id and position, without its text. It stops at f's first error
	// and returns it.
	ScanChunks(ctx context.Context, botID string, f func(scaigrid.Chunk) error) error
	// ChunksByID returns those of the chunks that still exist, in any order.
	ChunksByID(ctx context.Context, botID string, ids []string) ([]scaigrid.Chunk, error)
	// DocumentsByID returns those of the documents that still exist, in any order.
	DocumentsByID(ctx context.Context, botID string, ids []string) ([]scaigrid.Document, error)
}

// Desk is where documents wait to be read.
type Desk interface {
	// ClaimDocuments gives this node documents that wait, or whose worker's
	// lease ended, until the given time.
	ClaimDocuments(ctx context.Context, node string, now, until time.Time, limit int) ([]scaigrid.Document, error)
	// DocumentBlob returns the original bytes.
	DocumentBlob(ctx context.Context, documentID string) ([]byte, error)
	// SetDocumentStatus notes status, progress and error of a claimed document
	// and renews the claim; CONFLICT where the document was replaced, deleted or
	// claimed by another node meanwhile.
	SetDocumentStatus(ctx context.Context, d scaigrid.Document, node string, now time.Time) error
	// PublishChunks replaces all chunks of the document, marks it indexed and
	// raises the bot's knowledge version, in one instant; CONFLICT as above.
	PublishChunks(ctx context.Context, d scaigrid.Document, node string, chunks []scaigrid.Chunk, now time.Time) error
}
