package llm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/scailabs/scaigrid"
)

// maxLine is the longest line of a provider's stream that is taken.
const maxLine = 1 << 20

var errLongLine = errors.New("a line of the stream is longer than 1 MiB")

// answerStream reads one streamed answer.
type answerStream struct {
	lines *bufio.Reader
	watch *watch
	yield func(scaigrid.Part, error) bool
	slug  string

	long   []byte // a line that does not fit the reader's buffer
	data   []byte // the data lines of the event so far
	event  bool
	done   bool // [DONE] came
	shown  bool
	cr     bool // the text so far ends with a carriage return
	finish string
	usage  *scaigrid.Usage
}

func newAnswerStream(r io.Reader, w *watch, slug string, yield func(scaigrid.Part, error) bool) *answerStream {
	return &answerStream{lines: bufio.NewReaderSize(r, 8<<10), watch: w, slug: slug, yield: yield}
}

// read passes the answer on. nil means that it came whole: with a finish
// reason. What follows [DONE] is not looked at.
func (s *answerStream) read() *fault {
	for !s.done {
		line, err := s.line()
		if err == nil {
			s.watch.heard()
			if f := s.take(line); f != nil {
				f.shown = f.shown || s.shown
				return f
			}
			continue
		}
		if f := s.broken(err); f != nil {
			f.shown = f.shown || s.shown
			return f
		}
		break
	}
	return s.end()
}

// broken judges the end of the bytes. A connection that breaks behind the
// finish reason took nothing with it that is missed.
func (s *answerStream) broken(err error) *fault {
	switch {
	case s.finish != "":
		return nil
	case context.Cause(s.watch.ctx) != nil:
		return watchFault(context.Cause(s.watch.ctx))
	case errors.Is(err, errLongLine):
		return failedWith(scaigrid.CodeBackendError, saysBroken, false, err)
	case errors.Is(err, io.EOF):
		err = errors.New("the stream ended without a finish reason")
	}
	f := failedWith(scaigrid.CodeBackendError, saysBroken, true, err)
	f.retries = 1
	return f
}

func (s *answerStream) end() *fault {
	if s.finish == "" {
		f := s.broken(io.EOF)
		f.shown = s.shown
		return f
	}
	if !s.shown && s.finish != "refused" {
		f := failedWith(scaigrid.CodeBackendError, saysNoContent, true, errors.New("the model gave no text"))
		f.retries = 1
		return f
	}
	if !s.yield(scaigrid.Part{FinishReason: s.finish, Usage: s.usage}, nil) {
		return &fault{gone: true}
	}
	return nil
}

// line returns the next line without its end. It is valid until the next call.
func (s *answerStream) line() ([]byte, error) {
	s.long = s.long[:0]
	for {
		part, err := s.lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if len(s.long)+len(part) > maxLine {
				return nil, errLongLine
			}
			s.long = append(s.long, part...)
			s.watch.heard()
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(s.long) > 0 {
			part = append(s.long, part...)
			s.long = part
		}
		return bytes.TrimSuffix(part[:len(part)-1], []byte{'\r'}), nil
	}
}

// take reads one line by the rules of server-sent events. Names of events and
// fields other than data are not used by this protocol.
func (s *answerStream) take(line []byte) *fault {
	if len(line) == 0 {
		if !s.event {
			return nil
		}
		data := s.data
		s.data, s.event = s.data[:0], false
		return s.chunk(data)
	}
	rest, ok := bytes.CutPrefix(line, []byte("data"))
	if !ok || (len(rest) > 0 && rest[0] != ':') {
		return nil
	}
	if len(rest) > 0 {
		rest = bytes.TrimPrefix(rest[1:], []byte(" "))
	}
	if len(s.data)+len(rest) > maxLine {
		return failedWith(scaigrid.CodeBackendError, saysBroken, false, errLongLine)
	}
	if s.event {
		s.data = append(s.data, '\n')
	}
	s.data, s.event = append(s.data, rest...), true
	return nil
}

// chunk is one chat.completion.chunk, as far as it is used here.
type chunk struct {
	Choices []struct {
		Index int `json:"index"`
		Delta struct {
			Content string `json:"content"`
			Refusal string `json:"refusal"`
		} `json:"delta"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		PromptTokens     int64 `json:"prompt_tokens"`
		CompletionTokens int64 `json:"completion_tokens"`
	} `json:"usage"`
	Error *struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    any    `json:"code"`
	} `json:"error"`
}

func (s *answerStream) chunk(data []byte) *fault {
	if string(data) == "[DONE]" {
		s.done = true
		return nil
	}
	if text, ok := quickText(data); ok {
		return s.say(text)
	}
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		return failedWith(scaigrid.CodeBackendError, saysBroken, true, fmt.Errorf("a chunk of the stream is not JSON: %w", err))
	}
	if c.Error != nil {
		return streamedFault(c.Error.Type, fmt.Sprint(c.Error.Code), c.Error.Message)
	}
	if c.Usage != nil {
		s.usage = &scaigrid.Usage{PromptTokens: c.Usage.PromptTokens, CompletionTokens: c.Usage.CompletionTokens, Model: s.slug}
	}
	for _, choice := range c.Choices {
		if choice.Index != 0 || s.finish != "" {
			continue
		}
		if f := s.say(choice.Delta.Content + choice.Delta.Refusal); f != nil {
			return f
		}
		if choice.Delta.Refusal != "" {
			s.finish = "refused"
		}
		if f := s.finished(choice.FinishReason); f != nil {
			return f
		}
	}
	return nil
}

func (s *answerStream) finished(reason string) *fault {
	switch reason {
	case "":
	case "stop", "length":
		s.finish = reason
	case "content_filter":
		s.finish = "refused"
	case "tool_calls", "function_call":
		return failedWith(scaigrid.CodeBackendError, saysFailed, false, errors.New("the model called a tool, and none was offered"))
	case "error":
		return failedWith(scaigrid.CodeBackendError, saysBroken, true, errors.New("the model finished with an error"))
	default:
		s.finish = "stop" // providers have names of their own for a plain end
	}
	return nil
}

// say cleans text once, at the entrance: the same bytes are stored, streamed
// and shown.
func (s *answerStream) say(text string) *fault {
	text = s.clean(text)
	if text == "" || s.finish != "" {
		return nil
	}
	s.watch.spoken()
	s.shown = true
	if !s.yield(scaigrid.Part{Text: text}, nil) {
		return &fault{gone: true}
	}
	return nil
}

// clean takes out what no answer holds: control characters but for line ends
// and tabs, and marks that turn the direction of what follows. Line ends become
// "\n", also where one is cut between two chunks.
func (s *answerStream) clean(text string) string {
	cr := s.cr
	s.cr = strings.HasSuffix(text, "\r")
	if cr && strings.HasPrefix(text, "\n") {
		text = text[1:] // the carriage return before it became the line end
	}
	if !needsCleaning(text) {
		return text
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r == '\r':
			return '\n'
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, text)
}

func needsCleaning(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || c == 0xc2 || c == 0xe2 {
			return true
		}
	}
	return !utf8.ValidString(text)
}

var (
	deltaContent = []byte(`"delta":{"content":"`)
	noFinish     = []byte(`"finish_reason":null`)
	hasUsage     = []byte(`"usage":{`)
	hasError     = []byte(`"error"`)
)

// quickText takes the text out of a chunk of the common shape by hand; ok is
// false for any other, which the decoder reads. None of the marks looked for
// can stand within a JSON text, where quotes are escaped.
func quickText(data []byte) (text string, ok bool) {
	i := bytes.Index(data, deltaContent)
	if i < 0 {
		return "", false
	}
	start := i + len(deltaContent)
	end, escaped := start, false
	for ; end < len(data) && data[end] != '"'; end++ {
		if data[end] == '\\' {
			escaped = true
			end++
		}
		if end < len(data) && data[end] < 0x20 {
			return "", false
		}
	}
	if end >= len(data) {
		return "", false
	}
	before, after := data[:i], data[end+1:]
	if len(after) == 0 || after[0] != '}' || !bytes.Contains(after, noFinish) || bytes.Contains(after, hasUsage) ||
		bytes.Contains(before, hasError) || bytes.Contains(after, hasError) || bytes.Count(data, deltaContent) != 1 || !indexZero(data) {
		return "", false
	}
	if !escaped {
		return string(data[start:end]), utf8.Valid(data[start:end])
	}
	if json.Unmarshal(data[start-1:end+1], &text) != nil {
		return "", false
	}
	return text, true
}

// indexZero tells that the chunk speaks of the first choice alone, and ends as an object does.
func indexZero(data []byte) bool {
	return bytes.Contains(data, []byte(`"index":0`)) && data[0] == '{' && data[len(data)-1] == '}'
}
