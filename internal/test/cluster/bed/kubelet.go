// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"fmt"
	"os"
)

// kubeletConfig: quick where a test would otherwise wait, and off the host's
// firewall. 1.34 accepts cgroup v1 only if the configuration says so.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %[1]s
healthzBindAddress: %[1]s
readOnlyPort: 10255
containerRuntimeEndpoint: unix://%[2]s
cgroupDriver: cgroupfs
cgroupRoot: %[3]s
failCgroupV1: false
enforceNodeAllocatable: []
staticPodPath: %[4]s/static-pods
volumePluginDir: %[4]s/volume-plugins
fileCheckFrequency: 1s
syncFrequency: 10s
volumeStatsAggPeriod: 3s
evictionHard: {memory.available: 1Mi, nodefs.available: 1Mi, imagefs.available: 1Mi}
imageGCHighThresholdPercent: 100
imageMinimumGCAge: 24h
makeIPTablesUtilChains: false
failSwapOn: false
oomScoreAdj: 0
%[5]s`

const standaloneConfig = `authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
`

const nodeConfig = `authentication: {anonymous: {enabled: false}, webhook: {enabled: true, cacheTTL: 10s}, x509: {clientCAFile: %[1]s}}
authorization: {mode: Webhook}
tlsCertFile: %[2]s
tlsPrivateKeyFile: %[3]s
`

func (b *Bed) startKubelet(ctx context.Context) error {
	for _, dir := range []string{b.StaticPods, b.path("volume-plugins"), b.path("kubelet")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	config, flags, err := b.kubeletRole()
	if err != nil {
		return err
	}
	if err := writeFile(b.path("kubelet.yaml"), config); err != nil {
		return err
	}
	args := append([]string{
		"--config=" + b.path("kubelet.yaml"), "--root-dir=" + b.path("kubelet"), "--cert-dir=" + b.path("pki"),
		"--hostname-override=" + b.Node, "--containerd=" + b.CRISocket, fmt.Sprintf("-v=%d", b.options.Verbosity),
	}, flags...)
	d, err := b.startCommand("kubelet", kubeletCommand(b.program("kubelet"), args))
	if err != nil {
		return err
	}
	b.kubelet, b.KubeletPID = d, d.cmd.Process.Pid
	return d.until(ctx, func(ctx context.Context) error { return get(ctx, "http://"+b.net.node()+":10248/healthz") })
}

// pidsTree is a hierarchy whose root has no pids.current in kernels since 6.18
// or so; cAdvisor then has no figures of the node, and nobody is ever evicted.
const pidsTree = cgroupMount + "/pids"

// kubeletCommand runs kubelet where that hierarchy is not mounted, if it is one
// that kubelet stumbles over.
func kubeletCommand(program string, args []string) []string {
	command := append([]string{program}, args...)
	if !exists(pidsTree) || exists(pidsTree+"/pids.current") {
		return command
	}
	const hide = `mount --make-private "$0" && umount "$0" && exec "$@"`
	return append([]string{"unshare", "--mount", "--propagation", "unchanged", "sh", "-c", hide, pidsTree}, command...)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// kubeletRole is what a node of a cluster and a kubelet alone differ in.
func (b *Bed) kubeletRole() (config string, flags []string, err error) {
	b.ReadOnlyURL = "http://" + b.net.node() + ":10255"
	if b.options.Standalone {
		return fmt.Sprintf(kubeletConfig, b.net.node(), b.CRISocket, b.CgroupRoot, b.Dir, standaloneConfig), nil, nil
	}
	b.KubeletURL = "https://" + b.net.node() + ":10250"
	serving, err := b.keys.server("kubelet", b.net.node(), b.Node)
	if err != nil {
		return "", nil, err
	}
	credentials, err := b.kubeconfig("kubelet-client", "system:node:"+b.Node, "system:nodes")
	if err != nil {
		return "", nil, err
	}
	role := fmt.Sprintf(nodeConfig, b.CA, serving.cert, serving.key)
	// A kubelet refuses a loopback address as its own, but not from a cloud
	// provider; the bed is one, see bringNodeUp.
	return fmt.Sprintf(kubeletConfig, b.net.node(), b.CRISocket, b.CgroupRoot, b.Dir, role),
		[]string{"--kubeconfig=" + credentials, "--cloud-provider=external"}, nil
}

func writeFile(name, content string) error { return os.WriteFile(name, []byte(content), 0o600) }
