// Package store keeps what the system must not forget: tenants, keys, bots,
// documents, visitors, conversations and turns, in SQLite or PostgreSQL.
//
// It holds no rules of the product beyond those that only a transaction can
// keep: one running turn in a conversation, one stored message for a retried
// one, a document answered from its old or its new text and never from half.
// It never imports another room, draws no ids and reads no clock.
//
// It promises that a write which returned without error is on the disk, except
// where a method says that it does not wait for it; that an object of another
// tenant, bot or visitor is NOT_FOUND like one that never was; and that a
// failure of the disk or the database is a STORAGE_ERROR with nothing half
// written. A context that ends before a write began prevents it; a write that
// began is finished.
package store
