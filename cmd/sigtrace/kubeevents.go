// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/kube"
	"github.com/sigtrace/sigtrace/internal/kubeevent"
)

func (f *agentFlags) registerKubeEvents(c *cobra.Command) {
	c.Flags().BoolVar(&f.kubeEvents, "kube-events", true, "tell deaths of pods as Kubernetes Events, where there is an API")
}

// tellKubernetes is where deaths become Kubernetes Events; nil where that is not
// wanted or there is no API. A plain host has none: only who asked is told.
func (f *agentFlags) tellKubernetes(c *cobra.Command, log *slog.Logger) *kubeevent.Sink {
	if !f.kubeEvents || f.kube.kubeconfig == kube.Off {
		return nil
	}
	access := kube.Access{Kubeconfig: f.kube.kubeconfig}
	if err := access.There(); err != nil {
		if c.Flags().Changed("kube-events") {
			log.Warn("no Kubernetes Events: there is no API", "error", err)
		}
		return nil
	}
	client, err := access.Client()
	if err != nil {
		log.Warn("no Kubernetes Events", "error", err)
		return nil
	}
	return kubeevent.New(kubeevent.REST(client), kubeevent.Options{Node: f.nodeName(), Log: log})
}

// kubeEventResults is what has become of the Events; nil where there are none.
func (f *agentFlags) kubeEventResults() func() map[string]uint64 {
	if f.events == nil {
		return nil
	}
	return func() map[string]uint64 {
		n := f.events.Counts()
		return map[string]uint64{"sent": n.Sent, "limited": n.Limited, "dropped": n.Dropped, "failed": n.Failed, "retried": n.Retries}
	}
}
