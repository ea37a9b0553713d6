package auth

import (
	"strings"

	"github.com/scailabs/scaigrid"
)

// Bearer takes the credential out of the values of a request's Authorization
// header: "Bearer", in any case, one space, the credential.
//
// Errors: AUTH_TOKEN_MISSING where no bearer credential was sent,
// AUTH_TOKEN_INVALID where several were or where it is not one word.
func Bearer(values []string) (string, error) {
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return "", scaigrid.Errorf(scaigrid.CodeTokenMissing, "Send a credential in the header Authorization: Bearer ….")
	}
	if len(values) > 1 {
		return "", scaigrid.Errorf(scaigrid.CodeTokenInvalid, "Send the Authorization header once, with one credential.")
	}
	scheme, credential, found := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", scaigrid.Errorf(scaigrid.CodeTokenMissing, "Send the credential as Authorization: Bearer …; other schemes are not understood.")
	}
	if !found || credential == "" || strings.ContainsAny(credential, " \t,") {
		return "", scaigrid.Errorf(scaigrid.CodeTokenInvalid, "The Authorization header must read Bearer, one space and one credential.")
	}
	return credential, nil
}
