package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Setting is the documentation of one setting.
type Setting struct {
	Key     string // in scaigrid.yaml
	Flag    string // without the leading dashes
	Env     string
	Default string // "" where there is none
	Unit    string
	Group   string
	Doc     string
	Secret  bool

	field any // pointer into a Config
}

// Switch is a setting that is on or off.
type Switch bool

// String is "on" or "off".
func (s Switch) String() string {
	if s {
		return "on"
	}
	return "off"
}

// Settings lists every setting but providers, in the order of the reference.
func Settings() []Setting { return settings(&Config{}) }

// named fills in what follows from the key.
func (s Setting) named() Setting {
	s.Flag = strings.ReplaceAll(s.Key, "_", "-")
	if s.Env == "" {
		s.Env = "SCAIGRID_" + strings.ToUpper(s.Key)
	}
	_, s.Secret = s.field.(*Secret)
	return s
}

// set parses text into the setting's field. The error says what the value must
// be, and does not repeat the value.
func (s *Setting) set(text string) error {
	text = strings.TrimSpace(text)
	switch p := s.field.(type) {
	case *string:
		*p = text
	case *Secret:
		*p = Secret(text)
	case *Switch:
		on, err := parseSwitch(text)
		if err != nil {
			return err
		}
		*p = Switch(on)
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("must be a whole number")
		}
		*p = n
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("must be a duration such as 25s or 2m")
		}
		*p = d
	case *[]string:
		*p = splitList(text)
	case *[]netip.Prefix:
		nets, err := parseNetworks(text)
		if err != nil {
			return err
		}
		*p = nets
	default:
		panic(fmt.Sprintf("config: the field of %s has a type that no text can set", s.Key))
	}
	return nil
}

// text is the value of the setting's field, as it could be written in the
// file; secrets are hidden.
func (s *Setting) text() string {
	switch p := s.field.(type) {
	case *string:
		return *p
	case *Secret:
		if s.Key == "database_url" && *p != "" {
			return shownURL(p.Reveal())
		}
		return p.String()
	case *Switch:
		return p.String()
	case *int:
		return strconv.Itoa(*p)
	case *time.Duration:
		return p.String()
	case *[]string:
		return strings.Join(*p, ", ")
	case *[]netip.Prefix:
		parts := make([]string, len(*p))
		for i, n := range *p {
			parts[i] = n.String()
		}
		return strings.Join(parts, ", ")
	}
	return ""
}

func parseSwitch(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "on", "true", "yes", "1":
		return true, nil
	case "off", "false", "no", "0":
		return false, nil
	}
	return false, fmt.Errorf("must be on or off")
}

// splitList reads "a, b c" as three entries.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
}

func parseNetworks(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for i, part := range splitList(text) {
		if p, err := netip.ParsePrefix(part); err == nil {
			out = append(out, p.Masked())
			continue
		}
		a, err := netip.ParseAddr(part)
		if err != nil {
			return nil, fmt.Errorf("must be addresses or networks such as 10.0.0.0/8; entry %d is neither", i+1)
		}
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
	}
	return out, nil
}
