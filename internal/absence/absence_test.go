// SPDX-License-Identifier: Apache-2.0

package absence

import (
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

var appID = strings.Repeat("ab", 32)

func ended(id string, seconds float64, code int, reason string) container.Past {
	return container.Past{
		Info: container.Info{ID: id, Name: "app", Runtime: "containerd", Pod: &event.Pod{Namespace: "shop", Name: "web-0"}},
		End:  container.End{Reason: reason, ExitCode: code, Time: at(seconds)},
	}
}

func oom(pid int, seconds float64, id string) event.KernelOOM {
	return event.KernelOOM{
		PID: pid, Comm: "java", Cgroup: true, Time: at(seconds), SinceBoot: time.Duration(seconds * 1e9),
		VictimCgroup: "/kubepods/burstable/pod0a1b2c3d-0000-0000-0000-000000000000/" + id,
	}
}

// The absence is from 12:00:00 to 12:01:00.
func TestEnds(t *testing.T) {
	other := strings.Repeat("cd", 32)
	for name, c := range map[string]struct {
		containers []container.Past
		ooms       []event.KernelOOM
		written    []Written
		want       []string // source, and the log's pid if any
	}{
		"nothing":                    {},
		"a container":                {containers: []container.Past{ended(appID, 30, 3, "Error")}, want: []string{"containerd"}},
		"long before":                {containers: []container.Past{ended(appID, -60, 3, "Error")}},
		"after, as the hooks saw it": {containers: []container.Past{ended(appID, 70, 3, "Error")}},
		"just before it was last seen, and written": {
			containers: []container.Past{ended(appID, -5, 3, "Error")},
			written:    []Written{{ID: "x", Time: at(-5), PID: 7, Container: appID, Init: true}},
		},
		"another process of it was written": {
			containers: []container.Past{ended(appID, 30, 3, "Error")},
			written:    []Written{{ID: "x", Time: at(-5), PID: 7, Container: appID}},
			want:       []string{"containerd"},
		},
		"reported at an earlier start": {
			containers: []container.Past{ended(appID, 30, 3, "Error")}, ooms: []event.KernelOOM{oom(9, 20, other)},
			written: []Written{{ID: containerID(ended(appID, 0, 0, ""))}, {ID: Account{BootID: "b"}.oomID(oom(9, 20, other))}},
		},
		"killed for memory, both say so": {
			containers: []container.Past{ended(appID, 30, 137, "OOMKilled")}, ooms: []event.KernelOOM{oom(9, 29.5, appID)},
			want: []string{"containerd 9"},
		},
		"its child was killed for memory, and it ended otherwise": {
			containers: []container.Past{ended(appID, 30, 1, "Error")}, ooms: []event.KernelOOM{oom(9, 29.5, appID)},
			want: []string{"kernel log 9", "containerd"},
		},
		"killed for memory before, then ended with 137": {
			containers: []container.Past{ended(appID, 50, 137, "Error")}, ooms: []event.KernelOOM{oom(9, 10, appID)},
			want: []string{"kernel log 9", "containerd"},
		},
		"a kill that was written": {
			ooms: []event.KernelOOM{oom(9, 1, other)}, written: []Written{{ID: "x", Time: at(1.2), PID: 9}},
		},
		"the pid was another's": {
			ooms: []event.KernelOOM{oom(9, 20, other)}, written: []Written{{ID: "x", Time: at(1.2), PID: 9}}, want: []string{"kernel log 9"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Ends(Account{
				Since: noon, Until: at(60), BootID: "b", Containers: c.containers, OOMs: c.ooms, Written: c.written,
				Boottime: func(t time.Time) uint64 { return uint64(t.Sub(noon.Add(-time.Hour))) },
			})
			var listed []string
			ids := map[string]bool{}
			for _, x := range got {
				text := x.Absent.Source
				if x.Absent.Log != nil {
					text += " 9"
				}
				listed = append(listed, text)
				if ids[x.Absent.ID] || x.Absent.ID == "" {
					t.Errorf("id %q twice", x.Absent.ID)
				}
				ids[x.Absent.ID] = true
			}
			if strings.Join(listed, ", ") != strings.Join(c.want, ", ") {
				t.Errorf("got %v, want %v", listed, c.want)
			}
		})
	}
}
