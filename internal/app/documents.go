package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/knowledge"
)

// text is a document that a bot should have.
type text struct {
	name  string // by which it is found again
	media string
	url   string // where citations lead; ""
	load  func() ([]byte, error)
}

// DocumentChange is a document that is added, replaced or deleted.
type DocumentChange struct {
	Name   string `json:"name"`
	Action string `json:"action"` // add, replace, delete or keep
	ID     string `json:"id,omitempty"`
	Error  string `json:"error,omitempty"` // why it could not be read, after waiting for it

	text *text
	held *scaigrid.Document
}

// Sign is the action as a diff shows it.
func (d DocumentChange) Sign() string {
	return map[string]string{"add": "+", "replace": "~", "delete": "-"}[d.Action]
}

// planDocuments compares the documents of a bot with those that it should
// have; bot is nil for one that is not made yet.
func (h *hall) planDocuments(ctx context.Context, bot *scaigrid.Bot, wanted []text, prune bool) ([]DocumentChange, error) {
	held := map[string]*scaigrid.Document{}
	if bot != nil {
		docs, err := h.documents(ctx, bot.ID)
		if err != nil {
			return nil, err
		}
		for i := range docs {
			held[docs[i].Name] = &docs[i]
		}
	}
	out := []DocumentChange{}
	for i := range wanted {
		w := &wanted[i]
		body, err := w.load()
		if err != nil {
			return nil, err
		}
		d := held[w.name]
		delete(held, w.name)
		switch {
		case d == nil:
			out = append(out, DocumentChange{Name: w.name, Action: "add", text: w})
		case d.SHA256 != digest(body) || d.URL != w.url || d.MediaType != w.media:
			out = append(out, DocumentChange{Name: w.name, Action: "replace", ID: d.ID, text: w, held: d})
		}
	}
	if prune {
		for _, d := range held {
			out = append(out, DocumentChange{Name: d.Name, Action: "delete", ID: d.ID, held: d})
		}
	}
	return out, nil
}

func (h *hall) documents(ctx context.Context, botID string) ([]scaigrid.Document, error) {
	return all(func(p scaigrid.PageRequest) ([]scaigrid.Document, scaigrid.PageResult, error) {
		return h.store.Documents(ctx, botID, "", p)
	})
}

// applyDocuments makes the changes, and notes the ids of new documents in them.
func (h *hall) applyDocuments(ctx context.Context, bot *scaigrid.Bot, changes []DocumentChange) error {
	for i := range changes {
		if err := h.applyDocument(ctx, bot, &changes[i]); err != nil {
			return fmt.Errorf("document %s: %w", changes[i].Name, err)
		}
	}
	return nil
}

func (h *hall) applyDocument(ctx context.Context, bot *scaigrid.Bot, c *DocumentChange) error {
	now := h.clock()
	if c.Action == "delete" {
		return h.store.DeleteDocument(ctx, bot.ID, c.held.ID, 0, now)
	}
	body, err := c.text.load()
	if err != nil {
		return err
	}
	d := &scaigrid.Document{
		ID: scaigrid.NewID(scaigrid.KindDocument, now), TenantID: bot.TenantID, BotID: bot.ID, Name: c.text.name, Source: "file",
		MediaType: c.text.media, URL: c.text.url, Bytes: int64(len(body)), SHA256: digest(body), CreatedAt: now,
	}
	if d.URL != "" {
		d.Metadata, _ = json.Marshal(map[string]string{"url": d.URL})
	}
	if c.held == nil {
		c.ID = d.ID
		return h.store.AddDocument(ctx, d, body)
	}
	d.ID, d.CreatedAt = c.held.ID, c.held.CreatedAt
	_, err = h.store.ReplaceDocument(ctx, *d, body, 0, now)
	return err
}

// waitEvery is how often documents are looked at that another process reads.
const waitEvery = 100 * time.Millisecond

// waitIndexed reads documents that wait until those of the changes are
// indexed, and notes which could not be. A running server may do the work.
func (h *hall) waitIndexed(ctx context.Context, bot *scaigrid.Bot, changes []DocumentChange) error {
	for i := range changes {
		c := &changes[i]
		if c.Action == "delete" {
			continue
		}
		for {
			d, err := h.store.Document(ctx, bot.ID, c.ID)
			if err != nil {
				return err
			}
			if d.Status == scaigrid.DocumentIndexed {
				break
			}
			if d.Status == scaigrid.DocumentFailed {
				c.Error = "it could not be read"
				if d.Error != nil {
					c.Error = d.Error.Message
				}
				break
			}
			n, err := h.worker.Work(ctx)
			if err != nil {
				return err
			}
			if n > 0 {
				continue
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(waitEvery):
			}
		}
	}
	return nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// readFolder lists the documents in a folder and below, in the order of their
// names; hidden files and folders are left out.
func readFolder(folder, url string) ([]text, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return nil, fmt.Errorf("the folder %s can't be read: %w", folder, bareError(err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", folder)
	}
	var out []text
	err = fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("the folder %s can't be read: %w", filepath.Join(folder, name), bareError(err))
		case name != "." && strings.HasPrefix(path.Base(name), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || !knowledge.Supported("", name):
			return nil
		}
		out = append(out, fileText(filepath.Join(folder, filepath.FromSlash(name)), name, url))
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("the folder %s holds no Markdown (.md) and no text (.txt)", folder)
	}
	return out, err
}

// readPaths lists the documents of files and folders.
func readPaths(paths []string, url string) ([]text, error) {
	var out []text
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("%s can't be read: %w", p, bareError(err))
		}
		if info.IsDir() {
			inside, err := readFolder(p, url)
			if err != nil {
				return nil, err
			}
			out = append(out, inside...)
			continue
		}
		name := filepath.Base(p)
		if !knowledge.Supported("", name) {
			return nil, fmt.Errorf("%s can't be read yet; Markdown (.md) and plain text (.txt) can", p)
		}
		out = append(out, fileText(p, name, url))
	}
	seen := map[string]bool{}
	for _, t := range out {
		if seen[t.name] {
			return nil, fmt.Errorf("two of the files are named %s; give them different names", t.name)
		}
		seen[t.name] = true
	}
	return out, nil
}

func fileText(file, name, url string) text {
	media := "text/markdown"
	if ext := strings.ToLower(path.Ext(name)); ext == ".txt" || ext == ".text" {
		media = "text/plain"
	}
	return text{name: name, media: media, url: addressOf(url, name), load: func() ([]byte, error) {
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("%s can't be read: %w", file, bareError(err))
		}
		if info.Size() > scaigrid.MaxDocumentBytes {
			return nil, fmt.Errorf("%s is larger than a document may be (%d MiB); split it", file, scaigrid.MaxDocumentBytes>>20)
		}
		body, err := os.ReadFile(file) //nolint:gosec // the operator names his own file
		if err != nil {
			return nil, fmt.Errorf("%s can't be read: %w", file, bareError(err))
		}
		if len(body) == 0 {
			return nil, fmt.Errorf("%s is empty", file)
		}
		return body, nil
	}}
}

// addressOf fills the pattern of an address with a file's name.
func addressOf(pattern, name string) string {
	short := strings.TrimSuffix(name, path.Ext(name))
	return strings.NewReplacer("{path}", escapePath(short), "{file}", escapePath(name)).Replace(pattern)
}

func escapePath(p string) string {
	return strings.NewReplacer(" ", "%20", "#", "%23", "?", "%3F").Replace(p)
}

func bareError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
