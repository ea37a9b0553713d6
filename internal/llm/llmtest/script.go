package llmtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// play does what the model's name says.
func (p *Provider) play(t *talk, q Request) {
	kind, arg, _ := strings.Cut(q.Model, ":")
	if kind == "ask" {
		script, ok := strings.CutPrefix(q.Question(), "!")
		if !ok {
			script = "echo"
		}
		script, _, _ = strings.Cut(script, " ")
		kind, arg, _ = strings.Cut(script, ":")
	}
	n, ms := numbers(arg)
	pause := time.Duration(ms) * time.Millisecond
	switch kind {
	case "echo":
		t.whole(echo(q), 0)
	case "say":
		t.whole(strings.SplitAfter(strings.ReplaceAll(arg, "_", " "), " "), 0)
	case "words":
		t.whole(numbered(n), pause)
	case "text":
		t.whole(strings.SplitAfter(Text(n), " "), pause)
	case "cite":
		t.whole([]string{"The documents ", "say so ", "[1]."}, 0)
	case "unknown":
		t.whole([]string{"[", "0]"}, 0)
	case "flaky":
		if p.failsAgain(q, n) {
			t.status(503, nil, `{"error":{"message":"overloaded"}}`)
			return
		}
		t.whole(echo(q), 0)
	case "fault":
		name, after, _ := strings.Cut(arg, "@")
		n, _ := strconv.Atoi(after)
		play := faults()[name]
		if play == nil {
			t.status(404, nil, `{"error":{"message":"no such fault"}}`)
			return
		}
		for _, word := range numbered(n) {
			t.say(word)
		}
		play(p, t)
	default:
		t.status(404, nil, `{"error":{"message":"The model does not exist","code":"model_not_found"}}`)
	}
}

func echo(q Request) []string { return strings.SplitAfter("You said: "+q.Question(), " ") }

// Words is the text of words:N, and what stands before fault:NAME@N.
func Words(n int) string { return strings.Join(numbered(n), "") }

func numbered(n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("w%d ", i)
	}
	return words
}

// Text is the text of text:N: exactly n bytes of whole characters.
func Text(n int) string {
	vocabulary := []string{"the ", "Rücksendung ", "café ", "取引 ", "🙂 ", "order ", "\n\n", "ships ", "naïve ", "within ", "14 ", "days. ", "שלום ", "👩‍👩‍👧 "}
	var b strings.Builder
	for state := uint32(1); ; {
		state = state*1664525 + 1013904223
		word := vocabulary[(state>>16)%uint32(len(vocabulary))]
		if b.Len()+len(word) > n {
			break
		}
		b.WriteString(word)
	}
	for b.Len() < n {
		b.WriteByte('.')
	}
	return b.String()
}

func numbers(s string) (a, b int) {
	x, y, _ := strings.Cut(s, "@")
	a, _ = strconv.Atoi(x)
	b, _ = strconv.Atoi(strings.TrimSuffix(y, "ms"))
	return a, b
}
