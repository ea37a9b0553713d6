// Package extractive answers without a model: it picks the sentences of the
// passages that fit the question best and says them as they stand, with the
// passage they come from. It is the model scaigrid/extractive, which is always
// there.
//
// It never makes up a word about the subject, never remembers anything and
// opens no connection. The same prompt gives the same answer. Where no passage
// was good enough to be kept it says that it does not know.
package extractive
