// SPDX-License-Identifier: Apache-2.0

package container

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func names(sources []Source) []string {
	var names []string
	for _, source := range sources {
		names = append(names, source.Name())
	}
	return names
}

func TestDiscoverNotesWhatIsNotThere(t *testing.T) {
	sources, notes, err := Discover(t.Context(), Options{DockerHost: Off, Root: t.TempDir(), CRIEndpoint: Off})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"containerd-tasks", "containers-storage", "pod-logs"}, names(sources)); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	for _, name := range []string{"containerd-tasks", "containers-storage", "pod-logs", "cri", "docker"} {
		if notes[name] == "" {
			t.Errorf("no note about %s", name)
		}
	}
}

func TestDiscoverTakesWhatItIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "cri.sock")
	serveCRI(t, socket, &fakeCRI{})
	docker := serveDocker(t, "tcp")
	sources, notes, err := Discover(t.Context(), Options{CRIEndpoint: "unix://" + socket, DockerHost: docker, Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closeAll(sources) })
	if diff := cmp.Diff([]string{"containerd-tasks", "containers-storage", "cri", "docker", "pod-logs"}, names(sources)); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if notes["cri"] != "" || notes["docker"] != "" {
		t.Errorf("notes about sources that answer: %v", notes)
	}
}

func TestDiscoverRefusals(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.sock")
	tests := []struct {
		name string
		opts Options
		want string
	}{
		{"CRI", Options{CRIEndpoint: missing, DockerHost: Off}, "--cri-endpoint off disables it"},
		{"CRI that is no path", Options{CRIEndpoint: "tcp://localhost:1", DockerHost: Off}, "unix socket"},
		{"Docker", Options{CRIEndpoint: Off, DockerHost: missing}, "--docker-host off disables it"},
		{"Docker that is something else", Options{CRIEndpoint: Off, DockerHost: notDocker(t)}, "--docker-host off disables it"},
		{"Docker that is no URL", Options{CRIEndpoint: Off, DockerHost: "x"}, `"x" is neither unix:`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.opts.Root = t.TempDir()
			_, _, err := Discover(t.Context(), test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Discover = %v, want one line with %q", err, test.want)
			}
		})
	}
}

func TestSocketsBelowTheHostRoot(t *testing.T) {
	if diff := cmp.Diff([]string{"/host/run/x.sock", "/run/x.sock"}, Options{Root: "/host"}.below("/run/x.sock")); diff != "" {
		t.Errorf("below /host (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/run/x.sock"}, Options{}.below("/run/x.sock")); diff != "" {
		t.Errorf("below / (-want +got):\n%s", diff)
	}
}

// notDocker serves CRI where Docker is expected; the answer is no HTTP/1.
func notDocker(t *testing.T) string {
	socket := filepath.Join(t.TempDir(), "x.sock")
	serveCRI(t, socket, nil)
	return socket
}
