package knowledge

import (
	"mime"
	"strings"

	"github.com/scailabs/scaigrid"
)

// kind is what a block of a document is.
type kind uint8

const (
	paragraph kind = iota
	heading
	item // of a list
	row  // of a table, each cell with its column's name
	code
)

// block is a piece of a document that should not be torn apart needlessly.
type block struct {
	kind  kind
	level int    // of a heading: 1–6
	text  string // without markup, but for list marks and code fences
}

// source is a document as it was read, before it is cut into chunks.
type source struct {
	title  string // "" where the document has none
	blocks []block
}

// Reasons why a document cannot be used, as DocumentError.Code.
const (
	codeUnsupported = "unsupported_format"
	codeNotText     = "not_text"
	codeEmpty       = "no_text"
	codeTooLarge    = "too_large"
	codeReader      = "reader_failed"
)

// Supported tells whether documents of this media type can be read, by type
// or by the ending of the name where the type says nothing.
func Supported(mediaType, name string) bool {
	return formatOf(mediaType, name) != ""
}

func formatOf(mediaType, name string) string {
	t, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		t = ""
	}
	low := strings.ToLower(name)
	byName := ""
	for ending, format := range map[string]string{".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".txt": "plain", ".text": "plain"} {
		if strings.HasSuffix(low, ending) {
			byName = format
		}
	}
	switch t {
	case "text/markdown", "text/x-markdown":
		return "markdown"
	case "text/plain":
		if byName != "" {
			return byName
		}
		return "plain"
	case "", "application/octet-stream":
		return byName
	}
	return ""
}

// read takes a file apart.
func read(mediaType, name string, b []byte) (source, *scaigrid.DocumentError) {
	format := formatOf(mediaType, name)
	if format == "" {
		return source{}, &scaigrid.DocumentError{Code: codeUnsupported, Message: "This kind of file cannot be read yet. Markdown (.md) and plain text (.txt) can; save the document as one of these and upload it again."}
	}
	if len(b) > scaigrid.MaxDocumentBytes {
		return source{}, &scaigrid.DocumentError{Code: codeTooLarge, Message: "The file is larger than 20 MiB. Split it and upload the parts."}
	}
	text, ok := cleanText(b)
	if !ok {
		return source{}, &scaigrid.DocumentError{Code: codeNotText, Message: "The file is not UTF-8 text. Save it as UTF-8 and upload it again."}
	}
	var src source
	if format == "markdown" {
		src = readMarkdown(text)
	} else {
		src = readPlain(text)
	}
	for _, bl := range src.blocks {
		if bl.kind != heading && strings.TrimSpace(bl.text) != "" {
			return src, nil
		}
	}
	return source{}, &scaigrid.DocumentError{Code: codeEmpty, Message: "The file has no text to answer from."}
}
