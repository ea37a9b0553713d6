package llm

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/scailabs/scaigrid"
)

const builtin = "scaigrid"

// Registry knows every model and answers with any of them.
type Registry struct {
	extractive Answerer
	providers  map[string]*openAI
	configured []Provider // in order
	limits     Limits
	log        *slog.Logger
	close      func()

	mu     sync.Mutex
	health map[string]string // slug → healthy or unhealthy, once it was asked
}

// New builds a registry. It opens no connection. An error names the entry of
// providers that is wrong.
func New(o Options) (*Registry, error) {
	if err := check(o.Providers); err != nil {
		return nil, err
	}
	limits := o.Limits.withDefaults()
	transport := o.Transport
	release := func() {}
	if transport == nil {
		own := newTransport(limits, o.Proxy)
		transport, release = own, own.CloseIdleConnections
	}
	r := &Registry{
		extractive: o.Extractive, providers: map[string]*openAI{}, configured: o.Providers,
		limits: limits, log: o.Log, close: release, health: map[string]string{},
	}
	client := newClient(transport)
	for _, p := range o.Providers {
		r.providers[p.Name] = newOpenAI(p, client, limits)
	}
	for i, p := range o.Providers {
		for model, slugs := range p.Fallback {
			for _, s := range slugs {
				if _, err := r.Lookup(s); err != nil {
					return nil, fmt.Errorf("providers[%d].fallback.%s: there is no model %s", i, model, s)
				}
			}
		}
	}
	return r, nil
}

// Close lets go of idle connections.
func (r *Registry) Close() { r.close() }

// Models lists what bots can answer with: the built-in answerer, then the
// models that providers name, in the order of the configuration. A provider
// without a list takes any name and is not listed.
func (r *Registry) Models(context.Context) ([]scaigrid.Model, error) {
	out := []scaigrid.Model{r.describe(scaigrid.ExtractiveModel)}
	for _, p := range r.configured {
		for _, name := range p.Models {
			out = append(out, r.describe(p.Name+"/"+name))
		}
	}
	return out, nil
}

// CheckModel tells whether something here answers to slug; MODEL_NOT_FOUND
// where nothing does.
func (r *Registry) CheckModel(_ context.Context, slug string) error {
	_, err := r.Lookup(slug)
	return err
}

// Lookup returns the model that slug names; MODEL_NOT_FOUND where there is none.
func (r *Registry) Lookup(slug string) (scaigrid.Model, error) {
	if slug == scaigrid.ExtractiveModel {
		return r.describe(slug), nil
	}
	provider, name, _ := strings.Cut(slug, "/")
	p := r.providers[provider]
	switch {
	case p == nil:
		names := slices.Sorted(maps.Keys(r.providers))
		return scaigrid.Model{}, scaigrid.Errorf(scaigrid.CodeModelNotFound, "There is no model of this name: its first part names no provider of this installation. There are: %s.", strings.Join(append([]string{builtin}, names...), ", "))
	case name == "" || len(p.Models) > 0 && !slices.Contains(p.Models, name):
		return scaigrid.Model{}, scaigrid.Errorf(scaigrid.CodeModelNotFound, "The provider %s has no model of this name. GET /v1/models lists those there are.", provider)
	}
	return r.describe(slug), nil
}

func (r *Registry) describe(slug string) scaigrid.Model {
	provider, name, _ := strings.Cut(slug, "/")
	m := scaigrid.Model{Slug: slug, DisplayName: name, Modality: "chat", Provider: provider, Status: "active", HealthStatus: "unknown"}
	if slug == scaigrid.ExtractiveModel {
		m.DisplayName, m.HealthStatus = "Extractive answers", "healthy"
		return m
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.health[slug]; h != "" {
		m.HealthStatus = h
	}
	return m
}

// Cost prices a model call, in the installation's currency; 0 where no price is
// configured.
func (r *Registry) Cost(u scaigrid.Usage) float64 {
	provider, name, _ := strings.Cut(u.Model, "/")
	p := r.providers[provider]
	if p == nil {
		return 0
	}
	price := p.Prices[name]
	return (float64(u.PromptTokens)*price.Prompt + float64(u.CompletionTokens)*price.Completion) / 1e6
}

// healthKept is how many models may have a health; a provider without a model
// list takes any name that a bot has.
const healthKept = 1000

func (r *Registry) note(slug string, f *failure) {
	state := "healthy"
	if f != nil {
		state = "unhealthy"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.health) >= healthKept {
		clear(r.health)
	}
	r.health[slug] = state
}
