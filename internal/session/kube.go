// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"os"

	"github.com/sigtrace/sigtrace/internal/kube"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// Kubernetes is where to read what Kubernetes says of this node's pods. Each value
// but the last may be Off.
type Kubernetes struct {
	// Kubeconfig is a file; empty for a pod's service account, or $KUBECONFIG.
	Kubeconfig string
	// KubeletLog is a file, or "journal".
	KubeletLog string
	// KubeletURL serves kubelet's probe counters, and KubeletKubeconfig is a file
	// with the credentials for it; empty for Kubeconfig.
	KubeletURL, KubeletKubeconfig string
	// KubeletInsecureTLS leaves kubelet's certificate unchecked.
	KubeletInsecureTLS bool
}

// open makes the sources. Nothing connects yet.
func (k Kubernetes) open(node string) *kube.Set {
	set := kube.NewSet()
	k.addLog(set)
	k.addAPI(set, node)
	k.addKubelet(set)
	return set
}

// Missing is an error if a file that the user has named is not there.
func (k Kubernetes) Missing() error {
	for _, named := range []struct{ flag, file string }{{"--kubeconfig", k.Kubeconfig}, {"--kubelet-kubeconfig", k.KubeletKubeconfig}} {
		if named.file == "" || named.file == Off {
			continue
		}
		if _, err := os.Stat(named.file); err != nil {
			return fmt.Errorf("%s: %w (off disables it)", named.flag, err)
		}
	}
	if log := k.KubeletLog; log != "" && log != Off && log != "journal" {
		if _, err := os.Stat(log); err != nil {
			return fmt.Errorf("--kubelet-log: %w (journal reads the journal, off disables it)", err)
		}
	}
	return nil
}

func (k Kubernetes) addAPI(set *kube.Set, node string) {
	access := kube.Access{Kubeconfig: k.Kubeconfig}
	if k.Kubeconfig == Off {
		set.Without(kubefact.SourceAPI, Off)
		return
	}
	if err := access.There(); err != nil {
		set.Without(kubefact.SourceAPI, err.Error())
		return
	}
	set.Add(kube.NewAPI(access, node))
}

func (k Kubernetes) addLog(set *kube.Set) {
	if k.KubeletLog == Off {
		set.Without(kubefact.SourceKubeletLog, Off)
		return
	}
	source, err := kube.FindLog(k.KubeletLog)
	if err != nil {
		set.Without(kubefact.SourceKubeletLog, err.Error())
		return
	}
	set.Add(source)
}

// Validate finds the user's mistakes.
func (k Kubernetes) Validate() error {
	if k.KubeletURL == "" || k.KubeletURL == Off {
		return nil
	}
	_, err := kube.NewKubelet(k.KubeletURL, kube.Access{}, false)
	return err
}

func (k Kubernetes) addKubelet(set *kube.Set) {
	if k.KubeletURL == Off {
		set.Without(kubefact.SourceCounters, Off)
		return
	}
	access := kube.Access{Kubeconfig: k.KubeletKubeconfig}
	if k.KubeletKubeconfig == "" && k.Kubeconfig != Off {
		access.Kubeconfig = k.Kubeconfig
	}
	source, err := kube.FindKubelet(k.KubeletURL, access, k.KubeletInsecureTLS)
	if err != nil {
		set.Without(kubefact.SourceCounters, err.Error())
		return
	}
	set.Add(source)
}
