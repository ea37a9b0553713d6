package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/scailabs/scaigrid"
)

const (
	openAIAddress = "https://api.openai.com/v1"
	errorBytes    = 64 << 10 // of an error's body that are read
)

// openAI asks a server that speaks OpenAI's chat completions.
//
// The official SDK builds and sends the request: types, encoding, address,
// credential, and its guard that the credential stays with the host. It does
// not retry (the registry does, across models) and does not read the answer:
// its reader takes a stream that merely ends for a whole one, has no bound for
// a line, reads error bodies of any length, and decodes a chunk in more than
// ten times the time that openai_chunk.go needs.
type openAI struct {
	Provider
	client  openai.Client
	limits  Limits
	buffers sync.Pool

	mu     sync.Mutex
	quirks map[string]*quirks // by model name
}

// quirks is what a model was found to lack.
type quirks struct {
	otherMaxTokens atomic.Bool // wants the other name of the greatest length
	noUsage        atomic.Bool // knows no stream_options
}

func newOpenAI(p Provider, client *http.Client, limits Limits) *openAI {
	base := p.BaseURL
	if base == "" {
		base = openAIAddress
	}
	// Not openai.NewClient: it would send what the environment says of another
	// OpenAI account to whatever server this provider is.
	options := []option.RequestOption{option.WithBaseURL(base), option.WithHTTPClient(client), option.WithMaxRetries(0)}
	if p.APIKey != "" {
		options = append(options, option.WithAPIKey(string(p.APIKey)))
		if u, err := url.Parse(base); err == nil && strings.HasSuffix(u.Hostname(), ".azure.com") {
			options = append(options, option.WithHeader("api-key", string(p.APIKey)))
		}
	}
	o := &openAI{Provider: p, client: openai.Client{Options: options}, limits: limits, quirks: map[string]*quirks{}}
	o.buffers.New = func() any { return &buffer{b: make([]byte, 0, firstBuffer)} }
	return o
}

// answer makes one attempt.
func (o *openAI) answer(ctx context.Context, name string, p scaigrid.Prompt, say emit) *failure {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := newWatch(o.limits, cancel)
	defer watch.stop()
	q := o.quirksOf(name)
	refusal := refuseStatus(q)
	var response *http.Response
	err := o.client.Post(ctx, "chat/completions", o.request(name, p, q), &response,
		option.WithMiddleware(refusal.middleware), option.WithHeader("Accept", "text/event-stream"))
	switch f := (*failure)(nil); {
	case errors.As(err, &f) && f.refused:
		return o.sayRefused(p.Model, say)
	case f != nil:
		return f
	case err != nil:
		return transportFailure(ctx, err)
	}
	defer response.Body.Close()
	watch.answered()
	switch kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); {
	case kind == "text/event-stream", kind == "text/plain", kind == "":
		return o.readStream(ctx, response.Body, watch, p.Model, say)
	case kind == "application/json", strings.HasSuffix(kind, "+json"):
		return o.readWhole(ctx, response.Body, watch, p.Model, say)
	default:
		return backend(0, "status %d with %s where a stream was due", response.StatusCode, scrub(kind, string(o.APIKey)))
	}
}

func (o *openAI) sayRefused(slug string, say emit) *failure {
	if !say(scaigrid.Part{FinishReason: finishRefused}) {
		return &failure{abandoned: true, cause: context.Canceled}
	}
	return nil
}

// request writes a prompt in the terms of the protocol.
func (o *openAI) request(name string, p scaigrid.Prompt, q *quirks) openai.ChatCompletionNewParams {
	r := openai.ChatCompletionNewParams{Model: name, Messages: make([]openai.ChatCompletionMessageParamUnion, 0, len(p.Messages)+1)}
	if p.System != "" {
		r.Messages = append(r.Messages, openai.SystemMessage(p.System))
	}
	for _, m := range p.Messages {
		switch m.Role {
		case scaigrid.RoleAssistant, scaigrid.RoleHuman:
			r.Messages = append(r.Messages, openai.AssistantMessage(m.Content))
		case scaigrid.RoleSystem:
			r.Messages = append(r.Messages, openai.SystemMessage(m.Content))
		case scaigrid.RoleVisitor:
			r.Messages = append(r.Messages, openai.UserMessage(m.Content))
		}
	}
	// OpenAI's own newer models refuse max_tokens, most other servers know only that.
	newName := o.BaseURL == "" || strings.HasPrefix(o.BaseURL, openAIAddress)
	switch {
	case p.MaxTokens <= 0:
	case newName != q.otherMaxTokens.Load():
		r.MaxCompletionTokens = openai.Int(int64(p.MaxTokens))
	default:
		r.MaxTokens = openai.Int(int64(p.MaxTokens))
	}
	if !q.noUsage.Load() {
		r.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	}
	r.SetExtraFields(map[string]any{"stream": true})
	return r
}

// quirksKept is how many models of a provider may have quirks; one without a
// model list takes any name that a bot has.
const quirksKept = 1000

func (o *openAI) quirksOf(name string) *quirks {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.quirks[name]
	if q == nil {
		if len(o.quirks) >= quirksKept {
			clear(o.quirks)
		}
		q = new(quirks)
		o.quirks[name] = q
	}
	return q
}

// statusCheck turns a response that refuses the request into a failure, before
// the SDK reads a body of any length.
type statusCheck struct{ q *quirks }

func refuseStatus(q *quirks) statusCheck { return statusCheck{q} }

func (c statusCheck) middleware(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	response, err := next(r)
	if err != nil || response.StatusCode < 300 {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, errorBytes))
	if err != nil {
		return nil, err
	}
	return nil, c.judge(response, readComplaint(body))
}

// judge says what a status above 299 means.
func (c statusCheck) judge(response *http.Response, said complaint) *failure {
	status := response.StatusCode
	switch {
	case said.is("content_filter", "responsibleaipolicyviolation"):
		return &failure{refused: true, code: scaigrid.CodeBackendError, cause: fmt.Errorf("status %d: %s", status, said)}
	case status == 429:
		return rateLimited(response.Header, said)
	case status == 401 || status == 402 || status == 403 || status == 404:
		return misconfigured("status %d: %s", status, said.inFull())
	case status == 400 || status == 413 || status == 422:
		return c.badRequest(status, said)
	case status == 408 || status == 504 || status == 524:
		f := timedOut(fmt.Errorf("status %d: %s", status, said))
		f.timedOut = false
		return f
	case status >= 500 || status == 409 || status == 425:
		f := backend(2, "status %d: %s", status, said.inFull())
		if wait, given, readable := retryAfter(response.Header, time.Now()); given && readable {
			f.wait = wait
		}
		return f
	}
	f := backend(0, "status %d: %s", status, said)
	f.final = true
	return f
}

func (c statusCheck) badRequest(status int, said complaint) *failure {
	f := backend(0, "status %d: %s", status, said)
	f.final = true
	switch {
	case said.tooLong() || status == 413:
		f.shorten = true
	case said.about("stream_options") && !c.q.noUsage.Swap(true):
		f.adapt = true
	case said.about("max_tokens", "max_completion_tokens") && !c.q.otherMaxTokens.Load():
		c.q.otherMaxTokens.Store(true)
		f.adapt = true
	}
	return f
}

func rateLimited(h http.Header, said complaint) *failure {
	if said.is("insufficient_quota", "billing_hard_limit_reached", "access_terminated") {
		return misconfigured("status 429: %s", said.inFull())
	}
	wait, given, readable := retryAfter(h, time.Now())
	f := &failure{code: scaigrid.CodeBackendRateLimited, cause: fmt.Errorf("status 429: %s", said.inFull())}
	switch {
	case !given:
		f.retries = 2
	case readable:
		f.retries, f.wait, f.after = 1, max(wait, time.Millisecond), wait
	}
	return f
}

// complaint is what a provider says went wrong.
type complaint struct {
	kind, code, param string
	message           string // may repeat the question: see inFull
}

// readComplaint finds the complaint in an error's body, whatever its dialect.
func readComplaint(body []byte) complaint {
	var b struct {
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
		Detail  json.RawMessage `json:"detail"`
		Type    json.RawMessage `json:"type"`
		Code    json.RawMessage `json:"code"`
		Param   json.RawMessage `json:"param"`
	}
	if json.Unmarshal(body, &b) != nil {
		return complaint{}
	}
	if len(b.Error) > 0 && b.Error[0] == '{' {
		return readComplaint(b.Error)
	}
	c := complaint{kind: scalar(b.Type), code: scalar(b.Code), param: scalar(b.Param)}
	for _, m := range []json.RawMessage{b.Message, b.Error, b.Detail} {
		if c.message == "" {
			c.message = scalar(m)
		}
	}
	return c
}

// scalar is a JSON string or number as text; "" for anything else.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// String names kind, code and parameter. The message is left out: a provider
// that rejects a request may quote it.
func (c complaint) String() string {
	var parts []string
	for _, s := range []string{c.kind, c.code, c.param} {
		if s != "" && len(s) <= 100 && !strings.ContainsAny(s, " \n") {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return "no reason given"
	}
	return strings.Join(parts, ", ")
}

// inFull adds the message, for refusals that came before the question was read.
func (c complaint) inFull() string {
	if c.message == "" {
		return c.String()
	}
	return c.String() + ": " + c.message
}

func (c complaint) is(codes ...string) bool {
	for _, code := range codes {
		if strings.EqualFold(c.code, code) || strings.EqualFold(c.kind, code) {
			return true
		}
	}
	return false
}

func (c complaint) about(names ...string) bool {
	for _, n := range names {
		if c.param == n || strings.Contains(c.message, n) {
			return true
		}
	}
	return false
}

func (c complaint) tooLong() bool {
	if c.is("context_length_exceeded", "string_above_max_length", "exceed_context_size_error") {
		return true
	}
	m := strings.ToLower(c.message)
	for _, s := range []string{"context length", "context window", "context size", "maximum context", "too many tokens", "prompt is too long", "reduce the length"} {
		if strings.Contains(m, s) {
			return true
		}
	}
	return false
}

// inStream judges a complaint that came as part of a stream.
func (c complaint) inStream() *failure {
	switch {
	case c.is("rate_limit_exceeded", "rate_limit_error", "rate_limit", "429", "too_many_requests"):
		return &failure{code: scaigrid.CodeBackendRateLimited, retries: 2, cause: fmt.Errorf("error in the stream: %s", c)}
	case c.is("content_filter"):
		return &failure{refused: true, code: scaigrid.CodeBackendError, cause: fmt.Errorf("error in the stream: %s", c)}
	case c.tooLong():
		return &failure{code: scaigrid.CodeBackendError, final: true, shorten: true, cause: fmt.Errorf("error in the stream: %s", c)}
	case c.is("timeout", "timeout_error", "504", "408"):
		return &failure{code: scaigrid.CodeBackendTimeout, retries: 1, cause: fmt.Errorf("error in the stream: %s", c)}
	}
	return backend(2, "error in the stream: %s", c)
}
