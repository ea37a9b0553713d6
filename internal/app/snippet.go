package app

import (
	"html"
	"strings"
)

// DefaultTokenURL is where the tutorial's sites mint tokens.
const DefaultTokenURL = "/chat-token"

// WidgetPath is where the server has the widget's script.
const WidgetPath = "/static/modules/scaibot/widget.js"

// TokenSource is the attribute with which a snippet says where tokens come from.
type TokenSource struct{ name, value string }

// TokenURL lets the page fetch tokens from its own site.
func TokenURL(path string) TokenSource { return TokenSource{"data-token-url", path} }

// StaticToken puts a token into the page.
func StaticToken(token string) TokenSource { return TokenSource{"data-token", token} }

// Snippet is the script tag that puts a bot on a page.
func (c *Console) Snippet(botID string, t TokenSource) string { return snippet(c.url, botID, t) }

func snippet(host, botID string, t TokenSource) string {
	var b strings.Builder
	b.WriteString("<script\n")
	for _, a := range [][2]string{{"src", host + WidgetPath}, {"data-bot-id", botID}, {t.name, t.value}} {
		b.WriteString("  " + a[0] + `="` + html.EscapeString(a[1]) + "\"\n")
	}
	b.WriteString("  async>\n</script>")
	return b.String()
}
