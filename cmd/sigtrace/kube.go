// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/kube"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// kubeFlags say where Kubernetes is to be heard.
type kubeFlags struct {
	kubeconfig string
	kubeletLog string
	kubeletURL string
	kubeletWho string // a kubeconfig
	kubeletTLS bool   // skip its check
}

func (f *kubeFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig `file` for the Kubernetes API; off leaves it out (default: a pod's service account, $KUBECONFIG)")
	fs.StringVar(&f.kubeletURL, "kubelet-url", "", "kubelet's `URL`, for its probe counters: https://NODE:10250 or http://NODE:10255; off leaves it out")
	fs.StringVar(&f.kubeletWho, "kubelet-kubeconfig", "", "kubeconfig `file` whose credentials and authority kubelet's URL takes (default: --kubeconfig)")
	fs.BoolVar(&f.kubeletTLS, "kubelet-insecure-tls", false, "do not check kubelet's certificate")
	fs.StringVar(&f.kubeletLog, "kubelet-log", "", "kubelet's log: a `file` or journal; off leaves it out (default: found by itself)")
}

// sources makes the sources of what Kubernetes says of a node's pods. Nothing
// connects yet.
func (f *kubeFlags) sources(node string) *kube.Set {
	set := kube.NewSet()
	f.addLog(set)
	f.addAPI(set, node)
	f.addKubelet(set)
	return set
}

// missing says which file that the user has named is not there.
func (f *kubeFlags) missing() error {
	for _, named := range []struct{ flag, file string }{{"--kubeconfig", f.kubeconfig}, {"--kubelet-kubeconfig", f.kubeletWho}} {
		if named.file == "" || named.file == kube.Off {
			continue
		}
		if _, err := os.Stat(named.file); err != nil {
			return fmt.Errorf("%s: %w (off goes without it)", named.flag, err)
		}
	}
	if log := f.kubeletLog; log != "" && log != kube.Off && log != "journal" {
		if _, err := os.Stat(log); err != nil {
			return fmt.Errorf("--kubelet-log: %w (journal reads the journal, off goes without it)", err)
		}
	}
	return nil
}

func (f *kubeFlags) addAPI(set *kube.Set, node string) {
	access := kube.Access{Kubeconfig: f.kubeconfig}
	if f.kubeconfig == kube.Off {
		set.Without(kubefact.SourceAPI, kube.Off)
		return
	}
	if err := access.There(); err != nil {
		set.Without(kubefact.SourceAPI, err.Error())
		return
	}
	set.Add(kube.NewAPI(access, node))
}

func (f *kubeFlags) addLog(set *kube.Set) {
	if f.kubeletLog == kube.Off {
		set.Without(kubefact.SourceKubeletLog, kube.Off)
		return
	}
	source, err := kube.FindLog(f.kubeletLog)
	if err != nil {
		set.Without(kubefact.SourceKubeletLog, err.Error())
		return
	}
	set.Add(source)
}

// validate finds the user's mistakes.
func (f *kubeFlags) validate() error {
	if f.kubeletURL == "" || f.kubeletURL == kube.Off {
		return nil
	}
	_, err := kube.NewKubelet(f.kubeletURL, kube.Access{}, false)
	return err
}

func (f *kubeFlags) addKubelet(set *kube.Set) {
	if f.kubeletURL == kube.Off {
		set.Without(kubefact.SourceCounters, kube.Off)
		return
	}
	access := kube.Access{Kubeconfig: f.kubeletWho}
	if f.kubeletWho == "" && f.kubeconfig != kube.Off {
		access.Kubeconfig = f.kubeconfig
	}
	source, err := kube.FindKubelet(f.kubeletURL, access, f.kubeletTLS)
	if err != nil {
		set.Without(kubefact.SourceCounters, err.Error())
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
	case kubefact.SourceAPI:
		return "deletions, evictions and preemptions are told by kubelet's log alone, and what Kubernetes reports by the runtime"
	case kubefact.SourceCounters:
		return "liveness and startup probes have one witness less"
	case kubefact.SourceKubeletLog:
		return "liveness probes, deletions and the like have one witness less; a node that is no Kubernetes node has none"
	}
	return ""
}
