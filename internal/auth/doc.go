// Package auth says who stands behind a request: it issues and checks API keys
// and embed tokens, takes them back, knows which origin is which, and keeps the
// installation secret that seals what the database must not hold in the clear.
//
// It never reads a request body, never decides what a bot answers, and never
// fetches a key from an address that a token names. It promises that a
// credential is judged by one code path, that nothing it returns, logs or
// prints shows one, and that what was revoked here is refused here at once and
// on every other node within five seconds, running streams included.
package auth
