// SPDX-License-Identifier: Apache-2.0

package container

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
)

const tasks = "run/containerd/io.containerd.runtime.v2.task/"

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func link(target string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
}

func hostFiles() fstest.MapFS {
	return fstest.MapFS{
		tasks + "k8s.io/" + idA + "/init.pid": file("4711"),
		tasks + "k8s.io/" + idA + "/config.json": file(`{"linux":{"cgroupsPath":"kubepods-burstable-pod` + podUID_ + `.slice:cri-containerd:` + idA + `"},
			"annotations":{"io.kubernetes.cri.container-name":"app","io.kubernetes.cri.container-type":"container",
			"io.kubernetes.cri.image-name":"docker.io/library/web:1","io.kubernetes.cri.sandbox-name":"web-0",
			"io.kubernetes.cri.sandbox-namespace":"shop"}}`),
		tasks + "k8s.io/" + idB + "/init.pid": file("4700\n"),
		tasks + "k8s.io/" + idB + "/config.json": file(`{"linux":{"cgroupsPath":"/kubepods/pod` + podUID + `/` + idB + `"},
			"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-name":"web-0",
			"io.kubernetes.cri.sandbox-namespace":"shop","io.kubernetes.cri.sandbox-uid":"` + podUID + `"}}`),
		tasks + "default/web/init.pid":         file("not a pid"),
		tasks + "default/web/config.json":      file(`{"linux":{"cgroupsPath":"/default/web"}}`),
		tasks + "default/torn/config.json":     file(`{"linux":`),
		tasks + "default/starting/options":     file(""),
		tasks + "moby/" + idC + "/init.pid":    file("5"),
		tasks + "moby/" + idC + "/config.json": file(`{"linux":{"cgroupsPath":"system.slice:docker:` + idC + `"}}`),
	}
}

const idC = "00000000000000000000000000000000000000000000000000000000000000c0"

func TestTaskDir(t *testing.T) {
	source := NewTaskDir(hostFiles())
	infos, err := source.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(infos, func(a, b Info) int { return cmp.Compare(a.PID, b.PID) })
	pod := &event.Pod{Namespace: "shop", Name: "web-0", UID: podUID}
	want := []Info{
		{ID: "web", Name: "web", Runtime: RuntimeContainerd, CgroupPath: "/default/web"},
		{ID: idC, Runtime: RuntimeDocker, PID: 5, CgroupPath: "/system.slice/docker-" + idC + ".scope"},
		{ID: idB, Runtime: RuntimeContainerd, PID: 4700, Sandbox: true, CgroupPath: "/kubepods/pod" + podUID + "/" + idB, Pod: pod},
		{ID: idA, Name: "app", Image: "docker.io/library/web:1", Runtime: RuntimeContainerd, PID: 4711, CgroupPath: kubeB + "/cri-containerd-" + idA + ".scope", Pod: pod},
	}
	if diff := gocmp.Diff(want, infos); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
}

func TestTaskDirInspect(t *testing.T) {
	tests := []struct {
		path    string
		want    string
		wantErr bool
	}{
		{"/kubepods/burstable/pod" + podUID + "/" + idA, "app", false},
		{"/default/web/x", "web", false},
		{"/other/web", "", false},
		{"/default/torn", "", true},
		{"/default/starting", "", false},
		{"/docker/" + idA[:63] + "0", "", false},
		{"/kubepods/pod" + podUID, "", false},
	}
	source := NewTaskDir(hostFiles())
	for _, test := range tests {
		info, ok, err := source.Inspect(t.Context(), ParsePath(test.path))
		if info.Name != test.want || ok != (test.want != "") || (err != nil) != test.wantErr {
			t.Errorf("Inspect(%q) = %+v, %v, %v; want %q", test.path, info, ok, err, test.want)
		}
	}
	elsewhere := hostFiles()
	elsewhere[tasks+"default/web/config.json"] = file(`{"linux":{"cgroupsPath":"/jobs/web"}}`)
	if info, ok, _ := NewTaskDir(elsewhere).Inspect(t.Context(), ParsePath("/default/web")); ok {
		t.Errorf("a namesake of a container was taken for it: %+v", info)
	}
}

func TestFileSourcesThatAreAbsent(t *testing.T) {
	for _, source := range []Source{NewTaskDir(fstest.MapFS{}), NewStorage(fstest.MapFS{}), NewPodLogs(fstest.MapFS{})} {
		if _, err := source.List(t.Context()); !errors.Is(err, ErrAbsent) {
			t.Errorf("%s: List = %v, want ErrAbsent", source.Name(), err)
		}
	}
}

func logFiles() fstest.MapFS {
	dir := "var/log/pods/shop_web-0_" + podUID
	return fstest.MapFS{
		dir + "/app/2.log": file(""),
		"var/log/pods/kube-system_etcd-node_" + static + "/etcd/0.log": file(""),
		"var/log/pods/not a pod/x":                                     file(""),
		"var/log/containers/web-0_shop_app-" + idA + ".log":            link("/" + dir + "/app/2.log"),
		"var/log/containers/web-0_shop_app-short.log":                  link("/" + dir + "/app/1.log"),
		"var/log/containers/no-link-" + idB + ".log":                   file(""),
	}
}

func TestPodLogs(t *testing.T) {
	pod := &event.Pod{Namespace: "shop", Name: "web-0", UID: podUID}
	etcd := &event.Pod{Namespace: "kube-system", Name: "etcd-node", UID: static}
	app := Info{ID: idA, Name: "app", Attempt: 2, Pod: pod}
	source := NewPodLogs(logFiles())
	infos, err := source.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(infos, func(a, b Info) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Pod.Name, b.Pod.Name)) })
	if diff := gocmp.Diff([]Info{{Pod: etcd}, {Pod: pod}, app}, infos); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	without := logFiles()
	for name := range without {
		if strings.HasPrefix(name, "var/log/containers/") {
			delete(without, name)
		}
	}
	tests := []struct {
		name  string
		files fstest.MapFS
		path  string
		want  Info
	}{
		{"by the link", logFiles(), "/docker/" + idA, app},
		{"the sandbox is not named after the container", logFiles(), "/kubepods/pod" + podUID + "/" + idB, Info{Pod: pod}},
		{"the pod", logFiles(), "/kubepods/pod" + podUID, Info{Pod: pod}},
		{"no such container", logFiles(), "/docker/" + idB, Info{}},
		{"no such pod", logFiles(), "/kubepods/pod00000000-0000-0000-0000-000000000000", Info{}},
		{"no links, one container", without, "/kubepods/pod" + podUID + "/" + idB, Info{ID: idB, Name: "app", Pod: pod}},
		{"no links, the pod", without, "/kubepods/pod" + podUID, Info{Pod: pod}},
	}
	for _, test := range tests {
		info, ok, err := NewPodLogs(test.files).Inspect(t.Context(), ParsePath(test.path))
		if diff := gocmp.Diff(test.want, info); diff != "" || err != nil || ok != (info.Pod != nil) {
			t.Errorf("%s: %v, %v (-want +got):\n%s", test.name, ok, err, diff)
		}
	}
}

func TestStorage(t *testing.T) {
	files := fstest.MapFS{
		storedContainers: file(`[{"id":"` + idA + `","names":["web"],"metadata":"{\"image-name\":\"docker.io/library/web:1\",\"name\":\"web\"}"},
			{"id":"` + idD + `","names":["build"],"metadata":""}]`),
		storedVolatile: file(`[{"id":"` + idB + `","metadata":"{\"pod-id\":\"` + idC + `\",\"pod-name\":\"k8s_web-0_shop\",\"image-name\":\"web:2\",\"name\":\"k8s_app\",\"metadata-name\":\"app\",\"attempt\":4}"},
			{"id":"` + idC + `","metadata":"{\"pod-id\":\"` + idC + `\",\"name\":\"k8s_POD\",\"metadata-name\":\"web-0\",\"uid\":\"` + podUID + `\",\"namespace\":\"shop\"}"}]`),
		storageRunDir + "/" + idA + "/userdata/pidfile": file("31\n"),
	}
	pod := &event.Pod{Namespace: "shop", Name: "web-0", UID: podUID}
	want := []Info{
		{ID: idC, Runtime: RuntimeCRIO, Sandbox: true, Pod: pod},
		{ID: idD, Name: "build", Runtime: RuntimePodman},
		{ID: idA, Name: "web", Image: "docker.io/library/web:1", Runtime: RuntimePodman, PID: 31},
		{ID: idB, Name: "app", Image: "web:2", Runtime: RuntimeCRIO, Attempt: 4, Pod: pod},
	}
	source := NewStorage(files)
	infos, err := source.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(infos, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	if diff := gocmp.Diff(want, infos); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	if info, ok, err := source.Inspect(t.Context(), Ref{ID: idB}); !ok || err != nil || info.Name != "app" {
		t.Errorf("Inspect = %+v, %v, %v", info, ok, err)
	}
	if _, ok, err := source.Inspect(t.Context(), Ref{ID: idB[:63] + "0"}); ok || err != nil {
		t.Errorf("Inspect of an unknown one = %v, %v", ok, err)
	}
}

const idD = "00000000000000000000000000000000000000000000000000000000000000d0"

func TestCgroupOfSpec(t *testing.T) {
	tests := map[string]string{
		"/default/web":                           "/default/web",
		"relative":                               "",
		"":                                       "",
		"system.slice:docker:x":                  "/system.slice/docker-x.scope",
		":runc:x":                                "/system.slice/runc-x.scope",
		"-.slice:runc:x":                         "/runc-x.scope",
		"kubepods-besteffort-pod1.slice:":        "",
		"kubepods-besteffort-pod_1.slice:crio:x": "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod_1.slice/crio-x.scope",
		"user.slice::x":                          "/user.slice/x.scope",
	}
	for in, want := range tests {
		if got := cgroupOfSpec(in); got != want {
			t.Errorf("cgroupOfSpec(%q) = %q, want %q", in, got, want)
		}
	}
}
