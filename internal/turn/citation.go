package turn

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/scailabs/scaigrid"
)

var citationMark = regexp.MustCompile(`\[(\d{1,3})\]`)

// citedIn lists the passages that an answer names by number, each once, in the
// order of their numbers. A number that was not given is not a citation.
func citedIn(answer string, passages []scaigrid.Passage) []scaigrid.Citation {
	said := map[int]string{} // number → the sentences that cite it
	for _, at := range citationMark.FindAllStringSubmatchIndex(answer, -1) {
		n, _ := strconv.Atoi(answer[at[2]:at[3]])
		if n < 1 || n > len(passages) {
			continue
		}
		said[n] += " " + sentenceBefore(answer[:at[0]])
	}
	numbers := make([]int, 0, len(said))
	for n := range said {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	out := make([]scaigrid.Citation, 0, len(numbers))
	for _, n := range numbers {
		p := passages[n-1]
		out = append(out, scaigrid.Citation{
			N: n, DocumentID: p.DocumentID, Title: p.Title, URL: p.URL, Heading: p.Heading,
			Quote: quoteFor(said[n], p.Text), PassageID: p.ID,
		})
	}
	return out
}

func sentenceBefore(text string) string {
	text = strings.TrimRight(text, " .!?")
	if i := strings.LastIndexAny(text, ".!?\n"); i >= 0 {
		return text[i+1:]
	}
	return text
}

// quoteFor picks the sentence of a passage that shares most words with what
// was said, unchanged.
func quoteFor(said, passage string) string {
	want := map[string]bool{}
	for _, w := range wordsOf(said) {
		want[w] = true
	}
	best, bestScore := "", -1.0
	for _, s := range sentencesOf(passage) {
		words := wordsOf(s)
		hits := 0
		for _, w := range words {
			if want[w] {
				hits++
			}
		}
		if score := float64(hits) / float64(len(words)+8); score > bestScore {
			best, bestScore = s, score
		}
	}
	return best
}

func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// sentencesOf splits where a sentence, a line or, in scripts without spaces, a
// full stop ends.
func sentencesOf(text string) []string {
	var out []string
	start := 0
	runes := []rune(text)
	for i, r := range runes {
		end := r == '\n' || strings.ContainsRune("。！？", r) ||
			(strings.ContainsRune(".!?", r) && (i+1 == len(runes) || unicode.IsSpace(runes[i+1])))
		if !end {
			continue
		}
		if s := strings.TrimSpace(string(runes[start : i+1])); s != "" {
			out = append(out, s)
		}
		start = i + 1
	}
	if s := strings.TrimSpace(string(runes[start:])); s != "" {
		out = append(out, s)
	}
	return out
}
