// SPDX-License-Identifier: Apache-2.0

package container

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
)

// serveDocker is a daemon as old as Debian 12's, API 1.41.
func serveDocker(t *testing.T, network string) (host string) {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(path, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Api-Version", "1.41")
			w.Header().Set("Content-Type", "application/json")
			if strings.Contains(body, "No such") {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = w.Write([]byte(body))
		})
	}
	answer("/_ping", "OK")
	answer("/v1.41/containers/json", `[
		{"Id":"`+idA+`","Names":["/web"],"Image":"web:1","State":"running"},
		{"Id":"`+idB+`","Names":["/k8s_POD"],"Image":"pause","State":"exited","Labels":{"io.kubernetes.docker.type":"podsandbox",
			"io.kubernetes.pod.name":"web-0","io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":"`+podUID+`"}}]`)
	answer("/v1.41/containers/"+idA+"/json", `{"Id":"`+idA+`","Name":"/web","Image":"sha256:0","Config":{"Image":"web:1"},"State":{"Status":"running","Pid":77}}`)
	answer("/v1.41/containers/"+idC+"/json", `{"message":"No such container"}`)
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "docker.sock")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: mux}}
	server.Start()
	t.Cleanup(server.Close)
	return network + "://" + l.Addr().String()
}

func TestDocker(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) { testDocker(t, serveDocker(t, network)) })
	}
}

func TestDockerHostThatIsNoneOfOurs(t *testing.T) {
	if _, err := NewDocker("ssh://somewhere").List(t.Context()); err == nil || !strings.Contains(err.Error(), "ssh://somewhere") {
		t.Errorf("List = %v", err)
	}
}

func testDocker(t *testing.T, host string) {
	source := NewDocker(host)
	t.Cleanup(func() { _ = source.Close() })
	infos, err := source.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	web := Info{ID: idA, Name: "web", Image: "web:1", Runtime: RuntimeDocker, State: StateRunning}
	want := []Info{web, {ID: idB, Image: "pause", Runtime: RuntimeDocker, Sandbox: true, State: StateExited,
		Pod: &event.Pod{Namespace: "shop", Name: "web-0", UID: podUID}}}
	if diff := cmp.Diff(want, infos); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	web.PID, web.StopSignal = 77, "SIGTERM"
	tests := []struct {
		ref  Ref
		want Info
	}{
		{Ref{ID: idA}, web},
		{Ref{ID: idA, Runtime: RuntimeContainerd}, Info{}},
		{Ref{ID: idC, Runtime: RuntimeDocker}, Info{}},
		{Ref{ID: "web", Candidate: true}, Info{}},
		{Ref{PodUID: podUID}, Info{}},
	}
	for _, test := range tests {
		got, ok, err := source.Inspect(t.Context(), test.ref)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != (test.want.ID != "") || err != nil {
			t.Errorf("Inspect(%+v): %v, %v (-want +got):\n%s", test.ref, ok, err, diff)
		}
	}
}

func TestDockerThatIsAbsent(t *testing.T) {
	source := NewDocker("unix://" + filepath.Join(t.TempDir(), "docker.sock"))
	if _, err := source.List(t.Context()); !errors.Is(err, ErrAbsent) {
		t.Errorf("List = %v, want ErrAbsent", err)
	}
}
