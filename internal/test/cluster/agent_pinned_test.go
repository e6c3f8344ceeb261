// SPDX-License-Identifier: Apache-2.0

//go:build cluster && agent

package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// pinned has the agent pin below a BPF file system of the bed's.
const pinned = `  - patch: |
      apiVersion: apps/v1
      kind: DaemonSet
      metadata: {name: sigtrace, namespace: sigtrace}
      spec:
        template:
          spec:
            containers:
              - name: agent
                env:
                  - {name: SIGTRACE_PIN, value: /sys/fs/bpf/sigtrace}
            volumes:
              - name: bpffs
                hostPath: {path: "%s", type: Directory}
`

// privileged: the simple overlay takes the place of the other, with pins. A pod
// dies while there is no agent on the node; the next one reports it, once, from
// the pinned ring.
func (a *deployed) privileged(t *testing.T, book *podBook) {
	bpffs := filepath.Join(a.bed.Dir, "bpffs")
	if err := os.Mkdir(bpffs, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("bpf", bpffs, "bpf", 0, "mode=700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(bpffs, unix.MNT_DETACH) })
	a.kubectl(t, "apply", "-k", a.kustomization(t, "overlays/privileged", fmt.Sprintf(pinned, bpffs)))
	a.kubectl(t, "-n", "sigtrace", "rollout", "status", "daemonset/sigtrace", "--timeout=2m")
	s := &stage{T: t, bed: a.bed, book: book, name: "killed-unwatched"}
	defer s.tidy()
	s.create(app(heeds))
	v := s.running("app")
	a.onNodes(t, `{"nobody": "here"}`)
	eventually(t, "no agent is there", func() bool {
		return a.kubectl(t, "-n", "sigtrace", "get", "pods", "-o", "name") == ""
	})
	s.kill(s.pid(v))
	a.onNodes(t, `{"nobody": null}`)
	a.kubectl(t, "-n", "sigtrace", "rollout", "status", "daemonset/sigtrace", "--timeout=2m")
	eventually(t, "events.jsonl reports the death", func() bool { return len(a.kept(t, v)) > 0 })
	d := a.kept(t, v)[0]
	if d.Cause != "foreign_process" || !shellOfTheHost(v, d) {
		t.Errorf("%s by %+v: %s\n%s", d.Cause, d.Actor, d.Summary, details(d))
	}
	for _, other := range a.kept(t, v) {
		if other.ID != d.ID {
			t.Errorf("reported twice: %s and %s", d.ID, other.ID)
		}
	}
}

// onNodes changes the labels that the agent's nodes must have.
func (a *deployed) onNodes(t *testing.T, labels string) {
	t.Helper()
	a.kubectl(t, "-n", "sigtrace", "patch", "daemonset", "sigtrace", "--type=merge", "-p",
		fmt.Sprintf(`{"spec":{"template":{"spec":{"nodeSelector":%s}}}}`, labels))
}
