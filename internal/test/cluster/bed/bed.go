// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Options are what a bed is made of.
type Options struct {
	// Programs is the directory with kubelet, kube-apiserver and the others.
	Programs string
	// App is the static program that the test's images hold as /bin/app.
	App string
	// Standalone leaves out the control plane: static pods only.
	Standalone bool
	// Verbosity is kubelet's -v.
	Verbosity int
	// KeepLogs is a directory for the programs' logs; empty: they go too.
	KeepLogs string
}

// Description is how a test reaches a bed.
type Description struct {
	Dir string `json:"dir"`
	// Kubeconfig is an administrator's; Agent's has what an agent may do.
	Kubeconfig      string `json:"kubeconfig,omitempty"`
	AgentKubeconfig string `json:"agent_kubeconfig,omitempty"`
	CA              string `json:"ca,omitempty"`
	Kubectl         string `json:"kubectl"`
	Node            string `json:"node"`
	Address         string `json:"address"`
	CRISocket       string `json:"cri_socket"`
	KubeletLog      string `json:"kubelet_log"`
	// KubeletURL takes credentials, ReadOnlyURL none.
	KubeletURL  string `json:"kubelet_url,omitempty"`
	ReadOnlyURL string `json:"read_only_url"`
	StaticPods  string `json:"static_pods"`
	CgroupRoot  string `json:"cgroup_root"`
	Image       string `json:"image"`
	OtherImage  string `json:"other_image"`
	KubeletPID  int    `json:"kubelet_pid"`
}

// Bed is a running one.
type Bed struct {
	Description
	options Options
	net     subnet
	keys    *authority
	lock    *os.File
	daemons []*daemon
	kubelet *daemon
	host    hostState
	seen    podsSeen
}

// startTimeout is for one part to come up, on a machine that does other things
// as well.
const startTimeout = 90 * time.Second

// Start brings a bed up. Whatever fails, nothing stays behind.
func Start(ctx context.Context, o Options) (_ *Bed, err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("a test bed takes root: it runs containers")
	}
	if err := sweep(); err != nil {
		return nil, err
	}
	b := &Bed{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if err := b.claim(); err != nil {
		return nil, err
	}
	b.host = rememberHost()
	for _, part := range b.parts() {
		if err := part.start(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return b, nil
}

type part struct {
	name  string
	start func(context.Context) error
}

func (b *Bed) parts() []part {
	node := []part{
		{"keys", b.makeKeys},
		{"cgroup", b.makeCgroup},
		{"containerd", b.startContainerd},
		{"pods' logs", func(context.Context) error { return b.seen.follow(b.CRISocket) }},
		{"images", b.importImages},
	}
	if b.options.Standalone {
		return append(node, part{"kubelet", b.startKubelet})
	}
	return append(node,
		part{"etcd", b.startEtcd},
		part{"kube-apiserver", b.startAPIServer},
		part{"kube-controller-manager", b.startControllerManager},
		part{"kube-scheduler", b.startScheduler},
		part{"kubelet", b.startKubelet},
		part{"node", b.bringNodeUp},
		part{"agent's account", b.makeAgentAccount},
	)
}

// Base is the directory of all beds.
func Base() string { return filepath.Join(os.TempDir(), "sigtrace-bed") }

// path is below the bed's directory.
func (b *Bed) path(elem ...string) string {
	return filepath.Join(append([]string{b.Dir}, elem...)...)
}
