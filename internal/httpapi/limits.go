package httpapi

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/scailabs/scaigrid"
)

// limitClass says which limit counts the calls of a row.
type limitClass int

const (
	limitUnsaid  limitClass = iota
	limitNone               // cheap and public: no limit
	limitAddress            // by client address
	limitKey                // key, user and tenant
	limitMint               // embed tokens, by key: apart from the rest, so that a busy site never starves its administration
	limitVisitor            // of its own handler: turns are counted by TakeTurn, the rest by token
)

// LimitSettings are the bounds of an installation. 0 means no limit.
type LimitSettings struct {
	Off             bool // no limit at all, for tests and benchmarks
	KeyMinute       int  // management calls of one API key
	UserMinute      int  // … of one user
	TenantMinute    int  // … of one tenant
	MintMinute      int  // embed tokens minted with one key
	VisitorMinute   int  // turns of one visitor
	VisitorDay      int  // turns of one visitor
	AddressMinute   int  // turns of the anonymous visitors behind one address
	AnonymousMinute int  // calls without a credential, or with a wrong one, from one address
	TokenMinute     int  // chat calls other than turns, of one embed token
	BotDailyTurns   int  // turns of all anonymous visitors of one bot
	BotDailyTokens  int  // model tokens of one bot
}

// Limits counts calls in sliding windows in the memory of this node. It holds a
// bounded number of counters; the least recently used go first.
type Limits struct {
	set     LimitSettings
	use     TurnUse
	clock   func() time.Time
	minute  *windows
	day     *windows
	budgets *budgets
}

// NewLimits builds the limits of one node.
func NewLimits(set LimitSettings, use TurnUse, clock func() time.Time) *Limits {
	return &Limits{
		set: set, use: use, clock: clock,
		minute: newWindows(time.Minute), day: newWindows(24 * time.Hour),
		budgets: newBudgets(use, clock),
	}
}

// subject is what a window belongs to.
type subject struct {
	kind subjectKind
	id   string
	addr netip.Addr
}

type subjectKind uint8

const (
	ofKey subjectKind = iota
	ofUser
	ofTenant
	ofMint
	ofVisitor
	ofTurnAddress
	ofAddress
	ofToken
)

// gauge is one limit as a call met it.
type gauge struct {
	limit, remaining int
	reset            time.Time // when a call leaves the window
	wait             time.Duration
	ok               bool
}

// checkLimit counts the call against the limits of its row and sends how much
// is left.
func (s *Server) checkLimit(c *call) error {
	l := s.limits
	if l.set.Off {
		return nil
	}
	var g gauge
	switch c.route.limit {
	case limitKey:
		g = l.minute.take(c.began,
			bound{subject{kind: ofKey, id: c.credential()}, l.set.KeyMinute},
			bound{subject{kind: ofUser, id: c.caller.UserID}, l.set.UserMinute},
			bound{subject{kind: ofTenant, id: c.caller.TenantID}, l.set.TenantMinute})
	case limitMint:
		g = l.minute.take(c.began, bound{subject{kind: ofMint, id: c.credential()}, l.set.MintMinute})
	case limitAddress:
		g = l.minute.take(c.began, bound{subject{kind: ofAddress, addr: household(c.address)}, l.set.AnonymousMinute})
	case limitVisitor:
		g = l.minute.take(c.began, bound{subject{kind: ofToken, id: c.pass.TokenID}, l.set.TokenMinute})
	case limitUnsaid, limitNone:
		return nil
	}
	if g.limit == 0 {
		return nil
	}
	g.headers(c)
	if !g.ok {
		return g.refusal("Too many requests.")
	}
	return nil
}

// countStranger counts a call without a valid credential. It returns the
// refusal once its address has sent too many.
func (s *Server) countStranger(c *call) error {
	l := s.limits
	if l.set.Off || l.set.AnonymousMinute == 0 {
		return nil
	}
	g := l.minute.take(c.began, bound{subject{kind: ofAddress, addr: household(c.address)}, l.set.AnonymousMinute})
	if g.ok {
		return nil
	}
	g.headers(c)
	return g.refusal("Too many requests without a valid credential from this address.")
}

// credential is what limits count as one caller: the key, or the user of a session.
func (c *call) credential() string {
	if c.caller.KeyID != "" {
		return c.caller.KeyID
	}
	return c.caller.UserID
}

func (g gauge) headers(c *call) {
	h := c.w.Header()
	c.header(h, "X-Scaigrid-Ratelimit-Limit", slotLimit, strconv.Itoa(g.limit))
	c.header(h, "X-Scaigrid-Ratelimit-Remaining", slotRemaining, strconv.Itoa(g.remaining))
	c.header(h, "X-Scaigrid-Ratelimit-Reset", slotReset, strconv.FormatInt(g.reset.Unix(), 10))
}

func (g gauge) refusal(what string) error {
	wait := max(time.Second, (g.wait+time.Second-1)/time.Second*time.Second)
	return &scaigrid.Error{
		Code: scaigrid.CodeRateLimited, RetryAfter: wait, Retryable: true,
		Message: fmt.Sprintf("%s Wait %d seconds and send it again.", what, wait/time.Second),
	}
}

// TakeTurn counts one new turn of a visitor. visitorID is "" for one not seen
// before. Errors: RATE_LIMITED, BUDGET_EXCEEDED, those of TurnUse.
func (l *Limits) TakeTurn(ctx context.Context, bot *scaigrid.Bot, pass scaigrid.Pass, visitorID, address string) error {
	if l.set.Off {
		return nil
	}
	now := l.clock()
	perMinute, perDay := orDefault(bot.Limits.TurnsPerMinute, l.set.VisitorMinute), orDefault(bot.Limits.TurnsPerDay, l.set.VisitorDay)
	bounds := make([]bound, 0, 2)
	if visitorID != "" {
		bounds = append(bounds, bound{subject{kind: ofVisitor, id: visitorID}, perMinute})
	}
	if a, err := netip.ParseAddr(address); err == nil && pass.Anonymous {
		bounds = append(bounds, bound{subject{kind: ofTurnAddress, addr: household(a)}, l.set.AddressMinute})
	}
	if g := l.minute.take(now, bounds...); !g.ok {
		return g.refusal("You are sending messages very quickly.")
	}
	if visitorID != "" {
		if g := l.day.take(now, bound{subject{kind: ofVisitor, id: visitorID}, perDay}); !g.ok {
			return g.refusal("You have sent as many messages as one visitor may in a day.")
		}
	}
	return l.budgets.take(ctx, bot.ID, pass.Anonymous,
		orDefault(bot.Limits.DailyTurns, l.set.BotDailyTurns), orDefault(bot.Limits.DailyTokens, l.set.BotDailyTokens))
}

func orDefault(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}
