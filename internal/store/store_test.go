package store_test

import (
	"testing"

	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

func TestSmoke(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s)
		a := w.Accept(w.Ask("", "", "hello"))
		w.Finish(a.Turn.ID, "hi")
		b := w.Accept(w.Ask(a.VisitorID, a.Turn.ConversationID, "more"))
		w.Finish(b.Turn.ID, "yes")
		m, err := s.Messages(t.Context(), a.Turn.ConversationID)
		w.Must(err)
		if len(m) != 4 {
			t.Fatal(m)
		}
		tr, r, err := s.ReopenTurn(t.Context(), b.Turn.ID, "x", w.Now)
		w.Must(err)
		t.Log(tr, r)
	})
}
