// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"github.com/sigtrace/sigtrace/internal/kube"
	"github.com/sigtrace/sigtrace/internal/kubeevent"
	"github.com/sigtrace/sigtrace/internal/session"
)

// kubeEventSink is where deaths become Kubernetes Events; nil where that is not
// wanted or there is no API. A plain host has none, and no warning unless the user
// has asked for Events.
func (a *agent) kubeEventSink() *kubeevent.Sink {
	kubeconfig := a.c.Session.Sources.Kubernetes.Kubeconfig
	if !a.c.KubeEvents || kubeconfig == session.Off {
		return nil
	}
	access := kube.Access{Kubeconfig: kubeconfig}
	if err := access.There(); err != nil {
		if a.c.KubeEventsGiven {
			a.log.Warn("no Kubernetes Events: there is no API", "error", err)
		}
		return nil
	}
	client, err := access.Client()
	if err != nil {
		a.log.Warn("no Kubernetes Events", "error", err)
		return nil
	}
	return kubeevent.New(kubeevent.REST(client), kubeevent.Options{Node: a.c.Session.Node, Log: a.log})
}

// kubeEventResults counts the Events by what has become of them; nil where there are
// none.
func (a *agent) kubeEventResults() func() map[string]uint64 {
	if a.events == nil {
		return nil
	}
	return func() map[string]uint64 {
		n := a.events.Counts()
		return map[string]uint64{"sent": n.Sent, "limited": n.Limited, "dropped": n.Dropped, "failed": n.Failed, "retried": n.Retries}
	}
}
