package turn

import (
	"context"
	"encoding/hex"

	"github.com/scailabs/scaigrid"
)

// Guest is who stands at the door: a bot that may answer, and a visitor who
// may ask it.
type Guest struct {
	Bot       *scaigrid.Bot
	Pass      scaigrid.Pass
	VisitorID string // "": an anonymous visitor not seen before
	KeyHash   []byte // of the browser's key; nil where none was sent
}

// Known tells whether the guest can own anything yet. One who is not known has
// no conversations, whatever id he names.
func (g Guest) Known() bool { return g.VisitorID != "" }

// limitID is what a guest's turns are counted by: his browser's key, which is
// the same before and after his first message made him a visitor; else his id;
// "" where he cannot be recognised again.
func (g Guest) limitID() string {
	if g.KeyHash != nil {
		return hex.EncodeToString(g.KeyHash)
	}
	return g.VisitorID
}

// retryKey names a message of the guest for its retries; "" where the caller
// gave no id or cannot be recognised again.
func (g Guest) retryKey(ask scaigrid.Ask) string {
	if ask.ClientMessageID == "" {
		return ""
	}
	if g.Known() {
		return g.Bot.ID + "\x00" + g.VisitorID + "\x00" + ask.ClientMessageID
	}
	if g.KeyHash != nil {
		return g.Bot.ID + "\x00" + string(g.KeyHash) + "\x00" + ask.ClientMessageID
	}
	return ""
}

// Verify finds out whose visitor this is and whether the bot may answer him.
// The token itself was checked before.
//
// Errors: NOT_FOUND for a bot that is gone, archived or not the token's,
// BOT_NOT_ACTIVE for a draft, ORIGIN_NOT_ALLOWED, AUTHZ_PERMISSION_DENIED where
// the bot talks to identified visitors only, VALIDATION_ERROR for a visitor key
// that has not the form of one.
func (h *House) Verify(ctx context.Context, pass scaigrid.Pass, botID, origin, visitorKey string) (Guest, error) {
	if botID != "" && botID != pass.BotID {
		return Guest{}, scaigrid.NotFound()
	}
	bot, err := h.Store.Bot(ctx, pass.TenantID, pass.BotID)
	if err != nil {
		return Guest{}, err
	}
	if err := h.mayAnswer(bot, pass, origin); err != nil {
		return Guest{}, err
	}
	return h.recognise(ctx, Guest{Bot: bot, Pass: pass}, visitorKey)
}

func (h *House) mayAnswer(bot *scaigrid.Bot, pass scaigrid.Pass, origin string) error {
	switch {
	case bot.Status == scaigrid.BotArchived:
		return scaigrid.NotFound()
	case bot.Status != scaigrid.BotActive && !pass.Preview:
		return scaigrid.Errorf(scaigrid.CodeBotNotActive, "This bot is a draft. Set its status to active, or mint a preview token to try it.")
	}
	for _, list := range [][]string{bot.AllowedOrigins, pass.Origins} {
		if len(list) > 0 && !h.OriginAllowed(origin, list) {
			return scaigrid.Errorf(scaigrid.CodeOriginNotAllowed, "This page's origin is not among the bot's allowed_origins. Add it there, or open the chat from an allowed page.")
		}
	}
	if bot.IdentityRequired && pass.Anonymous {
		return scaigrid.Errorf(scaigrid.CodePermissionDenied, "This bot talks to identified visitors only. Mint the token with a visitor_id.")
	}
	return nil
}

// recognise finds the visitor. A verified one is who the token says; an
// anonymous one is known by his browser's key alone, since an anonymous token
// may be shared by all visitors of a site.
func (h *House) recognise(ctx context.Context, g Guest, visitorKey string) (Guest, error) {
	var err error
	if visitorKey != "" {
		if g.KeyHash, err = h.HashKey(visitorKey); err != nil {
			return Guest{}, err
		}
	}
	if !g.Pass.Anonymous {
		g.VisitorID = g.Pass.Subject
		if g.KeyHash != nil && g.Bot.JoinAnonymous {
			_, err = h.Store.JoinVisitor(ctx, g.Bot.ID, g.KeyHash, g.VisitorID, h.Clock())
		}
		g.KeyHash = nil
		return g, err
	}
	if g.KeyHash == nil {
		return g, nil
	}
	v, err := h.Store.VisitorByKey(ctx, g.Bot.ID, g.KeyHash)
	switch {
	case err == nil:
		g.VisitorID = v.ID
	case scaigrid.ErrorCode(err) != scaigrid.CodeNotFound:
		return Guest{}, err
	}
	return g, nil
}
