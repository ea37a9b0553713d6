package auth

import (
	"context"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

func TestKeyForm(t *testing.T) {
	n := newNode(t)
	text, k := n.issue(t, scaigrid.APIKey{Name: "ci"})
	if !regexp.MustCompile("^" + strings.Trim(KeyForm, `\b`) + "$").MatchString(text) {
		t.Errorf("%q has not the documented form", text)
	}
	if !strings.HasPrefix(text, k.Prefix+"_") || len(k.Prefix) != 14 || k.ID == "" || strings.Contains(string(k.Digest), text[20:40]) {
		t.Errorf("%+v", k)
	}
	stored, _, err := n.store.Store.APIKeyByPublicID(t.Context(), k.PublicID)
	if err != nil || len(stored.Digest) != 33 || stored.Name != "ci" {
		t.Errorf("%+v %v", stored, err)
	}
}

// RELIABILITY §4.B 34–38: a key that is not whole never reaches the database.
func TestMalformedKeysAskNothing(t *testing.T) {
	n := newNode(t)
	text, _ := n.issue(t, scaigrid.APIKey{Name: "ci"})
	bad := []string{
		"", "sgk_", text[:52], text + "0", text + "\n", " " + text, "sgk_\u200b" + text[4:], strings.Replace(text, "sgk_", "sgк_", 1),
		"' OR '1'='1", strings.ToUpper(text), strings.Repeat("a", 1<<20), "sgk_" + strings.Repeat("_", 49),
	}
	for i := range text { // each single wrong character
		other := byte('x')
		if text[i] == 'x' {
			other = 'y'
		}
		bad = append(bad, text[:i]+string(other)+text[i+1:])
	}
	for _, b := range bad {
		_, err := n.Keys.Authenticate(t.Context(), b)
		wantCode(t, b[:min(60, len(b))], err, scaigrid.CodeTokenInvalid)
		if err != nil && len(b) > 12 && strings.Contains(err.Error(), b[5:12]) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
	if n.store.lookups != 0 {
		t.Errorf("%d lookups", n.store.lookups)
	}
}

func TestKeyRows(t *testing.T) {
	n := newNode(t)
	soon := n.clock.now().Add(time.Hour)
	good, k := n.issue(t, scaigrid.APIKey{Name: "good", BotIDs: []string{botID}, Permissions: []scaigrid.Permission{scaigrid.PermEmbedIssue}})
	short, _ := n.issue(t, scaigrid.APIKey{Name: "short", ExpiresAt: &soon})
	gone, goneKey := n.issue(t, scaigrid.APIKey{Name: "gone"})
	c, err := n.Keys.Authenticate(t.Context(), good)
	if err != nil || c.KeyID != k.ID || c.TenantID != tenantID || c.UserID != userID || len(c.Permissions) != 1 || !c.May(scaigrid.PermEmbedIssue) || !c.Reaches(botID) || c.Reaches("bot_2") {
		t.Errorf("%+v %v", c, err)
	}
	unknown, _ := newKeyText()
	_, err = n.Keys.Authenticate(t.Context(), unknown)
	wantCode(t, "34 unknown", err, scaigrid.CodeTokenInvalid)
	body := good[:keySize-keyCheckSize-1] + "z"
	if body[len(body)-1] == good[len(body)-1] {
		body = body[:len(body)-1] + "y"
	}
	_, wrong := n.Keys.Authenticate(t.Context(), body+keyCheck(body))
	wantCode(t, "34 wrong secret", wrong, scaigrid.CodeTokenInvalid)
	if wrong == nil || wrong.Error() != err.Error() {
		t.Errorf("a known id is told from an unknown one: %v, %v", wrong, err)
	}
	if _, err = n.Keys.Authenticate(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if err := n.Keys.Revoke(t.Context(), tenantID, goneKey.ID); err != nil {
		t.Fatal(err)
	}
	_, err = n.Keys.Authenticate(t.Context(), gone)
	wantCode(t, "38 revoked, at once", err, scaigrid.CodeTokenInvalid)
	if _, err = n.Keys.Authenticate(t.Context(), good); err != nil {
		t.Errorf("51 another key went along: %v", err)
	}
	wantCode(t, "40 revoke of another tenant", n.Keys.Revoke(t.Context(), "tenant_2", k.ID), scaigrid.CodeNotFound)
	n.clock.add(time.Hour - time.Second)
	if _, err = n.Keys.Authenticate(t.Context(), short); err != nil {
		t.Errorf("a second before it expires: %v", err)
	}
	n.clock.add(time.Second)
	_, err = n.Keys.Authenticate(t.Context(), short)
	wantCode(t, "38 expired, with a warm cache", err, scaigrid.CodeTokenInvalid)
}

func TestKeyNeverExceedsItsUser(t *testing.T) {
	n := newNode(t)
	fewer := &demoted{Store: n.store.Store, role: scaigrid.RoleTenantViewer}
	text, _ := n.issue(t, scaigrid.APIKey{Name: "all"})
	viewer := openNode(t, fewer, n.secret, n.clock)
	c, err := viewer.Keys.Authenticate(t.Context(), text)
	if err != nil || c.May(scaigrid.PermBotsCreate) || c.May(scaigrid.PermEmbedIssue) || !c.May(scaigrid.PermBotsRead) {
		t.Errorf("%+v %v", c, err)
	}
}

// demoted gives every user another role than he had.
type demoted struct {
	Store
	role scaigrid.Role
}

func (d *demoted) APIKeyByPublicID(ctx context.Context, id string) (*scaigrid.APIKey, *scaigrid.User, error) {
	k, u, err := d.Store.APIKeyByPublicID(ctx, id)
	if u != nil {
		u.Role = d.role
	}
	return k, u, err
}

func TestKeyOfAnotherNode(t *testing.T) {
	s, secret, c := openStore(t), newSecret(t), newClock()
	a, b := openNode(t, s, secret, c), openNode(t, s, secret, c)
	text, k := a.issue(t, scaigrid.APIKey{Name: "ci"})
	if _, err := b.Keys.Authenticate(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	lookups := b.store.lookups
	if _, err := b.Keys.Authenticate(t.Context(), text); err != nil || b.store.lookups != lookups {
		t.Errorf("%d lookups for a key that is known, %v", b.store.lookups-lookups, err)
	}
	if err := a.Keys.Revoke(t.Context(), tenantID, k.ID); err != nil {
		t.Fatal(err)
	}
	b.round(t.Context(), 1) // what Run does every second
	_, err := b.Keys.Authenticate(t.Context(), text)
	wantCode(t, "after one look", err, scaigrid.CodeTokenInvalid)
}

func TestKeyRevokedBehindOurBack(t *testing.T) {
	n := newNode(t)
	text, k := n.issue(t, scaigrid.APIKey{Name: "ci"})
	if _, err := n.Keys.Authenticate(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := n.store.RevokeAPIKey(t.Context(), scaigrid.Caller{TenantID: tenantID}, k.ID, n.clock.now()); err != nil {
		t.Fatal(err)
	}
	n.clock.add(keyCacheFor)
	_, err := n.Keys.Authenticate(t.Context(), text)
	wantCode(t, "after the cache", err, scaigrid.CodeTokenInvalid)
}

func TestLastUseToTheMinute(t *testing.T) {
	n := newNode(t)
	text, k := n.issue(t, scaigrid.APIKey{Name: "ci"})
	for range 3 {
		if _, err := n.Keys.Authenticate(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		n.clock.add(90 * time.Second)
	}
	n.round(t.Context(), usesEvery)
	stored, _, err := n.store.APIKeyByPublicID(t.Context(), k.PublicID)
	want := n.clock.now().Add(-90 * time.Second).Truncate(time.Minute)
	if err != nil || stored.LastUsedAt == nil || !stored.LastUsedAt.Equal(want) {
		t.Errorf("%v, want %v (%v)", stored.LastUsedAt, want, err)
	}
}

func FuzzParseKey(f *testing.F) {
	text, _ := newKeyText()
	f.Add(text)
	f.Add("sgk_0000000000_" + strings.Repeat("0", 38))
	f.Fuzz(func(t *testing.T, s string) {
		publicID, ok := parseKey(s)
		if ok && (len(s) != keySize || !isBase62(publicID) || s[:keySize-keyCheckSize]+keyCheck(s[:keySize-keyCheckSize]) != s) {
			t.Errorf("%q was taken for a key", s)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	n := newNode(b)
	text, _ := newKeyText()
	k := scaigrid.APIKey{TenantID: tenantID, UserID: userID, Name: "ci", Permissions: scaigrid.AllPermissions()}
	if c, err := n.Keys.Issue(b.Context(), &k); err == nil {
		text = c.Reveal()
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Keys.Authenticate(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
}

func TestVisitorKey(t *testing.T) {
	raw := make([]byte, 32)
	raw[31] = 1
	key := base64.RawURLEncoding.EncodeToString(raw)
	a, err := HashVisitorKey(key)
	if err != nil || len(a) != 32 {
		t.Fatal(err)
	}
	raw[0] = 1
	if b, _ := HashVisitorKey(base64.RawURLEncoding.EncodeToString(raw)); string(a) == string(b) {
		t.Error("two keys have one hash")
	}
	last := strings.IndexByte(base64Alphabet, key[42])
	for _, bad := range []string{"", key[:42], key + "A", key + "=", key[:42] + "\n", key[:42] + string(base64Alphabet[last|1]), strings.Repeat("+", 43), key[:20] + "\r\n" + key[20:], strings.Repeat("é", 43)} {
		_, err := HashVisitorKey(bad)
		wantCode(t, bad, err, scaigrid.CodeValidation)
	}
}

func TestBearer(t *testing.T) {
	for _, tc := range []struct {
		values []string
		want   string
		code   scaigrid.Code
	}{
		{nil, "", scaigrid.CodeTokenMissing},
		{[]string{""}, "", scaigrid.CodeTokenMissing},
		{[]string{"Bearer abc"}, "abc", ""},
		{[]string{"bEARER abc"}, "abc", ""},
		{[]string{"Bearer a", "Bearer b"}, "", scaigrid.CodeTokenInvalid},
		{[]string{"Bearer a, Bearer b"}, "", scaigrid.CodeTokenInvalid},
		{[]string{"Bearer  abc"}, "", scaigrid.CodeTokenInvalid},
		{[]string{"Bearer\tabc"}, "", scaigrid.CodeTokenMissing},
		{[]string{"Bearer"}, "", scaigrid.CodeTokenInvalid},
		{[]string{"Bearer "}, "", scaigrid.CodeTokenInvalid},
		{[]string{"Basic c2drXw=="}, "", scaigrid.CodeTokenMissing},
		{[]string{"sgk_x"}, "", scaigrid.CodeTokenMissing},
	} {
		got, err := Bearer(tc.values)
		wantCode(t, strings.Join(tc.values, "|"), err, tc.code)
		if got != tc.want {
			t.Errorf("%q: %q", tc.values, got)
		}
	}
}
