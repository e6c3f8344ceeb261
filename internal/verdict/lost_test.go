// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Where events were dropped, a supervisor that ended its child may have been asked
// to: what asked it may be among them. A stranger cannot have been a forwarder.
func TestDroppedRequests(t *testing.T) {
	for name, c := range map[string]struct {
		lane   string
		parent bool
		at     uint64
		want   event.Confidence
	}{
		"its parent":             {"critical", true, 9000, event.Likely},
		"a stranger":             {"critical", false, 9000, event.Proven},
		"routine events":         {"routine", true, 9000, event.Proven},
		"long before":            {"critical", true, 100, event.Proven},
		"nothing":                {"", true, 0, event.Proven},
		"its parent, vital ones": {"vital", true, 9000, event.Likely},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			killer := proc(5, "supervisor")
			p := proc(10, "worker", systemd)
			if c.parent {
				p = proc(10, "worker", killer)
			}
			if c.lane != "" {
				h := head(event.TypeLost, c.at)
				w.e.Lost(&event.Lost{Header: h, Lane: c.lane, Count: 3, Since: h.Time.Add(-50 * time.Millisecond)})
			}
			w.signal(70_000-61_000*b2u(c.at == 9000), unix.SIGKILL, p, from(killer))
			w.exit(70_010-61_000*b2u(c.at == 9000), p, 137)
			expect(t, w.death(80_000), event.CauseForeignProcess, c.want, killer)
		})
	}
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
