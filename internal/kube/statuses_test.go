// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// slowRuntime learns of an end a while after it, as runtimes do.
type slowRuntime struct {
	mu    sync.Mutex
	asked int
	err   error
}

func (r *slowRuntime) Ended(_ context.Context, id string) (container.End, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil || strings.Trim(id, "0") == "" {
		return container.End{}, false, r.err
	}
	r.asked++
	return container.End{Reason: "OOMKilled", ExitCode: 143}, r.asked > 2, nil
}

func TestStatuses(t *testing.T) {
	runtime := &slowRuntime{}
	source := NewStatuses(runtime)
	reported := follow(t, source)
	next(t, reported, kubefact.Available)
	init, id := true, strings.Repeat("0a", 32)
	p := &event.Process{Pod: &event.Pod{UID: "uid-1"}, Container: &event.Container{ID: id, Name: "app", Init: &init}}
	set := NewSet()
	set.Add(source)
	set.Exited(&event.Exit{Process: p})
	f := next(t, reported, kubefact.Terminated)
	if f.Reason != "OOMKilled" || *f.ExitCode != 143 || f.ContainerID != id || f.UID != "uid-1" {
		t.Errorf("%+v", f)
	}
	runtime.mu.Lock()
	runtime.err = errors.New("connection refused")
	runtime.mu.Unlock()
	set.Exited(&event.Exit{Process: p})
	if f := next(t, reported, kubefact.Unavailable); f.Text != "connection refused" {
		t.Errorf("%+v", f)
	}
	if states := set.States(); len(states) != 0 {
		t.Errorf("the runtime's state is told elsewhere: %v", states)
	}
}

// busyRuntime knows the ends of containers, and nothing of sandboxes.
type busyRuntime struct{}

func (busyRuntime) Ended(_ context.Context, id string) (container.End, bool, error) {
	return container.End{Reason: "Error", ExitCode: 143}, strings.HasPrefix(id, "c"), nil
}

// Of a hundred pods that end at once each container's status is reported; the sandboxes,
// which have none, keep nobody from asking.
func TestStatusesOfManyAtOnce(t *testing.T) {
	const pods = 100
	source := NewStatuses(busyRuntime{})
	reported := follow(t, source)
	next(t, reported, kubefact.Available)
	set := NewSet()
	set.Add(source)
	init := true
	start := time.Now()
	for i := range pods {
		for name, id := range map[string]string{"": fmt.Sprintf("5%063x", i), "app": fmt.Sprintf("c%063x", i)} {
			set.Exited(&event.Exit{Process: &event.Process{Pod: &event.Pod{UID: "uid"}, Container: &event.Container{ID: id, Name: name, Init: &init}}})
		}
	}
	for range pods {
		next(t, reported, kubefact.Terminated)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}
