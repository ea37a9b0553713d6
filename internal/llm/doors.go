package llm

import (
	"context"
	"iter"

	"github.com/scailabs/scaigrid"
)

// Answerer answers a prompt as a stream of parts. The extractive answerer is
// one; it is handed in.
type Answerer interface {
	Stream(ctx context.Context, p scaigrid.Prompt) iter.Seq2[scaigrid.Part, error]
}
