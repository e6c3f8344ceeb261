// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// errNoAPI says that there is no way to the API that was named or is usual.
var errNoAPI = errors.New("no API credentials: set --kubeconfig FILE, or run in a pod with a service account")

// answers is how long the API server may take to begin an answer.
const answers = 10 * time.Second

// Access is the way to the API server: a kubeconfig, or a pod's service account.
type Access struct {
	// Kubeconfig is a file; empty is the pod's service account, else
	// $KUBECONFIG.
	Kubeconfig string
}

// There reports whether there is such a way at all.
func (a Access) There() error {
	if a.file() != "" || os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return nil
	}
	return errNoAPI
}

func (a Access) file() string {
	if a.Kubeconfig != "" {
		return a.Kubeconfig
	}
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return ""
	}
	return os.Getenv("KUBECONFIG")
}

// config reads credentials anew: they may have been replaced.
func (a Access) config() (*rest.Config, error) {
	file := a.file()
	if file == "" {
		c, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("service account: %w", err)
		}
		return c, nil
	}
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: file}
	if a.Kubeconfig == "" {
		rules = clientcmd.NewDefaultClientConfigLoadingRules() // $KUBECONFIG is a list
	}
	c, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %s: %w", file, err)
	}
	return c, nil
}

// Client makes a client of the core API alone: the clientset of all groups
// would cost a multiple of it in memory.
func (a Access) Client() (*rest.RESTClient, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("core API: %w", err)
	}
	c = rest.CopyConfig(c)
	c.APIPath, c.GroupVersion = "/api", &corev1.SchemeGroupVersion
	c.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	c.ContentType = runtime.ContentTypeProtobuf
	c.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	c.UserAgent = "sigtrace"
	client, err := rest.RESTClientFor(c)
	if err != nil {
		return nil, fmt.Errorf("kubernetes API: %w", err)
	}
	return client, nil
}

var parameters = metav1.ParameterCodec
