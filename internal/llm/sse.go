package llm

import (
	"bytes"
	"errors"
	"io"
)

const (
	firstBuffer = 4 << 10
	keptBuffer  = 64 << 10 // a larger one is not used again
)

// buffer is memory that answers take turns to use.
type buffer struct{ b []byte }

// events reads a stream of server-sent events: any line end, comments, several
// data lines, with or without a space after the colon.
type events struct {
	from io.Reader
	buf  *buffer
	read int // of buf.b that is consumed
	max  int // longest line and longest event
	// idle is called before each read that may wait; an error of it ends the stream.
	idle func() error

	skipLF bool // the last line ended with \r; a \n that follows belongs to it
	ended  error
	cut    bool // the last event was not ended by an empty line

	name string
	data []byte
	any  bool // data lines were seen since the last event
}

// next returns the next event that has data. The data is valid until the next
// call. At the end of the stream it returns io.EOF, after an event that was
// left without an empty line.
func (e *events) next() (name string, data []byte, err error) {
	e.name, e.data, e.any = "", e.data[:0], false
	for {
		line, err := e.line()
		if err != nil {
			return e.last(err)
		}
		if len(line) == 0 {
			if e.any {
				return e.name, e.data, nil
			}
			e.name = ""
			continue
		}
		if err := e.field(line); err != nil {
			return "", nil, err
		}
	}
}

// last returns what stood before the end of the stream without an empty line,
// once, and then why it ended.
func (e *events) last(why error) (string, []byte, error) {
	if !e.any || e.ended == nil {
		return "", nil, why
	}
	e.any, e.cut = false, true
	return e.name, e.data, nil
}

func (e *events) field(line []byte) error {
	field, value, _ := bytes.Cut(line, []byte{':'})
	value = bytes.TrimPrefix(value, []byte{' '})
	switch string(field) {
	case "data":
		if len(e.data)+len(value) > e.max {
			return errLine
		}
		if e.any {
			e.data = append(e.data, '\n')
		}
		e.data, e.any = append(e.data, value...), true
	case "event":
		if len(value) <= 64 {
			e.name = string(value)
		} else {
			e.name = "?"
		}
	}
	return nil
}

// line returns the next line without its end.
func (e *events) line() ([]byte, error) {
	looked := 0 // of the unread bytes: no line ends in them
	for {
		unread := e.buf.b[e.read:]
		if e.skipLF && len(unread) > 0 {
			e.skipLF = false
			if unread[0] == '\n' {
				e.read++
				continue
			}
		}
		if at := lineEnd(unread[looked:]); at >= 0 {
			at += looked
			e.skipLF = unread[at] == '\r'
			e.read += at + 1
			return unread[:at], nil
		}
		if looked = len(unread); looked > e.max {
			return nil, errLine
		}
		if e.ended != nil {
			if len(unread) > 0 && errors.Is(e.ended, io.EOF) {
				e.read = len(e.buf.b)
				return unread, nil
			}
			return nil, e.ended
		}
		if err := e.fill(); err != nil {
			return nil, err
		}
	}
}

// lineEnd finds the first \n or \r. JSON holds neither, so that the search for
// \r seldom goes far.
func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

func (e *events) fill() error {
	if err := e.idle(); err != nil {
		return err
	}
	b := e.buf.b
	if e.read > 0 {
		b = b[:copy(b[:cap(b)], b[e.read:])]
		e.read = 0
	}
	if len(b) == cap(b) {
		grown := make([]byte, len(b), 2*cap(b))
		copy(grown, b)
		b = grown
	}
	n, err := e.from.Read(b[len(b):cap(b)])
	e.buf.b = b[:len(b)+n]
	if err != nil {
		e.ended = err
	}
	return nil
}
