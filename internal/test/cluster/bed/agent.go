// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	agentName      = "sigtrace-bed-agent"
	agentNamespace = "kube-system"
)

// agentRules is what sigtrace may do: kubernetes-wide reading of pods and
// Events, and kubelet's counters and pods; no nodes/proxy, which would let it exec.
var agentRules = []rbac.PolicyRule{
	{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list", "watch"}},
	{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"get", "list", "watch", "create", "patch"}},
	{APIGroups: []string{""}, Resources: []string{"nodes/metrics", "nodes/pods"}, Verbs: []string{"get"}},
}

// makeAgentAccount makes a service account with an agent's rights, and a
// kubeconfig with a token of it.
func (b *Bed) makeAgentAccount(ctx context.Context) error {
	client, err := b.client()
	if err != nil {
		return err
	}
	name := meta.ObjectMeta{Name: agentName}
	accounts := client.CoreV1().ServiceAccounts(agentNamespace)
	if _, err := accounts.Create(ctx, &core.ServiceAccount{ObjectMeta: name}, meta.CreateOptions{}); err != nil {
		return err
	}
	role := &rbac.ClusterRole{ObjectMeta: name, Rules: agentRules}
	if _, err := client.RbacV1().ClusterRoles().Create(ctx, role, meta.CreateOptions{}); err != nil {
		return err
	}
	binding := &rbac.ClusterRoleBinding{
		ObjectMeta: name,
		RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: agentName},
		Subjects:   []rbac.Subject{{Kind: "ServiceAccount", Name: agentName, Namespace: agentNamespace}},
	}
	if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, meta.CreateOptions{}); err != nil {
		return err
	}
	token, err := accounts.CreateToken(ctx, agentName, &authentication.TokenRequest{}, meta.CreateOptions{})
	if err != nil {
		return err
	}
	b.AgentKubeconfig, err = b.writeKubeconfig("agent", "{token: "+token.Status.Token+"}")
	return err
}
