package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Provider is a place that answers prompts. In the file it is an entry of
// providers:.
type Provider struct {
	Name     string              `yaml:"name"`
	Type     string              `yaml:"type"`
	BaseURL  string              `yaml:"base_url"`
	APIKey   Secret              `yaml:"api_key"`
	Models   []string            `yaml:"models"`
	Fallback map[string][]string `yaml:"fallback"`
	Prices   map[string]Price    `yaml:"prices"`
}

// Price is what a model costs, in the installation's currency, for a million tokens.
type Price struct {
	Prompt     float64 `yaml:"prompt"`
	Completion float64 `yaml:"completion"`
}

// providerFields documents the entries of providers:, for the reference page.
var providerFields = []Setting{
	{Key: "name", Unit: "name", Doc: "The first part of the model's slug: groq makes groq/llama-3.3-70b. Lower-case letters, digits and hyphens; not scaigrid."},
	{Key: "type", Unit: "openai", Default: "openai", Doc: "The protocol. openai covers OpenAI, Azure, Mistral, Groq, OpenRouter, vLLM, Ollama, llama.cpp and LiteLLM."},
	{Key: "base_url", Unit: "URL", Doc: "Base address with its version path, for example http://127.0.0.1:11434/v1."},
	{Key: "api_key", Unit: "key", Doc: "The key. ${NAME} reads it from the environment variable NAME, which keeps it out of the file. Some local servers need none.", Secret: true},
	{Key: "models", Unit: "list of names", Doc: "The models that may be asked for. Without it, any name."},
	{Key: "fallback", Unit: "model: list of slugs", Doc: "For a model's name, the slugs (provider/model) that answer when it cannot, in order."},
	{Key: "prices", Unit: "model: {prompt, completion}", Doc: "For a model's name, its price for a million tokens. Conversations then show their cost."},
}

var (
	providerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	envReference = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)
)

// resolve reads api_key from the environment where it says so.
func (p *Provider) resolve(lookup func(string) (string, bool)) error {
	m := envReference.FindStringSubmatch(string(p.APIKey))
	if m == nil {
		return nil
	}
	v, ok := lookup(m[1])
	if !ok || v == "" {
		return fmt.Errorf("api_key: the environment variable %s is not set", m[1])
	}
	p.APIKey = Secret(strings.TrimSpace(v))
	return nil
}

// check says what is wrong with a provider, field by field.
func (p *Provider) check() []string {
	var bad []string
	switch {
	case !providerName.MatchString(p.Name):
		bad = append(bad, "name: must be 1–32 lower-case letters, digits and hyphens")
	case p.Name == "scaigrid":
		bad = append(bad, "name: scaigrid is the built-in answerer's; choose another")
	}
	switch p.Type {
	case "openai":
	case "anthropic":
		bad = append(bad, "type: anthropic is not available yet; use openai with a gateway that speaks its protocol")
	default:
		bad = append(bad, "type: must be openai")
	}
	if p.BaseURL == "" && p.Name != "openai" {
		bad = append(bad, "base_url: is required, for example http://127.0.0.1:11434/v1")
	}
	if p.BaseURL != "" {
		if err := checkURL(p.BaseURL); err != nil {
			bad = append(bad, "base_url: "+err.Error())
		}
	}
	for model, slugs := range p.Fallback {
		for _, s := range slugs {
			if provider, rest, ok := strings.Cut(s, "/"); !ok || provider == "" || rest == "" {
				bad = append(bad, fmt.Sprintf("fallback.%s: must list slugs such as openai/gpt-4o-mini", model))
			}
		}
	}
	for model, price := range p.Prices {
		if price.Prompt < 0 || price.Completion < 0 {
			bad = append(bad, fmt.Sprintf("prices.%s: must not be negative", model))
		}
	}
	return bad
}

// AllProviders lists the providers of the settings: openai first, where its
// key or address is set, then those of the file.
func (c *Config) AllProviders() []Provider {
	var out []Provider
	if c.OpenAIAPIKey != "" || c.OpenAIBaseURL != "" {
		out = append(out, Provider{Name: "openai", Type: "openai", BaseURL: c.OpenAIBaseURL, APIKey: c.OpenAIAPIKey, Models: c.OpenAIModels})
	}
	return append(out, c.Providers...)
}

func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("must be an http:// or https:// address")
	}
	if u.User != nil {
		return fmt.Errorf("must not hold a user or password")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("must end with the path, without ? or #")
	}
	return nil
}
