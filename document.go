package scaigrid

import (
	"encoding/json"
	"time"
)

// DocumentStatus is how far a document is on its way into the index.
type DocumentStatus string

// The states of a document, in order; Failed ends it with a reason.
const (
	DocumentUploaded   DocumentStatus = "uploaded"
	DocumentExtracting DocumentStatus = "extracting"
	DocumentIndexing   DocumentStatus = "indexing"
	DocumentIndexed    DocumentStatus = "indexed"
	DocumentFailed     DocumentStatus = "failed"
)

// MaxDocumentBytes is the largest document that is taken.
const MaxDocumentBytes = 20 << 20

// Document is a text that a bot answers from.
type Document struct {
	ID        string          `json:"id"`
	TenantID  string          `json:"-"`
	BotID     string          `json:"bot_id"`
	Name      string          `json:"name"`
	Source    string          `json:"source"` // file, text, url or qa
	MediaType string          `json:"media_type"`
	URL       string          `json:"url,omitempty"` // where citations lead; from metadata.url
	Bytes     int64           `json:"bytes"`
	Status    DocumentStatus  `json:"status"`
	Error     *DocumentError  `json:"error"`
	Chunks    int             `json:"chunks"`
	Pages     *int            `json:"pages"`    // null for formats without pages
	Progress  float64         `json:"progress"` // 0–1
	Metadata  json.RawMessage `json:"metadata"`
	Version   int64           `json:"version"`
	CreatedAt time.Time       `json:"created_at"`
	IndexedAt *time.Time      `json:"indexed_at"`

	SHA256 string `json:"-"` // of the original bytes, hex
}

// DocumentError says to a person why a document could not be used.
type DocumentError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Chunk is a passage as it is stored, before a question is asked of it.
type Chunk struct {
	ID         string // psg_…
	DocumentID string
	Position   int
	Title      string
	Heading    string
	Text       string
	Terms      []byte // analysed form, written and read by the knowledge room alone
}
