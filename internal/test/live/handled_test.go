// SPDX-License-Identifier: Apache-2.0

package live

import "testing"

// TestHandled lets processes handle signals that do not ask them to end, while a
// sigtrace watches that is not to print such signals: the kernel side keeps them, and
// they reach the verdict with the exit.
func TestHandled(t *testing.T) {
	w := watch(t, "--type", "signal,oom,death")
	b := &board{}
	for _, line := range []string{
		"abort-exit", "abort-later", "abort-outlived", "usr1-exit", "usr1-wait", "usr1-success", "usr1-later",
		"alarm-exit", "fault-abort", "fault-faults-abort", "fault-exit", "faults-exit", "reload",
	} {
		t.Run(line, func(t *testing.T) {
			said := zoo(t, line)
			b.check(t, w, line, said, said.Victim, expected(line))
			if said.Status.Signal != 0 {
				return // what ended it is printed
			}
			if printed := w.find(func(e event) bool { return e.Type == "signal" && pidOf(e.Target) == said.Victim }); len(printed) > 0 {
				t.Errorf("a handled signal was printed: %s", printed[0])
			}
		})
	}
	b.print(t)
	w.stop()
}
