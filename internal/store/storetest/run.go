package storetest

import (
	"testing"

	"github.com/scailabs/scaigrid/internal/store"
)

// Run is the conformance suite: what every engine must do alike. Open gives a
// migrated and empty store for each case.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) { c.run(NewWorld(t, open(t))) })
	}
}

type testCase struct {
	name string
	run  func(w *World)
}

func cases() []testCase {
	var all []testCase
	for _, part := range [][]testCase{
		installationCases, tenantCases, botCases, visitorCases, acceptCases, retryCases, turnCases, conversationCases, deletionCases, documentCases, textCases,
	} {
		all = append(all, part...)
	}
	return all
}
