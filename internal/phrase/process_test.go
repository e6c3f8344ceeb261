// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
)

// A program is named by its executable; what it calls itself stands beside it
// where that is another name, and a title is never cut to its base name.
func TestName(t *testing.T) {
	for want, p := range map[string]*event.Process{
		"sleep (pid 7)":      {PID: 7, Comm: "sleep", Exe: "/usr/bin/sleep", Args: []string{"sleep", "60"}},
		"dash (pid 7)":       {PID: 7, Comm: "sh", Exe: "/usr/bin/dash", Args: []string{"sh", "-c", "x"}},
		"bash (pid 7)":       {PID: 7, Comm: "bash", Exe: "/usr/bin/bash", Args: []string{"-bash"}},
		"python3.11 (pid 7)": {PID: 7, Comm: "python3", Exe: "/usr/bin/python3.11", Args: []string{"/usr/bin/python3", "x.py"}},
		"python3.11 (calling itself gunicorn, pid 7)":   {PID: 7, Comm: "gunicorn", Exe: "/usr/bin/python3.11", Args: []string{"/usr/bin/python3", "/usr/bin/gunicorn"}},
		"sshd (calling itself sshd: root@pts/0, pid 7)": {PID: 7, Comm: "sshd", Exe: "/usr/sbin/sshd", Args: []string{"sshd: root@pts/0"}},
		"x (calling itself /usr/bin/kubelet, pid 7)":    {PID: 7, Comm: "x", Exe: "/tmp/x", Args: []string{"/usr/bin/kubelet"}},
		"x (calling itself runc, pid 7)":                {PID: 7, Comm: "runc", Exe: "/tmp/x", Args: []string{"./x"}},
		"busybox sleep (pid 7)":                         {PID: 7, Comm: "sleep", Exe: "/bin/busybox", Args: []string{"sleep", "1"}},
		"containerd-shim-runc-v2 (pid 7)":               {PID: 7, Comm: "containerd-shim", Exe: "/usr/bin/containerd-shim-runc-v2"},
		"server (pid 7)":                                {PID: 7, Comm: "server"},
		"java (pid 7)":                                  {PID: 7, Comm: "java", Exe: "/usr/lib/jvm/java (deleted)"},
	} {
		if got := Name(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
