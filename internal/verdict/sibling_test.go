// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// A wrapper that sends itself what its child has just died of (sudo, timeout) is not
// proven to have had a reason of its own; one whose child died of another signal is.
func TestWrapperTakesItsChildsFate(t *testing.T) {
	for _, c := range []struct {
		child unix.Signal
		want  event.Confidence
		hops  int
	}{{unix.SIGKILL, event.Likely, 3}, {unix.SIGSEGV, event.Proven, 0}} {
		w := newWorld(t, Options{})
		killer := proc(5, "kill", systemd)
		sudo := proc(10, "sudo", systemd)
		child := proc(11, "worker", sudo, systemd)
		w.signal(1000, c.child, child, from(killer))
		w.exit(1001, child, 128+int(c.child))
		w.signal(1047, unix.SIGKILL, sudo, from(sudo))
		w.exit(1048, sudo, 137)
		d := w.deaths(2000)[10]
		expect(t, d, event.CauseSelfSignal, c.want, sudo)
		if len(d.Chain) != c.hops || c.hops > 0 && !strings.Contains(d.Summary, "after its child worker (pid 11) was killed by SIGKILL") {
			t.Errorf("%d hops: %s", len(d.Chain), d.Summary)
		}
	}
}
