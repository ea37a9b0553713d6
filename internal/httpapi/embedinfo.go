package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/scailabs/scaigrid"
)

// embedInfo is all that a page may know of a bot before a visitor speaks.
type embedInfo struct {
	DisplayName        string             `json:"display_name"`
	WelcomeMessage     string             `json:"welcome_message"`
	PlaceholderText    string             `json:"placeholder_text"`
	PrimaryColor       string             `json:"primary_color"`
	SuggestedQuestions []string           `json:"suggested_questions"`
	Appearance         map[string]string  `json:"appearance"`
	Locale             string             `json:"locale"`
	Status             scaigrid.BotStatus `json:"status" enum:"draft,active"`
}

// embedInfoPage is the answer as it is sent, but for the request id, which a
// cached answer cannot carry in its body; it is in the header.
type embedInfoPage struct {
	body []byte
	etag []string
}

// embedInfoBody is the envelope of an answer that caches may hand on.
type embedInfoBody struct {
	Status string    `json:"status"`
	Data   embedInfo `json:"data"`
	Meta   struct{}  `json:"meta"`
}

func makeEmbedInfo(b *scaigrid.Bot) (embedInfoPage, error) {
	body, err := json.Marshal(embedInfoBody{Status: "ok", Data: embedInfo{
		DisplayName: b.ShownName(), WelcomeMessage: b.WelcomeMessage, PlaceholderText: b.PlaceholderText,
		PrimaryColor: b.PrimaryColor, SuggestedQuestions: b.SuggestedQuestions, Appearance: b.Appearance,
		Locale: b.Locale, Status: b.Status,
	}}, json.Deterministic(true))
	if err != nil {
		return embedInfoPage{}, scaigrid.AsError(err)
	}
	return embedInfoPage{body: body, etag: etagOf(body)}, nil
}

// etagOf names a body by what is in it.
func etagOf(body []byte) []string {
	sum := sha256.Sum256(body)
	return []string{`"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

// lazyInfo makes the page of a bot when it is first asked for.
type lazyInfo struct {
	once sync.Once
	page embedInfoPage
	err  error
}

func (l *lazyInfo) get(b *scaigrid.Bot) (embedInfoPage, error) {
	l.once.Do(func() { l.page, l.err = makeEmbedInfo(b) })
	return l.page, l.err
}

var cacheInfo = []string{"public, max-age=60, stale-while-revalidate=600"}

// embedInfo answers from memory in the ordinary case. A look-up that finds
// nothing counts against the caller's address: ids are not to be guessed.
func (s *Server) embedInfo(c *call) error {
	id, err := c.pathID(scaigrid.KindBot)
	if err != nil {
		return s.unknownBot(c, err)
	}
	bot, err := s.bots.get(c.ctx(), id, c.began)
	if err != nil {
		return s.unknownBot(c, err)
	}
	if bot.Status == scaigrid.BotArchived {
		return s.unknownBot(c, scaigrid.NotFound())
	}
	page, err := bot.info.get(bot.Bot)
	if err != nil {
		return err
	}
	return c.sendCached(c.srv.jsonType, page.body, page.etag, cacheInfo)
}

func (s *Server) unknownBot(c *call, err error) error {
	if scaigrid.ErrorCode(err) != scaigrid.CodeNotFound {
		return err
	}
	if tooMany := s.countStranger(c); tooMany != nil {
		return tooMany
	}
	return err
}

// embedRows are the rows about showing a bot on a page.
func (s *Server) embedRows() []route {
	return []route{{
		op: "embedInfo", method: "GET", path: botPath + "/{bot}/embed-info", access: anyone(), limit: limitNone, cors: corsPublic,
		serve: plain[embedInfoBody](s.embedInfo), tag: "Embedding", summary: "What a page may know of a bot before a visitor speaks", quiet: true,
		errors: []scaigrid.Code{scaigrid.CodeNotFound, scaigrid.CodeRateLimited},
	}}
}
