package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scailabs/scaigrid"
)

// documentPath is where the documents of a bot are.
const documentPath = botPath + "/{bot}/documents"

// documentView is a document as staff sees it.
type documentView struct {
	ID        string                  `json:"id"`
	BotID     string                  `json:"bot_id"`
	Name      string                  `json:"name"`
	Source    string                  `json:"source" enum:"file,text,url,qa"`
	MediaType string                  `json:"media_type"`
	URL       *string                 `json:"url" doc:"Where citations lead; from metadata.url"`
	Bytes     int64                   `json:"bytes"`
	Status    scaigrid.DocumentStatus `json:"status" enum:"uploaded,extracting,indexing,indexed,failed"`
	Error     *scaigrid.DocumentError `json:"error" doc:"Why it failed"`
	Chunks    int                     `json:"chunks" doc:"Passages that answers come from"`
	Pages     *int                    `json:"pages"`
	Progress  float64                 `json:"progress" doc:"0–1"`
	Metadata  jsontext.Value          `json:"metadata"`
	Version   int64                   `json:"version" doc:"Grows when it is replaced; also the ETag"`
	CreatedAt time.Time               `json:"created_at"`
	IndexedAt *time.Time              `json:"indexed_at"`
}

func viewDocument(d *scaigrid.Document) documentView {
	return documentView{
		ID: d.ID, BotID: d.BotID, Name: d.Name, Source: d.Source, MediaType: d.MediaType, URL: orNull(d.URL), Bytes: d.Bytes,
		Status: d.Status, Error: d.Error, Chunks: d.Chunks, Pages: d.Pages, Progress: d.Progress, Metadata: orNullJSON(d.Metadata),
		Version: d.Version, CreatedAt: d.CreatedAt, IndexedAt: d.IndexedAt,
	}
}

func orNullJSON(v []byte) jsontext.Value {
	if len(v) == 0 {
		return jsontext.Value("null")
	}
	return jsontext.Value(v)
}

// documentQuery narrows the list of documents.
type documentQuery struct {
	Status string `query:"status" enum:"uploaded,extracting,indexing,indexed,failed" doc:"Only documents in this state"`
}

func (s *Server) listDocuments(c *call, q *documentQuery, page scaigrid.PageRequest) ([]documentView, scaigrid.PageResult, error) {
	bot, err := s.pathBotRow(c)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	status := scaigrid.DocumentStatus(q.Status)
	switch status {
	case "", scaigrid.DocumentUploaded, scaigrid.DocumentExtracting, scaigrid.DocumentIndexing, scaigrid.DocumentIndexed, scaigrid.DocumentFailed:
	default:
		return nil, scaigrid.PageResult{}, scaigrid.Invalid("query.status", "must be uploaded, extracting, indexing, indexed or failed")
	}
	docs, next, err := s.store.Documents(c.ctx(), bot.ID, status, page)
	if err != nil {
		return nil, next, err
	}
	out := make([]documentView, len(docs))
	for i := range docs {
		out[i] = viewDocument(&docs[i])
	}
	return out, next, nil
}

func (s *Server) readDocument(c *call) (documentView, error) {
	d, err := s.pathDocumentRow(c)
	if err != nil {
		return documentView{}, err
	}
	c.setVersion(d.Version)
	return viewDocument(d), nil
}

// pathDocumentRow returns the document in the path. The bot is asked for first:
// it says whose the document is.
func (s *Server) pathDocumentRow(c *call) (*scaigrid.Document, error) {
	bot, err := s.pathBotRow(c)
	if err != nil {
		return nil, err
	}
	id, err := c.pathID(scaigrid.KindDocument)
	if err != nil {
		return nil, err
	}
	return s.store.Document(c.ctx(), bot.ID, id)
}

func (s *Server) createDocument(c *call) error {
	bot, err := s.pathBotRow(c)
	if err != nil {
		return err
	}
	up, err := c.takeUpload()
	if err != nil {
		return err
	}
	d := up.document(c, bot)
	d.ID = scaigrid.NewID(scaigrid.KindDocument, c.began)
	if err := s.store.AddDocument(c.ctx(), d, up.body); err != nil {
		return err
	}
	s.documentsChanged()
	c.setVersion(d.Version)
	c.w.Header().Set("Location", botPath+"/"+bot.ID+"/documents/"+d.ID)
	return c.reply(http.StatusCreated, viewDocument(d))
}

// document makes the row of what was uploaded, but for its id.
func (u *upload) document(c *call, bot *scaigrid.Bot) *scaigrid.Document {
	sum := sha256.Sum256(u.body)
	return &scaigrid.Document{
		TenantID: bot.TenantID, BotID: bot.ID, Name: u.name, Source: u.source, MediaType: u.mediaType, URL: u.url,
		Bytes: int64(len(u.body)), Status: scaigrid.DocumentUploaded, Metadata: u.metadata, Version: 1, CreatedAt: c.began,
		SHA256: hex.EncodeToString(sum[:]),
	}
}

func (s *Server) replaceDocument(c *call) error {
	old, err := s.pathDocumentRow(c)
	if err != nil {
		return err
	}
	version, err := c.ifMatch()
	if err != nil {
		return err
	}
	up, err := c.takeUpload()
	if err != nil {
		return err
	}
	d := up.document(c, &scaigrid.Bot{ID: old.BotID, TenantID: old.TenantID})
	d.ID, d.CreatedAt = old.ID, old.CreatedAt
	changed, err := s.store.ReplaceDocument(c.ctx(), *d, up.body, version, c.began)
	if err != nil {
		return c.conflict(err, s.documentVersion(c, old))
	}
	s.documentsChanged()
	c.setVersion(changed.Version)
	return c.reply(http.StatusOK, viewDocument(changed))
}

func (s *Server) documentVersion(c *call, d *scaigrid.Document) func() (int64, error) {
	return func() (int64, error) {
		now, err := s.store.Document(c.ctx(), d.BotID, d.ID)
		if err != nil {
			return 0, err
		}
		return now.Version, nil
	}
}

func (s *Server) deleteDocument(c *call) (deleted, error) {
	d, err := s.pathDocumentRow(c)
	if err != nil {
		return deleted{}, err
	}
	version, err := c.ifMatch()
	if err != nil {
		return deleted{}, err
	}
	if err := s.store.DeleteDocument(c.ctx(), d.BotID, d.ID, version, c.began); err != nil {
		return deleted{}, c.conflict(err, s.documentVersion(c, d))
	}
	return deleted{ID: d.ID, Deleted: true}, nil
}

func (s *Server) reindexDocument(c *call) (documentView, error) {
	old, err := s.pathDocumentRow(c)
	if err != nil {
		return documentView{}, err
	}
	version, err := c.ifMatch()
	if err != nil {
		return documentView{}, err
	}
	d, err := s.store.ReindexDocument(c.ctx(), old.BotID, old.ID, version, c.began)
	if err != nil {
		return documentView{}, c.conflict(err, s.documentVersion(c, old))
	}
	s.documentsChanged()
	c.setVersion(d.Version)
	return viewDocument(d), nil
}

// originalDocument sends the bytes as they were uploaded. They are a
// stranger's: the browser is told to save them and to run nothing.
func (s *Server) originalDocument(c *call) error {
	d, err := s.pathDocumentRow(c)
	if err != nil {
		return err
	}
	body, err := s.store.DocumentBlob(c.ctx(), d.ID)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h["Cache-Control"] = noStore
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.Name}))
	c.send(http.StatusOK, []string{"application/octet-stream"}, body)
	return nil
}

// documentsChanged wakes the worker that reads documents.
func (s *Server) documentsChanged() {
	if s.wake != nil {
		s.wake()
	}
}

// documentRows are the rows about documents.
func (s *Server) documentRows() []route {
	row := staffRow("Knowledge")
	const manage = scaigrid.PermKnowledgeManage
	return []route{
		row("GET", documentPath, "listDocuments", "List a bot's documents, newest first", scaigrid.PermBotsRead, list(s.listDocuments)),
		row("POST", documentPath, "createDocument", "Give a bot a document, as a file or as JSON", manage, uploads(s.createDocument)).
			answers(http.StatusCreated).bounded(maxUpload),
		row("GET", documentPath+"/{doc}", "readDocument", "Read a document's state", scaigrid.PermBotsRead, read(s.readDocument)),
		row("PUT", documentPath+"/{doc}", "replaceDocument", "Replace a document; visitors are answered from the old text until the new one is ready", manage, uploads(s.replaceDocument)).
			bounded(maxUpload).versioned(),
		row("DELETE", documentPath+"/{doc}", "deleteDocument", "Delete a document", manage, read(s.deleteDocument)).versioned(),
		row("POST", documentPath+"/{doc}/reindex", "reindexDocument", "Read a document again", manage, read(s.reindexDocument)).versioned(),
		row("GET", documentPath+"/{doc}/original", "originalDocument", "The document as it was uploaded", scaigrid.PermBotsRead, raw("application/octet-stream", s.originalDocument)),
	}
}
