package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/config"
)

// BotFile is a bot as its operator declares it: everything he sets, and where
// its documents lie. What the file leaves out has its default.
type BotFile struct {
	Status             string `yaml:"status"`
	scaigrid.BotConfig `yaml:",inline"`
	Documents          *DocumentFolder `yaml:"documents"`

	Dir string `yaml:"-"` // of the file: documents.folder is relative to it
}

// DocumentFolder says which files a bot answers from.
type DocumentFolder struct {
	Folder string `yaml:"folder"` // every Markdown and text file in it and below
	URL    string `yaml:"url"`    // where citations lead: {path} is the file's path without .md, {file} with it; "": nowhere
	Prune  bool   `yaml:"prune"`  // also delete the bot's documents that are not in the folder
}

// ReadBotFiles reads a file of one or more bots, "---" between them; "-" is
// standard input. Every mistake is an error that names the file and the line.
func ReadBotFiles(name string, stdin io.Reader) ([]BotFile, error) {
	var data []byte
	var err error
	dir := "."
	if name == "-" {
		name = "standard input"
		data, err = io.ReadAll(io.LimitReader(stdin, 4<<20))
	} else {
		dir = filepath.Dir(name)
		data, err = os.ReadFile(name) //nolint:gosec // the operator names his own file
	}
	if err != nil {
		return nil, fmt.Errorf("%s can't be read: %w", name, err)
	}
	bots, err := parseBotFiles(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i := range bots {
		bots[i].Dir = dir
	}
	return bots, nil
}

func parseBotFiles(data []byte) ([]BotFile, error) {
	var out []BotFile
	slugs := map[string]bool{}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	for {
		b := BotFile{Status: string(scaigrid.BotDraft), BotConfig: scaigrid.DefaultBotConfig()}
		err := dec.Decode(&b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.New(config.YAMLError(err))
		}
		if err := b.check(); err != nil {
			return nil, err
		}
		if slugs[b.Slug] {
			return nil, fmt.Errorf("the slug %s stands twice; each bot needs its own", b.Slug)
		}
		slugs[b.Slug] = true
		out = append(out, b)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no bot in it; it begins with name:, slug: and model: lines")
	}
	return out, nil
}

func (b *BotFile) check() error {
	b.fillLists()
	if err := b.Validate(); err != nil {
		return fmt.Errorf("bot %q: %w", b.Slug, err)
	}
	if !scaigrid.BotStatus(b.Status).Valid() {
		return fmt.Errorf("bot %s: status must be draft, active or archived", b.Slug)
	}
	if b.Documents != nil && strings.TrimSpace(b.Documents.Folder) == "" {
		return fmt.Errorf("bot %s: documents.folder must name a folder, relative to this file", b.Slug)
	}
	return nil
}

// fillLists makes an empty list of one that the file set to nothing, so that
// the two compare as equal.
func (b *BotFile) fillLists() {
	if b.AllowedOrigins == nil {
		b.AllowedOrigins = []string{}
	}
	if b.SuggestedQuestions == nil {
		b.SuggestedQuestions = []string{}
	}
	if b.Appearance == nil {
		b.Appearance = map[string]string{}
	}
}

// FieldChange is one field that a bot file would change.
type FieldChange struct {
	Field string          `json:"field"`
	From  json.RawMessage `json:"from"`
	To    json.RawMessage `json:"to"`
}

// field is one field of a bot with its JSON value, in the order of the struct.
type field struct {
	name  string
	value json.RawMessage
}

// fieldsOf lists what an operator sets of a bot, nested ones by path.
func fieldsOf(status scaigrid.BotStatus, c scaigrid.BotConfig) []field {
	s, _ := json.Marshal(status)
	out := []field{{"status", s}}
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // plain values only
	}
	return flatten(out, "", data)
}

func flatten(out []field, prefix string, data []byte) []field {
	dec := json.NewDecoder(bytes.NewReader(data))
	_, _ = dec.Token()
	for dec.More() {
		key, _ := dec.Token()
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			panic(err) // written by json.Marshal
		}
		name := prefix + fmt.Sprint(key)
		if value[0] == '{' && (name == "knowledge_settings" || name == "limits") {
			out = flatten(out, name+".", value)
			continue
		}
		out = append(out, field{name, value})
	}
	return out
}

// differences lists the fields of want that differ from have.
func differences(have, want []field) []FieldChange {
	out := []FieldChange{}
	for i, w := range want {
		if !bytes.Equal(have[i].value, w.value) {
			out = append(out, FieldChange{Field: w.name, From: have[i].value, To: w.value})
		}
	}
	return out
}

// WriteBotFile writes a bot as YAML that ReadBotFiles reads back: the fields
// that differ from their default, and the documents' folder where one is given.
func WriteBotFile(w io.Writer, b *scaigrid.Bot, documents *DocumentFolder) error {
	doc := yaml.MapSlice{}
	nested := map[string]int{}
	defaults := fieldsOf(scaigrid.BotDraft, scaigrid.DefaultBotConfig())
	for i, f := range fieldsOf(b.Status, b.BotConfig) {
		if f.name != "status" && f.name != "name" && f.name != "slug" && f.name != "model" && bytes.Equal(f.value, defaults[i].value) {
			continue
		}
		var value any
		dec := json.NewDecoder(bytes.NewReader(f.value))
		dec.UseNumber()
		if err := dec.Decode(&value); err != nil {
			return err
		}
		value = plainNumbers(value)
		parent, child, ok := strings.Cut(f.name, ".")
		if !ok {
			doc = append(doc, yaml.MapItem{Key: f.name, Value: value})
			continue
		}
		at, seen := nested[parent]
		if !seen {
			at = len(doc)
			nested[parent] = at
			doc = append(doc, yaml.MapItem{Key: parent, Value: yaml.MapSlice{}})
		}
		doc[at].Value = append(doc[at].Value.(yaml.MapSlice), yaml.MapItem{Key: child, Value: value})
	}
	if documents != nil {
		doc = append(doc, yaml.MapItem{Key: "documents", Value: *documents})
	}
	return yaml.NewEncoder(w, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true)).Encode(doc)
}

func plainNumbers(v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64()
	return f
}
