package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/scailabs/scaigrid"
)

// Limits bound a call to a provider. A zero field takes its default.
type Limits struct {
	Connect   time.Duration // to a connection and TLS; 5 s
	FirstByte time.Duration // to the response headers; 30 s
	Silence   time.Duration // without a byte; 30 s
	NoText    time.Duration // without text, pings or not; 90 s, and 60 s before the first
	FirstText time.Duration // from headers to the first text; 60 s
	Whole     time.Duration // of one call; 5 min
	Backoff   time.Duration // before the first retry, four times that before the second; 500 ms
	Clock     func() time.Time
}

func (l Limits) withDefaults() Limits {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&l.Connect, 5*time.Second)
	def(&l.FirstByte, 30*time.Second)
	def(&l.Silence, 30*time.Second)
	def(&l.NoText, 90*time.Second)
	def(&l.FirstText, 60*time.Second)
	def(&l.Whole, 5*time.Minute)
	def(&l.Backoff, 500*time.Millisecond)
	if l.Clock == nil {
		l.Clock = time.Now
	}
	return l
}

// openAI is a provider that speaks the OpenAI protocol. The official SDK builds
// the request; the stream is read by stream.go, because the SDK's reader takes
// a stream that just ends for a whole answer, has no limits on lines or silence,
// and decodes each chunk in full, which at saturation is most of a token's cost.
type openAI struct {
	Provider
	limits Limits
	client openai.Client
}

func newOpenAI(p Provider, l Limits) *openAI {
	dialer := &net.Dialer{Timeout: l.Connect, KeepAlive: 30 * time.Second}
	transport := &http.Transport{
		Proxy: nil, DialContext: dialer.DialContext, TLSHandshakeTimeout: l.Connect, ForceAttemptHTTP2: true,
		MaxIdleConns: 512, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, DisableCompression: true,
	}
	// A redirect would carry the key to another host.
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	opts := []option.RequestOption{option.WithHTTPClient(client), option.WithMaxRetries(0), option.WithAPIKey(p.APIKey)}
	if p.BaseURL != "" {
		opts = append(opts, option.WithBaseURL(p.BaseURL))
	}
	if p.APIKey == "" {
		opts = append(opts, option.WithHeaderDel("Authorization"))
	}
	if p.Name != "openai" { // the SDK reads these from the environment; they are nobody else's business
		opts = append(opts, option.WithHeaderDel("OpenAI-Organization"), option.WithHeaderDel("OpenAI-Project"))
	}
	return &openAI{Provider: p, limits: l, client: openai.NewClient(opts...)}
}

// answer streams the answer to a prompt, with retries as long as nothing was shown.
func (o *openAI) answer(ctx context.Context, model string, p scaigrid.Prompt, yield func(scaigrid.Part, error) bool) *fault {
	shortened := false
	for tries := 1; ; tries++ {
		f := o.once(ctx, model, p, yield)
		switch {
		case f == nil || ctx.Err() != nil:
			return f
		case f.shorten && !shortened && len(p.Messages) > 1:
			shortened = true
			p.Messages = p.Messages[(len(p.Messages)+1)/2:]
			continue
		case !f.mayRetry(tries):
			return f
		}
		if !pause(ctx, o.backoff(f, tries)) {
			return f
		}
	}
}

func (o *openAI) backoff(f *fault, tries int) time.Duration {
	if f.wait > 0 {
		return f.wait
	}
	d := o.limits.Backoff << (2 * (tries - 1))
	return d/2 + rand.N(d) //nolint:gosec // spreads retries; nothing depends on it being hard to guess
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once makes one call.
func (o *openAI) once(ctx context.Context, model string, p scaigrid.Prompt, yield func(scaigrid.Part, error) bool) *fault {
	w := newWatch(ctx, o.limits)
	defer w.end()
	var res *http.Response
	err := o.client.Post(w.ctx, "chat/completions", o.request(model, p), &res,
		option.WithJSONSet("stream", true), option.WithHeader("Accept", "text/event-stream"))
	var refused *openai.Error
	switch {
	case errors.As(err, &refused):
		return statusFault(refused.StatusCode, refused.Response.Header, refused.RawJSON(), o.limits.Clock())
	case err != nil:
		return connectFault(w.ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return statusFault(res.StatusCode, res.Header, beginning(res.Body), o.limits.Clock())
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/event-stream" {
		return failedWith(scaigrid.CodeBackendError, saysFailed, false, fmt.Errorf("the provider answered with %q instead of a stream: %s", kind, excerpt(beginning(res.Body))))
	}
	w.headers()
	return newAnswerStream(res.Body, w, o.Name+"/"+model, yield).read()
}

func beginning(r io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(r, 1024))
	return string(b)
}

func (o *openAI) request(model string, p scaigrid.Prompt) openai.ChatCompletionNewParams {
	messages := make([]openai.ChatCompletionMessageParamUnion, 0, len(p.Messages)+1)
	if p.System != "" {
		messages = append(messages, openai.SystemMessage(p.System))
	}
	for _, m := range p.Messages {
		switch m.Role {
		case scaigrid.RoleVisitor:
			messages = append(messages, openai.UserMessage(m.Content))
		case scaigrid.RoleAssistant, scaigrid.RoleHuman:
			messages = append(messages, openai.AssistantMessage(m.Content))
		case scaigrid.RoleSystem:
			messages = append(messages, openai.SystemMessage(m.Content))
		}
	}
	req := openai.ChatCompletionNewParams{
		Model: shared.ChatModel(model), Messages: messages,
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	}
	if strings.HasPrefix(model, "o1") || strings.HasPrefix(model, "o3") || strings.HasPrefix(model, "o4") || strings.HasPrefix(model, "gpt-5") {
		req.MaxCompletionTokens = openai.Int(int64(p.MaxTokens)) // reasoning models refuse max_tokens
	} else {
		req.MaxTokens = openai.Int(int64(p.MaxTokens)) // what every other server of this protocol knows
	}
	return req
}
