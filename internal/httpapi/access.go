package httpapi

import (
	"strings"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/auth"
)

// checkAccess finds out who calls and whether he may. A caller who shows
// nothing valid is counted by his address.
func (s *Server) checkAccess(c *call) error {
	var err error
	switch c.route.access.kind {
	case forAnyone:
		return nil
	case forStaff:
		err = s.checkStaff(c)
	case forVisitors:
		err = s.checkVisitor(c)
	case undeclared:
		return scaigrid.Errorf(scaigrid.CodeInternal, "The route %s is not declared.", c.pattern())
	}
	switch scaigrid.ErrorCode(err) {
	case scaigrid.CodeTokenMissing, scaigrid.CodeTokenInvalid:
		if tooMany := s.countStranger(c); tooMany != nil {
			return tooMany
		}
	}
	return err
}

func (s *Server) checkStaff(c *call) error {
	credential, err := auth.Bearer(c.r.Header["Authorization"])
	if err != nil {
		return err
	}
	if !auth.LooksLikeKey(credential) {
		return s.notForStaff(c, credential)
	}
	caller, err := s.keys.Authenticate(c.ctx(), credential)
	if err == nil {
		c.caller = caller
	}
	if len(c.r.Header["Origin"]) > 0 {
		return s.keyInBrowser(c)
	}
	if err != nil {
		return err
	}
	if !caller.May(c.route.access.perm) {
		return scaigrid.Errorf(scaigrid.CodePermissionDenied, "This call needs the permission %s, which the credential does not carry.", c.route.access.perm)
	}
	return nil
}

// notForStaff tells a valid embed token on a management path from nonsense.
func (s *Server) notForStaff(c *call, credential string) error {
	if _, err := s.tokens.Verify(c.ctx(), credential); err == nil {
		return scaigrid.Errorf(scaigrid.CodeInsufficientScope, "This is an embed token: it opens the chat of its bot and nothing else. Management takes an API key.")
	}
	return scaigrid.Errorf(scaigrid.CodeTokenInvalid, "The credential is not an API key of this installation.")
}

// keyInBrowser refuses an API key that a web page sent: whoever can read the
// page has the key.
func (s *Server) keyInBrowser(c *call) error {
	leakedKey.apply(c.w.Header())
	s.log.WarnContext(c.ctx(), "an API key was sent by a web page: revoke it and make another one, for your server only",
		"request_id", c.id, "key", c.caller.KeyID, "origin", printableOrigin(c.r.Header.Get("Origin")), "route", c.pattern())
	return scaigrid.Errorf(scaigrid.CodeKeyInBrowser, "An API key was sent by a web page, where every visitor can read it. Revoke it, and call from your server: pages use embed tokens.")
}

func (s *Server) checkVisitor(c *call) error {
	credential, err := auth.Bearer(c.r.Header["Authorization"])
	if err != nil {
		return err
	}
	if auth.LooksLikeKey(credential) {
		if len(c.r.Header["Origin"]) > 0 {
			if caller, err := s.keys.Authenticate(c.ctx(), credential); err == nil {
				c.caller = caller
			}
			return s.keyInBrowser(c)
		}
		return scaigrid.Errorf(scaigrid.CodeTokenInvalid, "This is an API key. The chat takes an embed token: mint one with POST /v1/modules/scaibot/bots/{id}/embed-token.")
	}
	c.pass, err = s.tokens.Verify(c.ctx(), credential)
	return err
}

// printableOrigin keeps what an origin is made of, for the log.
func printableOrigin(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && !strings.ContainsRune(`?#@"\`, r) {
			return r
		}
		return '?'
	}, s)
}
