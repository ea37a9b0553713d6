package scaigrid

import "time"

// Step is a room that a turn walks through. Its value is the name used in
// logs, metrics and the record of a turn.
type Step string

// The row of rooms, in order.
const (
	StepVerify   Step = "verify"
	StepLoad     Step = "load"
	StepAccept   Step = "accept"
	StepRetrieve Step = "retrieve"
	StepPrompt   Step = "prompt"
	StepInfer    Step = "infer"
	StepRecord   Step = "record"
	StepFinish   Step = "finish"
)

// Steps lists the rooms in the order of the corridor.
func Steps() []Step {
	return []Step{StepVerify, StepLoad, StepAccept, StepRetrieve, StepPrompt, StepInfer, StepRecord, StepFinish}
}

// TurnState tells whether a turn may still change.
type TurnState string

// A turn runs or is over.
const (
	TurnRunning TurnState = "running"
	TurnDone    TurnState = "done"
)

// Ask is what a visitor says, with all that came along. It was checked for form only.
type Ask struct {
	Pass            Pass
	VisitorKey      string // X-ScaiBot-Visitor; "" where none was sent
	Origin          string // the Origin header; "" outside a browser
	BotID           string
	ConversationID  string // "": the visitor's current one, or a new one
	Message         string
	ClientMessageID string
	Replaces        string // message id of the last question, edited
	Locale          string
	Page            *Page
	Claimed         *Claimed
	Address         string // of the client, for limits
	WantPrompt      bool
}

// Turn is one exchange: the visitor says something, the system answers.
type Turn struct {
	ID             string
	TenantID       string
	BotID          string
	ConversationID string
	VisitorID      string
	MessageID      string // the visitor's message
	ReplyID        string // our answer
	State          TurnState
	Epoch          int    // changes when the log was rebuilt after a crash
	Node           string // the node that owns it while it runs
	Marks          []Mark // named events so far
	StopRequested  bool
	CreatedAt      time.Time
	FinishedAt     *time.Time
}

// TurnError is why a turn failed, as its reader sees it.
type TurnError struct {
	Code      Code   `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

// Outcome is how a turn ended; it is stored in one transaction.
type Outcome struct {
	Status       MessageStatus
	FinishReason string // stop, length, refused, stopped, interrupted, handoff; "" after an error
	Content      string
	Citations    []Citation
	Passages     []Passage
	Usage        *Usage
	Cost         float64
	Answered     bool
	Confidence   float64
	FirstToken   *time.Duration // nil: no text came
	Latency      time.Duration
	Error        *TurnError
	Steps        []StepTime
	Rebuilt      bool // the log was rebuilt from what had been stored: the epoch grows
}

// StepTime is how long a turn stayed in one room.
type StepTime struct {
	Step  Step          `json:"step"`
	Spent time.Duration `json:"spent_ns"`
}
