package httpapi

import (
	"context"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
)

// budgetFresh is how long the store's count of a bot's use is taken as it is;
// turns of this node in between are added to it.
const (
	budgetFresh = 5 * time.Second
	maxBudgets  = 10_000
)

// budgets hold what bots have used of their daily turns and tokens. The day is
// the last 24 hours, counted in the store over all nodes.
type budgets struct {
	use   TurnUse
	clock func() time.Time
	mu    sync.Mutex
	by    map[string]*budget
}

type budget struct {
	mu    sync.Mutex
	asked time.Time
	use   scaigrid.TurnLimitUse
}

func newBudgets(use TurnUse, clock func() time.Time) *budgets {
	return &budgets{use: use, clock: clock, by: map[string]*budget{}}
}

// take counts one turn of the bot; BUDGET_EXCEEDED where a bound is reached.
// A limit of 0 is none.
func (b *budgets) take(ctx context.Context, botID string, anonymous bool, turns, tokens int) error {
	if (turns <= 0 || !anonymous) && tokens <= 0 {
		return nil
	}
	now := b.clock()
	e := b.of(botID)
	e.mu.Lock()
	defer e.mu.Unlock()
	if now.Sub(e.asked) > budgetFresh {
		use, err := b.use.TurnCounts(ctx, botID, now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		e.asked, e.use = now, use
	}
	if anonymous && turns > 0 && e.use.BotTurns >= turns || tokens > 0 && e.use.BotTokens >= int64(tokens) {
		return &scaigrid.Error{
			Code: scaigrid.CodeBudgetExceeded, RetryAfter: 15 * time.Minute,
			Message: "This chat has answered as much as it may today. Try again later.",
		}
	}
	if anonymous {
		e.use.BotTurns++
	}
	return nil
}

func (b *budgets) of(botID string) *budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.by[botID]
	if !ok {
		if len(b.by) >= maxBudgets {
			clear(b.by) // each is asked for again when it is needed
		}
		e = &budget{}
		b.by[botID] = e
	}
	return e
}
