// SPDX-License-Identifier: Apache-2.0

// Package cluster holds sigtrace against a real Kubernetes node: make
// test-kube. Its tests have the build tag cluster, for they need Kubernetes'
// own programs, which build-kubernetes beside it builds.
package cluster
