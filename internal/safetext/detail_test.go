// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
)

// What only recordings hold of a process is in no output, however deep the process.
func TestNoDetailOfAProcessIsPublic(t *testing.T) {
	for _, e := range []event.Event{&event.Signal{}, &event.OOM{}, &event.Exit{}, &event.Death{}, &event.Stuck{}} {
		fill(reflect.ValueOf(e).Elem(), 0)
		if before := asJSON(t, e); !strings.Contains(before, `"place"`) {
			t.Errorf("%T was not filled: %s", e, before)
		}
		for _, mask := range []bool{true, false} {
			text := asJSON(t, PublicEvent(e, mask))
			for _, field := range []string{`"detail"`, `"place"`, `"tracer"`, `"present_ancestors"`} {
				if strings.Contains(text, field) {
					t.Errorf("%T shows %s", e, field)
				}
			}
		}
	}
}
