// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"context"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// namespace is the scenarios' own.
const namespace = "shop"

// podBook is what the API says of the scenarios' pods, from one watch.
type podBook struct {
	client *kubernetes.Clientset
	mu     sync.Mutex
	pods   map[string]*core.Pod
}

func newPodBook(t *testing.T, b *testBed) *podBook {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", b.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	// Else client-go takes the connections of the bed before, whose files had the
	// same names, for this one's.
	if err := rest.LoadTLSFiles(config); err != nil {
		t.Fatal(err)
	}
	config.TLSClientConfig.CAFile, config.TLSClientConfig.CertFile, config.TLSClientConfig.KeyFile = "", "", ""
	config.QPS, config.Burst = 200, 200
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	p := &podBook{client: client, pods: map[string]*core.Pod{}}
	name := meta.ObjectMeta{Name: namespace}
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: name}, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the namespace has its service account", func() bool {
		_, err := client.CoreV1().ServiceAccounts(namespace).Get(t.Context(), "default", meta.GetOptions{})
		return err == nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			p.follow(ctx)
			time.Sleep(200 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

// follow notes pods until the watch ends, which a busy API server may do.
func (p *podBook) follow(ctx context.Context) {
	w, err := p.client.CoreV1().Pods(namespace).Watch(ctx, meta.ListOptions{})
	if err != nil {
		return
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		pod, ok := e.Object.(*core.Pod)
		if !ok {
			return
		}
		p.mu.Lock()
		p.pods[pod.Name] = pod
		p.mu.Unlock()
	}
}

// get is a pod as last seen; its end included.
func (p *podBook) get(name string) *core.Pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pods[name]
}

// container is the status of one container of a pod, of any kind.
func container(pod *core.Pod, name string) *core.ContainerStatus {
	if pod == nil {
		return nil
	}
	for _, list := range [][]core.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}
