package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// FileName is the settings file that is read where no other is named, if it exists.
const FileName = "scaigrid.yaml"

// Input is where settings come from.
type Input struct {
	Flags   map[string]string // by key; those that were given
	Environ []string          // as os.Environ gives it
	File    string            // --config; "" for SCAIGRID_CONFIG, then FileName
}

// Loaded is a configuration and where it came from.
type Loaded struct {
	Config
	File     string            // the file that was read; "" for none
	Sources  map[string]string // key → "--addr", "SCAIGRID_ADDR" or "scaigrid.yaml line 3"; absent: the default
	Warnings []string          // things that are likely mistakes but do no harm
}

// Problems is everything that is wrong with a configuration, one line each.
type Problems []string

func (p Problems) Error() string {
	if len(p) == 1 {
		return "a setting is wrong: " + p[0]
	}
	return fmt.Sprintf("%d settings are wrong:\n  %s", len(p), strings.Join(p, "\n  "))
}

// Load reads the settings: a flag before the environment, the environment
// before the file, the file before the default. The error is Problems, or says
// that the file cannot be read.
func Load(in Input) (*Loaded, error) {
	env := environment(in.Environ)
	l := &Loaded{Sources: map[string]string{}}
	var bad Problems
	file, err := l.readFile(in.File, env, &bad)
	if err != nil {
		return nil, err
	}
	for _, s := range settings(&l.Config) {
		text, source := s.Default, ""
		if v, ok := file[s.Key]; ok {
			text, source = v.text, v.source
		}
		if v, ok := env[s.Env]; ok && strings.TrimSpace(v) != "" {
			text, source = v, s.Env
		}
		if v, ok := in.Flags[s.Key]; ok {
			text, source = v, "--"+s.Flag
		}
		if source != "" {
			l.Sources[s.Key] = source
		}
		if text == "" {
			continue
		}
		if err := s.set(text); err != nil {
			bad = append(bad, l.complaint(s.Key, err.Error()))
		}
	}
	l.PublicURL = strings.TrimRight(l.PublicURL, "/")
	if len(bad) == 0 {
		bad = l.validate()
	}
	l.Warnings = append(l.Warnings, unknownVariables(env)...)
	if len(bad) > 0 {
		return l, bad
	}
	return l, nil
}

// complaint names the setting, what it must be, and who set it.
func (l *Loaded) complaint(key, what string) string {
	source, ok := l.Sources[key]
	if !ok {
		return fmt.Sprintf("%s %s", key, what)
	}
	return fmt.Sprintf("%s %s (set by %s)", key, what, source)
}

// readFile reads the settings file, where there is one. A file that was named
// must exist.
func (l *Loaded) readFile(name string, env map[string]string, bad *Problems) (map[string]fileValue, error) {
	named := "--config"
	if name == "" {
		name, named = env["SCAIGRID_CONFIG"], "SCAIGRID_CONFIG"
	}
	if name == "" {
		name, named = FileName, ""
	}
	data, err := os.ReadFile(name) //nolint:gosec // the operator names his own file
	if errors.Is(err, fs.ErrNotExist) && named == "" {
		return nil, nil
	}
	if err != nil {
		if named == "" {
			return nil, fmt.Errorf("the settings file %s can't be read: %w", name, bare(err))
		}
		return nil, fmt.Errorf("the settings file %s (named by %s) can't be read: %w", name, named, bare(err))
	}
	l.File = name
	values, providers, problems := parseFile(name, data)
	*bad = append(*bad, problems...)
	for i := range providers {
		p := &providers[i]
		if err := p.resolve(func(k string) (string, bool) { v, ok := env[k]; return v, ok }); err != nil {
			*bad = append(*bad, fmt.Sprintf("providers[%d].%s (%s)", i, err, name))
		}
	}
	l.Providers = providers
	return values, nil
}

// bare leaves out the operation and path that os errors repeat.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, kv := range list {
		if k, v, ok := strings.Cut(kv, "="); ok {
			env[k] = v
		}
	}
	return env
}

// clientVariables are read by the programs of those who use a server, as the
// tutorial's samples do, and are no settings of it.
var clientVariables = []string{"SCAIGRID_CONFIG", "SCAIGRID_HOST", "SCAIGRID_API_KEY"}

// unknownVariables warns of SCAIGRID_ variables that set nothing: most are
// spelling mistakes.
func unknownVariables(env map[string]string) []string {
	known := slices.Clone(clientVariables)
	for _, s := range Settings() {
		known = append(known, s.Env)
	}
	var out []string
	for k := range env {
		if !strings.HasPrefix(k, "SCAIGRID_") || slices.Contains(known, k) || strings.HasPrefix(k, "SCAIGRID_TEST_") {
			continue
		}
		w := k + " is no setting and was ignored"
		if near := nearest(k, known); near != "" {
			w += "; did you mean " + near + "?"
		}
		out = append(out, w)
	}
	slices.Sort(out)
	return out
}
