// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
)

// TestEveryProcessIsMasked fills each type of event by reflection, so that a field
// which is added to one is not forgotten: every process in it has a secret.
func TestEveryProcessIsMasked(t *testing.T) {
	for _, e := range []event.Event{&event.Signal{}, &event.OOM{}, &event.Exit{}, &event.Death{}, &event.Stuck{}, &event.Lost{}, &event.Status{}} {
		fill(reflect.ValueOf(e).Elem(), 0)
		before := asJSON(t, e)
		if strings.Contains(before, `"args"`) != holdsProcess(reflect.TypeOf(e).Elem()) {
			t.Errorf("%T was not filled: %s", e, before)
		}
		for name, masked := range map[string]event.Event{"MaskEvent": MaskEvent(e), "PublicEvent": PublicEvent(e, true)} {
			if text := asJSON(t, masked); strings.Contains(text, "S3cret") {
				at := strings.Index(text, "S3cret")
				t.Errorf("%s of %T shows a secret: …%s", name, e, text[max(0, at-200):at])
			}
		}
		if asJSON(t, e) != before {
			t.Errorf("%T was written to", e)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fillDepth is how deep processes are put into processes.
const fillDepth = 7

var processType = reflect.TypeFor[event.Process]()

// fill makes every pointer, and gives every list an element and every process
// arguments.
func fill(v reflect.Value, depth int) {
	if depth > fillDepth {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), depth+1)
			}
		}
		if v.Type() == processType {
			v.FieldByName("Args").Set(reflect.ValueOf([]string{"app", "--token", "S3cretAA"}))
		}
	}
}

func holdsProcess(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return holdsProcess(t.Elem())
	case reflect.Struct:
		if t == processType {
			return true
		}
		for i := range t.NumField() {
			if t.Field(i).IsExported() && holdsProcess(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}
