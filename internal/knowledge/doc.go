// Package knowledge makes documents answerable: document → text → chunks →
// index, as a worker that survives being killed at any point, and back again:
// question → passages, with a score that means the same for every bot.
//
// Ranking is done here, in Go, over terms that lie in an ordinary table
// column, so that SQLite and PostgreSQL give the same results. The index of a
// bot is built in memory when a question first needs it and is kept within a
// bound of bytes.
//
// The room never speaks to visitors, calls no model and opens no connection;
// what it needs of the store stands in doors.go.
package knowledge
