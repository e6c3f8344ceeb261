// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const (
	// pageSize is how many objects a list brings at a time.
	pageSize = 500
	// watchFor is when a watch is begun anew, as informers do.
	watchFor = 8 * time.Minute
)

// feed lists and watches one resource, by client-go's reflector. Its store keeps
// nothing: what comes is handed on and let go of.
type feed struct {
	resource, selector string
	client             *rest.RESTClient
	list               func() runtime.Object
	kind               runtime.Object
	// page takes in a page of a list, one object that has come, changed or gone.
	page    func(runtime.Object)
	changed func(any)
	gone    func(any)
	// whole is called once a list is complete.
	whole func()
	// report hears of each request's fate.
	report func(error)
}

func (f *feed) run(ctx context.Context) {
	lw := cache.ListWatch{ListWithContextFunc: f.lists, WatchFuncWithContext: f.watches}
	r := cache.NewReflectorWithOptions(pages{&lw}, f.kind, f, cache.ReflectorOptions{
		Name: "sigtrace", Backoff: &wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 6, Cap: 10 * time.Second},
	})
	// What fails is reported by report; the reflector's own words are not needed.
	r.RunWithContext(klog.NewContext(ctx, klog.Logger{}))
}

// pages is a ListWatch whose lists are page by page.
type pages struct{ *cache.ListWatch }

// IsWatchListSemanticsUnSupported keeps the reflector to lists: those that are
// streamed are kept whole until their end.
func (pages) IsWatchListSemanticsUnSupported() bool { return true }

// lists hands on a list page by page, and returns an empty one that carries the
// version to watch from: a big cluster has many Events.
func (f *feed) lists(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	o = metav1.ListOptions{FieldSelector: f.selector, Limit: pageSize}
	for {
		list := f.list()
		err := f.client.Get().Resource(f.resource).VersionedParams(&o, parameters).Timeout(3 * answers).Do(ctx).Into(list)
		f.reports(ctx, err)
		if err != nil {
			return nil, err
		}
		f.page(list)
		meta := list.(metav1.ListInterface)
		if meta.GetContinue() == "" {
			empty := f.list()
			empty.(metav1.ListInterface).SetResourceVersion(meta.GetResourceVersion())
			f.whole()
			return empty, nil
		}
		o.Continue = meta.GetContinue()
	}
}

func (f *feed) watches(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	o.FieldSelector, o.Watch = f.selector, true
	seconds := int64(watchFor / time.Second)
	o.TimeoutSeconds = &seconds
	w, err := f.client.Get().Resource(f.resource).VersionedParams(&o, parameters).Watch(ctx)
	f.reports(ctx, err)
	return w, err
}

// reports shows a request's fate; a version that has expired is no failure.
func (f *feed) reports(ctx context.Context, err error) {
	if ctx.Err() != nil || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return
	}
	f.report(err)
}

// Add, Update, Delete, Replace and Resync make it the reflector's store.
func (f *feed) Add(o any) error             { f.changed(o); return nil }
func (f *feed) Update(o any) error          { f.changed(o); return nil }
func (f *feed) Delete(o any) error          { f.gone(o); return nil }
func (f *feed) Replace([]any, string) error { return nil }
func (f *feed) Resync() error               { return nil }
