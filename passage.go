package scaigrid

// Passage is a piece of a document that retrieval found for a question.
type Passage struct {
	ID           string  `json:"passage_id"`
	DocumentID   string  `json:"document_id"`
	DocumentName string  `json:"document_name"`
	Title        string  `json:"title"`
	Heading      string  `json:"heading"` // path of headings, " › " between them
	Text         string  `json:"text"`
	URL          string  `json:"url,omitempty"`
	Position     int     `json:"position"` // ordinal of the passage in its document, from 0
	Score        float64 `json:"score"`    // 0–1, means the same on every corpus
	Lexical      float64 `json:"lexical"`  // 0–1
	Semantic     float64 `json:"semantic"` // 0–1; 0 without an embedding endpoint
	Kept         bool    `json:"kept"`     // used for an answer under the bot's settings
	Why          string  `json:"why"`      // one sentence: why it was kept or left out
}

// Citation points from an answer to the passage that supports it.
type Citation struct {
	N          int    `json:"n"` // the number in the answer's text, from 1
	DocumentID string `json:"document_id"`
	Title      string `json:"title"`
	URL        string `json:"url"`
	Heading    string `json:"heading"`
	Quote      string `json:"quote"` // words of the passage, unchanged
	PassageID  string `json:"passage_id"`
}

// Retrieval is what the documents hold for one question.
type Retrieval struct {
	Passages   []Passage `json:"passages"`   // best first
	Confidence float64   `json:"confidence"` // 0–1: how likely the passages answer the question
}

// Kept returns the passages that the bot's settings let an answer use.
func (r *Retrieval) Kept() []Passage {
	var out []Passage
	for _, p := range r.Passages {
		if p.Kept {
			out = append(out, p)
		}
	}
	return out
}
