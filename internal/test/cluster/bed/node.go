// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"errors"
	"slices"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func (b *Bed) client() (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", b.Kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

const uninitialized = "node.cloudprovider.kubernetes.io/uninitialized"

// bringNodeUp does what a cloud's controller does for a new node: it gives it
// an address, takes its taint away, and waits until it is ready.
func (b *Bed) bringNodeUp(ctx context.Context) error {
	client, err := b.client()
	if err != nil {
		return err
	}
	nodes := client.CoreV1().Nodes()
	return b.kubelet.until(ctx, func(ctx context.Context) error {
		node, err := nodes.Get(ctx, b.Node, meta.GetOptions{})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(node.Status.Addresses, func(a core.NodeAddress) bool { return a.Type == core.NodeInternalIP }) {
			node.Status.Addresses = append(node.Status.Addresses, core.NodeAddress{Type: core.NodeInternalIP, Address: b.net.node()})
			_, err := nodes.UpdateStatus(ctx, node, meta.UpdateOptions{})
			return errors.Join(err, errors.New("the node had no address"))
		}
		if i := slices.IndexFunc(node.Spec.Taints, func(t core.Taint) bool { return t.Key == uninitialized }); i >= 0 {
			node.Spec.Taints = slices.Delete(node.Spec.Taints, i, i+1)
			_, err := nodes.Update(ctx, node, meta.UpdateOptions{})
			return errors.Join(err, errors.New("the node had its taint"))
		}
		return readiness(node)
	})
}

func readiness(node *core.Node) error {
	if len(node.Spec.Taints) > 0 {
		return errors.New("the node is tainted: " + node.Spec.Taints[0].Key)
	}
	for _, c := range node.Status.Conditions {
		if c.Type == core.NodeReady && c.Status == core.ConditionTrue {
			return nil
		}
		if c.Type == core.NodeReady {
			return errors.New("the node is not ready: " + c.Message)
		}
	}
	return errors.New("the node has no condition yet")
}
