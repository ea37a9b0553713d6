package llm

import (
	"bytes"
	"fmt"
	"math"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/scailabs/scaigrid"
)

// The ways in which an answer can finish.
const (
	finishStop    = "stop"
	finishLength  = "length"
	finishRefused = "refused"
)

// chunk is what one event of a stream brought, its text apart.
type chunk struct {
	finish  string // "" where the event does not end the answer
	usage   *scaigrid.Usage
	thought bool // the model thinks: no text, but alive
	refused bool // it says that it will not answer
	failed  *failure
}

// wireChunk is a chat.completion.chunk, or a whole chat.completion, or a
// complaint: as much of it as is looked at.
type wireChunk struct {
	Object  string         `json:"object"`
	Choices []wireChoice   `json:"choices"`
	Usage   *wireUsage     `json:"usage"`
	Error   jsontext.Value `json:"error"`
}

type wireChoice struct {
	Index   int            `json:"index"`
	Delta   wireDelta      `json:"delta"`
	Message wireDelta      `json:"message"`
	Finish  jsontext.Value `json:"finish_reason"`
}

type wireDelta struct {
	Content   jsontext.Value `json:"content"`
	Refusal   jsontext.Value `json:"refusal"`
	Reasoning jsontext.Value `json:"reasoning"`
	Thinking  jsontext.Value `json:"reasoning_content"`
	ToolCalls jsontext.Value `json:"tool_calls"`
}

type wireUsage struct {
	Prompt     float64 `json:"prompt_tokens"`
	Completion float64 `json:"completion_tokens"`
}

// tolerant is how foreign JSON is read: syntax is law, the rest is not ours.
var tolerant = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// chunks decodes the events of one answer. Most of them differ in their text
// alone. So when an event was decoded in full, what stands before and after its
// text is kept, and an event that has the same around a valid string says the
// same with other text: it needs no decoder.
type chunks struct {
	text   cleaner
	before []byte // up to and with the quote that opens the text
	after  []byte // from the quote that closes it
	tries  int    // patterns that may still be made
}

const patternTries = 16

// decode appends the text of an event to dst.
func (d *chunks) decode(dst, data []byte) ([]byte, chunk, error) {
	if n := len(d.before); n > 0 && len(data) >= n+len(d.after) && bytes.HasPrefix(data, d.before) && bytes.HasSuffix(data, d.after) {
		saved := d.text
		if out, ok := d.text.add(dst, data[n:len(data)-len(d.after)]); ok {
			return out, chunk{}, nil
		}
		d.text = saved
	}
	var w wireChunk
	if err := json.Unmarshal(data, &w, tolerant); err != nil {
		return dst, chunk{}, err
	}
	if c := w.complaint(data); c != nil {
		return dst, chunk{failed: c.inStream()}, nil
	}
	var out chunk
	if w.Usage != nil {
		out.usage = w.Usage.counted()
	}
	for i := range w.Choices {
		if w.Choices[i].Index != 0 {
			continue
		}
		choice := &w.Choices[i]
		delta := &choice.Delta
		if delta.Content == nil {
			delta.Content = choice.Message.Content
		}
		if delta.Refusal == nil {
			delta.Refusal = choice.Message.Refusal
		}
		var err error
		if dst, err = d.addContent(dst, delta.Content); err != nil {
			return dst, out, err
		}
		out.refused = filled(delta.Refusal)
		out.thought = filled(delta.Reasoning) || filled(delta.Thinking)
		if err := out.finishWith(choice.Finish, filled(delta.ToolCalls)); err != nil {
			return dst, out, err
		}
		if len(w.Choices) == 1 && out == (chunk{}) {
			d.learn(data, delta.Content)
		}
	}
	return dst, out, nil
}

// addContent adds a text, or the texts of a list of parts.
func (d *chunks) addContent(dst []byte, v jsontext.Value) ([]byte, error) {
	switch v.Kind() {
	case '"':
		out, ok := d.text.add(dst, v[1:len(v)-1])
		if !ok {
			return dst, fmt.Errorf("content is not a string")
		}
		return out, nil
	case '[':
		var parts []struct {
			Type string         `json:"type"`
			Text jsontext.Value `json:"text"`
		}
		if err := json.Unmarshal(v, &parts, tolerant); err != nil {
			return dst, err
		}
		for _, p := range parts {
			if p.Type == "text" && p.Text.Kind() == '"' {
				dst, _ = d.text.add(dst, p.Text[1:len(p.Text)-1])
			}
		}
	}
	return dst, nil
}

func (c *chunk) finishWith(reason jsontext.Value, tools bool) error {
	if tools {
		return fmt.Errorf("the model called a tool that was not offered")
	}
	if reason.Kind() != '"' {
		return nil
	}
	switch s := string(reason[1 : len(reason)-1]); s {
	case "":
	case "length", "max_tokens", "model_length":
		c.finish = finishLength
	case "content_filter", "refusal", "safety":
		c.finish = finishRefused
	case "tool_calls", "function_call":
		return fmt.Errorf("the model called a tool that was not offered")
	case "error":
		c.failed = backend(2, "finish reason error")
	default: // stop, eos, end_turn …
		c.finish = finishStop
	}
	return nil
}

// filled tells whether a value says something.
func filled(v jsontext.Value) bool {
	return v != nil && v.Kind() != 'n' && string(v) != `""` && string(v) != "[]"
}

func (u *wireUsage) counted() *scaigrid.Usage {
	count := func(f float64) int64 { return int64(math.Min(math.Max(f, 0), 1e12)) }
	if u.Prompt <= 0 && u.Completion <= 0 {
		return nil
	}
	return &scaigrid.Usage{PromptTokens: count(u.Prompt), CompletionTokens: count(u.Completion)}
}

func (w *wireChunk) complaint(data []byte) *complaint {
	if !filled(w.Error) && w.Object != "error" {
		return nil
	}
	c := readComplaint(data)
	return &c
}

// learn keeps what stands around the text of an event. That the place is right
// is proved by putting another text there and decoding that.
func (d *chunks) learn(data []byte, content jsontext.Value) {
	if content.Kind() != '"' || d.tries <= 0 {
		return
	}
	d.tries--
	mark := append([]byte(`"content":`), content...)
	at := bytes.Index(data, mark)
	if at < 0 {
		return
	}
	open := at + len(`"content":"`)
	d.before = append(d.before[:0], data[:open]...)
	d.after = append(d.after[:0], data[at+len(mark)-1:]...)
	const other = `\u0001 another text`
	trial := append(append(append([]byte{}, d.before...), other...), d.after...)
	var w wireChunk
	if json.Unmarshal(trial, &w, tolerant) != nil || len(w.Choices) != 1 || string(w.Choices[0].Delta.Content) != `"`+other+`"` {
		d.before = d.before[:0]
	}
}
