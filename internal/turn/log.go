package turn

import (
	"slices"
	"sync"

	"github.com/scailabs/scaigrid"
)

// Log is the stream of one turn as it grows: answer text, and named events at
// places in it. Any number of readers follow it, each at its own pace; nobody
// waits for a slow one. First reader, second tab and a reader that comes back
// after a cut read the same log.
type Log struct {
	// What is known of the turn from the start. Read-only.
	Turn    scaigrid.Turn
	Model   string
	Created int64 // Unix seconds

	mu      sync.Mutex
	text    []byte // append-only, so that readers may hold a part of it
	marks   []scaigrid.Mark
	over    bool
	readers []*Reader
	touched func(*Log) // told of growth that is not yet stored; may be nil
}

func newLog(t scaigrid.Turn, model string, text string, marks []scaigrid.Mark) *Log {
	return &Log{
		Turn: t, Model: model, Created: t.CreatedAt.Unix(),
		text: []byte(text), marks: slices.Clone(marks), over: t.State == scaigrid.TurnDone,
	}
}

// say appends answer text, which must be whole characters.
func (l *Log) say(text string) {
	if text == "" {
		return
	}
	l.mu.Lock()
	l.text = append(l.text, text...)
	l.wake()
	l.mu.Unlock()
	if l.touched != nil {
		l.touched(l)
	}
}

// mark appends a named event at the present end of the text.
func (l *Log) mark(m scaigrid.Mark) {
	l.mu.Lock()
	m.At = len(l.text)
	l.marks = append(l.marks, m)
	l.wake()
	l.mu.Unlock()
}

// end appends the last event and closes the log.
func (l *Log) end(m scaigrid.Mark) {
	l.mu.Lock()
	m.At = len(l.text)
	l.marks = append(l.marks, m)
	l.over = true
	l.wake()
	l.mu.Unlock()
}

// catchUp brings the log of a turn that runs elsewhere to what is stored now.
func (l *Log) catchUp(text string, marks []scaigrid.Mark, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	if len(text) > len(l.text) {
		l.text = append(l.text, text[len(l.text):]...)
	}
	if len(marks) > len(l.marks) {
		l.marks = append(l.marks, marks[len(l.marks):]...)
	}
	l.over = over
	l.wake()
}

func (l *Log) wake() {
	for _, r := range l.readers {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// snapshot returns the whole text and the named events so far.
func (l *Log) snapshot() (text string, marks []scaigrid.Mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text), slices.Clone(l.marks)
}

// Over tells whether the last event is in the log.
func (l *Log) Over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

func (l *Log) hasReaders() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.readers) > 0
}

// Item is one event for a reader: text, or a mark. Cursor is where the stream
// stands after it.
type Item struct {
	Text   []byte // shared with the log: read only
	Mark   scaigrid.Mark
	Cursor scaigrid.Cursor
}

// Reader follows a log from a place in it.
type Reader struct {
	log  *Log
	at   scaigrid.Cursor
	lost bool // what it had lies beyond what survived: it gets the whole text
	wake chan struct{}
}

// ReadFrom makes a reader that continues after the given place, or from the
// start where after is nil. A place of another epoch goes on where the text
// reaches as far; a place that does not exist leads to a resync event with the
// whole text. Close the reader when done.
func (l *Log) ReadFrom(after *scaigrid.Cursor) *Reader {
	r := &Reader{log: l, wake: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	r.at = scaigrid.Cursor{Epoch: l.Turn.Epoch}
	if after != nil {
		r.place(*after)
	}
	l.readers = append(l.readers, r)
	r.wake <- struct{}{}
	return r
}

func (r *Reader) place(after scaigrid.Cursor) {
	l := r.log
	r.at.Bytes, r.at.Marks = after.Bytes, after.Marks
	if after.Epoch != l.Turn.Epoch {
		// What came after the text may differ from what the reader saw before the
		// break; the last event is the one that he must not miss.
		r.at.Marks = min(after.Marks, max(len(l.marks)-1, 0))
	}
	if after.Bytes > len(l.text) || r.at.Marks > len(l.marks) || !onCharacter(l.text, after.Bytes) {
		r.lost = true
	}
}

func onCharacter(text []byte, at int) bool {
	return at >= len(text) || text[at]&0xC0 != 0x80
}

// Close ends the reader.
func (r *Reader) Close() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	if i := slices.Index(r.log.readers, r); i >= 0 {
		r.log.readers = slices.Delete(r.log.readers, i, i+1)
	}
}

// Wake signals that Read has something, or that the log is over.
func (r *Reader) Wake() <-chan struct{} { return r.wake }

// Read appends to items what came since the last call. over is true when
// nothing will follow.
func (r *Reader) Read(items []Item) (_ []Item, over bool) {
	l := r.log
	l.mu.Lock()
	text, marks, done := l.text, l.marks, l.over
	l.mu.Unlock()
	if r.lost {
		items = r.resync(items, text, marks)
	}
	for r.at.Marks < len(marks) {
		m := marks[r.at.Marks]
		if m.At > r.at.Bytes {
			items = r.textTo(items, text, m.At)
		}
		r.at.Marks++
		items = append(items, Item{Mark: m, Cursor: r.at})
	}
	if len(text) > r.at.Bytes {
		items = r.textTo(items, text, len(text))
	}
	return items, done
}

func (r *Reader) textTo(items []Item, text []byte, to int) []Item {
	part := text[r.at.Bytes:to:to]
	r.at.Bytes = to
	return append(items, Item{Text: part, Cursor: r.at})
}

// resync gives the whole text and starts the named events anew behind the first.
func (r *Reader) resync(items []Item, text []byte, marks []scaigrid.Mark) []Item {
	r.lost = false
	r.at = scaigrid.Cursor{Epoch: r.log.Turn.Epoch, Bytes: len(text)}
	if len(marks) > 0 && marks[0].Name == scaigrid.EventTurn {
		r.at.Marks = 1
	}
	return append(items, Item{Mark: resyncMark(string(text)), Cursor: r.at})
}

func (l *Log) textLen() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.text)
}
