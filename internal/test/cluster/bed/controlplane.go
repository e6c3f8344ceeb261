// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"
)

const admins = "system:masters"

func (b *Bed) startEtcd(ctx context.Context) error {
	client, peer := "http://"+b.net.node()+":2379", "http://"+b.net.node()+":2380"
	d, err := b.start(b.program("etcd"), "--name=bed", "--data-dir="+b.path("etcd"),
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=bed="+peer,
		"--unsafe-no-fsync", "--logger=zap", "--log-level=warn")
	if err != nil {
		return err
	}
	return d.until(ctx, func(ctx context.Context) error { return get(ctx, client+"/health") })
}

func get(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}

func (b *Bed) startAPIServer(ctx context.Context) error {
	server, err := b.keys.server("kube-apiserver", b.net.api(), "kubernetes", "kubernetes.default", "kubernetes.default.svc")
	if err != nil {
		return err
	}
	toKubelet, err := b.keys.client("apiserver-kubelet-client", "apiserver-kubelet-client", admins)
	if err != nil {
		return err
	}
	accounts := b.path("pki", "service-account.key")
	d, err := b.start(b.program("kube-apiserver"),
		"--etcd-servers=http://"+b.net.node()+":2379",
		"--bind-address="+b.net.api(), "--advertise-address="+b.net.api(), "--secure-port=443",
		"--tls-cert-file="+server.cert, "--tls-private-key-file="+server.key, "--client-ca-file="+b.CA,
		"--service-cluster-ip-range="+b.net.cidr(), "--endpoint-reconciler-type=none",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+accounts, "--service-account-signing-key-file="+accounts,
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
		"--kubelet-client-certificate="+toKubelet.cert, "--kubelet-client-key="+toKubelet.key,
		"--kubelet-certificate-authority="+b.CA, "--kubelet-preferred-address-types=InternalIP")
	if err != nil {
		return err
	}
	b.Kubeconfig, err = b.kubeconfig("admin", "admin", admins)
	if err != nil {
		return err
	}
	client, err := b.client()
	if err != nil {
		return err
	}
	return d.until(ctx, func(ctx context.Context) error {
		return client.RESTClient().Get().AbsPath("/readyz").Timeout(2 * time.Second).Do(ctx).Error()
	})
}

func (b *Bed) startControllerManager(context.Context) error {
	config, err := b.kubeconfig("controller-manager", "system:kube-controller-manager")
	if err != nil {
		return err
	}
	_, err = b.start(b.program("kube-controller-manager"), "--kubeconfig="+config,
		"--authentication-skip-lookup",
		"--service-account-private-key-file="+b.path("pki", "service-account.key"), "--root-ca-file="+b.CA,
		"--use-service-account-credentials", "--leader-elect=false", "--bind-address="+b.net.node(),
		"--cert-dir="+b.path("pki"))
	return err
}

func (b *Bed) startScheduler(context.Context) error {
	config, err := b.kubeconfig("scheduler", "system:kube-scheduler")
	if err != nil {
		return err
	}
	_, err = b.start(b.program("kube-scheduler"), "--kubeconfig="+config,
		"--authentication-skip-lookup",
		"--leader-elect=false", "--bind-address="+b.net.node(), "--cert-dir="+b.path("pki"))
	return err
}

// kubeconfig is that of a user with a certificate; it returns its file.
func (b *Bed) kubeconfig(file, user string, groups ...string) (string, error) {
	p, err := b.keys.client(file, user, groups...)
	if err != nil {
		return "", err
	}
	credentials := fmt.Sprintf("{client-certificate: %s, client-key: %s}", p.cert, p.key)
	return b.writeKubeconfig(file, credentials)
}

func (b *Bed) writeKubeconfig(file, credentials string) (string, error) {
	name := filepath.Join(b.Dir, file+".kubeconfig")
	return name, writeFile(name, fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: bed
clusters: [{name: bed, cluster: {server: "https://%s", certificate-authority: %s}}]
users: [{name: bed, user: %s}]
contexts: [{name: bed, context: {cluster: bed, user: bed}}]
`, b.net.api(), b.CA, credentials))
}
