package demo

import (
	"fmt"
	"io/fs"
	"strings"
)

// policy is a content-security policy that a page of the site may be shown under.
type policy struct {
	Name  string
	Title string
	csp   string // "{own} " stands for the site's own scripts, "{nonce}" for the nonce of the answer
	embed bool   // Cross-Origin-Embedder-Policy: require-corp
}

// header is the policy as it is sent with a page that has scripts of its own, or none.
func (p policy) header(ownScripts bool, nonce string) string {
	own := ""
	if ownScripts {
		own = "'self' "
	}
	return strings.NewReplacer("{own} ", own, "{nonce}", nonce).Replace(p.csp)
}

// policyNames is the order in which they are offered.
var policyNames = []string{"tutorial", "strict", "trusted-types", "nonce", "coep", "none"}

const (
	tutorialPage = "tutorials/embed-on-your-site.md"
	tutorialHost = "https://scaigrid.scailabs.ai"
)

// readPolicies takes the tutorial's policy from the tutorial itself, with the
// comment left out and the host replaced; the others are stricter than it.
func readPolicies(docs fs.FS, host string) (map[string]policy, error) {
	text, err := fs.ReadFile(docs, tutorialPage)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	tutorial, err := tutorialPolicy(string(text))
	if err != nil {
		return nil, err
	}
	tutorial = strings.ReplaceAll(tutorial, tutorialHost, host)
	strict := fmt.Sprintf("default-src 'none'; script-src {own} %[1]s; connect-src 'self' %[1]s; img-src %[1]s data:; style-src 'self'; base-uri 'none'", host)
	out := map[string]policy{}
	for _, p := range []policy{
		{Name: "tutorial", Title: "The tutorial's", csp: tutorial},
		{Name: "strict", Title: "Strict", csp: strict},
		{Name: "trusted-types", Title: "Strict, with Trusted Types", csp: strict + "; require-trusted-types-for 'script'; trusted-types 'none'"},
		{Name: "nonce", Title: "Nonce and strict-dynamic", csp: strings.Replace(strict, "script-src {own} "+host, "script-src 'nonce-{nonce}' 'strict-dynamic'", 1)},
		{Name: "coep", Title: "Strict, cross-origin isolated", csp: strict, embed: true},
		{Name: "none", Title: "No policy"},
	} {
		out[p.Name] = p
	}
	return out, nil
}

// tutorialPolicy finds the code block of the section about CSP and makes one
// header line of it.
func tutorialPolicy(text string) (string, error) {
	_, section, ok := strings.Cut(text, "\n## 6. CSP\n")
	if !ok {
		return "", fmt.Errorf("demo: the tutorial has no section about CSP")
	}
	_, rest, ok := strings.Cut(section, "```\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		return "", fmt.Errorf("demo: the tutorial's section about CSP has no policy in it")
	}
	var directives []string
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.Trim(strings.TrimSpace(line), ";"); line != "" {
			directives = append(directives, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(directives, "; "), nil
}
