// SPDX-License-Identifier: Apache-2.0

// Package bed brings up a real Kubernetes node for tests, beside whatever else
// runs on the machine: its own containerd, and either the whole control plane
// with a kubelet as its node, or a kubelet alone with static pods. Everything
// lies in one directory, listens on loopback addresses of its own, and is gone
// afterwards: processes, mounts, cgroups, logs, changed kernel settings.
//
// There is no image registry and no network plugin: images are made by hand of
// static programs, and pods use the host's network.
package bed
