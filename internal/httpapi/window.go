package httpapi

import (
	lru "container/list"
	"sync"
	"time"
)

const (
	windowParts = 60     // of a window's length; the oldest part fades out
	maxWindows  = 30_000 // counters in memory, about 12 MB
	shards      = 16
)

// windows counts in sliding windows of one length, one window a subject. The
// count is exact but for the oldest sixtieth of the window, whose calls are
// taken to be spread evenly over it.
type windows struct {
	span  time.Duration
	shard [shards]windowShard
}

type windowShard struct {
	mu    sync.Mutex
	by    map[subject]*lru.Element
	order *lru.List // of *window, the most recently used in front
}

type window struct {
	of    subject
	part  int64 // number of the newest part, counted from the epoch
	count [windowParts + 1]int32
}

// bound is the number of calls that a subject may make in a window; 0: any.
type bound struct {
	of  subject
	max int
}

func newWindows(span time.Duration) *windows {
	w := &windows{span: span}
	for i := range w.shard {
		w.shard[i] = windowShard{by: map[subject]*lru.Element{}, order: lru.New()}
	}
	return w
}

// take counts one call against every bound, or against none where one of them
// is reached. It returns the gauge of the bound that is closest to its end.
func (w *windows) take(now time.Time, bounds ...bound) gauge {
	tightest := gauge{ok: true}
	for i, b := range bounds {
		if b.max <= 0 {
			continue
		}
		g := w.one(now, b, 1)
		if !g.ok {
			for _, done := range bounds[:i] {
				if done.max > 0 {
					w.one(now, done, -1)
				}
			}
			return g
		}
		if tightest.limit == 0 || g.remaining < tightest.remaining {
			tightest = g
		}
	}
	return tightest
}

func (w *windows) one(now time.Time, b bound, n int32) gauge {
	s := &w.shard[b.of.hash()%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	win := s.window(b.of)
	step := int64(w.span) / windowParts
	at := now.UnixNano()
	win.advance(at / step)
	left := float64(step-at%step) / float64(step) // of the oldest part that still counts
	used := win.used(left)
	g := gauge{limit: b.max, ok: true}
	if n > 0 && used >= float64(b.max) {
		g.ok = false
		g.wait = win.wait(at, step, b.max)
		g.reset = now.Add(g.wait)
		return g
	}
	if cell := &win.count[win.part%(windowParts+1)]; *cell+n >= 0 {
		*cell += n
	}
	g.remaining = max(0, int(float64(b.max)-used-1))
	g.reset = win.firstLeaves(step, w.span)
	return g
}

func (s *windowShard) window(of subject) *window {
	if e, ok := s.by[of]; ok {
		s.order.MoveToFront(e)
		return e.Value.(*window)
	}
	if s.order.Len() >= maxWindows/shards {
		oldest := s.order.Back()
		delete(s.by, oldest.Value.(*window).of)
		s.order.Remove(oldest)
	}
	win := &window{of: of}
	s.by[of] = s.order.PushFront(win)
	return win
}

// advance empties the parts that have left the window.
func (w *window) advance(part int64) {
	if part-w.part > windowParts {
		w.count = [windowParts + 1]int32{}
		w.part = part
		return
	}
	for w.part < part {
		w.part++
		w.count[w.part%(windowParts+1)] = 0
	}
}

// used is the number of calls in the window; left is the share of the oldest
// part that is still in it.
func (w *window) used(left float64) float64 {
	sum := 0.0
	for age := range int64(windowParts) {
		sum += float64(w.cell(age))
	}
	return sum + float64(w.cell(windowParts))*left
}

// cell is the count of the part that is age parts old.
func (w *window) cell(age int64) int32 {
	i := (w.part - age) % (windowParts + 1)
	if i < 0 {
		i += windowParts + 1
	}
	return w.count[i]
}

// wait is how long it takes until one more call fits under limit.
func (w *window) wait(at, step int64, limit int) time.Duration {
	whole := 0.0
	for age := range int64(windowParts) {
		whole += float64(w.cell(age))
	}
	room := float64(limit)
	for age := int64(windowParts); age >= 0; age-- {
		n := float64(w.cell(age))
		if age < windowParts {
			whole -= n
		}
		if whole >= room || n == 0 {
			continue
		}
		// The part that is age old fades out from the moment when it becomes the oldest.
		from := (w.part - age + windowParts) * step
		until := from + int64(float64(step)*max(0, 1-(room-whole)/n))
		return time.Duration(max(0, until-at)) + time.Millisecond
	}
	return time.Duration(step)
}

// firstLeaves is when the oldest call in the window has left it.
func (w *window) firstLeaves(step int64, span time.Duration) time.Time {
	for age := int64(windowParts); age >= 0; age-- {
		if w.cell(age) > 0 {
			return time.Unix(0, (w.part-age+1)*step).Add(span)
		}
	}
	return time.Unix(0, (w.part+1)*step)
}

// hash spreads subjects over the shards.
func (s subject) hash() uint32 {
	const prime = 16777619
	h := uint32(2166136261) ^ uint32(s.kind)
	for i := range len(s.id) {
		h = (h ^ uint32(s.id[i])) * prime
	}
	if s.addr.IsValid() {
		for _, b := range s.addr.As16() {
			h = (h ^ uint32(b)) * prime
		}
	}
	return h
}
