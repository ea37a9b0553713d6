package turn

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/scailabs/scaigrid"
)

// infer streams the model's answer into the log. The outcome holds what was
// said, also beside an error.
func (h *House) infer(ctx context.Context, r *run, p scaigrid.Prompt, o *scaigrid.Outcome) error {
	s := speech{house: h, run: r, skip: r.partial}
	if p.Model != scaigrid.ExtractiveModel {
		s.skip = "" // a language model goes on where it stopped; the extractive answerer starts over
	}
	if p.Knowledge && p.Model != scaigrid.ExtractiveModel && r.partial == "" {
		s.await = unknownMark
	}
	for part, err := range h.Models.Stream(ctx, p) {
		if err != nil {
			s.release(p, o)
			return s.failed(ctx, err)
		}
		s.hear(part, o)
		if s.full {
			break
		}
	}
	s.release(p, o)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.finish(p, o)
}

// speech is an answer while it is being said.
type speech struct {
	house *House
	run   *run
	skip  string // text that was said in an earlier try and must not be said again
	await string // what the answer may begin with to say that it is none; "" once that is settled
	held  string // the beginning of the answer while that is open
	full  bool   // the answer has reached its greatest length
	told  *bool  // answered, where the answerer itself knew
	trust *float64
}

func (s *speech) hear(part scaigrid.Part, o *scaigrid.Outcome) {
	s.say(s.opening(part.Text), o)
	if part.FinishReason != "" {
		o.FinishReason = part.FinishReason
	}
	if part.Usage != nil {
		o.Usage = part.Usage
	}
	if part.Citations != nil {
		o.Citations = part.Citations
	}
	if part.Answered != nil {
		s.told = part.Answered
	}
	if part.Confidence != nil {
		s.trust = part.Confidence
	}
}

// opening holds back the first characters until it is clear whether they say
// that the passages do not answer.
func (s *speech) opening(text string) string {
	if s.await == "" {
		return text
	}
	s.held = strings.TrimLeft(s.held+text, " \n")
	if len(s.held) < len(s.await) && strings.HasPrefix(s.await, s.held) {
		return ""
	}
	text = s.held
	if rest, ok := strings.CutPrefix(text, s.await); ok {
		if rest = strings.TrimLeft(rest, " \n"); rest == "" {
			return "" // the space behind it may come later
		}
		text, s.told = rest, new(bool)
	}
	s.await, s.held = "", ""
	return text
}

// release lets out what was held back when nothing more comes.
func (s *speech) release(p scaigrid.Prompt, o *scaigrid.Outcome) {
	held := s.held
	if held == s.await && held != "" {
		held, s.told = fallback(p), new(bool)
	}
	s.await, s.held = "", ""
	s.say(held, o)
}

// say lets text out, up to the greatest length of an answer.
func (s *speech) say(text string, o *scaigrid.Outcome) {
	if s.skip != "" {
		text = s.skipped(text)
	}
	if text == "" || s.full {
		return
	}
	if s.run.first == nil {
		d := s.house.Clock().Sub(s.run.accepted)
		s.run.first = &d
	}
	if room := scaigrid.MaxAnswerBytes - s.run.log.textLen(); len(text) > room {
		text, s.full = cutAt(text, room), true
		o.FinishReason = "length"
	}
	s.run.log.say(text)
}

// skipped drops what the reader has already. Where the new answer differs from
// the old one the rest follows as it comes: what was said stays said.
func (s *speech) skipped(text string) string {
	if strings.HasPrefix(s.skip, text) {
		s.skip = s.skip[len(text):]
		return ""
	}
	rest := strings.TrimPrefix(text, s.skip)
	s.skip = ""
	return rest
}

func (s *speech) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// finish judges a whole answer.
func (s *speech) finish(p scaigrid.Prompt, o *scaigrid.Outcome) error {
	text, _ := s.run.log.snapshot()
	switch {
	case o.FinishReason == "":
		return &scaigrid.Error{Code: scaigrid.CodeBackendError, Message: "The answer broke off. Please try again.", Retryable: true, Cause: errors.New("the stream ended without a finish reason")}
	case text == "" && o.FinishReason != "refused":
		return &scaigrid.Error{Code: scaigrid.CodeBackendError, Message: "The answer came back empty. Please try again.", Retryable: true, Cause: errors.New("the model gave no text")}
	case text == "": // refused
		s.run.log.say(fallback(p))
		text = fallback(p)
	}
	if o.Citations == nil && p.Model != scaigrid.ExtractiveModel {
		o.Citations = citedIn(text, p.Passages)
	}
	o.Answered = o.FinishReason != "refused"
	o.Confidence = 1
	if p.Knowledge {
		o.Confidence = p.Retrieval
	}
	if s.told != nil {
		o.Answered = *s.told
	}
	if s.trust != nil {
		o.Confidence = *s.trust
	}
	return nil
}

func cutAt(s string, n int) string {
	if n <= 0 {
		return ""
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func panicked(p any) error { return fmt.Errorf("panic: %v\n%s", p, debug.Stack()) }
