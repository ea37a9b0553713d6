package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/scailabs/scaigrid"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// signed makes a token of any payload with the current key: what a fault of our
// own, or a thief of the key, could make.
func (n node) signed(t testing.TB, payload string) string {
	t.Helper()
	key, err := n.Tokens.ring.current(n.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	return key.finish(key.header + "." + b64(payload))
}

func (s *signer) finish(text string) string {
	mac := s.sign([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac[:])
}

// payload is a good one, with some members replaced; nil leaves one out.
func (n node) payload(change map[string]any) string {
	now := n.clock.now().Unix()
	m := map[string]any{
		"iss": n.Tokens.issuer, "aud": "chat", "ten": tenantID, "bot": botID, "sub": "vis_1", "anon": false,
		"jti": "tok_1", "iat": now, "exp": now + 3600,
	}
	for k, v := range change {
		if v == nil {
			delete(m, k)
		} else {
			m[k] = v
		}
	}
	out, _ := json.Marshal(m)
	return string(out)
}

func TestTokenSaysWhatItWasMintedFor(t *testing.T) {
	n := newNode(t)
	m, err := n.Tokens.Mint(Order{
		TenantID: tenantID, BotID: botID, Subject: "vis_9", Preview: true, SeePrompt: true,
		Origins: []string{"https://Shop.Example:443/", "https://*.bücher.example"}, KeyID: "apikey_7", TTL: 2 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := n.Tokens.Verify(t.Context(), m.Token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	now := n.clock.now().Unix()
	want := scaigrid.Pass{
		TokenID: m.TokenID, TenantID: tenantID, BotID: botID, Subject: "vis_9", Preview: true, SeePrompt: true,
		Origins: []string{"https://shop.example", "https://*.xn--bcher-kva.example"}, KeyID: "apikey_7", IssuedAt: now, ExpiresAt: now + 120,
	}
	if fmt.Sprintf("%+v", p) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v, want %+v", p, want)
	}
	if m.TTL != 2*time.Minute || m.ExpiresAt.Unix() != now+120 {
		t.Errorf("%v until %v", m.TTL, m.ExpiresAt)
	}
	a, b := n.mint(t, Order{}), n.mint(t, Order{})
	pa, _ := n.Tokens.Verify(t.Context(), a)
	pb, _ := n.Tokens.Verify(t.Context(), b)
	if !pa.Anonymous || pa.Subject == pb.Subject || pa.ExpiresAt-pa.IssuedAt != 3600 {
		t.Errorf("anonymous: %+v, %+v", pa, pb)
	}
}

// A library that knows nothing of us reads our tokens, and finds nobody's name in them.
func TestTokenIsAJWT(t *testing.T) {
	n := newNode(t)
	token := n.mint(t, Order{Subject: "vis_9", KeyID: "apikey_7"})
	key, _ := n.Tokens.ring.current(n.clock.now())
	stored, err := n.store.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secret, err := n.secret.Open(stored[0].Sealed, signingKeyPurpose(key.ID))
	if err != nil {
		t.Fatal(err)
	}
	got, err := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(n.clock.now), jwt.WithAudience("chat"), jwt.WithExpirationRequired(), jwt.WithIssuedAt()).
		Parse(token, func(*jwt.Token) (any, error) { return secret, nil })
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.Header) != fmt.Sprint(map[string]any{"alg": "HS256", "kid": key.ID, "typ": "embed+jwt"}) {
		t.Errorf("header %v", got.Header)
	}
	allowed := " iss aud ten bot sub anon jti iat exp key org pvw spr "
	for name := range got.Claims.(jwt.MapClaims) { //nolint:errcheck // the library's own type
		if !strings.Contains(allowed, " "+name+" ") {
			t.Errorf("claim %s", name)
		}
	}
	if len(token) > 520 {
		t.Errorf("%d bytes", len(token))
	}
}

func TestMintRefuses(t *testing.T) {
	n := newNode(t)
	for name, o := range map[string]Order{
		"ttl_seconds":        {TTL: 59 * time.Second},
		"ttl_seconds ":       {TTL: 24*time.Hour + time.Second},
		"ttl_seconds  ":      {TTL: -time.Second},
		"allowed_origins":    {Origins: make([]string, 9)},
		"allowed_origins[1]": {Origins: []string{"null", "https://x.example/path"}},
	} {
		_, err := n.Tokens.Mint(o)
		if e := scaigrid.AsError(err); e.Code != scaigrid.CodeValidation || e.Details[0].Field != strings.TrimSpace(name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RELIABILITY §4.A: what a caller can make of a token, and what he gets for it.
func TestTokenRows(t *testing.T) {
	n := newNode(t)
	now := n.clock.now().Unix()
	good := n.mint(t, Order{Subject: "vis_9"})
	part := strings.Split(good, ".")
	key, _ := n.Tokens.ring.current(n.clock.now())
	header := func(h string) string { return key.finish(b64(h) + "." + part[1]) }
	kid := key.ID
	const invalid, expired = scaigrid.CodeTokenInvalid, scaigrid.CodeEmbedTokenExpired
	for name, tc := range map[string]struct {
		token string
		want  scaigrid.Code
	}{
		"good":                     {good, ""},
		"good, made by hand":       {n.signed(t, n.payload(nil)), ""},
		"2 expired":                {n.signed(t, n.payload(map[string]any{"iat": now - 3600, "exp": now - 30})), expired},
		"3 expired within leeway":  {n.signed(t, n.payload(map[string]any{"iat": now - 3600, "exp": now - 29})), ""},
		"4 iat in the future":      {n.signed(t, n.payload(map[string]any{"iat": now + 600, "exp": now + 700})), invalid},
		"4 iat within leeway":      {n.signed(t, n.payload(map[string]any{"iat": now + 30, "exp": now + 700})), ""},
		"5 no exp":                 {n.signed(t, n.payload(map[string]any{"exp": nil})), invalid},
		"5 no iat":                 {n.signed(t, n.payload(map[string]any{"iat": nil})), invalid},
		"6 exp as text":            {n.signed(t, n.payload(map[string]any{"exp": fmt.Sprint(now + 60)})), invalid},
		"6 exp 1e308":              {n.signed(t, n.payload(map[string]any{"exp": 1e308})), invalid},
		"6 exp a fraction":         {n.signed(t, n.payload(map[string]any{"exp": float64(now) + 60.5})), invalid},
		"6 exp negative":           {n.signed(t, n.payload(map[string]any{"exp": -1})), invalid},
		"6 exp 2^63":               {n.signed(t, n.payload(map[string]any{"exp": json.Number("9223372036854775808")})), invalid},
		"6 exp 2^63-1":             {n.signed(t, n.payload(map[string]any{"exp": json.Number("9223372036854775807")})), invalid},
		"6 iat -2^63":              {n.signed(t, n.payload(map[string]any{"iat": json.Number("-9223372036854775808")})), invalid},
		"7 lives too long":         {n.signed(t, n.payload(map[string]any{"exp": now + 86401})), invalid},
		"7 lives a day":            {n.signed(t, n.payload(map[string]any{"exp": now + 86400})), ""},
		"7 ends before it begins":  {n.signed(t, n.payload(map[string]any{"exp": now})), invalid},
		"8 alg none":               {header(`{"alg":"none","typ":"embed+jwt","kid":"` + kid + `"}`), invalid},
		"8 alg nOnE, no signature": {b64(`{"alg":"nOnE","typ":"embed+jwt","kid":"`+kid+`"}`) + "." + part[1] + ".", invalid},
		"8 no signature":           {part[0] + "." + part[1] + ".", invalid},
		"9 alg HS512":              {header(`{"alg":"HS512","typ":"embed+jwt","kid":"` + kid + `"}`), invalid},
		"10 alg EdDSA":             {header(`{"alg":"EdDSA","typ":"embed+jwt","kid":"` + kid + `"}`), invalid},
		"11 no kid":                {header(`{"alg":"HS256","typ":"embed+jwt"}`), invalid},
		"11 unknown kid":           {header(`{"alg":"HS256","typ":"embed+jwt","kid":"AAAAAAAAAAAA"}`), invalid},
		"11 kid a path":            {header(`{"alg":"HS256","typ":"embed+jwt","kid":"../../etc/x"}`), invalid},
		"11 kid SQL":               {header(`{"alg":"HS256","typ":"embed+jwt","kid":"' OR 1=1 --"}`), invalid},
		"11 kid long":              {header(`{"alg":"HS256","typ":"embed+jwt","kid":"` + strings.Repeat("k", 4096) + `"}`), invalid},
		"12 jku":                   {header(`{"alg":"HS256","typ":"embed+jwt","kid":"` + kid + `","jku":"https://evil.example"}`), invalid},
		"12 jwk":                   {header(`{"alg":"HS256","typ":"embed+jwt","kid":"` + kid + `","jwk":{}}`), invalid},
		"13 crit":                  {header(`{"alg":"HS256","typ":"embed+jwt","kid":"` + kid + `","crit":["b64"],"b64":false}`), invalid},
		"13 zip":                   {header(`{"alg":"HS256","typ":"embed+jwt","kid":"` + kid + `","zip":"DEF"}`), invalid},
		"14 typ JWT":               {header(`{"alg":"HS256","typ":"JWT","kid":"` + kid + `"}`), invalid},
		"14 typ session":           {header(`{"alg":"HS256","typ":"session+jwt","kid":"` + kid + `"}`), invalid},
		"14 header with a space":   {header(`{"alg":"HS256", "typ":"embed+jwt","kid":"` + kid + `"}`), invalid},
		"15 iss":                   {n.signed(t, n.payload(map[string]any{"iss": "other"})), invalid},
		"16 aud":                   {n.signed(t, n.payload(map[string]any{"aud": "admin"})), invalid},
		"17 aud a list":            {n.signed(t, n.payload(map[string]any{"aud": []string{"chat", "x"}})), invalid},
		"18 sub twice":             {n.signed(t, strings.Replace(n.payload(nil), `"sub"`, `"sub":"vis_2","sub"`, 1)), invalid},
		"18 sub in capitals":       {n.signed(t, strings.Replace(n.payload(nil), `"sub"`, `"Sub"`, 1)), invalid},
		"18 unknown member":        {n.signed(t, n.payload(map[string]any{"scp": "all"})), invalid},
		"18 something after":       {n.signed(t, n.payload(nil)+"{}"), invalid},
		"18 not UTF-8":             {n.signed(t, strings.Replace(n.payload(nil), "vis_1", "vis_\xff", 1)), invalid},
		"20 padding":               {good + "=", invalid},
		"20 other alphabet":        {part[0] + "." + part[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(part[2]) + "+", invalid},
		"20 newline in signature":  {part[0] + "." + part[1] + "." + part[2][:9] + "\n" + part[2][9:], invalid},
		"20 newline in claims":     {key.finish(part[0] + "." + part[1][:9] + "\n" + part[1][9:]), invalid},
		"20 padding in claims":     {key.finish(part[0] + "." + b64("{}") + "=="), invalid},
		"20 space":                 {" " + good, invalid},
		"22 dots":                  {strings.Repeat(".", 8000), invalid},
		"22 three dots":            {good + ".x", invalid},
		"22 one dot":               {part[0] + "." + part[1], invalid},
		"22 a megabyte":            {strings.Repeat("a", 1<<20), invalid},
		"empty":                    {"", invalid},
		"33 sub an object":         {n.signed(t, n.payload(map[string]any{"sub": map[string]any{}})), invalid},
		"33 bot a list":            {n.signed(t, n.payload(map[string]any{"bot": []string{botID}})), invalid},
		"33 ten a number":          {n.signed(t, n.payload(map[string]any{"ten": 1})), invalid},
		"33 bot of another kind":   {n.signed(t, n.payload(map[string]any{"bot": "vis_1"})), invalid},
		"33 sub missing":           {n.signed(t, n.payload(map[string]any{"sub": nil})), invalid},
		"33 claims null":           {n.signed(t, "null"), invalid},
		"33 nine origins":          {n.signed(t, n.payload(map[string]any{"org": strings.Split(strings.Repeat("x", 9), "")})), invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := n.Tokens.Verify(t.Context(), tc.token)
			wantCode(t, name, err, tc.want)
			if err != nil && len(tc.token) > 20 && strings.Contains(err.Error(), tc.token[:20]) {
				t.Error("the error repeats the token")
			}
		})
	}
}

// Every bit of the signature counts, and so does every one of the claims.
func TestEveryBitOfTheTokenCounts(t *testing.T) {
	n := newNode(t)
	token := n.mint(t, Order{Subject: "vis_9"})
	part := strings.Split(token, ".")
	for segment, name := range []string{"header", "claims", "signature"} {
		raw, err := base64.RawURLEncoding.DecodeString(part[segment])
		if err != nil {
			t.Fatal(err)
		}
		for bit := range len(raw) * 8 {
			flipped := append([]byte(nil), raw...)
			flipped[bit/8] ^= 1 << (bit % 8)
			changed := append([]string(nil), part...)
			changed[segment] = base64.RawURLEncoding.EncodeToString(flipped)
			if _, err := n.Tokens.Verify(t.Context(), strings.Join(changed, ".")); scaigrid.ErrorCode(err) != scaigrid.CodeTokenInvalid {
				t.Errorf("%s, bit %d: %v", name, bit, err)
			}
		}
	}
	// The stray bits behind the last whole byte too: one spelling only.
	last := strings.IndexByte(base64Alphabet, token[len(token)-1])
	for add := 1; add < 4; add++ {
		if _, err := n.Tokens.Verify(t.Context(), token[:len(token)-1]+string(base64Alphabet[last|add])); scaigrid.ErrorCode(err) != scaigrid.CodeTokenInvalid {
			t.Errorf("another spelling of the last bits: %v", err)
		}
	}
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func TestLongTokensCostNothing(t *testing.T) {
	n := newNode(t)
	long := strings.Repeat("a.", 1<<19)
	if per := testing.AllocsPerRun(10, func() { _, _ = n.Tokens.Verify(context.Background(), long) }); per > 12 {
		t.Errorf("%v allocations", per)
	}
}

func FuzzVerify(f *testing.F) {
	n := newNode(f)
	good := n.mint(f, Order{Subject: "vis_9"})
	f.Add(good)
	f.Add(n.signed(f, n.payload(map[string]any{"exp": -1})))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		p, err := n.Tokens.Verify(context.Background(), token)
		if err == nil && token != good {
			t.Errorf("%q was let in as %+v", token, p)
		}
	})
}

// FuzzClaims signs whatever comes, as a fault of our own would.
func FuzzClaims(f *testing.F) {
	n := newNode(f)
	f.Add(n.payload(nil))
	f.Add(n.payload(map[string]any{"exp": 1e18, "iat": -5}))
	f.Fuzz(func(t *testing.T, payload string) {
		p, err := n.Tokens.Verify(context.Background(), n.signed(t, payload))
		now := n.clock.now().Unix()
		if err == nil && (p.ExpiresAt-p.IssuedAt > 86400 || p.ExpiresAt <= now-30 || p.IssuedAt > now+30 || p.BotID == "" || p.Subject == "" || p.TenantID == "") {
			t.Errorf("%s: %+v", payload, p)
		}
	})
}

func BenchmarkMint(b *testing.B) {
	n := newNode(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Tokens.Mint(Order{TenantID: tenantID, BotID: botID, Subject: "vis_9", KeyID: "apikey_7"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	n := newNode(b)
	token := n.mint(b, Order{Subject: "vis_9", KeyID: "apikey_7"})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Tokens.Verify(context.Background(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// The same by the library, for the choice that was made.
func BenchmarkVerifyByLibrary(b *testing.B) {
	n := newNode(b)
	token := n.mint(b, Order{Subject: "vis_9", KeyID: "apikey_7"})
	stored, _ := n.store.SigningKeys(context.Background())
	secret, _ := n.secret.Open(stored[0].Sealed, signingKeyPurpose(stored[0].ID))
	p := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(n.clock.now))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Parse(token, func(*jwt.Token) (any, error) { return secret, nil }); err != nil {
			b.Fatal(err)
		}
	}
}
