// SPDX-License-Identifier: Apache-2.0

package container

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Docker restarts a container under its id, between two lists: its init is
// another one then, and asked for.
func TestCgroupMadeAgain(t *testing.T) {
	id := strings.Repeat("ab", 32)
	path := "/system.slice/docker-" + id + ".scope"
	d := NewDirectory(slog.New(slog.DiscardHandler))
	d.store.put(Info{ID: id, Name: "web", Runtime: RuntimeDocker, State: StateRunning, PID: 100, Image: "nginx", StopSignal: "SIGQUIT"}, 1, time.Now())
	d.CgroupCreated(path + "/inner")
	if info, _ := d.Cached(path); info.PID != 100 || info.Wanting() {
		t.Errorf("a cgroup inside is no restart: pid %d", info.PID)
	}
	d.CgroupCreated(path)
	if info, _ := d.Cached(path); info.PID != 0 || !info.Wanting() || info.Name != "web" {
		t.Errorf("pid %d, name %q, asks again: %v", info.PID, info.Name, info.Wanting())
	}
}
