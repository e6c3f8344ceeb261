// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
)

const (
	// bodyMax bounds an answer.
	bodyMax = 32 << 20
	// kubeletAnswers is how long kubelet may take.
	kubeletAnswers = 3 * time.Second
)

var errNoPods = errors.New("kubelet's list of pods was not understood")

func (k *Kubelet) get(ctx context.Context, path string, read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, kubeletAnswers)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.base.JoinPath(path).String(), nil)
	if err != nil {
		return fmt.Errorf("kubelet: %w", err)
	}
	response, err := k.http.Do(request)
	if err != nil {
		return fmt.Errorf("kubelet at %s: %w", k.base.Host, plainly(err))
	}
	defer response.Body.Close()
	body := io.LimitReader(response.Body, bodyMax)
	if response.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, io.LimitReader(body, 4096))
		return &refusal{response.StatusCode, fmt.Sprintf("kubelet answers %s to %s%s", response.Status, path, allow(response.StatusCode, path))}
	}
	return read(body)
}

// refusal is an answer that is none.
type refusal struct {
	code int
	text string
}

func (r *refusal) Error() string { return r.text }

// lasting reports whether kubelet will answer the same for a while: it may not be
// asked that, or does not have it.
func lasting(err error) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.code >= 400 && r.code < 500
}

// allow says what an operator can do about a refusal.
func allow(code int, path string) string {
	if code != http.StatusForbidden && code != http.StatusUnauthorized {
		return ""
	}
	if path == "/pods" {
		return ": allow get of nodes/pods"
	}
	return ": allow get of nodes/metrics"
}

// client makes the HTTP client. Credentials never go over plain HTTP.
func (k *Kubelet) client() (*http.Client, error) {
	if k.base.Scheme == "http" {
		return &http.Client{Timeout: kubeletAnswers}, nil
	}
	c, err := k.access.config()
	if err != nil {
		return nil, fmt.Errorf("kubelet's port needs credentials: %w", err)
	}
	c = rest.CopyConfig(c)
	c.Host = k.base.String()
	if k.insecure {
		c.TLSClientConfig.Insecure, c.CAData, c.CAFile = true, nil, ""
	}
	c.ServerName = ""
	client, err := rest.HTTPClientFor(c)
	if err != nil {
		return nil, fmt.Errorf("kubelet: %w", err)
	}
	return client, nil
}

func decodePods(r io.Reader, list *corev1.PodList) error {
	if err := json.NewDecoder(r).Decode(list); err != nil {
		return fmt.Errorf("%w: %w", errNoPods, err)
	}
	return nil
}
