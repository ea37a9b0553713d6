// Package app is the hall: it builds every part from the configuration, binds
// the doors that rooms declare, starts the parts in order and stops them in
// reverse. It is the only place that knows them all, and it decides nothing
// that a room could decide.
//
// It promises that a stop loses nothing that was acknowledged, that a start
// settles what an earlier process left unfinished, and that the commands which
// work beside a running server go through the same rooms as the server does.
package app

import "errors"

// ErrDatabase marks a database that must not be used: damaged, or written by a
// newer release.
var ErrDatabase = errors.New("the database can't be used")
