package scaigrid

// ExtractiveModel is the answerer that is always there: no model, no network.
const ExtractiveModel = "scaigrid/extractive"

// Model is something a bot can answer with.
type Model struct {
	Slug            string `json:"slug"`
	DisplayName     string `json:"display_name"`
	Modality        string `json:"modality"` // chat
	Provider        string `json:"provider"`
	ContextWindow   *int   `json:"context_window"` // tokens; null where not known
	MaxOutputTokens *int   `json:"max_output_tokens"`
	Status          string `json:"status"`        // active
	HealthStatus    string `json:"health_status"` // healthy, unhealthy or unknown
}

// Prompt is the whole of what a model is asked. Extractive answering reads
// Question and Passages; a language model reads System and Messages, into
// which the same passages were written.
type Prompt struct {
	Model     string // slug, provider/model
	System    string
	Messages  []PromptMessage // history and the question, oldest first
	Question  string
	History   []PromptMessage // without the question
	Passages  []Passage       // numbered from 1 in this order
	Retrieval float64         // confidence of the retrieval, 0–1
	Knowledge bool            // the bot answers from documents
	Locale    string
	Fallback  string // the bot's own sentence for "I do not know"; "" for the built-in one
	MaxTokens int
}

// PromptMessage is one message of a prompt.
type PromptMessage struct {
	Role    MessageRole
	Content string
}

// Part is a piece of a model's answer as it arrives. Fields other than Text
// come at the end and may come in any order.
type Part struct {
	Text         string
	FinishReason string // stop, length or refused; set exactly once, in the last part that matters
	Usage        *Usage
	Citations    []Citation // where the answerer itself knows them
	Answered     *bool      // where the answerer itself knows it
	Confidence   *float64
}
