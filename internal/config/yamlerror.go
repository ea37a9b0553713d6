package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

// YAMLError says in a line what is wrong with a YAML file and where. It leaves
// out the excerpt that the parser would print, since a key may stand nearby,
// and the names that only a programmer knows.
func YAMLError(err error) string {
	var e yaml.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	message := e.GetMessage()
	var wrong *yaml.TypeError
	var expected *yaml.UnexpectedNodeTypeError
	var overflow *yaml.OverflowError
	switch {
	case errors.As(err, &wrong):
		message = "must be " + kindOf(wrong.DstType)
	case errors.As(err, &overflow):
		message = "is out of range"
	case errors.As(err, &expected):
		message = fmt.Sprintf("must be a %s, not a %s", expected.Expected.YAMLName(), expected.Actual.YAMLName())
	}
	if t := e.GetToken(); t != nil && t.Position != nil {
		return fmt.Sprintf("line %d: %s%s", t.Position.Line, fieldBefore(t, wrong != nil), strings.TrimSpace(message))
	}
	return message
}

// fieldBefore names the field whose value stands at t.
func fieldBefore(t *token.Token, wanted bool) string {
	if !wanted || t.Prev == nil || t.Prev.Type != token.MappingValueType || t.Prev.Prev == nil {
		return ""
	}
	return clip(t.Prev.Prev.Value) + " "
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a group of lines such as name: value"
	default:
		return "a text"
	}
}
