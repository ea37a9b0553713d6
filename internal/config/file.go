package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// fileValue is a setting as the file gives it.
type fileValue struct {
	text   string
	source string // "scaigrid.yaml line 3"
}

// parseFile reads a settings file. Nothing in a problem repeats the file's
// text, since it may hold keys.
func parseFile(name string, data []byte) (map[string]fileValue, []Provider, Problems) {
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, nil, Problems{fmt.Sprintf("%s is not YAML: %s", name, YAMLError(err))}
	}
	values := map[string]fileValue{}
	var providers []Provider
	var bad Problems
	known := map[string]bool{}
	names := []string{"providers"}
	for _, s := range Settings() {
		known[s.Key] = true
		names = append(names, s.Key)
	}
	for _, doc := range f.Docs {
		pairs, ok := topLevel(doc.Body)
		if !ok {
			return nil, nil, Problems{fmt.Sprintf("%s must be a list of lines such as addr: 127.0.0.1:8000", name)}
		}
		for _, kv := range pairs {
			key, line := kv.Key.GetToken().Value, kv.Key.GetToken().Position.Line
			at := fmt.Sprintf("%s line %d", name, line)
			switch {
			case values[key].source != "":
				bad = append(bad, fmt.Sprintf("%s: %s is set twice, first by %s", at, key, values[key].source))
			case key == "providers":
				values[key] = fileValue{source: at}
				p, problems := parseProviders(kv.Value, at)
				providers, bad = append(providers, p...), append(bad, problems...)
			case !known[key]:
				bad = append(bad, unknownKey(at, key, names))
			default:
				text, err := scalar(kv.Value)
				if err != nil {
					bad = append(bad, fmt.Sprintf("%s: %s %s", at, key, err))
					continue
				}
				values[key] = fileValue{text: text, source: at}
			}
		}
	}
	delete(values, "providers")
	return values, providers, bad
}

func topLevel(body ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := body.(type) {
	case nil:
		return nil, true
	case *ast.NullNode, *ast.CommentGroupNode:
		return nil, true
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// scalar reads a value, or a list of values, as the text that a flag would have.
func scalar(n ast.Node) (string, error) {
	switch v := n.(type) {
	case *ast.NullNode:
		return "", nil
	case *ast.StringNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return strings.TrimSpace(v.Value.Value), nil
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, nil
	case *ast.SequenceNode:
		parts := make([]string, len(v.Values))
		for i, item := range v.Values {
			if _, nested := item.(*ast.SequenceNode); nested {
				return "", errors.New("must not be a list of lists")
			}
			text, err := scalar(item)
			if err != nil {
				return "", err
			}
			parts[i] = text
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("must be a single value")
}

func parseProviders(n ast.Node, at string) ([]Provider, Problems) {
	var out []Provider
	if _, null := n.(*ast.NullNode); null {
		return nil, nil
	}
	if _, list := n.(*ast.SequenceNode); !list {
		return nil, Problems{at + ": providers must be a list, each entry beginning with - name:"}
	}
	if err := yaml.NodeToValue(n, &out, yaml.Strict()); err != nil {
		return nil, Problems{fmt.Sprintf("%s: providers: %s", at, YAMLError(err))}
	}
	for i := range out {
		if out[i].Type == "" {
			out[i].Type = "openai"
		}
	}
	return out, nil
}

func unknownKey(at, key string, names []string) string {
	msg := fmt.Sprintf("%s: there is no setting %q", at, clip(key))
	if near := nearest(key, names); near != "" {
		return msg + "; did you mean " + near + "?"
	}
	return msg
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
