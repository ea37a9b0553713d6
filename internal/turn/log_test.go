package turn

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scailabs/scaigrid"
)

// sampleLog is an answer with everything that can stand in one: text in two
// scripts, named events before, within and behind it.
func sampleLog() *Log {
	l := newLog(scaigrid.Turn{ID: "turn_a", Epoch: 1}, "m", "", nil)
	l.mark(turnMark(l.Turn))
	l.say("Grüße ")
	l.say("🙂 aus ")
	l.mark(newMark("note", map[string]int{"a": 1}))
	l.say("Köln [1]")
	l.mark(citationsMark([]scaigrid.Citation{{N: 1}}))
	l.mark(usageMark(scaigrid.Usage{Model: "m"}))
	l.end(finishMark(scaigrid.Outcome{FinishReason: "stop"}))
	return l
}

// heard is what a reader makes of items: the joined text and the names of events.
type heard struct {
	Text  string
	Names []string
}

func (h *heard) take(items []Item) {
	for _, it := range items {
		if it.Text != nil {
			h.Text += string(it.Text)
			continue
		}
		h.Names = append(h.Names, it.Mark.Name)
	}
}

func TestReaderResumesAtEveryPlace(t *testing.T) {
	l := sampleLog()
	all, over := l.ReadFrom(nil).Read(nil)
	if !over {
		t.Fatal("the log is not over")
	}
	var want heard
	want.take(all)
	if want.Text != "Grüße 🙂 aus Köln [1]" {
		t.Fatalf("text = %q", want.Text)
	}
	for i := range all {
		var got heard
		got.take(all[:i+1])
		rest, over := l.ReadFrom(&all[i].Cursor).Read(nil)
		got.take(rest)
		if diff := cmp.Diff(want, got); diff != "" || !over {
			t.Errorf("resumed after event %d (%s), over=%v:\n%s", i, all[i].Cursor, over, diff)
		}
	}
}

func TestReaderSeesTheSameWhileTheLogGrows(t *testing.T) {
	whole := sampleLog()
	text, marks := whole.snapshot()
	var want heard
	items, _ := whole.ReadFrom(nil).Read(nil)
	want.take(items)

	l := newLog(scaigrid.Turn{ID: "turn_a", Epoch: 1}, "m", "", nil)
	r := l.ReadFrom(nil)
	defer r.Close()
	var got heard
	at := 0
	for _, m := range marks {
		for at < m.At { // character by character
			n := at + 1
			for n < len(text) && !onCharacter([]byte(text), n) {
				n++
			}
			l.say(text[at:n])
			at = n
			items, _ = r.Read(items[:0])
			got.take(items)
		}
		l.mark(m)
		items, _ = r.Read(items[:0])
		got.take(items)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReaderIsToldWhenItsPlaceIsNotToBeHad(t *testing.T) {
	l := sampleLog()
	text, _ := l.snapshot()
	for name, c := range map[string]scaigrid.Cursor{
		"from the future":      {Epoch: 1, Bytes: len(text) + 1, Marks: 1},
		"more events than are": {Epoch: 1, Bytes: 0, Marks: 99},
		"within a character":   {Epoch: 1, Bytes: 3, Marks: 1},
		"other epoch, beyond":  {Epoch: 7, Bytes: len(text) + 9, Marks: 1},
		"nonsense, as huge":    {Bytes: 1<<31 - 1},
		"nonsense, all zero":   {Epoch: 9, Bytes: 1<<31 - 1, Marks: 1<<31 - 1},
	} {
		items, over := l.ReadFrom(&c).Read(nil)
		if len(items) == 0 || items[0].Mark.Name != scaigrid.EventResync || !over {
			t.Errorf("%s: first of %d items is %v", name, len(items), items)
			continue
		}
		if want := string(resyncMark(text).Data); string(items[0].Mark.Data) != want {
			t.Errorf("%s: resync holds %s", name, items[0].Mark.Data)
		}
		if last := items[len(items)-1].Mark.Name; last != scaigrid.EventFinish {
			t.Errorf("%s: last event is %s", name, last)
		}
	}
}

func TestReaderOfAnotherEpochAlwaysGetsTheLastEvent(t *testing.T) {
	// After a crash the stored log has fewer events than the reader saw.
	l := newLog(scaigrid.Turn{ID: "turn_a", Epoch: 2, State: scaigrid.TurnDone}, "m", "Half an", []scaigrid.Mark{
		turnMark(scaigrid.Turn{ID: "turn_a"}), errorMark(*interrupted()),
	})
	for marks := range 6 {
		c := scaigrid.Cursor{Epoch: 1, Bytes: 4, Marks: marks}
		var got heard
		items, over := l.ReadFrom(&c).Read(nil)
		got.take(items)
		if n := len(got.Names); n == 0 || got.Names[n-1] != scaigrid.EventError || !over {
			t.Errorf("cursor %s: events %v", c, got.Names)
		}
		if got.Text != " an" {
			t.Errorf("cursor %s: text %q", c, got.Text)
		}
	}
}
