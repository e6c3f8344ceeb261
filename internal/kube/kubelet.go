// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
)

const (
	// slowly is how often the counters are read; quickly the most often, where a
	// probe is that frequent.
	slowly  = 5 * time.Second
	quickly = time.Second
	// podsEvery is how often kubelet is asked for its pods at least, podsSoon how
	// soon again where there is a reason, and podsAgain how long a refusal is
	// taken for lasting.
	podsEvery = time.Minute
	podsSoon  = 2 * time.Second
	podsAgain = 10 * time.Minute
)

// Kubelet says what kubelet's own API says: the counters of its probes and,
// where that is allowed, its pods. It needs get of nodes/metrics, and of
// nodes/pods from 1.33 on for the pods; never nodes/proxy.
type Kubelet struct {
	state
	base   *url.URL
	access Access
	// Insecure skips the check of kubelet's certificate.
	insecure bool

	http    *http.Client
	nudge   chan struct{}
	pods    podTeller
	last    map[probeKey]probeCount
	lastAt  time.Time
	podsAt  time.Time
	refused time.Time
	every   time.Duration
}

// NewKubelet makes a source of the kubelet at an address such as
// https://127.0.0.1:10250 (with the credentials of access, its certificate
// checked against the cluster's authority unless insecure) or
// http://127.0.0.1:10255 (without any).
func NewKubelet(address string, access Access, insecure bool) (*Kubelet, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("--kubelet-url %q is not a URL such as https://127.0.0.1:10250", address)
	}
	return &Kubelet{
		state: state{source: kubefact.SourceCounters}, base: base, access: access, insecure: insecure,
		nudge: make(chan struct{}, 1), pods: podTeller{seen: map[string]*podSeen{}}, every: slowly,
	}, nil
}

// Name implements [Source].
func (k *Kubelet) Name() string { return kubefact.SourceCounters }

// Run implements [Source].
func (k *Kubelet) Run(ctx context.Context, emit func(kubefact.Fact)) {
	reason := false // to ask for the pods as well
	for {
		asked := time.Now()
		err := k.poll(ctx, reason, emit)
		reason = false
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			k.http = nil // credentials are read anew
			k.blind(err, emit)
		default:
			k.seeing(emit)
		}
		select {
		case <-ctx.Done():
			return
		case <-k.nudge:
			k.pause(ctx, asked)
			reason = true
		case <-time.After(k.every):
		}
	}
}

// pause keeps what happens often from asking kubelet often.
func (k *Kubelet) pause(ctx context.Context, asked time.Time) {
	const atMost = 100 * time.Millisecond
	select {
	case <-ctx.Done():
	case <-time.After(atMost - time.Since(asked)):
	}
}

func (k *Kubelet) look(at happened) {
	select {
	case k.nudge <- struct{}{}:
	default:
	}
}

// poll reads counters, and the pods where that is due or there is a reason to.
func (k *Kubelet) poll(ctx context.Context, reason bool, emit func(kubefact.Fact)) error {
	if k.http == nil {
		client, err := k.client()
		if err != nil {
			return err
		}
		k.http = client
	}
	var counts map[probeKey]probeCount
	err := k.get(ctx, "/metrics/probes", func(r io.Reader) (err error) {
		counts, err = probeCounts(r)
		return err
	})
	if err != nil {
		return err
	}
	now := time.Now()
	for _, f := range k.differences(counts, now) {
		emit(f)
		reason = reason || !k.pods.knows(f.UID)
	}
	k.last, k.lastAt = counts, now
	due := podsEvery
	if reason {
		due = podsSoon
	}
	if now.Sub(k.podsAt) > due && now.Sub(k.refused) > podsAgain {
		k.askPods(ctx, emit)
	}
	return nil
}

// differences says which counters have moved. A counter that has gone back, or
// was not there, began at zero; at the first reading that is no news.
func (k *Kubelet) differences(counts map[probeKey]probeCount, now time.Time) []kubefact.Fact {
	if k.last == nil {
		return nil
	}
	var facts []kubefact.Fact
	for key, c := range counts {
		old := k.last[key]
		if c.failed < old.failed || c.succeeded < old.succeeded {
			old = probeCount{}
		}
		failed, succeeded := c.failed-old.failed, c.succeeded-old.succeeded
		if failed == 0 && succeeded == 0 {
			continue
		}
		facts = append(facts, kubefact.Fact{
			Time: now, Since: k.lastAt, Source: kubefact.SourceCounters, Kind: kubefact.ProbeResults,
			Namespace: key.namespace, Pod: key.pod, UID: key.uid, Container: key.container,
			Probe: key.probe, Failed: failed, Succeeded: succeeded,
		})
	}
	return facts
}

// askPods reads the pods' settings and states. That it is refused is no reason
// to be unavailable: the counters go on.
func (k *Kubelet) askPods(ctx context.Context, emit func(kubefact.Fact)) {
	var list corev1.PodList
	err := k.get(ctx, "/pods", func(r io.Reader) error { return decodePods(r, &list) })
	now := time.Now()
	k.podsAt = now
	if err != nil {
		if lasting(err) {
			k.refused = now
		}
		return
	}
	k.every = slowly
	for i := range list.Items {
		pod := &list.Items[i]
		for _, f := range k.pods.changed(pod, now) {
			f.Source = kubefact.SourceKubeletPods
			emit(f)
		}
		k.every = min(k.every, frequency(settingsOf(pod)))
	}
	k.pods.listed(now)
}

// frequency is how often counters are to be read for a pod's probes.
func frequency(s *kubefact.PodSettings) time.Duration {
	every := slowly
	for _, c := range s.Containers {
		for _, p := range []*kubefact.ProbeSettings{c.Liveness, c.Startup} {
			if p != nil {
				every = min(every, time.Duration(p.PeriodSeconds)*time.Second)
			}
		}
	}
	return max(every, quickly)
}
