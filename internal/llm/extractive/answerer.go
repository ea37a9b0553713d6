package extractive

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/text"
)

// Answerer answers from passages alone.
type Answerer struct{}

// New returns the answerer.
func New() *Answerer { return &Answerer{} }

// Stream answers the prompt, a sentence a part. The last part says how it
// ended, what it rests on and whether it is an answer at all. Its only error
// is that of ctx.
func (*Answerer) Stream(ctx context.Context, p scaigrid.Prompt) iter.Seq2[scaigrid.Part, error] {
	return func(yield func(scaigrid.Part, error) bool) {
		a := answer(p)
		said := 0
		for _, t := range a.parts {
			if err := ctx.Err(); err != nil {
				yield(scaigrid.Part{}, context.Cause(ctx))
				return
			}
			said += text.CountTokens(t)
			if !yield(scaigrid.Part{Text: t}, nil) {
				return
			}
		}
		asked := text.CountTokens(p.Question)
		for _, s := range p.Passages {
			asked += text.CountTokens(s.Text)
		}
		yield(scaigrid.Part{
			FinishReason: "stop", Citations: a.citations, Answered: &a.answered, Confidence: &a.confidence,
			Usage: &scaigrid.Usage{Model: scaigrid.ExtractiveModel, PromptTokens: int64(asked), CompletionTokens: int64(said)},
		}, nil)
	}
}

// reply is a whole answer before it is streamed.
type reply struct {
	parts      []string
	citations  []scaigrid.Citation
	answered   bool
	confidence float64
}

func answer(p scaigrid.Prompt) reply {
	asked := text.Detect(p.Question)
	if c, lang := courteous(p.Question); c != noCourtesy {
		ph := speak(lang)
		return reply{parts: []string{map[courtesy]string{greeting: ph.hello, thanking: ph.thanks, leaving: ph.bye}[c]}, answered: true, confidence: 1}
	}
	chosen := choose(p.Question, p.Passages)
	if len(chosen) == 0 {
		return unknown(p, asked)
	}
	return compose(p, chosen)
}

// unknown says honestly that there is no answer.
func unknown(p scaigrid.Prompt, asked string) reply {
	say := p.Fallback
	if say == "" {
		say = speak(asked, p.Locale).unknown
	}
	return reply{parts: []string{say}, confidence: p.Retrieval}
}

// compose writes the chosen lines with their sources.
func compose(p scaigrid.Prompt, chosen []line) reply {
	r := reply{answered: true, confidence: p.Retrieval}
	number := map[int]int{}
	for i, l := range chosen {
		n, again := number[l.passage]
		if !again {
			n = len(number) + 1
			number[l.passage] = n
			src := p.Passages[l.passage]
			r.citations = append(r.citations, scaigrid.Citation{
				N: n, DocumentID: src.DocumentID, Title: src.Title, URL: src.URL, Heading: src.Heading, Quote: l.text, PassageID: src.ID,
			})
		}
		var b strings.Builder
		if i > 0 {
			b.WriteString(gap(chosen[i-1], l))
		}
		b.WriteString(l.mark + l.text)
		last := i == len(chosen)-1 || chosen[i+1].passage != l.passage
		switch {
		case !last:
		case l.kind == codeBlock:
			b.WriteString("\n\n[" + strconv.Itoa(n) + "]")
		default:
			b.WriteString(" [" + strconv.Itoa(n) + "]")
		}
		r.parts = append(r.parts, b.String())
	}
	return r
}

func gap(before, l line) string {
	switch {
	case l.kind == codeBlock || before.kind == codeBlock:
		return "\n\n"
	case l.kind == listItem && before.kind == listItem && l.passage == before.passage:
		return "\n"
	case l.kind == listItem || before.kind == listItem:
		return "\n\n"
	}
	return " "
}
