// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
)

// TestLogFields: each field and each type of event that the example of log
// shipping asks for is one that the agent writes. (Vector itself is in no Debian,
// so its own check is not made here.)
func TestLogFields(t *testing.T) {
	var config struct {
		DataDir    string `json:"data_dir"`
		Sources    map[string]any
		Sinks      map[string]any
		Transforms map[string]struct {
			Type   string
			Inputs []string
			Source string
			Route  map[string]string
		}
	}
	readYAML(t, "logs/vector.yaml", &config)
	// What the transforms make themselves or take from Vector.
	own := []string{"message", "timestamp", "labels"}
	checked := 0
	for name, transform := range config.Transforms {
		programs := []string{transform.Source}
		for _, condition := range transform.Route {
			programs = append(programs, condition)
		}
		text := strings.Join(programs, "\n")
		for _, m := range regexp.MustCompile(`(?:^|[\s(,!])\.([a-z_]+(?:\.[a-z_]+)*)`).FindAllStringSubmatch(text, -1) {
			path := strings.Split(m[1], ".")
			if slices.Contains(own, path[0]) {
				continue
			}
			checked++
			if !written(path) {
				t.Errorf("%s: no event has a field %s", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`includes\(\[(.*?)\]`).FindAllStringSubmatch(text, -1) {
			for _, kind := range strings.Split(m[1], ",") {
				kind = strings.Trim(kind, ` "`)
				if kind != "agent" && !slices.Contains(event.Types(), event.Type(kind)) {
					t.Errorf("%s: no event is of the type %s", name, kind)
				}
			}
		}
	}
	if checked < 5 {
		t.Errorf("only %d fields were found", checked)
	}
}

// written reports whether an event has the field of a path of JSON names.
func written(path []string) bool {
	for _, e := range []any{event.Death{}, event.OOM{}, event.Signal{}, event.Stuck{}} {
		if has(reflect.TypeOf(e), path) {
			return true
		}
	}
	return false
}

func has(t reflect.Type, path []string) bool {
	if len(path) == 0 {
		return true
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == path[0] && has(f.Type, path[1:]) || f.Anonymous && name == "" && has(f.Type, path) {
			return true
		}
	}
	return false
}
