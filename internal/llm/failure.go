package llm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
)

// failure is why one attempt gave no whole answer, and what is worth doing
// about it. Its text is for logs: no key, no prompt, no answer.
type failure struct {
	code      scaigrid.Code
	final     bool          // the same question will not succeed later
	retries   int           // further attempts that are worth making while nothing was shown
	wait      time.Duration // before the next attempt, as the provider asked; 0: our own
	timedOut  bool          // bounded by TimeoutRetry
	shorten   bool          // try again with less history
	adapt     bool          // the request was changed for what the provider lacks: try again at once
	refused   bool          // not a failure: the provider will not answer this
	abandoned bool          // the reader went away, or the caller's context ended
	after     time.Duration // for the caller's Retry-After
	cause     error
}

func (f *failure) Error() string { return fmt.Sprintf("%s: %v", f.code, f.cause) }

var (
	errRedirect  = errors.New("a redirect to another place was refused; set base_url to the address that answers")
	errFirstByte = errors.New("no response in time")
	errFirstText = errors.New("no text in time")
	errSilence   = errors.New("silent for too long")
	errNoText    = errors.New("sends signs of life but no text")
	errDuration  = errors.New("the answer took too long")
	errTrailer   = errors.New("nothing after the finish reason")
	errLine      = errors.New("a line of the stream is too long")
	errTruncated = errors.New("the stream ended without a finish reason")
	errEmpty     = errors.New("the model gave no text")
)

func backend(retries int, format string, args ...any) *failure {
	return &failure{code: scaigrid.CodeBackendError, retries: retries, cause: fmt.Errorf(format, args...)}
}

func misconfigured(format string, args ...any) *failure {
	return &failure{code: scaigrid.CodeModelUnavailable, final: true, cause: fmt.Errorf(format, args...)}
}

func timedOut(cause error) *failure {
	return &failure{code: scaigrid.CodeBackendTimeout, retries: 1, timedOut: true, cause: cause}
}

// transportFailure judges an error of the connection. ctx is that of the
// attempt; its cause says whether we ended it ourselves.
func transportFailure(ctx context.Context, err error) *failure {
	if cause := context.Cause(ctx); cause != nil {
		switch {
		case errors.Is(cause, errDuration), errors.Is(cause, errFirstByte), errors.Is(cause, errFirstText), errors.Is(cause, errSilence), errors.Is(cause, errNoText):
			return timedOut(cause)
		default:
			return &failure{abandoned: true, cause: cause}
		}
	}
	if errors.Is(err, errRedirect) {
		return misconfigured("%w", errRedirect)
	}
	var (
		dns      *net.DNSError
		verify   *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		hostname x509.HostnameError
		unknown  x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &verify), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &hostname), errors.As(err, &unknown), errors.Is(err, http.ErrSchemeMismatch):
		f := backend(0, "TLS: %w", bare(err))
		f.final = true
		return f
	case errors.As(err, &dns):
		return backend(1, "%w", bare(err))
	}
	return backend(2, "%w", bare(err))
}

// bare takes the address off an error: it may hold what the operator put there.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// messages are what a visitor reads.
func (f *failure) message() string {
	switch f.code { //nolint:exhaustive // the codes of a failure
	case scaigrid.CodeBackendTimeout:
		return "The answer did not come in time. Please try again."
	case scaigrid.CodeBackendRateLimited:
		return "Too many questions at once for the model's provider. Please try again in a moment."
	case scaigrid.CodeModelUnavailable:
		return "This bot cannot answer right now: its model has to be set up again by those who run it."
	}
	switch {
	case f.shorten:
		return "This conversation has become too long for the bot's model. Please start a new one."
	case f.final:
		return "The model's provider does not take this question."
	}
	return "The model's provider failed. Please try again."
}

// err is the failure as callers meet it.
func (f *failure) err(slug, key string) error {
	return &scaigrid.Error{
		Code: f.code, Message: f.message(), RetryAfter: f.after, Retryable: !f.final,
		Cause: fmt.Errorf("%s: %s", slug, scrub(f.cause.Error(), key)),
	}
}

const causeBytes = 400

// scrub makes text of a provider fit for a log: without the key, on one line,
// not too long.
func scrub(text, key string) string {
	if key != "" {
		text = strings.ReplaceAll(text, key, redacted)
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if len(text) > causeBytes {
		text = strings.ToValidUTF8(text[:causeBytes], "") + "…"
	}
	return text
}
