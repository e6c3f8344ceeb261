// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// What a unit named kubelet has written to a real journal is found there by the
// real journalctl, and is the reason of the stop that follows.
func TestDaemonKubeletsJournal(t *testing.T) {
	inGuest(t)
	need(t, "systemd-run", "journalctl")
	say := filepath.Join(t.TempDir(), "say")
	if err := unix.Mkfifo(say, 0o600); err != nil {
		t.Fatal(err)
	}
	service(t, "kubelet", nil, "/bin/cat", say)
	p := newPods(t)
	sandbox, config := p.sandbox("web-8")
	id, pid := p.container(sandbox, config, "app", 0, "/bin/sleep", "1000")
	w := watchNamed(t, "--kubelet-log", "journal", "--type", "death")
	kubelet, err := os.OpenFile(say, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer kubelet.Close()
	klog := func(format string, args ...any) {
		now := time.Now().UTC().Format("0102 15:04:05.000000")
		if _, err := fmt.Fprintf(kubelet, "I"+now+"       1 kuberuntime.go:1] "+format+"\n", args...); err != nil {
			t.Fatal(err)
		}
	}
	klog(`"Message for Container of pod" containerName="app" containerStatusID={"Type":"containerd","ID":%q} pod="shop/web-8" containerMessage="Container app failed liveness probe, will be restarted"`, id)
	klog(`"Killing container with a grace period" pod="shop/web-8" podUID=%q containerName="app" containerID="containerd://%s" gracePeriod=1`, config.Metadata.Uid, id)
	time.Sleep(time.Second) // kubelet, too, is slower than its log
	if _, err := p.client.StopContainer(context.Background(), &cri.StopContainerRequest{ContainerId: id, Timeout: 1}); err != nil {
		t.Fatal(err)
	}
	d := w.deathOf(t, pid)
	if d.Cause != "liveness_probe" {
		t.Errorf("%s: %s\n%+v", d.Cause, d.Summary, d.Evidence)
	}
}
