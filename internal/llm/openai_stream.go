package llm

import (
	"context"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/scailabs/scaigrid"
)

var errGone = errors.New("the reader has gone")

// answer is one answer while it comes in.
type answer struct {
	ctx    context.Context
	limits Limits
	watch  *watch
	slug   string
	say    emit

	chunks  chunks
	text    []byte // cleaned, not yet handed on
	length  int    // handed on
	finish  string
	refused bool
	full    bool // the greatest length is reached
	usage   *scaigrid.Usage
}

func (o *openAI) newAnswer(ctx context.Context, watch *watch, slug string, say emit) *answer {
	return &answer{ctx: ctx, limits: o.limits, watch: watch, slug: slug, say: say, chunks: chunks{tries: patternTries}}
}

// readStream reads an answer that comes as events.
func (o *openAI) readStream(ctx context.Context, body io.Reader, watch *watch, slug string, say emit) *failure {
	a := o.newAnswer(ctx, watch, slug, say)
	buf, _ := o.buffers.Get().(*buffer)
	defer func() {
		if cap(buf.b) <= keptBuffer {
			buf.b = buf.b[:0]
			o.buffers.Put(buf)
		}
	}()
	e := &events{from: heardReader{body, watch}, buf: buf, max: o.limits.Line, idle: a.handOn}
	for {
		name, data, err := e.next()
		if err != nil {
			return a.end(err)
		}
		if name != "" && name != "message" && name != "error" {
			continue // not of this protocol
		}
		if string(data) == "[DONE]" {
			return a.done(e)
		}
		if f := a.take(name, data); f != nil {
			if e.cut && f.code == scaigrid.CodeBackendError && !f.final {
				f = a.end(io.ErrUnexpectedEOF)
			}
			return f
		}
		if a.full {
			return a.end(nil)
		}
	}
}

// heardReader tells the watch of every byte.
type heardReader struct {
	io.Reader
	watch *watch
}

func (r heardReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if n > 0 {
		r.watch.heard()
	}
	return n, err
}

// take reads one event. A failure ends the answer.
func (a *answer) take(name string, data []byte) *failure {
	had := len(a.text)
	text, c, err := a.chunks.decode(a.text, data)
	a.text = text
	switch {
	case err != nil && a.finish != "":
		return nil // after the end anything may come
	case err != nil:
		return a.broken(backend(0, "a chunk cannot be read: %w", err))
	case c.failed != nil && a.finish != "":
		return nil
	case c.failed != nil && c.failed.refused:
		a.finish, a.refused = finishRefused, true
		return nil
	case c.failed != nil:
		return a.broken(c.failed)
	case name == "error":
		return a.broken(backend(2, "error in the stream: no reason given"))
	}
	if a.finish != "" {
		a.text = a.text[:had] // text after the end
	}
	if len(a.text) > had || c.thought {
		a.watch.said()
	}
	a.refused = a.refused || c.refused
	if c.usage != nil {
		a.usage = c.usage
		a.usage.Model = a.slug
	}
	if c.finish != "" && a.finish == "" {
		a.finish = c.finish
		a.text = a.chunks.text.end(a.text)
		a.watch.finished()
	}
	if a.length+len(a.text) >= a.limits.Answer {
		a.fill()
	}
	return nil
}

// fill cuts the text at the greatest length, between two characters.
func (a *answer) fill() {
	room := a.limits.Answer - a.length
	if len(a.text) > room {
		for room > 0 && !utf8.RuneStart(a.text[room]) {
			room--
		}
		a.text = a.text[:room]
		a.full, a.finish = true, finishLength
	}
}

// handOn gives the text that has gathered to the reader. It is called whenever
// nothing more waits, so that a burst of events is one part.
func (a *answer) handOn() error {
	if len(a.text) == 0 {
		return nil
	}
	text := string(a.text)
	a.length += len(a.text)
	a.text = a.text[:0]
	if !a.watch.away(func() bool { return a.say(scaigrid.Part{Text: text}) }) {
		return errGone
	}
	return nil
}

// broken hands on what was said before the failure.
func (a *answer) broken(f *failure) *failure {
	a.text = a.chunks.text.end(a.text)
	if a.handOn() != nil {
		return &failure{abandoned: true, cause: errGone}
	}
	return f
}

// done reads what little may follow [DONE], so that the connection can be used
// again.
func (a *answer) done(e *events) *failure {
	f := a.end(io.EOF)
	if f == nil {
		a.watch.leave()
		e.idle = func() error { return nil }
		for range 16 {
			if _, _, err := e.next(); err != nil {
				break
			}
		}
	}
	return f
}

// end judges an answer after its last byte. err is what ended it; nil where we did.
func (a *answer) end(err error) *failure {
	if errors.Is(err, errGone) {
		return &failure{abandoned: true, cause: errGone}
	}
	if a.finish == "" {
		return a.broken(a.unfinished(err))
	}
	if a.handOn() != nil {
		return &failure{abandoned: true, cause: errGone}
	}
	if a.refused {
		a.finish = finishRefused
	}
	if a.length == 0 && a.finish != finishRefused {
		return backend(1, "%w", errEmpty)
	}
	if !a.say(scaigrid.Part{FinishReason: a.finish, Usage: a.usage}) {
		return &failure{abandoned: true, cause: errGone}
	}
	return nil
}

func (a *answer) unfinished(err error) *failure {
	switch {
	case context.Cause(a.ctx) != nil:
		return transportFailure(a.ctx, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return backend(2, "%w", errTruncated)
	case errors.Is(err, errLine):
		return backend(0, "%w", errLine)
	}
	return transportFailure(a.ctx, err)
}

// readWhole reads an answer of a server that does not stream.
func (o *openAI) readWhole(ctx context.Context, body io.Reader, watch *watch, slug string, say emit) *failure {
	a := o.newAnswer(ctx, watch, slug, say)
	data, err := io.ReadAll(io.LimitReader(heardReader{body, watch}, int64(o.limits.Line)+1))
	switch {
	case err != nil:
		return a.unfinished(err)
	case len(data) > o.limits.Line:
		return backend(0, "the answer is larger than %d bytes", o.limits.Line)
	}
	if f := a.take("", data); f != nil {
		return f
	}
	return a.end(io.EOF)
}
