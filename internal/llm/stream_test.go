package llm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/scailabs/scaigrid"
)

// sample is an answer in every form that the format allows.
const sample = ": hi\n\ndata: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n" +
	"data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Gr\\u00fc\\\"ße\"},\"finish_reason\":null}]}\n\n" +
	"data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" \\ud83d\"},\"finish_reason\":null}]}\n\n" +
	"data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\ude42\\r\"},\"finish_reason\":null}]}\n\n" +
	"event: message\r\ndata:{\"id\":\"1\",\r\ndata:\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\nend\"},\"finish_reason\":null}]}\r\n\r\n" +
	"data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\".\"},\"finish_reason\":null}]}\r\r" +
	"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

const sampleText = "Grü\"ße 🙂\nend."

type heard struct {
	text, finish string
	parts        int
}

func read(t testing.TB, body io.Reader) (heard, *failure) {
	t.Helper()
	o := newOpenAI(Provider{Name: "p"}, newClient(nil), Limits{}.withDefaults())
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	w := newWatch(o.limits, cancel)
	defer w.stop()
	w.answered()
	var h heard
	var text strings.Builder
	f := o.readStream(ctx, body, w, "p/m", func(p scaigrid.Part) bool {
		text.WriteString(p.Text)
		h.finish += p.FinishReason
		h.parts++
		return true
	})
	h.text = text.String()
	return h, f
}

func TestStreamCutAtEveryByte(t *testing.T) {
	end := strings.Index(sample, "\"stop\"}]}\n") + len("\"stop\"}]}")
	for i := range len(sample) {
		h, f := read(t, strings.NewReader(sample[:i]))
		if whole := i >= end; whole != (f == nil) || whole != (h.finish == "stop") {
			t.Errorf("cut at %d: finish %q, %v", i, h.finish, f)
		}
		if f != nil && (f.code != scaigrid.CodeBackendError || f.final || !strings.Contains(f.Error(), errTruncated.Error())) {
			t.Errorf("cut at %d: %+v", i, f)
		}
		if want := strings.TrimRight(strings.ReplaceAll(h.text, "\ufffd", ""), "\n"); !strings.HasPrefix(sampleText, want) {
			t.Errorf("cut at %d: %q is no beginning of the text", i, h.text)
		}
	}
}

func TestStreamInPiecesIsTheSame(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(sample), "one byte": iotest.OneByteReader(strings.NewReader(sample)),
		"with its end": iotest.DataErrReader(strings.NewReader(sample)), "half": iotest.HalfReader(strings.NewReader(sample)),
	} {
		if h, f := read(t, r); h.text != sampleText || h.finish != "stop" || f != nil {
			t.Errorf("%s: %+v %v", name, h, f)
		}
	}
	for i := range len(sample) {
		h, f := read(t, io.MultiReader(strings.NewReader(sample[:i]), strings.NewReader(sample[i:])))
		if h.text != sampleText || h.finish != "stop" || f != nil {
			t.Errorf("split at %d: %+v %v", i, h, f)
		}
	}
}

func TestBurstIsOnePart(t *testing.T) {
	h, f := read(t, strings.NewReader(stream(10)))
	if f != nil || h.parts != 2 || h.text != strings.Repeat("token here ", 10) {
		t.Errorf("%+v %v, want the text in one part and the end in another", h, f)
	}
	// And what has come is never held back while nothing more waits.
	one := "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":null}]}\n\n"
	var got []string
	pr, pw := io.Pipe()
	seen := make(chan struct{}, 8)
	go func() {
		for range 3 {
			_, _ = io.WriteString(pw, one)
			<-seen
		}
		_, _ = io.WriteString(pw, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")
		_ = pw.Close()
	}()
	o := newOpenAI(Provider{}, newClient(nil), Limits{}.withDefaults())
	ctx, cancel := context.WithCancelCause(t.Context())
	w := newWatch(o.limits, cancel)
	defer w.stop()
	if f := o.readStream(ctx, pr, w, "m", func(p scaigrid.Part) bool {
		if p.Text != "" {
			got = append(got, p.Text)
			seen <- struct{}{}
		}
		return true
	}); f != nil || len(got) != 3 {
		t.Errorf("%q %v", got, f)
	}
}

// Whatever comes: one end, clean text, nothing endless.
func FuzzStream(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("data: {\"choices\":[{\n\ndata: x\ndata: y\n\n"))
	f.Add([]byte("data: {\"choices\":[{\"delta\":{\"content\":\"\xf0\x9f\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\x99\x82\"}}]}\n\n"))
	f.Fuzz(func(t *testing.T, s []byte) {
		h, fault := read(t, bytes.NewReader(s))
		if (h.finish == "") == (fault == nil) {
			t.Errorf("finish %q beside %v", h.finish, fault)
		}
		checkClean(t, h.text)
		again, fault2 := read(t, iotest.OneByteReader(bytes.NewReader(s)))
		if again.text != h.text || again.finish != h.finish || (fault == nil) != (fault2 == nil) {
			t.Errorf("in pieces: %+v %v, whole: %+v %v", again, fault2, h, fault)
		}
	})
}

func checkClean(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%q is not UTF-8", text)
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
			t.Errorf("%q holds %U", text, r)
		}
	}
}

// Text comes out the same however it is cut into events.
func FuzzCleaner(f *testing.F) {
	f.Add([]byte(`plain \u00e4 \ud83d\ude42 \r\n \\ \" \/`), 3, 9)
	f.Add([]byte("raw \xf0\x9f\x99\x82 \xc3\xa9 \xff"), 5, 7)
	f.Add([]byte(`\ud83dx\ude42\u0000\u202e\u0085`), 6, 7)
	f.Fuzz(func(t *testing.T, inner []byte, i, j int) {
		var whole cleaner
		want, ok := whole.add(nil, inner)
		if !ok {
			return
		}
		want = whole.end(want)
		checkClean(t, string(want))
		if i < 0 || j < i || j > len(inner) {
			return
		}
		var c cleaner
		var got []byte
		for _, piece := range [][]byte{inner[:i], inner[i:j], inner[j:]} {
			if got, ok = c.add(got, piece); !ok {
				return // cut inside an escape, which no event is
			}
		}
		if got = c.end(got); !bytes.Equal(got, want) {
			t.Errorf("%q cut at %d and %d gives %q, whole %q", inner, i, j, got, want)
		}
	})
}

func TestCleaner(t *testing.T) {
	for in, want := range map[string]string{
		`a\u0000b\u0007c\td\ne`: "abc\td\ne",
		`a\r\nb\rc\n\rd`:        "a\nb\nc\n\nd",
		`\ud83d\ude42`:          "🙂",
		`\ud83d`:                "\ufffd",
		`\ude42x`:               "\ufffdx",
		`\ud83d\ud83d\ude42`:    "\ufffd🙂",
		"\xf0\x9f\x99\x82":      "🙂",
		"\xf0\x9f":              "\ufffd\ufffd",
		"\xff\xfe":              "\ufffd\ufffd",
		`\u202eabc\u202d`:       "abc",
		"שלום \u2066x\u2069 👩‍👩‍👧": "שלום \u2066x\u2069 👩‍👩‍👧",
		`\"\\\/\b\f`:                  `"\/`,
		"del\x7f \xc2\x85c1":          "del c1",
		`\u0041\u00e9\u20ac\uFFFD`:    "Aé€\ufffd",
		"\xc3\\u00a9":                 "\ufffd©",
		`\ud83d` + "\xf0\x9f\x99\x82": "\ufffd🙂",
	} {
		var c cleaner
		out, ok := c.add(nil, []byte(in))
		if out = c.end(out); !ok || string(out) != want {
			t.Errorf("%q: %q %v, want %q", in, out, ok, want)
		}
	}
	for _, in := range []string{`a"b`, "a\nb", `a\`, `\x41`, `\u12`, `\u12g4`, "\x00"} {
		if _, ok := new(cleaner).add(nil, []byte(in)); ok {
			t.Errorf("%q was taken for the inside of a string", in)
		}
	}
}

// The quick way and the decoder agree on every event, whatever came before it.
func FuzzQuickWay(f *testing.F) {
	f.Add([]byte(`{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}`), []byte(`{"choices":[{"index":0,"delta":{"content":"b\"},\"x"},"finish_reason":null}]}`))
	f.Add([]byte(`{"x":{"content":"a"},"choices":[{"index":0,"delta":{"content" :"a"}}]}`), []byte(`{"x":{"content":"b"},"choices":[{"index":0,"delta":{"content" :"a"}}]}`))
	f.Add([]byte(`{"choices":[{"index":0,"delta":{"content":""}}],"y":"\"content\":\"\""}`), []byte(`{"choices":[{"index":0,"delta":{"content":"\"}}],"y":""}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		quick, plain := chunks{tries: 9}, chunks{}
		for _, data := range [][]byte{first, second, first} {
			a, ca, errA := quick.decode(nil, data)
			b, cb, errB := plain.decode(nil, data)
			if (errA == nil) != (errB == nil) {
				t.Fatalf("%q: %v by pattern, %v decoded", data, errA, errB)
			}
			if errA != nil {
				return
			}
			if !bytes.Equal(a, b) || ca.finish != cb.finish || ca.thought != cb.thought || ca.refused != cb.refused || (ca.usage == nil) != (cb.usage == nil) || (ca.failed == nil) != (cb.failed == nil) {
				t.Fatalf("%q: %q %+v by pattern, %q %+v decoded", data, a, ca, b, cb)
			}
		}
	})
}

func TestQuickWayIsTaken(t *testing.T) {
	var d chunks
	d.tries = patternTries
	for i := range 50 {
		text := fmt.Sprintf("piece %d \"quoted\" ü", i)
		content, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := d.decode(nil, []byte(`{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":`+string(content)+`},"logprobs":null,"finish_reason":null}]}`))
		if err != nil || string(out) != text {
			t.Fatalf("%q %v", out, err)
		}
	}
	if d.tries != patternTries-1 {
		t.Errorf("%d patterns were made for events of one form, want 1", patternTries-d.tries)
	}
}

func stream(n int) string {
	var s strings.Builder
	for range n {
		s.WriteString("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"system_fingerprint\":\"fp\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"token here \"},\"logprobs\":null,\"finish_reason\":null}]}\n\n")
	}
	s.WriteString("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	return s.String()
}

func BenchmarkStream200Tokens(b *testing.B) {
	s := stream(200)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		if _, f := read(b, strings.NewReader(s)); f != nil {
			b.Fatal(f)
		}
	}
}

// The same events, each of another form, so that each goes through the decoder.
func BenchmarkStream200TokensDecoded(b *testing.B) {
	var s strings.Builder
	for i := range 200 {
		fmt.Fprintf(&s, "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":%d,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"token here \"},\"logprobs\":null,\"finish_reason\":null}],\"obfuscation\":\"x%d\"}\n\n", i, i)
	}
	s.WriteString("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	b.ReportAllocs()
	for b.Loop() {
		if _, f := read(b, strings.NewReader(s.String())); f != nil {
			b.Fatal(f)
		}
	}
}
