package llm

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/scailabs/scaigrid"
)

const sample = ": hi\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n" +
	"data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Gr\\u00fc\\\"ße\"},\"finish_reason\":null}]}\n\n" +
	"data:{\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" 🙂\"},\"finish_reason\":null}]}\r\n\r\n" +
	"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

func readStream(r io.Reader) (text, finish string, f *fault) {
	w := newWatch(context.Background(), Limits{}.withDefaults())
	w.headers()
	defer w.end()
	f = newAnswerStream(r, w, "m", func(p scaigrid.Part, _ error) bool {
		text += p.Text
		finish += p.FinishReason
		return true
	}).read()
	return text, finish, f
}

func TestStreamCutAnywhere(t *testing.T) {
	if text, finish, f := readStream(iotest.OneByteReader(strings.NewReader(sample))); text != "Grü\"ße 🙂" || finish != "stop" || f != nil {
		t.Fatalf("%q %q %v", text, finish, f)
	}
	end := strings.Index(sample, "\"stop\"}]}\n\n") + len("\"stop\"}]}\n\n")
	for i := range len(sample) {
		_, finish, f := readStream(strings.NewReader(sample[:i]))
		if whole := i >= end; whole != (f == nil) || whole != (finish == "stop") {
			t.Errorf("cut at %d: finish %q, %v", i, finish, f)
		}
	}
}

func TestQuickTextAgreesWithTheDecoder(t *testing.T) {
	for _, data := range []string{
		`{"choices":[{"index":0,"delta":{"content":"plain"},"finish_reason":null}]}`,
		`{"choices":[{"index":0,"delta":{"content":"a \"quoted\" \\ \n ü"},"finish_reason":null}],"usage":null}`,
		`{"choices":[{"index":0,"delta":{"content":"\"delta\":{\"content\":\"x"},"finish_reason":null}]}`,
		`{"choices":[{"index":0,"delta":{"content":"end"},"finish_reason":"stop"}]}`,
		`{"choices":[{"index":1,"delta":{"content":"other"},"finish_reason":null}]}`,
		`{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null},{"index":1,"delta":{"content":"b"},"finish_reason":null}]}`,
		`{"choices":[{"index":0,"delta":{"content":"u"},"finish_reason":null}],"usage":{"prompt_tokens":1}}`,
		`{"error":{"message":"x"},"choices":[{"index":0,"delta":{"content":"e"},"finish_reason":null}]}`,
		`{"choices":[{"index":0,"delta":{"content":"broken`,
	} {
		compareQuick(t, []byte(data))
	}
}

func compareQuick(t *testing.T, data []byte) {
	t.Helper()
	text, ok := quickText(data)
	if !ok {
		return
	}
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		return // the quick way may be more forgiving about what stands around the text
	}
	if c.Error != nil || c.Usage != nil || len(c.Choices) != 1 || c.Choices[0].FinishReason != "" || c.Choices[0].Index != 0 {
		t.Fatalf("%s: was taken by hand and must not be", data)
	}
	if c.Choices[0].Delta.Content != text {
		t.Fatalf("%s: %q by hand, %q decoded", data, text, c.Choices[0].Delta.Content)
	}
}

func FuzzQuickText(f *testing.F) {
	f.Add("hello")
	f.Add("\"delta\":{\"content\":\"")
	f.Add("🙂\\\r\n\x00")
	f.Fuzz(func(t *testing.T, s string) {
		content, err := json.Marshal(s)
		if err != nil {
			return
		}
		compareQuick(t, []byte(`{"choices":[{"index":0,"delta":{"content":`+string(content)+`},"finish_reason":null}]}`))
	})
}

func FuzzStream(f *testing.F) {
	f.Add(sample)
	f.Add("data: {\"choices\":[{\n\ndata: x\ndata: y\n\n")
	f.Fuzz(func(t *testing.T, s string) {
		text, finish, fault := readStream(strings.NewReader(s))
		if (finish == "") == (fault == nil) {
			t.Errorf("finish %q beside %v", finish, fault)
		}
		if strings.ContainsAny(text, "\x00\r") {
			t.Errorf("uncleaned text %q", text)
		}
	})
}

func BenchmarkStream(b *testing.B) {
	var s strings.Builder
	for range 200 {
		s.WriteString("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"system_fingerprint\":\"fp\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"token here \"},\"logprobs\":null,\"finish_reason\":null}]}\n\n")
	}
	s.WriteString("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	b.SetBytes(int64(s.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, f := readStream(strings.NewReader(s.String())); f != nil {
			b.Fatal(f)
		}
	}
}
