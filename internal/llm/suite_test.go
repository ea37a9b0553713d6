package llm_test

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"testing"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/llm"
	"github.com/scailabs/scaigrid/internal/llm/llmtest/suite"
)

// canned stands for the extractive answerer.
type canned struct{}

func (canned) Stream(context.Context, scaigrid.Prompt) iter.Seq2[scaigrid.Part, error] {
	return func(yield func(scaigrid.Part, error) bool) {
		_ = yield(scaigrid.Part{Text: "from the documents"}, nil) && yield(scaigrid.Part{FinishReason: "stop"}, nil)
	}
}

func TestOpenAIPassesTheSuite(t *testing.T) {
	suite.Run(t, func(t *testing.T, transport http.RoundTripper, log *slog.Logger) suite.Client {
		r, err := llm.New(llm.Options{
			Extractive: canned{}, Log: log, Transport: transport,
			Providers: []llm.Provider{{Name: "openai", BaseURL: "http://provider.example/v1", APIKey: suite.Key}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	})
}
