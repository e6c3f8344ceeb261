// SPDX-License-Identifier: Apache-2.0

package container

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
)

const (
	idA     = "3f4a1c9de2b07b5a6f1e8d9c0b1a2f3e4d5c6b7a8f9e0d1c2b3a4f5e6d7c8b9a"
	idB     = "9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e1f6a5b7b02ed9c1a4f3e"
	podUID  = "1b2a6e5c-0f83-4c8b-9a55-3b7f2c9d1e40"
	podUID_ = "1b2a6e5c_0f83_4c8b_9a55_3b7f2c9d1e40"
	static  = "f8d1b5c2a3e4f5061728394a5b6c7d8e"
	kubeB   = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + podUID_ + ".slice"
	kubeG   = "/kubepods.slice/kubepods-pod" + podUID_ + ".slice"
	kind    = "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod" + podUID_ + ".slice"
	userSvc = "/user.slice/user-1000.slice/user@1000.service"
)

type pathCase struct {
	name, path string
	want       Ref
	level      string
}

// scope is a Ref whose unit is the last component.
func scope(ref Ref, unit string) Ref {
	ref.Unit, ref.UnitID = unit, unit
	return ref
}

func kubernetesPaths() []pathCase {
	pod := func(id, runtime, qos, path string) Ref {
		return Ref{ID: id, Runtime: runtime, PodUID: podUID, QoS: qos, Path: path}
	}
	return []pathCase{
		{"containerd systemd", kubeB + "/cri-containerd-" + idA + ".scope",
			scope(pod(idA, RuntimeContainerd, QoSBurstable, kubeB+"/cri-containerd-"+idA+".scope"), "cri-containerd-"+idA+".scope"), LevelContainer},
		{"containerd systemd guaranteed", kubeG + "/cri-containerd-" + idA + ".scope",
			scope(pod(idA, RuntimeContainerd, QoSGuaranteed, kubeG+"/cri-containerd-"+idA+".scope"), "cri-containerd-"+idA+".scope"), LevelContainer},
		{"cgroupfs", "/kubepods/burstable/pod" + podUID + "/" + idA,
			pod(idA, "", QoSBurstable, "/kubepods/burstable/pod"+podUID+"/"+idA), LevelContainer},
		{"cgroupfs guaranteed", "/kubepods/pod" + podUID + "/" + idA,
			pod(idA, "", QoSGuaranteed, "/kubepods/pod"+podUID+"/"+idA), LevelContainer},
		{"cgroupfs below the container", "/kubepods/besteffort/pod" + podUID + "/" + idA + "/system.slice/app",
			pod(idA, "", QoSBestEffort, "/kubepods/besteffort/pod"+podUID+"/"+idA), LevelSlice},
		{"static pod", "/kubepods/burstable/pod" + static + "/" + idA,
			Ref{ID: idA, PodUID: static, QoS: QoSBurstable, Path: "/kubepods/burstable/pod" + static + "/" + idA}, LevelContainer},
		{"static pod systemd", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + static + ".slice",
			Ref{PodUID: static, QoS: QoSBurstable, Path: "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + static + ".slice"}, LevelPod},
		{"static pod with a uid of its own", "/kubepods/pod" + "kube-apiserver-1/" + idA,
			Ref{ID: idA, PodUID: "kube-apiserver-1", QoS: QoSGuaranteed, Path: "/kubepods/podkube-apiserver-1/" + idA}, LevelContainer},
		{"cri-o", kubeB + "/crio-" + idA + ".scope",
			scope(pod(idA, RuntimeCRIO, QoSBurstable, kubeB+"/crio-"+idA+".scope"), "crio-"+idA+".scope"), LevelContainer},
		{"cri-o crun", kubeB + "/crio-" + idA + ".scope/container",
			scope(pod(idA, RuntimeCRIO, QoSBurstable, kubeB+"/crio-"+idA+".scope"), "crio-"+idA+".scope"), LevelContainer},
		{"cri-o cgroupfs", "/kubepods/besteffort/pod" + podUID + "/crio-" + idA,
			pod(idA, RuntimeCRIO, QoSBestEffort, "/kubepods/besteffort/pod"+podUID+"/crio-"+idA), LevelContainer},
		{"cri-o conmon in the pod", kubeB + "/crio-conmon-" + idA + ".scope",
			scope(pod("", "", QoSBurstable, kubeB), "crio-conmon-"+idA+".scope"), LevelService},
		{"cri-dockerd", kubeB + "/docker-" + idA + ".scope",
			scope(pod(idA, RuntimeDocker, QoSBurstable, kubeB+"/docker-"+idA+".scope"), "docker-"+idA+".scope"), LevelContainer},
		{"driver mismatch", "/kubepods-burstable-pod" + podUID_ + ".slice:cri-containerd:" + idA,
			pod(idA, RuntimeContainerd, QoSBurstable, "/kubepods-burstable-pod"+podUID_+".slice:cri-containerd:"+idA), LevelContainer},
		{"driver mismatch in containerd's unit", "/system.slice/containerd.service/kubepods-besteffort-pod" + podUID_ + ".slice:cri-containerd:" + idA,
			scope(pod(idA, RuntimeContainerd, QoSBestEffort, "/system.slice/containerd.service/kubepods-besteffort-pod"+podUID_+".slice:cri-containerd:"+idA), "containerd.service"), LevelContainer},
		{"kind systemd", "/docker/" + idB + kind + "/cri-containerd-" + idA + ".scope",
			scope(pod(idA, RuntimeContainerd, QoSBestEffort, "/docker/"+idB+kind+"/cri-containerd-"+idA+".scope"), "cri-containerd-"+idA+".scope"), LevelContainer},
		{"kind cgroupfs", "/system.slice/docker-" + idB + ".scope/kubelet/kubepods/burstable/pod" + podUID + "/" + idA,
			scope(pod(idA, "", QoSBurstable, "/system.slice/docker-"+idB+".scope/kubelet/kubepods/burstable/pod"+podUID+"/"+idA), "docker-"+idB+".scope"), LevelContainer},
		{"kind pod", "/docker/" + idB + kind, pod("", "", QoSBestEffort, "/docker/"+idB+kind), LevelPod},
		{"kind node's kubelet", "/docker/" + idB + "/system.slice/kubelet.service",
			scope(Ref{ID: idB, Runtime: RuntimeDocker, Path: "/docker/" + idB}, "kubelet.service"), LevelService},
		{"minikube with podman", "/machine.slice/libpod-" + idB + ".scope/container/kubepods.slice/kubepods-pod" + podUID_ + ".slice/crio-" + idA + ".scope/container",
			scope(pod(idA, RuntimeCRIO, QoSGuaranteed, "/machine.slice/libpod-"+idB+".scope/container/kubepods.slice/kubepods-pod"+podUID_+".slice/crio-"+idA+".scope"), "crio-"+idA+".scope"), LevelContainer},
		{"docker in a pod", "/kubepods/pod" + podUID + "/" + idB + "/docker/" + idA,
			pod(idA, RuntimeDocker, QoSGuaranteed, "/kubepods/pod"+podUID+"/"+idB+"/docker/"+idA), LevelContainer},
		{"from inside a cgroup namespace", "/../../pod" + podUID + "/" + idA,
			pod(idA, "", "", "/../../pod"+podUID+"/"+idA), LevelContainer},
		{"cgroup root", "/custom.slice/custom-kubepods.slice/custom-kubepods-burstable.slice/custom-kubepods-burstable-pod" + podUID_ + ".slice",
			pod("", "", QoSBurstable, "/custom.slice/custom-kubepods.slice/custom-kubepods-burstable.slice/custom-kubepods-burstable-pod"+podUID_+".slice"), LevelPod},
		{"removed", "/kubepods/pod" + podUID + "/" + idA + " (deleted)",
			pod(idA, "", QoSGuaranteed, "/kubepods/pod"+podUID+"/"+idA), LevelContainer},
		{"pod", "/kubepods/burstable/pod" + podUID, pod("", "", QoSBurstable, "/kubepods/burstable/pod"+podUID), LevelPod},
		{"qos", "/kubepods/besteffort", Ref{QoS: QoSBestEffort}, LevelQoS},
		{"qos systemd", "/kubepods.slice/kubepods-besteffort.slice", Ref{QoS: QoSBestEffort}, LevelQoS},
		{"kubepods", "/kubepods", Ref{}, LevelNode},
		{"kubepods systemd", "/kubepods.slice", Ref{}, LevelNode},
		{"kubepods below kubelet", "/kubelet/kubepods", Ref{}, LevelNode},
	}
}

func otherPaths() []pathCase {
	return []pathCase{
		{"docker systemd", "/system.slice/docker-" + idA + ".scope",
			scope(Ref{ID: idA, Runtime: RuntimeDocker, Path: "/system.slice/docker-" + idA + ".scope"}, "docker-"+idA+".scope"), LevelContainer},
		{"docker cgroupfs", "/docker/" + idA, Ref{ID: idA, Runtime: RuntimeDocker, Path: "/docker/" + idA}, LevelContainer},
		{"docker driver mismatch", "/system.slice:docker:" + idA, Ref{ID: idA, Runtime: RuntimeDocker, Path: "/system.slice:docker:" + idA}, LevelContainer},
		{"docker cgroup-parent", "/ci/jobs/" + idA, Ref{ID: idA, Path: "/ci/jobs/" + idA}, LevelContainer},
		{"podman", "/machine.slice/libpod-" + idA + ".scope/container",
			scope(Ref{ID: idA, Runtime: RuntimePodman, Path: "/machine.slice/libpod-" + idA + ".scope"}, "libpod-"+idA+".scope"), LevelContainer},
		{"podman in a podman pod", "/machine.slice/machine-libpod_pod_" + idB + ".slice/libpod-" + idA + ".scope",
			scope(Ref{ID: idA, Runtime: RuntimePodman, Path: "/machine.slice/machine-libpod_pod_" + idB + ".slice/libpod-" + idA + ".scope"}, "libpod-"+idA+".scope"), LevelContainer},
		{"podman pod", "/machine.slice/machine-libpod_pod_" + idB + ".slice", Ref{}, LevelSlice},
		{"podman cgroupfs", "/libpod_parent/libpod-" + idA, Ref{ID: idA, Runtime: RuntimePodman, Path: "/libpod_parent/libpod-" + idA}, LevelContainer},
		{"podman pod cgroupfs", "/libpod_parent/" + idB, Ref{}, ""},
		{"podman conmon", "/machine.slice/libpod-conmon-" + idA + ".scope", scope(Ref{}, "libpod-conmon-"+idA+".scope"), LevelService},
		{"podman quadlet", "/system.slice/web.service/libpod-payload-" + idA,
			scope(Ref{ID: idA, Runtime: RuntimePodman, Path: "/system.slice/web.service/libpod-payload-" + idA}, "web.service"), LevelContainer},
		{"podman rootless", userSvc + "/user.slice/libpod-" + idA + ".scope/container",
			scope(Ref{ID: idA, Runtime: RuntimePodman, Path: userSvc + "/user.slice/libpod-" + idA + ".scope"}, "libpod-"+idA+".scope"), LevelContainer},
		{"nerdctl systemd", "/system.slice/nerdctl-" + idA + ".scope",
			scope(Ref{ID: idA, Runtime: RuntimeContainerd, Path: "/system.slice/nerdctl-" + idA + ".scope"}, "nerdctl-"+idA+".scope"), LevelContainer},
		{"nerdctl cgroupfs", "/default/" + idA, Ref{ID: idA, Namespace: "default", Path: "/default/" + idA}, LevelContainer},
		{"ctr", "/default/web-1", Ref{ID: "web-1", Runtime: RuntimeContainerd, Namespace: "default", Candidate: true, Path: "/default/web-1"}, ""},
		{"below ctr", "/default/web-1/inner/x", Ref{ID: "web-1", Runtime: RuntimeContainerd, Namespace: "default", Candidate: true, Path: "/default/web-1"}, ""},
		{"no name that containerd allows", "/default/-web", Ref{}, ""},
		{"ecs", "/ecs/0ec6ae2bf7064efba0d1d6ae2b3d4c5e/" + idA, Ref{ID: idA, Path: "/ecs/0ec6ae2bf7064efba0d1d6ae2b3d4c5e/" + idA}, LevelContainer},
		{"ecs systemd", "/ecstasks.slice/ecstasks-0ec6ae2bf7064efba0d1d6ae2b3d4c5e.slice/docker-" + idA + ".scope",
			scope(Ref{ID: idA, Runtime: RuntimeDocker, Path: "/ecstasks.slice/ecstasks-0ec6ae2bf7064efba0d1d6ae2b3d4c5e.slice/docker-" + idA + ".scope"}, "docker-"+idA+".scope"), LevelContainer},
		{"fargate", "/ecs/cd189a933e5849daa93386466019ab50/cd189a933e5849daa93386466019ab50-2495160603",
			Ref{ID: "cd189a933e5849daa93386466019ab50-2495160603", Runtime: RuntimeDocker, Path: "/ecs/cd189a933e5849daa93386466019ab50/cd189a933e5849daa93386466019ab50-2495160603"}, LevelContainer},
		{"lxc", "/lxc.payload.web/system.slice/nginx.service",
			scope(Ref{ID: "web", Runtime: RuntimeLXC, Path: "/lxc.payload.web"}, "nginx.service"), LevelService},
		{"lxc 3", "/lxc/web", Ref{ID: "web", Runtime: RuntimeLXC, Path: "/lxc/web"}, LevelContainer},
		{"lxc monitor", "/lxc.monitor.web", Ref{}, ""},
		{"docker in lxc", "/lxc.payload.ci/docker/" + idA, Ref{ID: idA, Runtime: RuntimeDocker, Path: "/lxc.payload.ci/docker/" + idA}, LevelContainer},
		{"nspawn", `/machine.slice/systemd-nspawn@my\x2dbox.service/payload`,
			Ref{ID: "my-box", Runtime: RuntimeNspawn, Path: `/machine.slice/systemd-nspawn@my\x2dbox.service`, Unit: "systemd-nspawn@my-box.service", UnitID: `systemd-nspawn@my\x2dbox.service`}, LevelContainer},
		{"service", "/system.slice/nginx.service", scope(Ref{}, "nginx.service"), LevelService},
		{"delegated service", "/system.slice/web.service/worker/7", scope(Ref{}, "web.service"), LevelService},
		{"escaped unit", `/system.slice/system-systemd\x2dfsck.slice/systemd-fsck@dev-disk-by\x2duuid-1.service`,
			Ref{Unit: "systemd-fsck@dev-disk-by-uuid-1.service", UnitID: `systemd-fsck@dev-disk-by\x2duuid-1.service`}, LevelService},
		{"unit that would become a path", `/system.slice/a\x2fb.service`, scope(Ref{}, `a\x2fb.service`), LevelService},
		{"unit with a bad escape", `/system.slice/a\xZZ.service`, scope(Ref{}, `a\xZZ.service`), LevelService},
		{"unit named like a kernel file", "/system.slice/_cgroup.service", scope(Ref{}, "cgroup.service"), LevelService},
		{"user unit", userSvc + "/app.slice/app-editor.service", scope(Ref{}, "app-editor.service"), LevelService},
		{"session", "/user.slice/user-1000.slice/session-3.scope", scope(Ref{}, "session-3.scope"), LevelService},
		{"slice", "/user.slice/user-1000.slice", Ref{}, LevelSlice},
		{"init", "/init.scope", scope(Ref{}, "init.scope"), LevelService},
		{"root", "/", Ref{}, LevelNode},
		{"empty", "", Ref{}, LevelNode},
		{"hidden suffix", "/system.slice/.service", Ref{}, LevelSlice},
		{"upper case is no id", "/docker/" + strings.ToUpper(idA), Ref{}, ""},
	}
}

func TestParsePath(t *testing.T) {
	for _, test := range append(kubernetesPaths(), otherPaths()...) {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ParsePath(test.path)); diff != "" {
				t.Errorf("ParsePath(%q) (-want +got):\n%s", test.path, diff)
			}
			if got := Level(test.path); got != test.level {
				t.Errorf("Level(%q) = %q, want %q", test.path, got, test.level)
			}
		})
	}
}

func FuzzParsePath(f *testing.F) {
	for _, test := range append(kubernetesPaths(), otherPaths()...) {
		f.Add(test.path)
	}
	levels := map[string]bool{
		"": true, LevelContainer: true, LevelPod: true, LevelQoS: true, LevelService: true, LevelSlice: true, LevelNode: true,
	}
	f.Fuzz(func(t *testing.T, path string) {
		ref := ParsePath(path)
		for _, text := range []string{ref.ID, ref.PodUID, ref.Unit, ref.UnitID, ref.Namespace} {
			if strings.Contains(text, "/") || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("ParsePath(%q) lets %q through", path, text)
			}
		}
		if !strings.HasPrefix(path, ref.Path) {
			t.Errorf("ParsePath(%q).Path = %q, not a part of it", path, ref.Path)
		}
		if (ref.ID != "" || ref.PodUID != "") == (ref.Path == "") {
			t.Errorf("ParsePath(%q) = %+v: a path without what it is of, or the other way round", path, ref)
		}
		if again := ParsePath(ref.Path); ref.Path != "" && (again.ID != ref.ID || again.PodUID != ref.PodUID) {
			t.Errorf("ParsePath(%q) gives %+v, and its own path %+v", path, ref, again)
		}
		if !levels[Level(path)] {
			t.Errorf("Level(%q) = %q", path, Level(path))
		}
		fuzzing.Outcome(f.Name(), ref, Level(path))
	})
}
