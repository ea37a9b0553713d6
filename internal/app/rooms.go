package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/scailabs/scaigrid/internal/auth"
	"github.com/scailabs/scaigrid/internal/config"
	"github.com/scailabs/scaigrid/internal/httpapi"
	"github.com/scailabs/scaigrid/internal/knowledge"
	"github.com/scailabs/scaigrid/internal/llm"
	"github.com/scailabs/scaigrid/internal/llm/extractive"
	"github.com/scailabs/scaigrid/internal/turn"
)

// indexMemory bounds the indexes that are kept in memory, in bytes.
const indexMemory = 64 << 20

// openRooms builds the rooms on top of the database.
func (h *hall) openRooms(ctx context.Context) (err error) {
	secret, err := auth.LoadSecretFile(secretPath(&h.cfg.Config))
	if err != nil {
		return err
	}
	if h.guard, err = auth.Open(ctx, auth.Options{Store: h.store, Secret: secret, Clock: h.clock, Log: h.log}); err != nil {
		return err
	}
	if h.models, err = llm.New(llm.Options{Providers: providers(&h.cfg.Config), Extractive: extractive.New(), Log: h.log}); err != nil {
		return err
	}
	h.library = knowledge.NewLibrary(h.store, indexMemory)
	h.worker = knowledge.NewWorker(knowledge.WorkerOptions{Desk: h.store, Log: h.log, Clock: h.clock, Node: h.node})
	h.metrics = newMetrics()
	h.limits = httpapi.NewLimits(limits(&h.cfg.Config), h.store, h.clock)
	h.turns = turn.New(turn.Options{
		Store: h.store, Library: h.library, Models: h.models, Limits: h.limits,
		OriginAllowed: auth.OriginAllowed, HashKey: auth.HashVisitorKey, Cost: h.models.Cost, Observe: h.metrics.Turn,
		Log: h.log, Clock: h.clock, Node: h.node,
	})
	return nil
}

func newMetrics() *httpapi.Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return httpapi.NewMetrics(registry)
}

// providers hands the settings' providers to the room of models, which knows
// no settings.
func providers(cfg *config.Config) []llm.Provider {
	var out []llm.Provider
	for _, p := range cfg.AllProviders() {
		prices := make(map[string]llm.Price, len(p.Prices))
		for name, price := range p.Prices {
			prices[name] = llm.Price(price)
		}
		out = append(out, llm.Provider{
			Name: p.Name, Type: p.Type, BaseURL: p.BaseURL, APIKey: llm.Key(p.APIKey.Reveal()),
			Models: p.Models, Fallback: p.Fallback, Prices: prices,
		})
	}
	return out
}

func limits(cfg *config.Config) httpapi.LimitSettings {
	return httpapi.LimitSettings{
		Off: !bool(cfg.Limits), KeyMinute: cfg.LimitKeyMinute, UserMinute: cfg.LimitUserMinute, TenantMinute: cfg.LimitTenantMinute,
		MintMinute: cfg.LimitMintMinute, VisitorMinute: cfg.LimitVisitorMinute, VisitorDay: cfg.LimitVisitorDay,
		AddressMinute: cfg.LimitAddressMinute, AnonymousMinute: cfg.LimitAnonymousMinute, TokenMinute: cfg.LimitTokenMinute,
		BotDailyTurns: cfg.LimitBotDailyTurns, BotDailyTokens: cfg.LimitBotDailyTokens,
	}
}

// settleWithin bounds how long a start waits for the database to settle what
// an earlier process left.
const settleWithin = 30 * time.Second
