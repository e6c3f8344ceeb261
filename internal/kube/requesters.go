// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
)

const (
	// requestsAfter is how long after a deletion its namespace's Events are read: the
	// controller writes its own once the API server has answered, and many pods
	// deleted at once are one question. requestsAgain is when they are read once more.
	requestsAfter = 300 * time.Millisecond
	requestsAgain = 2 * time.Second
	// requestWithin is how far apart a deletion and a controller's Event may be:
	// Events have whole seconds.
	requestWithin = 5 * time.Second
	// deletionsMax bounds the deletions that wait to be asked for.
	deletionsMax = 1024
	// requestPages bounds the Events that are read of one namespace.
	requestPages = 4
)

// controllers are the controllers that delete pods, by the kind of their object, and
// the name that they write Events by (pkg/controller).
var controllers = map[string]string{
	"ReplicaSet": "replicaset-controller", "ReplicationController": "replication-controller",
	"StatefulSet": "statefulset-controller", "DaemonSet": "daemonset-controller",
	"Job": "job-controller", "CronJob": "cronjob-controller",
}

// viaDelete is the reason of the Events by which they name the pods (and a CronJob
// its Jobs) that they delete.
const viaDelete = "SuccessfulDelete"

// jobFailures are the reasons for which a Job's controller deletes what still runs
// (k8s.io/api/batch/v1/types.go, pkg/controller/job).
var jobFailures = []string{
	"DeadlineExceeded", "BackoffLimitExceeded", "PodFailurePolicy", "Suspended", "FailedIndexes", "MaxFailedIndexesExceeded", "SuccessPolicy",
}

// deletion is a pod's, about which is asked who wanted it.
type deletion struct {
	namespace, name, uid string
	owner                metav1.OwnerReference // the controller, if there is one
	at                   time.Time
	// again: it was asked once already, and reported is what was said.
	again    bool
	reported *kubefact.Requester
}

// requesters finds out who had pods deleted: their namespace, or the controller
// that owns them. It asks once for all of a namespace that were deleted together,
// and needs no watch.
type requesters struct {
	client *rest.RESTClient
	queue  chan deletion
	// refused is until when namespaces are not asked for.
	refused time.Time
}

func newRequesters(client *rest.RESTClient) *requesters {
	return &requesters{client: client, queue: make(chan deletion, deletionsMax)}
}

// note takes in what is new of a pod. Who has set a condition has already said who
// it is.
func (r *requesters) note(pod *corev1.Pod, facts []kubefact.Fact) {
	i := slices.IndexFunc(facts, func(f kubefact.Fact) bool { return f.Kind == kubefact.Deleted })
	if i < 0 || slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue
	}) {
		return
	}
	d := deletion{namespace: pod.Namespace, name: pod.Name, uid: facts[i].UID, at: facts[i].Time}
	if owner := metav1.GetControllerOf(pod); owner != nil {
		d.owner = *owner
	}
	select {
	case r.queue <- d:
	default: // so many at once: who wanted these stays unknown
	}
}

// run asks until ctx ends.
func (r *requesters) run(ctx context.Context, emit func(kubefact.Fact)) {
	var later []deletion
	for {
		var again <-chan time.Time
		if len(later) > 0 {
			again = time.After(requestsAgain)
		}
		select {
		case <-ctx.Done():
			return
		case d := <-r.queue:
			select {
			case <-ctx.Done():
				return
			case <-time.After(requestsAfter):
			}
			later = append(later, r.ask(ctx, r.drain(d), emit)...)
			later = later[max(0, len(later)-deletionsMax):]
		case <-again:
			r.ask(ctx, later, emit)
			later = nil
		}
	}
}

func (r *requesters) drain(d deletion) []deletion {
	all := []deletion{d}
	for {
		select {
		case d := <-r.queue:
			all = append(all, d)
		default:
			return all
		}
	}
}

// ask asks for deletions, and returns those of which a controller may yet say more.
func (r *requesters) ask(ctx context.Context, all []deletion, emit func(kubefact.Fact)) []deletion {
	byNamespace := map[string][]deletion{}
	for _, d := range all {
		byNamespace[d.namespace] = append(byNamespace[d.namespace], d)
	}
	var open []deletion
	for namespace, list := range byNamespace {
		if !list[0].again {
			if deleted, ok := r.namespaceDeleted(ctx, namespace); ok {
				list = tellNamespace(list, deleted, emit)
			}
		}
		list = slices.DeleteFunc(list, func(d deletion) bool { return controllers[d.owner.Kind] == "" })
		if len(list) == 0 {
			continue
		}
		events := r.events(ctx, namespace, list)
		for _, d := range list {
			by := autoscaled(requesterOf(&d, events), &d, events)
			if by != nil && (d.reported == nil || *by != *d.reported) {
				emit(d.fact(by))
			}
			// A Job says why once the pods of it are gone.
			if !d.again && (by == nil || by.Kind == "Job" && by.Via == viaDelete) {
				d.again, d.reported = true, by
				open = append(open, d)
			}
		}
	}
	return open
}

func (d *deletion) fact(by *kubefact.Requester) kubefact.Fact {
	return kubefact.Fact{
		Time: d.at, Read: time.Now(), Source: kubefact.SourceAPI, Kind: kubefact.Requested, Event: by.Kind != kubefact.ByNamespace,
		Namespace: d.namespace, Pod: d.name, UID: d.uid, Requester: by,
		Text: bounded("deleted by " + by.Kind + " " + by.Name + " (" + by.Via + ")"),
	}
}

// namespaceDeleted is when a namespace was deleted; ok is false where it was not, or
// where that is not known.
func (r *requesters) namespaceDeleted(ctx context.Context, name string) (at time.Time, ok bool) {
	if time.Now().Before(r.refused) {
		return time.Time{}, false
	}
	var namespace corev1.Namespace
	err := r.client.Get().Resource("namespaces").Name(name).Timeout(answers).Do(ctx).Into(&namespace)
	if apierrors.IsForbidden(err) {
		r.refused = time.Now().Add(podsAgain)
	}
	if err != nil || namespace.DeletionTimestamp == nil {
		return time.Time{}, false
	}
	return namespace.DeletionTimestamp.Time, true
}

// tellNamespace says of pods that were deleted after their namespace that this was
// why, and returns the others; both times are in whole seconds.
func tellNamespace(list []deletion, deleted time.Time, emit func(kubefact.Fact)) (others []deletion) {
	for _, d := range list {
		if d.at.Before(deleted) {
			others = append(others, d)
			continue
		}
		emit(d.fact(&kubefact.Requester{Kind: kubefact.ByNamespace, Name: d.namespace, Via: "deletionTimestamp"}))
	}
	return others
}

// events reads the Events of a namespace by which controllers say whom they delete,
// and those of the Jobs among the owners.
func (r *requesters) events(ctx context.Context, namespace string, list []deletion) []corev1.Event {
	selectors := []fields.Selector{fields.OneTermEqualSelector("reason", viaDelete)}
	var jobs []string
	for _, d := range list {
		if d.owner.Kind == "Job" && !slices.Contains(jobs, d.owner.Name) {
			jobs = append(jobs, d.owner.Name)
			selectors = append(selectors, fields.AndSelectors(
				fields.OneTermEqualSelector("involvedObject.kind", "Job"), fields.OneTermEqualSelector("involvedObject.name", d.owner.Name)))
		}
	}
	var all []corev1.Event
	for _, selector := range selectors {
		all = append(all, r.list(ctx, namespace, selector)...)
	}
	if !slices.ContainsFunc(list, func(d deletion) bool { return d.owner.Kind == "ReplicaSet" }) {
		return all
	}
	rescaled := r.list(ctx, namespace, fields.OneTermEqualSelector("reason", reasonRescaled))
	if len(rescaled) > 0 { // there is an autoscaler that does something
		rescaled = append(rescaled, r.list(ctx, namespace, fields.OneTermEqualSelector("reason", reasonScaling))...)
	}
	return append(all, rescaled...)
}

func (r *requesters) list(ctx context.Context, namespace string, selector fields.Selector) []corev1.Event {
	var all []corev1.Event
	o := metav1.ListOptions{FieldSelector: selector.String(), Limit: pageSize}
	for range requestPages {
		var page corev1.EventList
		err := r.client.Get().Namespace(namespace).Resource("events").VersionedParams(&o, parameters).Timeout(answers).Do(ctx).Into(&page)
		if err != nil {
			break // the feeds of the source say why
		}
		all = append(all, page.Items...)
		if o.Continue = page.Continue; o.Continue == "" {
			break
		}
	}
	return all
}

// requesterOf finds the controller that says that it has deleted a pod: a failed
// Job's with its reason, else the owner's, else that of a CronJob that has deleted
// the Job.
func requesterOf(d *deletion, events []corev1.Event) *kubefact.Requester {
	best, grade := (*kubefact.Requester)(nil), 0
	for i := range events {
		e := &events[i]
		o := &e.InvolvedObject
		if controllers[o.Kind] == "" || reporter(e) != controllers[o.Kind] {
			continue
		}
		if !d.isNear(e) {
			continue
		}
		g := 0
		switch owns := o.UID == d.owner.UID; {
		case owns && o.Kind == "Job" && slices.Contains(jobFailures, e.Reason):
			g = 3
		case owns && e.Reason == viaDelete && names(e.Message, d.name):
			g = 2
		case o.Kind == "CronJob" && d.owner.Kind == "Job" && e.Reason == viaDelete && names(e.Message, d.owner.Name):
			g = 1
		}
		if g > grade {
			best, grade = &kubefact.Requester{Kind: o.Kind, Name: o.Name, Via: e.Reason}, g
		}
	}
	return best
}

// isNear reports whether an Event happened at about the time of a deletion.
func (d *deletion) isNear(e *corev1.Event) bool {
	apart := eventTime(e, d.at).Sub(d.at)
	return apart <= requestWithin && apart >= -requestWithin
}

// names reports whether an Event's message names an object. One that stands for
// several names the last of them alone.
func names(message, name string) bool {
	return strings.HasPrefix(message, combined) || slices.Contains(strings.Fields(message), name)
}
