// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kube"
)

// kubeFlags say where Kubernetes is to be heard.
type kubeFlags struct {
	kubeletLog string
}

func (f *kubeFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.kubeletLog, "kubelet-log", "", "kubelet's log: a `file` or journal; off leaves it out (default: found by itself)")
}

// sources makes the sources of what Kubernetes says. Nothing connects yet.
func (f *kubeFlags) sources() *kube.Set {
	set := kube.NewSet()
	f.addLog(set)
	return set
}

func (f *kubeFlags) addLog(set *kube.Set) {
	if f.kubeletLog == kube.Off {
		set.Without(event.SourceKubeletLog, kube.Off)
		return
	}
	source, err := kube.FindLog(f.kubeletLog)
	if err != nil {
		set.Without(event.SourceKubeletLog, err.Error())
		return
	}
	set.Add(source)
}

// checkKube is how long check waits for Kubernetes' sources to answer.
const checkKube = 3 * time.Second

func (s *session) checkKube(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, checkKube)
	defer cancel()
	return s.kube.Check(ctx)
}

// kubeCost is what verdicts lose by a source's absence.
func kubeCost(name string) string {
	switch name {
	case event.SourceKubeletLog:
		return "liveness probes, deletions and the like have one witness less; a node that is no Kubernetes node has none"
	}
	return ""
}
