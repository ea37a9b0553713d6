package httpapi

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

func TestWindowSlides(t *testing.T) {
	who := subject{kind: ofKey, id: "k"}
	w := newWindows(time.Minute)
	now := time.Unix(1_700_000_000, 0)
	for i := range 60 {
		if g := w.take(now, bound{who, 60}); !g.ok || g.remaining != 59-i || g.limit != 60 {
			t.Fatalf("call %d: %+v", i, g)
		}
	}
	g := w.take(now, bound{who, 60})
	if g.ok || g.wait <= 0 || g.wait > 62*time.Second {
		t.Fatalf("call 61: %+v", g)
	}
	if before := w.take(now.Add(g.wait-time.Second), bound{who, 60}); before.ok {
		t.Error("let in before the wait that was told")
	}
	if after := w.take(now.Add(g.wait), bound{who, 60}); !after.ok {
		t.Errorf("refused after the wait that was told: %+v", after)
	}
	if other := w.take(now, bound{subject{kind: ofKey, id: "other"}, 60}); !other.ok {
		t.Error("one caller's calls count against another")
	}
}

// However calls are spread, no minute holds many more than the limit, and who
// keeps an even pace is never refused.
func TestWindowHoldsItsLimit(t *testing.T) {
	for _, every := range []time.Duration{time.Millisecond * 97, 333 * time.Millisecond, 900 * time.Millisecond, 1001 * time.Millisecond} {
		w := newWindows(time.Minute)
		start := time.Unix(1_700_000_003, 0)
		var let []time.Duration
		refused := 0
		for at := time.Duration(0); at < 5*time.Minute; at += every {
			if w.take(start.Add(at), bound{subject{id: "k"}, 60}).ok {
				let = append(let, at)
			} else {
				refused++
			}
		}
		most, from := 0, 0
		for i := range let {
			for let[i]-let[from] >= time.Minute {
				from++
			}
			most = max(most, i-from+1)
		}
		if most > 62 { // the oldest sixtieth is taken to be even
			t.Errorf("every %v: %d calls in one minute", every, most)
		}
		if every > time.Second && refused > 0 {
			t.Errorf("every %v: %d calls of an even pace were refused", every, refused)
		}
	}
}

// A call that one bound refuses is not counted by the others.
func TestWindowTakesAllOrNothing(t *testing.T) {
	w := newWindows(time.Minute)
	now := time.Unix(1_700_000_000, 0)
	wide, narrow := bound{subject{kind: ofUser, id: "u"}, 10}, bound{subject{kind: ofKey, id: "k"}, 1}
	for range 5 {
		w.take(now, wide, narrow)
	}
	if g := w.take(now, wide); g.remaining != 8 {
		t.Errorf("remaining is %d, want 8: one call let in, and this one", g.remaining)
	}
}

func TestWindowsAreBounded(t *testing.T) {
	w := newWindows(time.Minute)
	now := time.Unix(1_700_000_000, 0)
	for i := range 2 * maxWindows {
		w.take(now, bound{subject{id: fmt.Sprint(i)}, 5})
	}
	n := 0
	for i := range w.shard {
		n += len(w.shard[i].by)
	}
	if n > maxWindows {
		t.Errorf("%d counters are held, at most %d should be", n, maxWindows)
	}
}

type use struct{ scaigrid.TurnLimitUse }

func (u *use) TurnCounts(context.Context, string, time.Time) (scaigrid.TurnLimitUse, error) {
	return u.TurnLimitUse, nil
}

func TestTakeTurn(t *testing.T) {
	ctx := context.Background()
	bot := &scaigrid.Bot{ID: "bot_1"}
	anon := scaigrid.Pass{Anonymous: true}
	clock := &hands{at: time.Unix(1_700_000_000, 0)}
	set := LimitSettings{VisitorMinute: 3, VisitorDay: 5, AddressMinute: 4, BotDailyTurns: 100, BotDailyTokens: 1000}
	code := func(l *Limits, b *scaigrid.Bot, p scaigrid.Pass, visitor, address string) scaigrid.Code {
		return scaigrid.ErrorCode(l.TakeTurn(ctx, b, p, visitor, address))
	}
	l := NewLimits(set, &use{}, clock.now)
	for i := range 3 {
		if c := code(l, bot, scaigrid.Pass{}, "vis_a", "10.0.0.1"); c != "" {
			t.Fatalf("turn %d: %s", i, c)
		}
	}
	if c := code(l, bot, scaigrid.Pass{}, "vis_a", "10.0.0.1"); c != scaigrid.CodeRateLimited {
		t.Errorf("fourth turn in a minute: %q", c)
	}
	clock.move(2 * time.Minute)
	for range 2 {
		if c := code(l, bot, scaigrid.Pass{}, "vis_a", "10.0.0.1"); c != "" {
			t.Errorf("a minute later: %q", c)
		}
	}
	if c := code(l, bot, scaigrid.Pass{}, "vis_a", "10.0.0.1"); c != scaigrid.CodeRateLimited {
		t.Errorf("sixth turn of the day: %q", c)
	}
	// New anonymous keys cost nothing, so the address counts.
	for i := range 4 {
		if c := code(l, bot, anon, fmt.Sprint("vis_", i), "10.0.0.9"); c != "" {
			t.Errorf("anonymous turn %d: %q", i, c)
		}
	}
	if c := code(l, bot, anon, "", "10.0.0.9"); c != scaigrid.CodeRateLimited {
		t.Errorf("fifth anonymous turn of an address: %q", c)
	}
	if c := code(l, bot, anon, "", "2001:db8::1"); c != "" {
		t.Errorf("another address: %q", c)
	}
	own := &scaigrid.Bot{ID: "bot_2", BotConfig: scaigrid.BotConfig{Limits: scaigrid.BotLimits{TurnsPerMinute: 1}}}
	_ = code(l, own, scaigrid.Pass{}, "vis_b", "")
	if c := code(l, own, scaigrid.Pass{}, "vis_b", ""); c != scaigrid.CodeRateLimited {
		t.Errorf("the bot's own limit: %q", c)
	}
	spent := NewLimits(set, &use{scaigrid.TurnLimitUse{BotTurns: 99, BotTokens: 10}}, clock.now)
	if c := code(spent, bot, anon, "", ""); c != "" {
		t.Errorf("hundredth turn of the day: %q", c)
	}
	if c := code(spent, bot, anon, "", ""); c != scaigrid.CodeBudgetExceeded {
		t.Errorf("hundred-and-first: %q", c)
	}
	if c := code(spent, bot, scaigrid.Pass{}, "vis_c", ""); c != "" {
		t.Errorf("a visitor that the site knows: %q", c)
	}
	tokens := NewLimits(set, &use{scaigrid.TurnLimitUse{BotTokens: 1000}}, clock.now)
	if c := code(tokens, bot, scaigrid.Pass{}, "vis_c", ""); c != scaigrid.CodeBudgetExceeded {
		t.Errorf("all tokens of the day: %q", c)
	}
	off := NewLimits(LimitSettings{Off: true, VisitorMinute: 1}, &use{}, clock.now)
	for range 5 {
		if c := code(off, bot, anon, "vis_a", "10.0.0.1"); c != "" {
			t.Errorf("limits are off: %q", c)
		}
	}
}
