package scaigrid

import (
	"errors"
	"fmt"
	"time"
)

// Code names a kind of failure for machines. Clients branch on it alone; the
// list is part of the wire contract.
type Code string

// The codes that a caller may meet. Status gives the HTTP status of each.
const (
	CodeTokenMissing         Code = "AUTH_TOKEN_MISSING"
	CodeTokenInvalid         Code = "AUTH_TOKEN_INVALID"
	CodePermissionDenied     Code = "AUTHZ_PERMISSION_DENIED"
	CodeInsufficientScope    Code = "AUTH_INSUFFICIENT_SCOPE"
	CodeSessionExpired       Code = "SESSION_EXPIRED"
	CodeKeyInBrowser         Code = "KEY_IN_BROWSER"
	CodeEmbedTokenExpired    Code = "EMBED_TOKEN_EXPIRED"
	CodeEmbedTokenRevoked    Code = "EMBED_TOKEN_REVOKED"
	CodeOriginNotAllowed     Code = "ORIGIN_NOT_ALLOWED"
	CodeValidation           Code = "VALIDATION_ERROR"
	CodeNotFound             Code = "NOT_FOUND"
	CodeBotNotActive         Code = "BOT_NOT_ACTIVE"
	CodeModelNotFound        Code = "MODEL_NOT_FOUND"
	CodeMethodNotAllowed     Code = "METHOD_NOT_ALLOWED"
	CodeSlugConflict         Code = "SLUG_CONFLICT"
	CodeConflict             Code = "CONFLICT"
	CodeTurnInProgress       Code = "TURN_IN_PROGRESS"
	CodeIdempotencyMismatch  Code = "IDEMPOTENCY_MISMATCH"
	CodePayloadTooLarge      Code = "PAYLOAD_TOO_LARGE"
	CodeUnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"
	CodeRateLimited          Code = "RATE_LIMITED"
	CodeBudgetExceeded       Code = "BUDGET_EXCEEDED"
	CodeModelUnavailable     Code = "MODEL_UNAVAILABLE"
	CodeBackendError         Code = "BACKEND_ERROR"
	CodeBackendTimeout       Code = "BACKEND_TIMEOUT"
	CodeBackendRateLimited   Code = "BACKEND_RATE_LIMITED"
	CodeTurnInterrupted      Code = "TURN_INTERRUPTED"
	CodeShuttingDown         Code = "SHUTTING_DOWN"
	CodeStorage              Code = "STORAGE_ERROR"
	CodeInternal             Code = "INTERNAL"
)

var statusOf = map[Code]int{
	CodeTokenMissing: 401, CodeTokenInvalid: 401, CodeSessionExpired: 401,
	CodePermissionDenied: 403, CodeInsufficientScope: 403, CodeKeyInBrowser: 403,
	CodeEmbedTokenExpired: 403, CodeEmbedTokenRevoked: 403, CodeOriginNotAllowed: 403,
	CodeNotFound: 404, CodeBotNotActive: 404, CodeModelNotFound: 404,
	CodeMethodNotAllowed: 405,
	CodeSlugConflict:     409, CodeConflict: 409, CodeTurnInProgress: 409,
	CodePayloadTooLarge: 413, CodeUnsupportedMediaType: 415,
	CodeValidation: 422, CodeIdempotencyMismatch: 422,
	CodeRateLimited: 429, CodeBudgetExceeded: 429, CodeBackendRateLimited: 429,
	CodeInternal: 500, CodeBackendError: 502,
	CodeModelUnavailable: 503, CodeStorage: 503, CodeShuttingDown: 503, CodeTurnInterrupted: 503,
	CodeBackendTimeout: 504,
}

// Status returns the HTTP status that goes with c, 500 for an unknown code.
func (c Code) Status() int {
	if s, ok := statusOf[c]; ok {
		return s
	}
	return 500
}

// Codes lists every code with its HTTP status, for the generated reference.
func Codes() map[Code]int {
	out := make(map[Code]int, len(statusOf))
	for c, s := range statusOf {
		out[c] = s
	}
	return out
}

// Error is a failure told three ways: Code for machines, Message for people,
// Cause for logs. Message never repeats what the caller sent and never holds a
// secret. Compare errors by code, with ErrorCode, never by text.
type Error struct {
	Code       Code
	Message    string
	Details    []FieldError
	RetryAfter time.Duration // how long a caller should wait; 0 where waiting does not help or is not known
	Retryable  bool          // the same call may succeed later
	Cause      error         // never sent to a caller
}

// FieldError says what is wrong with one field of a request. Field is a path
// such as "knowledge_settings.top_k" or "query.limit".
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an Error; the message is for people and must be complete in itself.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Because returns a copy of e that carries a cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// Invalid is the error for a request whose field is wrong.
func Invalid(field, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	return &Error{Code: CodeValidation, Message: "The request is not valid: " + field + " " + msg + ".", Details: []FieldError{{Field: field, Message: msg}}}
}

// InvalidFields is the error for a request with several wrong fields; it
// returns nil when there is none.
func InvalidFields(fields []FieldError) error {
	if len(fields) == 0 {
		return nil
	}
	if len(fields) == 1 {
		return Invalid(fields[0].Field, "%s", fields[0].Message)
	}
	return &Error{Code: CodeValidation, Message: fmt.Sprintf("The request is not valid: %d fields are wrong.", len(fields)), Details: fields}
}

// NotFound is the one answer for an object that is missing and for one that
// belongs to somebody else; the two must not be told apart.
func NotFound() *Error {
	return &Error{Code: CodeNotFound, Message: "There is no such object, or it is not yours."}
}

// ErrorCode returns the code of the first Error in err's chain, CodeInternal
// for any other error and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// AsError returns the first Error in err's chain; any other error becomes an
// INTERNAL one that hides it from people and keeps it for the log.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Message: "Something went wrong on our side. Quote the request id when you report it.", Cause: err}
}
