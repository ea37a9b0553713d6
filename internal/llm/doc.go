// Package llm asks language models: it routes a prompt to the provider that its
// slug names, streams the answer, tries again or asks another model while
// nothing was shown, and turns every way in which a provider can fail into one
// error with a code.
//
// It never decides what is asked, never keeps a prompt or an answer, and never
// writes either of them, or a key, into an error or a log. It promises that a
// stream ends in exactly one of two ways, a part with a finish reason or an
// error; that an answer which merely stops coming is an error; that text is
// clean (no control characters but newline and tab, whole code points, \n for
// every line end); and that time, length and memory of an answer are bounded
// whatever the provider sends.
package llm
