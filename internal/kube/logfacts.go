// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// textMax bounds what a fact quotes.
const textMax = 300

// facts reads what an entry of kubelet's log says. The messages are those of
// kubelet 1.25 to 1.36 (pkg/kubelet: kuberuntime, prober, eviction, preemption,
// nodeshutdown, kubelet.go), which have kept their words in between.
func (p *LogParser) facts(r record) []kubefact.Fact {
	var reported []kubefact.Fact
	if r.message == msgStart {
		p.said = false // it may have been started with another -v
		reported = append(reported, kubefact.Fact{Time: r.time, Read: p.read, Source: kubefact.SourceKubeletLog, Kind: kubefact.Available})
	}
	if !p.said && (r.verbosity >= 2 || verbose[r.message]) {
		p.said = true
		reported = append(reported, kubefact.Fact{
			Time: r.time, Read: p.read, Source: kubefact.SourceKubeletLog, Kind: kubefact.Available, Complete: true,
		})
	}
	if r.time.IsZero() {
		r.time = p.read
	}
	for _, f := range r.emit() {
		f.Source, f.Read, f.Text = kubefact.SourceKubeletLog, p.read, bounded(f.Text)
		if f.Time.IsZero() {
			f.Time = r.time
		}
		reported = append(reported, f)
	}
	return reported
}

// verbose are messages that kubelet writes at -v=2 and not below: where they
// are, it also writes whom it kills.
var verbose = map[string]bool{
	"SyncLoop ADD": true, "SyncLoop UPDATE": true, "SyncLoop DELETE": true, "SyncLoop REMOVE": true,
	"SyncLoop (PLEG): event for pod": true, msgMessage: true, msgGrace: true,
}

const (
	msgStart   = "Kubelet version" // the first thing it says (cmd/kubelet/app/server.go)
	msgMessage = "Message for Container of pod"
	msgGrace   = "Killing container with a grace period"
)

func (r record) emit() []kubefact.Fact {
	v := r.values
	switch r.message {
	case msgMessage:
		f := r.fact(killKind(v["containerMessage"]))
		f.ContainerID, f.Text = containerID(v["containerStatusID"]), v["containerMessage"]
		return []kubefact.Fact{f}
	case msgGrace, "Killing container with a grace period override":
		f := r.fact(kubefact.Stopping)
		f.GraceSeconds = number(v["gracePeriod"])
		f.Text = r.message
		if f.GraceSeconds != nil {
			f.Text += " of " + strconv.FormatInt(*f.GraceSeconds, 10) + " s"
		}
		return []kubefact.Fact{f}
	case "Probe failed", "Probe errored":
		f := r.fact(kubefact.ProbeResults)
		f.Probe, f.Failed = strings.ToLower(v["probeType"]), 1
		f.Text = v["probeType"] + " probe failed: " + v["output"] + v["err"]
		return []kubefact.Fact{f}
	case "SyncLoop (probe)":
		return r.probed()
	case "Running preStop hook":
		return []kubefact.Fact{r.fact(kubefact.PreStopHook)}
	case "Failed to execute PostStartHook":
		return []kubefact.Fact{r.fact(kubefact.PostStartFailed)}
	case "Event occurred":
		return r.event()
	case "SyncLoop DELETE", "SyncLoop REMOVE":
		return r.eachPod(kubefact.Deleted)
	}
	return r.pods()
}

// probed reads that a probe's result has changed (at -v=1): the threshold of
// failures has been reached. The container is not named.
func (r record) probed() []kubefact.Fact {
	kind := map[string]kubefact.Kind{"liveness": kubefact.LivenessFailed, "startup": kubefact.StartupFailed}[r.values["probe"]]
	if kind == "" || r.values["status"] != "unhealthy" {
		return nil
	}
	f := r.fact(kind)
	f.Probe, f.Text = r.values["probe"], r.values["probe"]+" probe: unhealthy"
	return []kubefact.Fact{f}
}

// pods reads the messages about whole pods.
func (r record) pods() []kubefact.Fact {
	switch r.message {
	case "Eviction manager: pods evicted, waiting for pod to be cleaned up":
		reported := r.eachPod(kubefact.Evicted)
		for i := range reported {
			reported[i].After = true
		}
		return reported
	case "Eviction manager: pod is evicted successfully", "Evicting pod":
		f := r.fact(kubefact.Evicted)
		f.Text, f.After = r.message, r.message != "Evicting pod"
		if m := r.values["message"]; m != "" {
			f.Text += ": " + m
		}
		return []kubefact.Fact{f}
	case "Preempting pod to free up resources":
		f := r.fact(kubefact.Preempted)
		f.Text = r.message
		if pod := r.values["requestingPod"]; pod != "" { // since 1.34
			f.Text += " for " + pod
		}
		return []kubefact.Fact{f}
	case "Shutdown manager killing pod with gracePeriod":
		return []kubefact.Fact{r.fact(kubefact.NodeShutdown)}
	case "No ready sandbox for pod can be found. Need to start a new one",
		"Sandbox for pod has changed. Need to start a new one",
		"Sandbox for pod has no IP address. Need to start a new one":
		return []kubefact.Fact{r.fact(kubefact.SandboxChanged)}
	}
	return nil
}

// event reads an Event that kubelet has logged (at -v=3).
func (r record) event() []kubefact.Fact {
	v := r.values
	f, ok := eventFact(v["reason"], v["message"])
	if !ok || v["kind"] != "" && v["kind"] != "Pod" || f.Kind == kubefact.ProbeResults {
		return nil // a failed probe has its own entry
	}
	f.Time = r.time
	f.Namespace, f.Pod = split(v["object"])
	f.Container = ofFieldPath(v["fieldPath"])
	return []kubefact.Fact{f}
}

// fact begins a fact with the pod and container that an entry names.
func (r record) fact(kind kubefact.Kind) kubefact.Fact {
	f := kubefact.Fact{
		Time: r.time, Kind: kind, Container: r.values["containerName"],
		ContainerID: containerID(r.values["containerID"]), UID: r.values["podUID"], Text: r.message,
	}
	f.Namespace, f.Pod = split(r.values["pod"])
	return f
}

func (r record) eachPod(kind kubefact.Kind) []kubefact.Fact {
	var reported []kubefact.Fact
	// 1.26 puts its list in quotes, brackets and all.
	for _, pod := range strings.Fields(strings.Trim(r.values["pods"], "[]")) {
		f := kubefact.Fact{Time: r.time, Kind: kind, Text: r.message}
		f.Namespace, f.Pod = split(pod)
		reported = append(reported, f)
	}
	return reported
}

func split(pod string) (namespace, name string) {
	namespace, name, ok := strings.Cut(pod, "/")
	if !ok {
		return "", namespace
	}
	return namespace, name
}

func number(text string) *int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

var idForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[0-9a-f]{64}`) })

// containerID takes the id out of "containerd://…" or of the structure that
// containerStatusID prints as, which differs between releases.
func containerID(text string) string { return idForm().FindString(text) }

// bounded keeps a text to one line of a decent length.
func bounded(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > textMax {
		text = string(r[:textMax-1]) + "…"
	}
	return text
}
