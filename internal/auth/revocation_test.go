package auth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

func (n node) gone(t *testing.T, token string) bool {
	t.Helper()
	_, err := n.Tokens.Verify(t.Context(), token)
	if err != nil && scaigrid.ErrorCode(err) != scaigrid.CodeEmbedTokenRevoked {
		t.Errorf("%v, want EMBED_TOKEN_REVOKED", err)
	}
	return err != nil
}

// RELIABILITY §4.A 25: whatever is revoked is refused here at once, on another
// node after its next look, and what is not meant goes on.
func TestRevocation(t *testing.T) {
	for name, end := range map[string]func(n node, victim scaigrid.Pass) error{
		"token": func(n node, v scaigrid.Pass) error {
			return n.Revocations.RevokeToken(t.Context(), tenantID, v.BotID, v.TokenID)
		},
		"visitor": func(n node, v scaigrid.Pass) error {
			return n.Revocations.RevokeVisitor(t.Context(), tenantID, v.BotID, v.Subject)
		},
		"bot": func(n node, v scaigrid.Pass) error { return n.Revocations.RevokeBot(t.Context(), tenantID, v.BotID) },
		"key": func(n node, v scaigrid.Pass) error { return n.Revocations.RevokeKey(t.Context(), tenantID, v.KeyID) },
	} {
		t.Run(name, func(t *testing.T) {
			s, secret, c := openStore(t), newSecret(t), newClock()
			a, b := openNode(t, s, secret, c), openNode(t, s, secret, c)
			victim := a.mint(t, Order{Subject: "vis_1", KeyID: "apikey_1"})
			other := a.mint(t, Order{BotID: "bot_2", Subject: "vis_2", KeyID: "apikey_2"})
			pass, err := b.Tokens.Verify(t.Context(), victim)
			if err != nil {
				t.Fatal(err)
			}
			told, release := b.Revocations.Watch(pass)
			defer release()
			untold, release2 := b.Revocations.Watch(scaigrid.Pass{TokenID: "tok_2", BotID: "bot_2", Subject: "vis_2", IssuedAt: pass.IssuedAt})
			defer release2()
			if err := end(a, pass); err != nil {
				t.Fatal(err)
			}
			if !a.gone(t, victim) || a.gone(t, other) {
				t.Error("on the own node: the wrong one, or none")
			}
			if b.gone(t, victim) {
				t.Error("the other node knew before it looked")
			}
			b.round(t.Context(), 1)
			if !b.gone(t, victim) || b.gone(t, other) {
				t.Error("on the other node: the wrong one, or none")
			}
			select {
			case <-told:
			default:
				t.Error("the running stream was not told")
			}
			select {
			case <-untold:
				t.Error("another stream was told")
			default:
			}
			late, release3 := b.Revocations.Watch(pass)
			defer release3()
			<-late // closed already
			fresh := openNode(t, s, secret, c)
			if !fresh.gone(t, victim) {
				t.Error("a node that starts does not know")
			}
		})
	}
}

func TestMintAfterRevocationLives(t *testing.T) {
	n := newNode(t)
	old := n.mint(t, Order{Subject: "vis_1"})
	if err := n.Revocations.RevokeBot(t.Context(), tenantID, botID); err != nil {
		t.Fatal(err)
	}
	if fresh := n.mint(t, Order{Subject: "vis_1"}); n.gone(t, fresh) || !n.gone(t, old) {
		t.Error("a token of the same second is judged wrongly")
	}
}

func TestRevocationThatIsNotStoredIsNone(t *testing.T) {
	s := &broken{Store: openStore(t)}
	n := openNode(t, s, newSecret(t), newClock())
	token := n.mint(t, Order{Subject: "vis_1"})
	s.err = errors.New("disk full")
	wantCode(t, "revoke", n.Revocations.RevokeBot(t.Context(), tenantID, botID), scaigrid.CodeStorage)
	if n.gone(t, token) {
		t.Error("it is refused here, but nowhere else")
	}
}

// broken is a store whose writing fails.
type broken struct {
	Store
	err error
}

func (b *broken) AddRevocation(ctx context.Context, r scaigrid.Revocation) error {
	if b.err != nil {
		return b.err
	}
	return b.Store.AddRevocation(ctx, r)
}

func TestRevocationsAreForgotten(t *testing.T) {
	n := newNode(t)
	for i, err := range []error{
		n.Revocations.RevokeToken(t.Context(), tenantID, botID, "tok_1"), n.Revocations.RevokeVisitor(t.Context(), tenantID, botID, "vis_1"),
		n.Revocations.RevokeBot(t.Context(), tenantID, botID), n.Revocations.RevokeKey(t.Context(), tenantID, "apikey_1"),
	} {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	n.clock.add(MaxTTL + 2*Leeway + time.Second)
	n.round(t.Context(), tendEvery)
	r := n.Revocations
	if len(r.tokens)+len(r.visitors)+len(r.bots)+len(r.keys) != 0 {
		t.Errorf("kept %v %v %v %v", r.tokens, r.visitors, r.bots, r.keys)
	}
	if left, err := n.store.RevocationsAfter(t.Context(), 0); err != nil || len(left) != 0 {
		t.Errorf("%d rows, %v", len(left), err)
	}
}

func TestRotationRefusesNothing(t *testing.T) {
	s, secret, c := openStore(t), newSecret(t), newClock()
	a, b := openNode(t, s, secret, c), openNode(t, s, secret, c)
	old := a.mint(t, Order{Subject: "vis_1"})
	c.add(2 * time.Minute)
	if err := a.Tokens.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, _ := a.Tokens.ring.current(c.now())
	for i := range 3000 { // half a minute before the new key signs, and a minute after
		token := a.mint(t, Order{Subject: "vis_1"})
		for _, n := range []node{a, b} {
			if _, err := n.Tokens.Verify(t.Context(), token); err != nil {
				t.Fatalf("token %d: %v", i, err)
			}
		}
		c.add(30 * time.Millisecond)
	}
	second, _ := a.Tokens.ring.current(c.now())
	if first.ID == second.ID {
		t.Error("the new key does not sign")
	}
	if _, err := b.Tokens.Verify(t.Context(), old); err != nil {
		t.Errorf("a token of the old key: %v", err)
	}
	c.add(MaxTTL + Leeway + signingKeyRest + signingKeySlack)
	if first.verifies(c.now()) {
		t.Error("the old key verifies for ever")
	}
}

func TestRotationAtOnceEndsEverything(t *testing.T) {
	s, secret, c := openStore(t), newSecret(t), newClock()
	a, b := openNode(t, s, secret, c), openNode(t, s, secret, c)
	old := a.mint(t, Order{Subject: "vis_1"})
	if err := a.Tokens.RotateNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.round(t.Context(), keysEvery)
	for _, n := range []node{a, b} {
		_, err := n.Tokens.Verify(t.Context(), old)
		wantCode(t, "token of the dropped key", err, scaigrid.CodeTokenInvalid)
		if _, err := n.Tokens.Verify(t.Context(), a.mint(t, Order{Subject: "vis_1"})); err != nil {
			t.Error(err)
		}
	}
}

func TestUnknownKeysDoNotFloodTheStore(t *testing.T) {
	s, secret, c := openStore(t), newSecret(t), newClock()
	a, b := openNode(t, s, secret, c), openNode(t, s, secret, c)
	c.add(time.Minute)
	asked := b.store.asked
	for range 1000 {
		_, err := b.Tokens.Verify(t.Context(), b64(headerBefore+randomBase62(kidLength)+headerAfter)+".e30."+"AAAA")
		wantCode(t, "unknown key", err, scaigrid.CodeTokenInvalid)
	}
	if n := b.store.asked - asked; n != 1 {
		t.Errorf("asked the store %d times", n)
	}
	if err := a.Tokens.RotateNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.add(signingKeyAsk)
	if _, err := b.Tokens.Verify(t.Context(), a.mint(t, Order{})); err != nil {
		t.Errorf("a key of another node: %v", err)
	}
}

func TestOldKeysAreReplaced(t *testing.T) {
	n := newNode(t)
	before, _ := n.Tokens.ring.current(n.clock.now())
	n.clock.add(signingKeyAge)
	n.round(t.Context(), tendEvery)
	n.clock.add(signingKeyRest)
	after, err := n.Tokens.ring.current(n.clock.now())
	if err != nil || after.ID == before.ID {
		t.Errorf("%s still signs after 90 days, %v", after.ID, err)
	}
	n.clock.add(3 * MaxTTL)
	n.round(t.Context(), tendEvery)
	if keys, err := n.store.SigningKeys(t.Context()); err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}
