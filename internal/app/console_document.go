package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/scailabs/scaigrid"
)

// Documents lists the documents of a bot, newest first.
func (c *Console) Documents(ctx context.Context, botID string) ([]scaigrid.Document, error) {
	return c.documents(ctx, botID)
}

// AddDocuments gives a bot files, and the files of folders. One that it has
// already by name is replaced, if it differs. url is where citations lead, with
// {path} or {file} for the file's name. It reports what it changed.
func (c *Console) AddDocuments(ctx context.Context, bot *scaigrid.Bot, paths []string, url string, wait bool) ([]DocumentChange, error) {
	if err := checkAddress(url); err != nil {
		return nil, err
	}
	wanted, err := readPaths(paths, url)
	if err != nil {
		return nil, err
	}
	changes, err := c.planDocuments(ctx, bot, wanted, false)
	if err != nil {
		return nil, err
	}
	return changes, c.change(ctx, bot, changes, wait)
}

func (c *Console) change(ctx context.Context, bot *scaigrid.Bot, changes []DocumentChange, wait bool) error {
	if err := c.applyDocuments(ctx, bot, changes); err != nil {
		return err
	}
	if !wait {
		return nil
	}
	if err := c.waitIndexed(ctx, bot, changes); err != nil {
		return err
	}
	var bad []error
	for _, d := range changes {
		if d.Error != "" {
			bad = append(bad, fmt.Errorf("%s: %s", d.Name, d.Error))
		}
	}
	return errors.Join(bad...)
}

func checkAddress(url string) error {
	if url != "" && !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return scaigrid.Invalid("url", "must begin with https:// or http://, such as https://example.com/help/{path}")
	}
	return nil
}

// DeleteDocument deletes a document, by its id or its name.
func (c *Console) DeleteDocument(ctx context.Context, botID, ref string) (*scaigrid.Document, error) {
	docs, err := c.documents(ctx, botID)
	if err != nil {
		return nil, err
	}
	for i := range docs {
		if docs[i].ID == ref || docs[i].Name == ref {
			return &docs[i], c.store.DeleteDocument(ctx, botID, docs[i].ID, 0, c.clock())
		}
	}
	return nil, scaigrid.Errorf(scaigrid.CodeNotFound, "The bot has no document %q. scaigrid doc list shows those it has.", ref)
}

// ExportDocuments writes the documents of a bot into a folder and returns how
// many. Files that are there under other names are left alone.
func (c *Console) ExportDocuments(ctx context.Context, botID, folder string) (int, error) {
	docs, err := c.documents(ctx, botID)
	if err != nil {
		return 0, err
	}
	taken := map[string]bool{}
	for _, d := range docs {
		body, err := c.store.DocumentBlob(ctx, d.ID)
		if err != nil {
			return 0, err
		}
		name := fileName(&d, taken)
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			return 0, fmt.Errorf("the folder %s can't be made: %w", filepath.Dir(file), bareError(err))
		}
		if err := os.WriteFile(file, body, 0o640); err != nil { //nolint:gosec // documents are for readers
			return 0, fmt.Errorf("%s can't be written: %w", file, bareError(err))
		}
	}
	return len(docs), nil
}

// fileName makes a file's name of a document's, which may be anything: it
// stays in its folder, has an ending that is read again, and is free.
func fileName(d *scaigrid.Document, taken map[string]bool) string {
	var parts []string
	for part := range strings.SplitSeq(d.Name, "/") {
		part = strings.Map(func(r rune) rune {
			if r < ' ' || strings.ContainsRune(`\:*?"<>|`, r) {
				return '-'
			}
			return r
		}, part)
		if part = strings.TrimLeft(part, ". "); part != "" {
			parts = append(parts, part)
		}
	}
	name := strings.Join(parts, "/")
	ext := strings.ToLower(filepath.Ext(name))
	if name == "" {
		name = d.ID
	}
	switch {
	case d.MediaType == "text/plain" && ext != ".txt" && ext != ".text":
		name += ".txt"
	case d.MediaType != "text/plain" && ext != ".md" && ext != ".markdown":
		name += ".md"
	}
	if taken[strings.ToLower(name)] {
		name = d.ID + "-" + filepath.Base(name)
	}
	taken[strings.ToLower(name)] = true
	return name
}

// RelativeTo is a folder as a file beside it names it.
func RelativeTo(file, folder string) string {
	base, err1 := filepath.Abs(filepath.Dir(file))
	target, err2 := filepath.Abs(folder)
	if rel, err := filepath.Rel(base, target); err == nil && err1 == nil && err2 == nil && file != "" {
		return filepath.ToSlash(rel)
	}
	return folder
}
