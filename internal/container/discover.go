// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Off leaves a source out.
const Off = "off"

// discoverTimeout bounds how long each runtime is waited for at the start.
const discoverTimeout = 2 * time.Second

// Options say where to look for containers' names.
type Options struct {
	// CRIEndpoint is a unix socket, as a path or a unix:// URL, and is taken
	// as it is, not below Root. Empty: the usual ones. [Off]: none.
	CRIEndpoint string
	// DockerHost is a URL like unix:///run/docker.sock or a socket's path.
	// Empty: the usual sockets. [Off]: none.
	DockerHost string
	// Root is where the host's root directory is mounted, "" for "/".
	Root string
}

// Discover makes the sources, in the order in which they are best asked: what
// is quick and vanishes first comes first. The notes report, by the source's
// name, why one does not answer now. A source that was not asked for by name
// is there all the same, unless it is off, since its runtime may start later;
// one that was and refuses is an error.
func Discover(ctx context.Context, opts Options) (sources []Source, notes map[string]string, err error) {
	root := os.DirFS(opts.root())
	notes = make(map[string]string)
	for _, source := range []Source{NewTaskDir(root), NewStorage(root)} {
		sources = append(sources, probed(ctx, source, notes))
	}
	cri, err := discoverCRI(ctx, opts, notes)
	if err != nil {
		return nil, nil, err
	}
	docker, err := discoverDocker(ctx, opts, notes)
	if err != nil {
		return nil, nil, errors.Join(err, closeAll(cri))
	}
	sources = append(sources, cri...)
	sources = append(sources, docker...)
	return append(sources, probed(ctx, NewPodLogs(root), notes)), notes, nil
}

func (o Options) root() string {
	if o.Root == "" {
		return "/"
	}
	return o.Root
}

// probed asks a source once, and notes what it answers if that is an error.
func probed(ctx context.Context, source Source, notes map[string]string) Source {
	if err := ask(ctx, source); err != nil {
		notes[source.Name()] = oneLine{err}.Error()
	}
	return source
}

func discoverCRI(ctx context.Context, opts Options, notes map[string]string) ([]Source, error) {
	switch opts.CRIEndpoint {
	case Off:
		notes["cri"] = Off
		return nil, nil
	case "":
		sockets := opts.below("/run/containerd/containerd.sock", "/run/crio/crio.sock",
			"/var/run/cri-dockerd.sock", "/run/cri-dockerd.sock", "/run/k3s/containerd/containerd.sock")
		return []Source{probed(ctx, NewCRI(sockets...), notes)}, nil
	}
	socket, err := unixSocket(opts.CRIEndpoint)
	if err != nil {
		return nil, fmt.Errorf("cri endpoint %q: %w", opts.CRIEndpoint, err)
	}
	source := NewCRI(socket)
	if err := refusal(ctx, source, "CRI endpoint "+socket, "--cri-endpoint"); err != nil {
		return nil, err
	}
	return []Source{source}, nil
}

func discoverDocker(ctx context.Context, opts Options, notes map[string]string) ([]Source, error) {
	host := opts.DockerHost
	switch {
	case host == Off:
		notes["docker"] = Off
		return nil, nil
	case host == "":
		var hosts []string
		for _, socket := range opts.below("/run/docker.sock", "/var/run/docker.sock") {
			hosts = append(hosts, "unix://"+socket)
		}
		return []Source{probed(ctx, NewDocker(hosts...), notes)}, nil
	case filepath.IsAbs(host):
		host = "unix://" + host
	}
	source := NewDocker(host)
	if err := refusal(ctx, source, "Docker host "+host, "--docker-host"); err != nil {
		return nil, err
	}
	return []Source{source}, nil
}

// refusal asks a source that the user named; if it fails, the error says so in
// one sentence and the source is closed.
func refusal(ctx context.Context, source Source, what, flag string) error {
	err := ask(ctx, source)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("the %s does not answer: %w (%s off disables it)", what, oneLine{err}, flag)
	return errors.Join(err, source.Close())
}

// ask finds out whether a source answers.
func ask(ctx context.Context, source Source) error {
	ctx, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	_, err := source.List(ctx)
	return err
}

// below gives sockets under the host's root and, where that is mounted
// elsewhere, also at their own place: an agent may have just their directory
// mounted there.
func (o Options) below(sockets ...string) []string {
	if o.root() == "/" {
		return sockets
	}
	paths := make([]string, 0, 2*len(sockets))
	for _, socket := range sockets {
		paths = append(paths, filepath.Join(o.Root, socket))
	}
	return append(paths, sockets...)
}

// firstOf names the first of several places for a message.
func firstOf(places []string) string {
	switch others := len(places) - 1; others {
	case -1, 0:
		return strings.Join(places, "")
	case 1:
		return places[0] + " or at 1 other path"
	default:
		return fmt.Sprintf("%s or at %d other paths", places[0], others)
	}
}

// unixSocket gives the path of an endpoint.
func unixSocket(endpoint string) (string, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(endpoint, "unix:"), "//")
	if !filepath.IsAbs(path) {
		return "", errors.New("want the path of a unix socket, like unix:///run/containerd/containerd.sock")
	}
	return path, nil
}

func closeAll(sources []Source) error {
	var errs []error
	for _, source := range sources {
		errs = append(errs, source.Close())
	}
	return errors.Join(errs...)
}
