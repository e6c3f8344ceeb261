// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// podLogs is kubelet's own directory, where sigtrace looks as well: a bed
// leaves it there, and takes away what is its pods'.
const podLogs = "/var/log/pods"

// podsSeen are the uids of all pods that there were.
type podsSeen struct {
	mu   sync.Mutex
	uids map[string]bool
	stop context.CancelFunc
	done chan struct{}
}

// follow notes pods until it is stopped; a pod's sandbox stays known to the
// runtime for a minute or so after its end.
func (p *podsSeen) follow(socket string) error {
	client, hangUp, err := dialCRI(socket)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.uids, p.stop, p.done = map[string]bool{}, cancel, make(chan struct{})
	go func() {
		defer close(p.done)
		defer hangUp()
		for ctx.Err() == nil {
			p.note(ctx, client)
			select {
			case <-ctx.Done():
			case <-time.After(3 * time.Second):
			}
		}
	}()
	return nil
}

func (p *podsSeen) note(ctx context.Context, client cri.RuntimeServiceClient) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	list, err := client.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range list.Items {
		p.uids[s.Metadata.GetUid()] = true
	}
}

// removeLogs takes the pods' logs away, and moves them to a directory if they
// are wanted.
func (p *podsSeen) removeLogs(to string) error {
	if p.stop == nil {
		return nil
	}
	p.stop()
	<-p.done
	var errs []error
	for uid := range p.uids {
		dirs, _ := filepath.Glob(filepath.Join(podLogs, "*_"+uid))
		for _, dir := range dirs {
			if to != "" {
				errs = append(errs, os.CopyFS(filepath.Join(to, "pods", filepath.Base(dir)), os.DirFS(dir)))
			}
			errs = append(errs, os.RemoveAll(dir), unlink(filepath.Base(dir)))
		}
	}
	return errors.Join(errs...)
}

// unlink removes kubelet's links to a pod's logs.
func unlink(pod string) error {
	links, err := filepath.Glob("/var/log/containers/*.log")
	if err != nil {
		return err
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.Contains(to, "/"+pod+"/") {
			_ = os.Remove(link)
		}
	}
	return nil
}
