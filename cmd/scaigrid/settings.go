package main

import (
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/scailabs/scaigrid/internal/config"
)

// flagSet is a struct, made at start from the table of settings, whose fields
// the command line parser fills.
type flagSet struct {
	settings []config.Setting
	target   reflect.Value // pointer to the struct; each field a *string
}

// isCommon picks the settings that every command takes.
func isCommon(s config.Setting) bool {
	switch s.Key {
	case "data_dir", "database_url", "secret_file", "log_level", "log_format":
		return true
	}
	return false
}

// isServers picks those that matter to the server alone.
func isServers(s config.Setting) bool { return !isCommon(s) }

func newFlagSet(pick func(config.Setting) bool) *flagSet {
	f := &flagSet{}
	var fields []reflect.StructField
	for _, s := range config.Settings() {
		if !pick(s) {
			continue
		}
		f.settings = append(f.settings, s)
		fields = append(fields, reflect.StructField{
			Name: exported(s.Key), Type: reflect.TypeFor[*string](), Tag: flagTag(s),
		})
	}
	f.target = reflect.New(reflect.StructOf(fields))
	return f
}

func exported(key string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(key, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func flagTag(s config.Setting) reflect.StructTag {
	quote := func(text string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", "$$").Replace(text) }
	help, _, _ := strings.Cut(s.Doc, ". ")
	help = strings.TrimSuffix(help, ".") + "."
	if s.Default != "" {
		help += " Default: " + s.Default + "."
	}
	placeholder := strings.ToUpper(strings.Fields(s.Unit)[0])
	return reflect.StructTag(`name:"` + s.Flag + `" help:"` + quote(help) + `" placeholder:"` + quote(placeholder) + `" group:"` + s.Group + ` settings"`)
}

// given are the flags that stood on the command line, by key.
func (f *flagSet) given(into map[string]string) {
	for i, s := range f.settings {
		if p, ok := f.target.Elem().Field(i).Interface().(*string); ok && p != nil {
			into[s.Key] = *p
		}
	}
}

func (c *cli) addSettings(common, server *flagSet) {
	c.Common = kong.Plugins{common.target.Interface()}
	all := kong.Plugins{server.target.Interface()}
	c.Serve.Settings = all
}
