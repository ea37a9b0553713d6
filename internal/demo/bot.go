package demo

import (
	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/docs"
)

// BotSlug names the demo's bot, so that a second start finds it again.
const BotSlug = "scaigrid-docs"

// Bot is the bot of the sample site: it answers from the documentation, with
// the model that is always there.
func Bot() scaigrid.BotConfig {
	c := scaigrid.DefaultBotConfig()
	c.Name = "ScaiGrid docs"
	c.Slug = BotSlug
	c.Model = scaigrid.ExtractiveModel
	c.WelcomeMessage = "Hello! I know ScaiGrid's documentation. What would you like to know?"
	c.PlaceholderText = "Ask about ScaiGrid"
	c.KnowledgeEnabled = true
	c.SuggestedQuestions = []string{
		"How do I put a bot on my own page?",
		"Does ScaiGrid need a language model?",
		"What happens when the connection is lost?",
	}
	return c
}

// Document is a text that the demo's bot answers from.
type Document struct {
	Name string
	URL  string // where citations lead
	Text string // Markdown
}

// Documents makes the bot's documents of the documentation's pages, whose
// addresses begin with publicURL. The list of endpoints, which is for programs,
// and the first page, which only leads to the others, answer nobody's question.
func Documents(pages []docs.Page, publicURL string) []Document {
	var out []Document
	for _, p := range pages {
		if p.Path == "reference/api" || p.Path == "index" {
			continue
		}
		out = append(out, Document{Name: p.Title, URL: publicURL + p.URL(), Text: "# " + p.Title + "\n\n" + p.Summary + "\n\n" + p.Body})
	}
	return out
}
