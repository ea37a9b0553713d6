package store_test

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

// BenchmarkTurn stores whole turns of many visitors at once: accept and finish,
// each with a synced commit. turns/cpu-s is what one core would store in a second.
func BenchmarkTurn(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) { benchTurns(b, open(b)) })
	}
}

func benchTurns(b *testing.B, s *store.Store) {
	w := storetest.NewWorld(b, s)
	visitors := make([]scaigrid.Accepted, 256)
	for i := range visitors {
		visitors[i] = w.Accept(w.Ask("", "", "hello"))
		w.Finish(visitors[i].Turn.ID, "hi")
	}
	var n atomic.Int64
	answer := storetest.Answer("Orders ship in two days. [1]")
	marks := []scaigrid.Mark{{Name: scaigrid.EventTurn}, {Name: scaigrid.EventFinish}}
	b.SetParallelism(64)
	before, wall := cpuTime(), time.Now()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		v := visitors[int(n.Add(1))%len(visitors)]
		for pb.Next() {
			now := time.Now()
			acc, err := s.Accept(context.Background(), scaigrid.Acceptance{
				Bot: w.Bot, Pass: scaigrid.Pass{Anonymous: true}, VisitorID: v.VisitorID, ConversationID: v.Turn.ConversationID,
				ClientMessageID: rand.Text(), Text: "How long does shipping take?", Node: "node-a", Now: now, LeaseUntil: now,
				NewMessageID: scaigrid.NewID(scaigrid.KindMessage, now), NewReplyID: scaigrid.NewID(scaigrid.KindMessage, now),
				NewTurnID: scaigrid.NewID(scaigrid.KindTurn, now),
			})
			if err != nil {
				b.Error(err)
				return
			}
			if err := s.FinishTurn(context.Background(), acc.Turn.ID, answer, marks, time.Now()); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/(cpuTime()-before).Seconds(), "turns/cpu-s")
	b.ReportMetric(float64(b.N)/time.Since(wall).Seconds(), "turns/s")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
