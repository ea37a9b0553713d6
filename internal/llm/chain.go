package llm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
)

// emit hands a part to the reader; false when he has gone.
type emit func(scaigrid.Part) bool

// Stream answers with the model that p.Model names. While nothing was shown it
// tries again where that helps, and then asks the model's fallbacks in order.
// The usage names the model that answered.
//
// An error ends the stream, may come after text, and is a *scaigrid.Error:
// MODEL_NOT_FOUND, MODEL_UNAVAILABLE (set up wrongly), BACKEND_ERROR,
// BACKEND_TIMEOUT, BACKEND_RATE_LIMITED; or the cause of ctx, once it ended.
func (r *Registry) Stream(ctx context.Context, p scaigrid.Prompt) iter.Seq2[scaigrid.Part, error] {
	return func(yield func(scaigrid.Part, error) bool) {
		if err := r.CheckModel(ctx, p.Model); err != nil {
			yield(scaigrid.Part{}, err)
			return
		}
		limited, cancel := context.WithTimeoutCause(ctx, r.limits.Duration, errDuration)
		defer cancel()
		shown, gone := false, false
		say := func(part scaigrid.Part) bool {
			shown = shown || part.Text != ""
			gone = gone || !yield(part, nil)
			return !gone
		}
		var err error
		for _, slug := range r.chain(p.Model) {
			next := p
			next.Model = slug
			var f *failure
			if f, err = r.ask(limited, next, say, &shown); f == nil && err == nil || gone {
				return
			}
			if shown || limited.Err() != nil {
				break
			}
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		yield(scaigrid.Part{}, err)
	}
}

// chain lists the slugs that may answer, the one that was asked for first.
func (r *Registry) chain(slug string) []string {
	out := []string{slug}
	provider, name, _ := strings.Cut(slug, "/")
	if p := r.providers[provider]; p != nil {
		for _, s := range p.Fallback[name] {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// ask has one model answer. It returns what went wrong, as a failure and as
// the error for the caller.
func (r *Registry) ask(ctx context.Context, p scaigrid.Prompt, say emit, shown *bool) (*failure, error) {
	if p.Model == scaigrid.ExtractiveModel {
		return r.extract(ctx, p, say)
	}
	provider, name, _ := strings.Cut(p.Model, "/")
	model := r.providers[provider]
	f := r.attempts(ctx, p, shown, func(p scaigrid.Prompt) *failure { return model.answer(ctx, name, p, say) })
	switch {
	case f == nil:
		r.note(p.Model, nil)
		return nil, nil
	case f.abandoned:
		return f, f.cause
	}
	if !f.shorten && f.code != scaigrid.CodeBackendRateLimited {
		r.note(p.Model, f)
	}
	return f, f.err(p.Model, string(model.APIKey))
}

// attempts asks until there is an answer, something was shown, or another try
// is not worth it.
func (r *Registry) attempts(ctx context.Context, p scaigrid.Prompt, shown *bool, once func(scaigrid.Prompt) *failure) *failure {
	began, shortened := time.Now(), false
	for tries, adapted := 0, 0; ; {
		f := once(p)
		if f == nil || f.abandoned {
			return f
		}
		if ctx.Err() == nil {
			r.log.WarnContext(ctx, "a model did not answer", "model", p.Model, "code", f.code, "try", tries+1, "shown", *shown,
				"err", scrub(f.cause.Error(), string(r.providers[before(p.Model)].APIKey)))
		}
		switch {
		case *shown || ctx.Err() != nil:
			return f
		case f.adapt && adapted < 3:
			adapted++
			continue
		case f.shorten && !shortened && shorten(&p):
			shortened = true
			continue
		case tries >= f.retries || !r.pause(ctx, f, tries, began):
			return f
		}
		tries++
	}
}

func before(slug string) string {
	provider, _, _ := strings.Cut(slug, "/")
	return provider
}

// pause waits before the next attempt; false where it would come too late.
func (r *Registry) pause(ctx context.Context, f *failure, tries int, began time.Time) bool {
	wait := f.wait
	if wait == 0 && !f.timedOut {
		wait = r.limits.Backoff << (2 * tries)
		wait += rand.N(wait/4 + 1)
	}
	last := r.limits.RetryWithin
	switch {
	case f.timedOut:
		last = r.limits.TimeoutRetry
	case f.wait > 0:
		last = max(last, r.limits.RetryAfter+r.limits.RetryWithin)
	}
	if time.Since(began)+wait > last {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// shorten drops the older half of the history. It reports false where there is
// none.
func shorten(p *scaigrid.Prompt) bool {
	history := len(p.Messages) - 1
	if history < 1 {
		return false
	}
	drop := (history + 1) / 2
	for drop < history && p.Messages[drop].Role != scaigrid.RoleVisitor {
		drop++
	}
	p.Messages = p.Messages[drop:]
	return true
}

// extract has the built-in answerer answer.
func (r *Registry) extract(ctx context.Context, p scaigrid.Prompt, say emit) (*failure, error) {
	for part, err := range r.extractive.Stream(ctx, p) {
		if err != nil {
			if ctx.Err() != nil {
				return &failure{abandoned: true, cause: err}, err
			}
			var e *scaigrid.Error
			if !errors.As(err, &e) {
				err = scaigrid.AsError(fmt.Errorf("%s: %w", scaigrid.ExtractiveModel, err))
			}
			return backend(0, "%w", err), err
		}
		if !say(part) {
			return &failure{abandoned: true, cause: context.Canceled}, context.Canceled
		}
	}
	return nil, nil
}
