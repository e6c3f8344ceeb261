// SPDX-License-Identifier: Apache-2.0

//go:build cluster && agent

package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// deployed is the agent's DaemonSet in a bed.
type deployed struct {
	bed *testBed
	// postmortem is the directory of its files on the host.
	postmortem string
	metrics    string
}

// patched is what a bed is different in from a node: pods have the host's
// network, its runtime's socket and its postmortem files lie in its directory,
// and what else this machine does is none of its business.
const patched = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [%[1]s]
patches:
  - patch: |
      apiVersion: apps/v1
      kind: DaemonSet
      metadata: {name: sigtrace, namespace: sigtrace}
      spec:
        template:
          spec:
            hostNetwork: true
            containers:
              - name: agent
                imagePullPolicy: Never
                env:
                  - {name: SIGTRACE_METRICS_ADDR, value: "%[3]s"}
                  - {name: SIGTRACE_CRI_ENDPOINT, value: "%[4]s"}
                  - {name: SIGTRACE_CGROUP, value: "%[5]s"}
                  - {name: SIGTRACE_DOCKER_HOST, value: "off"}
                volumeMounts:
                  - {name: runtime, mountPath: /run/containerd, $patch: delete}
                  - {name: runtime, mountPath: "%[2]s", readOnly: true}
                  - {name: var-log, mountPath: /var/log, $patch: delete}
                  - {name: var-log, mountPath: /var/log/pods, readOnly: true}
            volumes:
              - name: var-log
                hostPath: {path: /var/log/pods, type: Directory}
              - name: runtime
                hostPath: {path: "%[2]s", type: Directory}
              - name: postmortem
                hostPath: {path: "%[6]s", type: DirectoryOrCreate}
`

const deployDir = "../../../deploy"

// deployAgent builds the image, imports it, has the API server look at both
// overlays, and rolls the default one out.
func deployAgent(t *testing.T, b *testBed) *deployed {
	t.Helper()
	a := &deployed{bed: b, postmortem: filepath.Join(b.Dir, "postmortem"), metrics: b.Address + ":9466"}
	archive := strings.TrimSpace(run(t, filepath.Join(deployDir, "build-image"), runtime.GOARCH))
	run(t, "ctr", "-a", b.CRISocket, "-n", "k8s.io", "images", "import", "--no-unpack", archive)
	dir := a.kustomization(t, "overlays/least-privilege", "")
	// A dry run keeps nothing: the objects need their namespace beforehand.
	a.kubectl(t, "apply", "-f", filepath.Join(deployDir, "base/namespace.yaml"))
	for _, overlay := range []string{"overlays/least-privilege", "overlays/privileged"} {
		a.kubectl(t, "apply", "--dry-run=server", "-k", filepath.Join(deployDir, overlay))
	}
	a.kubectl(t, "apply", "--dry-run=server", "-k", dir)
	a.kubectl(t, "apply", "-k", dir)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the agent's pod:\n%s\n%s", a.said("-n", "sigtrace", "describe", "pods"),
				a.said("-n", "sigtrace", "logs", "daemonset/sigtrace", "--tail=40"))
		}
	})
	a.kubectl(t, "-n", "sigtrace", "rollout", "status", "daemonset/sigtrace", "--timeout=2m")
	return a
}

// kustomization is that of an overlay, patched for the bed, and with more.
func (a *deployed) kustomization(t *testing.T, overlay, more string) string {
	t.Helper()
	dir := t.TempDir()
	here, err := filepath.Abs(filepath.Join(deployDir, overlay))
	if err != nil {
		t.Fatal(err)
	}
	from, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	base, err := filepath.Rel(from, here)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(patched, base, a.bed.Dir, a.metrics, a.bed.CRISocket, a.bed.CgroupRoot, a.postmortem) + more
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (a *deployed) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, a.bed.Kubectl, append([]string{"--kubeconfig", a.bed.Kubeconfig}, args...)...)
}

// said is for looking at what has failed.
func (a *deployed) said(args ...string) string {
	out, _ := exec.Command(a.bed.Kubectl, append([]string{"--kubeconfig", a.bed.Kubeconfig}, args...)...).CombinedOutput()
	return string(out)
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	var complaint bytes.Buffer
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out, &complaint)
	}
	return string(out)
}

// deaths are the death records in JSON lines; every line must be an object of the
// schema, but for the last one of a file that is being written.
func deaths(t *testing.T, where string, lines []byte) []death {
	t.Helper()
	var all []death
	for line := range bytes.Lines(lines) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			continue
		}
		var d struct {
			death
			Schema string `json:"schema"`
		}
		if err := json.Unmarshal(line, &d); err != nil || d.Schema != "sigtrace/v1" {
			t.Errorf("%s: no event: %v: %s", where, err, line)
			continue
		}
		if d.Type == "death" {
			all = append(all, d.death)
		}
	}
	return all
}

// logged are the records of a victim's death in kubectl logs, in order.
func (a *deployed) logged(t *testing.T, v victim) []death {
	t.Helper()
	return of(a.allLogged(t), v.is)
}

// allLogged reads kubectl logs, where the agent's own log lines stand between the
// events.
func (a *deployed) allLogged(t *testing.T) []death {
	t.Helper()
	var events bytes.Buffer
	for line := range strings.Lines(a.kubectl(t, "-n", "sigtrace", "logs", "daemonset/sigtrace")) {
		if strings.HasPrefix(line, "{") {
			events.WriteString(line)
		}
	}
	return deaths(t, "kubectl logs", events.Bytes())
}

func of(all []death, match func(death) bool) []death {
	var hits []death
	for _, d := range all {
		if d.Process != nil && match(d) {
			hits = append(hits, d)
		}
	}
	return hits
}

// same compares two tellings of one death.
func same(t *testing.T, where string, got, want death) {
	t.Helper()
	if got.ID != want.ID || got.Cause != want.Cause || got.Summary != want.Summary || actorOf(got) != actorOf(want) {
		t.Errorf("%s reports\n\t%s %s by %s: %s\nthe log\n\t%s %s by %s: %s", where,
			got.ID, got.Cause, actorOf(got), got.Summary, want.ID, want.Cause, actorOf(want), want.Summary)
	}
}

func actorOf(d death) string {
	if d.Actor == nil {
		return "nobody"
	}
	return fmt.Sprintf("%s(%d)", d.Actor.Comm, d.Actor.PID)
}
