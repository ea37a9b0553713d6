// Package scaigrid holds the words of the product: the nouns that every room
// of the house speaks (bot, visitor, conversation, message, turn, passage,
// citation, document, event, caller, error) and the rules that belong to a
// word alone, such as which values a field may hold.
//
// It imports the standard library only, does no I/O and keeps no state. What a
// word looks like on the wire is said once, by its JSON tags here.
package scaigrid
