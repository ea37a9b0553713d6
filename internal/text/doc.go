// Package text takes natural language apart: words, sentences, languages,
// stems. Knowledge and the extractive answerer read the same text through it,
// so that what was found by its words is also answered by them.
//
// It knows no document, no bot and no store, and does no I/O. The same text
// gives the same result on every machine.
package text
