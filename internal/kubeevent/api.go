// SPDX-License-Identifier: Apache-2.0

package kubeevent

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// API is what is needed of the API server.
type API interface {
	Create(ctx context.Context, e *corev1.Event) (*corev1.Event, error)
	// Patch applies a strategic merge patch.
	Patch(ctx context.Context, namespace, name string, patch []byte) (*corev1.Event, error)
}

// REST is the API through a client of the core group, version v1.
func REST(client rest.Interface) API { return restAPI{client} }

type restAPI struct{ client rest.Interface }

// answers is how long one request may take.
const answers = 10 * time.Second

func (a restAPI) Create(ctx context.Context, e *corev1.Event) (*corev1.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	made := &corev1.Event{}
	err := a.client.Post().Namespace(e.Namespace).Resource("events").Body(e).Do(ctx).Into(made)
	return made, err
}

func (a restAPI) Patch(ctx context.Context, namespace, name string, patch []byte) (*corev1.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	made := &corev1.Event{}
	err := a.client.Patch(types.StrategicMergePatchType).Namespace(namespace).Resource("events").Name(name).Body(patch).Do(ctx).Into(made)
	return made, err
}
