package turn

import (
	_ "embed"
	"strings"
	"text/template"

	"github.com/scailabs/scaigrid"
)

//go:embed prompts/system.tmpl
var systemText string

var systemTemplate = template.Must(template.New("system").Funcs(template.FuncMap{
	"inc":    func(i int) int { return i + 1 },
	"fenced": fenced,
}).Parse(systemText))

// fenced keeps the text of a document from closing the tag that marks it as data.
func fenced(s string) string { return strings.ReplaceAll(s, "</passage", "<\u200b/passage") }

// builtinFallback is what a bot says when its documents do not answer and its
// operator set no sentence of his own.
const builtinFallback = "I don't know: the documents I have do not answer this."

// unknownMark is how a model says, in any language, that the passages do not
// answer. It is taken out of the answer before anyone sees it.
const unknownMark = "[0]"

// buildPrompt writes down what the model is asked. It needs nothing from outside.
func buildPrompt(bot *scaigrid.Bot, ask scaigrid.Ask, history []scaigrid.PromptMessage, found scaigrid.Retrieval, partial string) scaigrid.Prompt {
	p := scaigrid.Prompt{
		Model: bot.Model, Question: ask.Message, History: history,
		Passages: found.Kept(), Retrieval: found.Confidence, Knowledge: bot.KnowledgeEnabled,
		Locale: firstNonEmpty(ask.Locale, bot.Locale), Fallback: bot.FallbackMessage,
		MaxTokens: bot.MaxTokensPerResponse,
	}
	if bot.Model == scaigrid.ExtractiveModel {
		return p // it reads question and passages themselves
	}
	var b strings.Builder
	err := systemTemplate.Execute(&b, map[string]any{
		"Name": bot.ShownName(), "Knowledge": bot.KnowledgeEnabled, "Passages": p.Passages,
		"Fallback": fallback(p), "Unknown": unknownMark, "Locale": p.Locale,
	})
	if err != nil {
		panic("the system prompt cannot be written: " + err.Error()) // the template and its fields are ours
	}
	p.System = strings.TrimSpace(b.String())
	p.Messages = append(append(p.Messages, history...), scaigrid.PromptMessage{Role: scaigrid.RoleVisitor, Content: ask.Message})
	if partial != "" {
		p.Messages = append(p.Messages,
			scaigrid.PromptMessage{Role: scaigrid.RoleAssistant, Content: partial},
			scaigrid.PromptMessage{Role: scaigrid.RoleVisitor, Content: "Your answer was cut off. Go on exactly where it stopped, without repeating anything."})
	}
	return p
}

func fallback(p scaigrid.Prompt) string { return firstNonEmpty(p.Fallback, builtinFallback) }

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
