// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

const (
	// apiAgain is how long credentials that cannot be read are left alone, and
	// how long an API server that refuses may do so before they are read anew.
	apiAgain = 5 * time.Second
	renew    = 30 * time.Second
)

// API says what the Kubernetes API says of this node's pods. It needs get, list
// and watch of pods and events, and get of namespaces to say of one that it was
// deleted with its pods.
type API struct {
	state
	access Access
	node   string
	pods   podTeller
	events eventTeller

	mu     sync.Mutex
	failed map[string]error // the last request of each resource
	since  time.Time        // since when one fails
}

// NewAPI makes a source of a node's pods; node is its name in the cluster.
func NewAPI(access Access, node string) *API {
	return &API{
		state: state{source: kubefact.SourceAPI, complete: true}, access: access, node: node,
		pods: podTeller{seen: map[string]*podSeen{}}, events: eventTeller{node: node}, failed: map[string]error{},
	}
}

// Name implements [Source].
func (a *API) Name() string { return kubefact.SourceAPI }

// Run implements [Source].
func (a *API) Run(ctx context.Context, emit func(kubefact.Fact)) {
	for ctx.Err() == nil {
		client, err := a.access.Client()
		if err == nil {
			a.watch(ctx, client, emit)
			continue
		}
		a.blind(err, emit)
		select {
		case <-ctx.Done():
		case <-time.After(apiAgain):
		}
	}
}

// watch runs both feeds until ctx ends or they have failed for long.
func (a *API) watch(ctx context.Context, client *rest.RESTClient, emit func(kubefact.Fact)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.mu.Lock()
	a.failed, a.since = map[string]error{}, time.Time{}
	a.mu.Unlock()
	var feeds sync.WaitGroup
	asker := newRequesters(client)
	for _, f := range []*feed{a.podFeed(client, asker, emit), a.eventFeed(client, emit)} {
		feeds.Go(func() { f.run(ctx) })
	}
	feeds.Go(func() { asker.run(ctx, emit) })
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for ctx.Err() == nil && !a.failedFor(renew) {
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	cancel()
	feeds.Wait()
}

func (a *API) podFeed(client *rest.RESTClient, asker *requesters, emit func(kubefact.Fact)) *feed {
	report := func(pod *corev1.Pod, facts []kubefact.Fact) {
		tellAll(facts, emit)
		asker.note(pod, facts)
	}
	reported := func(o any) {
		if pod, ok := o.(*corev1.Pod); ok {
			report(pod, a.pods.changed(pod, time.Now()))
		}
	}
	return &feed{
		resource: "pods", selector: fields.OneTermEqualSelector("spec.nodeName", a.node).String(), client: client,
		list: func() runtime.Object { return &corev1.PodList{} }, kind: &corev1.Pod{},
		page: func(list runtime.Object) {
			for i := range list.(*corev1.PodList).Items {
				reported(&list.(*corev1.PodList).Items[i])
			}
		},
		changed: reported,
		gone: func(o any) {
			if pod, ok := o.(*corev1.Pod); ok {
				report(pod, a.pods.gone(pod, time.Now()))
			}
		},
		whole:  func() { tellAll(a.pods.listed(time.Now()), emit) },
		report: a.reporter("pods", emit),
	}
}

func (a *API) eventFeed(client *rest.RESTClient, emit func(kubefact.Fact)) *feed {
	reported := func(o any, old bool) {
		if e, ok := o.(*corev1.Event); ok && (host(e) == a.node || a.pods.knows(string(e.InvolvedObject.UID))) {
			if f, ok := a.events.fact(e, time.Now(), old); ok {
				emit(f)
			}
		}
	}
	return &feed{
		resource: "events", selector: routine(), client: client,
		list: func() runtime.Object { return &corev1.EventList{} }, kind: &corev1.Event{},
		page: func(list runtime.Object) {
			for i := range list.(*corev1.EventList).Items {
				reported(&list.(*corev1.EventList).Items[i], true)
			}
		},
		changed: func(o any) { reported(o, false) },
		gone:    func(any) {}, whole: func() {},
		report: a.reporter("events", emit),
	}
}

// reporter joins the fates of both feeds' requests into the source's state.
func (a *API) reporter(resource string, emit func(kubefact.Fact)) func(error) {
	return func(err error) {
		if err != nil {
			err = fmt.Errorf("%s: %w", resource, plainly(err))
		}
		a.mu.Lock()
		a.failed[resource] = err
		asked := len(a.failed)
		for _, other := range a.failed {
			if err == nil {
				err = other
			}
		}
		switch {
		case err == nil:
			a.since = time.Time{}
		case a.since.IsZero():
			a.since = time.Now()
		}
		a.mu.Unlock()
		switch {
		case err != nil:
			a.blind(err, emit)
		case asked == 2:
			a.seeing(emit)
		}
	}
}

func (a *API) failedFor(d time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.since.IsZero() && time.Since(a.since) > d
}

// plainly leaves out what was asked: it is always the same, and long.
func plainly(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}
