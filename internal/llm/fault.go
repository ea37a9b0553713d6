package llm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
)

// fault is a failed try: the error as the caller will see it, and what may be
// done before he does.
type fault struct {
	*scaigrid.Error
	retries int           // how often the same call may be tried again
	wait    time.Duration // before the next try; 0: the usual back-off
	shorten bool          // the prompt was too long: try with less history
	shown   bool          // text was let out: nothing may be tried any more
	gone    bool          // the reader of the parts left; there is nobody to be told
}

func (f *fault) mayFallBack() bool { return !f.shown && !f.gone }

func (f *fault) mayRetry(tries int) bool { return !f.shown && !f.gone && tries <= f.retries }

// The sentences that a visitor may see. What happened in detail is the cause.
const (
	saysBroken    = "The answer broke off. Please try again."
	saysFailed    = "The model did not answer. Please try again."
	saysSlow      = "The model took too long to answer. Please try again."
	saysBusy      = "The model is busy. Please try again in a moment."
	saysMisset    = "This bot cannot answer at the moment. Its operator has to check the model settings."
	saysNoContent = "The answer came back empty. Please try again."
)

func failedWith(code scaigrid.Code, message string, retryable bool, cause error) *fault {
	return &fault{Error: &scaigrid.Error{Code: code, Message: message, Retryable: retryable, Cause: cause}}
}

// The causes with which our own watch ends a call.
var (
	errNoAnswer = errors.New("no response headers within the limit")
	errSilent   = errors.New("no bytes within the limit")
	errNoText   = errors.New("no text within the limit")
	errTooLong  = errors.New("the call ran longer than it may")
)

// connectFault judges a call that brought no response.
func connectFault(ctx context.Context, err error) *fault {
	if cause := context.Cause(ctx); cause != nil {
		return watchFault(cause)
	}
	var (
		unknown   *net.DNSError
		record    tls.RecordHeaderError
		badCert   *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &record), errors.As(err, &badCert), errors.As(err, &authority):
		return failedWith(scaigrid.CodeModelUnavailable, saysMisset, false, fmt.Errorf("TLS to the provider failed: %w", err))
	case errors.As(err, &unknown):
		f := failedWith(scaigrid.CodeBackendError, saysFailed, true, err)
		f.retries = 1
		return f
	}
	f := failedWith(scaigrid.CodeBackendError, saysFailed, true, err)
	f.retries = 2
	return f
}

// watchFault judges a call that was ended by a limit, or by our caller.
func watchFault(cause error) *fault {
	switch {
	case errors.Is(cause, errNoAnswer), errors.Is(cause, errNoText):
		f := failedWith(scaigrid.CodeBackendTimeout, saysSlow, true, cause)
		f.retries = 1
		return f
	case errors.Is(cause, errSilent), errors.Is(cause, errTooLong):
		return failedWith(scaigrid.CodeBackendTimeout, saysSlow, true, cause)
	}
	return &fault{gone: true, Error: &scaigrid.Error{Code: scaigrid.CodeBackendError, Message: saysBroken, Retryable: true, Cause: cause}}
}

// statusFault judges a response that is not 200. body is its beginning.
func statusFault(status int, header http.Header, body string, now time.Time) *fault {
	cause := fmt.Errorf("the provider answered %d: %s", status, excerpt(body))
	switch {
	case status == http.StatusTooManyRequests:
		return rateFault(header, cause, now)
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound, status >= 300 && status < 400:
		return failedWith(scaigrid.CodeModelUnavailable, saysMisset, false, cause)
	case status == http.StatusBadRequest && tooLongForModel(body), status == http.StatusRequestEntityTooLarge:
		f := failedWith(scaigrid.CodeBackendError, "The conversation has become too long for this model. Please start a new one.", false, cause)
		f.shorten = true
		return f
	case status >= 500, status == http.StatusRequestTimeout:
		f := failedWith(scaigrid.CodeBackendError, saysFailed, true, cause)
		f.retries = 2
		return f
	}
	return failedWith(scaigrid.CodeBackendError, saysFailed, false, cause)
}

func tooLongForModel(body string) bool {
	return strings.Contains(body, "context_length") || strings.Contains(body, "maximum context") || strings.Contains(body, "context window")
}

// longestWait is how long we wait for a provider that says when it is free again.
const longestWait = 10 * time.Second

func rateFault(header http.Header, cause error, now time.Time) *fault {
	f := failedWith(scaigrid.CodeBackendRateLimited, saysBusy, true, cause)
	wait, ok := retryAfter(header.Get("Retry-After"), now)
	f.RetryAfter = min(wait, 24*time.Hour)
	if ok && wait <= longestWait {
		f.retries, f.wait = 1, max(wait, time.Millisecond)
	}
	return f
}

// retryAfter reads seconds or an HTTP date; ok is false for anything else.
func retryAfter(v string, now time.Time) (wait time.Duration, ok bool) {
	if s, err := strconv.ParseUint(strings.TrimSpace(v), 10, 31); err == nil {
		return time.Duration(s) * time.Second, true
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(now), 0), true
	}
	return 0, false
}

// streamedFault judges an error object that came within a stream.
func streamedFault(kind, code, message string) *fault {
	cause := fmt.Errorf("the provider reported %s/%s: %s", kind, code, excerpt(message))
	if strings.Contains(kind+code, "rate_limit") {
		return failedWith(scaigrid.CodeBackendRateLimited, saysBusy, true, cause)
	}
	f := failedWith(scaigrid.CodeBackendError, saysFailed, true, cause)
	f.retries = 2
	return f
}

// excerpt keeps the beginning of a foreign text, on one line, for the log.
func excerpt(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}
