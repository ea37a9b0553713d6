package llmtest

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// fault is something that a provider can do wrong.
type fault func(*Provider, *talk)

func answers(code int, body string) fault {
	return func(_ *Provider, t *talk) { t.status(code, nil, body) }
}

func busy(wait string) fault {
	return func(_ *Provider, t *talk) {
		t.status(429, map[string]string{"Retry-After": wait}, `{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}`)
	}
}

func events(raw ...string) fault {
	return func(_ *Provider, t *talk) {
		for _, r := range raw {
			t.raw(r)
		}
		t.ended = true
	}
}

// faults are what a provider can do wrong, by name.
func faults() map[string]fault {
	all := map[string]fault{}
	for _, group := range []map[string]fault{statuses(), silences(), breaks(), forms()} {
		for name, f := range group {
			all[name] = f
		}
	}
	return all
}

// statuses are refusals before a stream begins.
func statuses() map[string]fault {
	return map[string]fault{
		"too-long":    answers(400, `{"error":{"message":"This model's maximum context length is 10 tokens","code":"context_length_exceeded"}}`),
		"bad-request": answers(400, `{"error":{"message":"unknown parameter"}}`),
		"unauthorized": func(_ *Provider, t *talk) {
			t.status(401, nil, `{"error":{"message":"Incorrect API key provided: `+t.q.Key+`","code":"invalid_api_key"}}`)
		},
		"forbidden": answers(403, `{"error":{"message":"forbidden"}}`),
		"missing":   answers(404, `{"error":{"message":"no such model","code":"model_not_found"}}`),
		"error-500": answers(500, `{"error":{"message":"boom"}}`),
		"error-502": answers(502, `<html>bad gateway</html>`),
		"error-503": answers(503, `{"error":{"message":"overloaded"}}`),
		"error-504": answers(504, ``),
		"error-529": answers(529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`),
		"no-quota":  answers(429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`),
		"busy":      answers(429, `{"error":{"message":"slow down"}}`),
		"busy-long": busy("3600"),
		"busy-odd":  busy("soon"),
		"busy-past": busy("Thu, 01 Jan 1970 00:00:00 GMT"),
		"busy-once": func(p *Provider, t *talk) {
			if p.failsAgain(t.q, 1) {
				busy("2")(p, t)
				return
			}
			t.whole(echo(t.q), 0)
		},
		"filtered-prompt": answers(400, `{"error":{"message":"The prompt was filtered","type":null,"param":"prompt","code":"content_filter","status":400}}`),
		"redirect": func(_ *Provider, t *talk) {
			t.status(307, map[string]string{"Location": "http://elsewhere.example/v1/chat/completions"}, "")
		},
		"redirect-get": func(_ *Provider, t *talk) { t.status(302, map[string]string{"Location": t.r.URL.Path}, "") },
		"html": func(_ *Provider, t *talk) {
			t.w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(t.w, "<html><body>Sign in</body></html>")
			t.ended = true
		},
		"short-memory": func(p *Provider, t *talk) { // takes four messages at most
			if len(t.q.Messages) > 4 {
				answers(400, `{"error":{"message":"too many tokens"}}`)(p, t)
				return
			}
			t.whole(echo(t.q), 0)
		},
		"old-server": func(p *Provider, t *talk) { // knows neither stream_options nor the newer name
			switch {
			case t.q.StreamOptions != nil:
				answers(400, `{"error":{"message":"Unrecognized request argument supplied: stream_options"}}`)(p, t)
			case t.q.MaxCompletionTokens != 0:
				answers(400, `{"error":{"message":"Unknown parameter: 'max_completion_tokens'"}}`)(p, t)
			default:
				t.whole(echo(t.q), 0)
			}
		},
		"new-server": func(p *Provider, t *talk) { // knows only the newer name
			if t.q.MaxTokens != 0 {
				answers(400, `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}`)(p, t)
				return
			}
			t.whole(echo(t.q), 0)
		},
		"endless-error": func(_ *Provider, t *talk) {
			t.w.WriteHeader(500)
			for t.rest(0) {
				if _, err := io.WriteString(t.w, strings.Repeat("x", 64<<10)); err != nil {
					return
				}
			}
		},
		"unstreamed": func(_ *Provider, t *talk) {
			t.status(200, nil, `{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"all at once"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`)
		},
	}
}

// silences are servers that say too little for too long.
func silences() map[string]fault {
	every := func(d time.Duration, f func(*talk)) fault {
		return func(_ *Provider, t *talk) {
			for t.rest(d) {
				f(t)
			}
		}
	}
	return map[string]fault{
		"hang-head": func(_ *Provider, t *talk) { t.hang() },
		"hang":      func(_ *Provider, t *talk) { t.start(); t.hang() },
		"pings":     every(5*time.Second, func(t *talk) { t.raw(": ping\n\n") }),
		"drip":      every(20*time.Second, func(t *talk) { t.say("x") }),
		"think": func(_ *Provider, t *talk) {
			for range 10 {
				if !t.rest(10 * time.Second) {
					return
				}
				t.raw(`data: {"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}` + "\n\n")
			}
			t.say("thought")
			t.end("stop")
		},
		"no-end": func(_ *Provider, t *talk) { t.say("ok"); t.raw("data: " + t.chunk("", "stop") + "\n\n"); t.hang() },
	}
}

// breaks are streams that end too early or say that they failed.
func breaks() map[string]fault {
	return map[string]fault{
		"cut": func(_ *Provider, t *talk) {
			half := "data: " + t.chunk("lost", nil)
			t.raw(half[:len(half)-9])
			t.cut()
		},
		"reset":       func(_ *Provider, t *talk) { t.start(); t.reset() },
		"no-finish":   func(_ *Provider, t *talk) { t.start(); t.ended = true },
		"only-done":   events("data: [DONE]\n\n"),
		"error-event": events(`data: {"error":{"message":"engine died","type":"server_error","code":null}}` + "\n\n"),
		"error-named": events("event: error\ndata: {\"message\":\"engine died\"}\n\n"),
		"error-busy":  events(`data: {"error":{"message":"slow down","type":"rate_limit_error"}}` + "\n\n"),
		"error-vllm":  events(`data: {"object":"error","message":"engine died","type":"InternalServerError","code":500}` + "\n\n"),
		"bad-json":    func(_ *Provider, t *talk) { t.raw("data: {\"choices\":[{\n\n"); t.end("stop") },
		"bad-types":   func(_ *Provider, t *talk) { t.raw("data: {\"choices\":\"none\"}\n\n"); t.end("stop") },
		"long-line":   func(_ *Provider, t *talk) { t.raw("data: " + strings.Repeat("x", 3<<20) + "\n\n"); t.end("stop") },
		"huge-line": func(_ *Provider, t *talk) {
			t.raw("data: ")
			for range 100 {
				if !t.rest(0) {
					return
				}
				t.raw(strings.Repeat("x", 1<<20))
			}
		},
		"empty": func(_ *Provider, t *talk) { t.start(); t.end("stop") },
		"empty-once": func(p *Provider, t *talk) {
			if p.failsAgain(t.q, 1) {
				t.start()
				t.end("stop")
				return
			}
			t.whole(echo(t.q), 0)
		},
		"tool": func(_ *Provider, t *talk) {
			t.raw(`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"rm","arguments":"{"}}]},"finish_reason":null}]}` + "\n\n")
			t.end("tool_calls")
		},
	}
}

// forms are whole answers in odd clothes.
func forms() map[string]fault {
	return map[string]fault{
		"filter": func(_ *Provider, t *talk) { t.start(); t.end("content_filter") },
		"refusal": func(_ *Provider, t *talk) {
			t.raw(`data: {"choices":[{"index":0,"delta":{"refusal":"I cannot help with that."},"finish_reason":null}]}` + "\n\n")
			t.end("stop")
		},
		"length":     func(_ *Provider, t *talk) { t.say("cut short"); t.end("length") },
		"after-done": func(_ *Provider, t *talk) { t.say("whole"); t.end("stop"); t.say("more"); t.end("stop") },
		"late-text": func(_ *Provider, t *talk) {
			t.say("whole")
			t.raw("data: " + t.chunk("", "stop") + "\n\n")
			t.say("more")
			t.raw("data: {broken\n\n")
			t.end("stop")
		},
		"flood": func(_ *Provider, t *talk) { flood(t) },
		"dirty": func(_ *Provider, t *talk) {
			t.say("a\x00b\r")
			t.say("\nc\u202ed\r\ne\u0085f\r")
			t.say("g")
			t.raw(surrogates)
			t.end("stop")
		},
		"odd-form": func(_ *Provider, t *talk) { oddForm(t) },
		"unknown": func(_ *Provider, t *talk) {
			t.raw("event: future\ndata: {\"object\":\"something.else\"}\n\n")
			t.raw("event: ping\ndata: not json\n\n")
			t.raw(`data: {"choices":[],"obfuscation":"xyz","usage":null}` + "\n\n")
			t.raw(`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"ok","annotations":[]},"logprobs":null,"finish_reason":null}],"x":{"y":1}}` + "\n\n")
			t.raw(`data: {"choices":[{"index":1,"delta":{"content":"second choice"},"finish_reason":null}]}` + "\n\n")
			t.end("stop")
		},
		"parts": func(_ *Provider, t *talk) {
			t.raw(`data: {"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"in parts"}]},"finish_reason":null}]}` + "\n\n")
			t.end("stop")
		},
		"no-usage": func(_ *Provider, t *talk) {
			t.say("ok")
			t.raw("data: " + t.chunk("", "stop") + "\n\ndata: [DONE]\n\n")
			t.ended = true
		},
		"no-done": func(_ *Provider, t *talk) { t.say("ok"); t.raw("data: " + t.chunk("", "stop")); t.ended = true },
		"plain-type": func(_ *Provider, t *talk) {
			t.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			t.w.WriteHeader(200)
			t.started = true
			t.say("ok")
			t.end("stop")
		},
	}
}

// surrogates are halves of pairs: two that belong together, in two events, and two that stand alone.
const surrogates = `data: {"choices":[{"index":0,"delta":{"content":"\ud83d"},"finish_reason":null}]}` + "\n\n" +
	`data: {"choices":[{"index":0,"delta":{"content":"\ude42"},"finish_reason":null}]}` + "\n\n" +
	`data: {"choices":[{"index":0,"delta":{"content":"\ud83dx\ude42"},"finish_reason":null}]}` + "\n\n"

func flood(t *talk) {
	for range 50 * 16 { // 50 MB
		if !t.rest(0) {
			return
		}
		t.say(strings.Repeat("ü", 32<<10))
	}
	t.end("stop")
}

// oddForm is all that the format allows and few use: CRLF, no space, comments,
// data over several lines, bytes cut within a character.
func oddForm(t *talk) {
	t.raw(": hello\r\n\r\n")
	t.raw("event: message\r\nid: 7\r\nretry: 10\r\n")
	for _, b := range []byte("data:" + t.chunk("Grüße ", nil) + "\r\n\r\n") {
		t.raw(string([]byte{b}))
	}
	whole := t.chunk("🙂", nil)
	i := strings.Index(whole, `"choices"`)
	t.raw("data: " + whole[:i] + "\r\ndata: " + whole[i:] + "\r\n\r\n")
	t.raw("data: " + t.chunk(" CR", nil) + "\r\rdata: " + t.chunk(" only", nil) + "\r\r")
	t.raw(fmt.Sprintf("data: %s\n\n", t.chunk("", nil)))
	t.end("stop")
}
