package scaigrid

import "time"

// MessageRole is who spoke.
type MessageRole string

// The roles of a message.
const (
	RoleVisitor   MessageRole = "user"
	RoleAssistant MessageRole = "assistant"
	RoleHuman     MessageRole = "agent"
	RoleSystem    MessageRole = "system"
)

// MessageStatus is how far a message came.
type MessageStatus string

// The states of a message.
const (
	MessageComplete    MessageStatus = "complete"
	MessageStreaming   MessageStatus = "streaming"
	MessageStopped     MessageStatus = "stopped"     // the visitor pressed stop
	MessageInterrupted MessageStatus = "interrupted" // we went away while it was written
	MessageFailed      MessageStatus = "failed"      // the model failed
	MessageWithdrawn   MessageStatus = "withdrawn"   // replaced by an edit or a rule
)

// MaxMessageRunes is the longest message a visitor may send, in characters.
const MaxMessageRunes = 8000

// MaxAnswerBytes is the longest answer that is kept; a longer one is cut with finish reason "length".
const MaxAnswerBytes = 256 << 10

// Message is one thing said in a conversation.
type Message struct {
	ID             string        `json:"id"`
	ConversationID string        `json:"conversation_id"`
	TurnID         string        `json:"turn_id"`
	Role           MessageRole   `json:"role"`
	Content        string        `json:"content"`
	Status         MessageStatus `json:"status"`
	Citations      []Citation    `json:"citations"`
	Passages       []Passage     `json:"passages"`
	Rating         string        `json:"rating"` // "up", "down" or ""
	Comment        string        `json:"comment"`
	Usage          *Usage        `json:"usage"`          // null where the provider did not say
	FirstTokenMS   *int64        `json:"first_token_ms"` // milliseconds from accept to the first text
	LatencyMS      *int64        `json:"latency_ms"`     // milliseconds from accept to the stored end
	Answered       *bool         `json:"answered"`       // false: the bot said that it does not know
	Confidence     *float64      `json:"confidence"`     // 0–1
	Error          *TurnError    `json:"error"`
	CreatedAt      time.Time     `json:"created_at"`
}

// Usage is what a model call cost.
type Usage struct {
	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	Model            string `json:"model"`
}
