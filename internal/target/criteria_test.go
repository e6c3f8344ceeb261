// SPDX-License-Identifier: Apache-2.0

package target

import (
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	podCgroup = "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555"
	ctrCgroup = "/default/job"
)

var (
	idApp   = strings.Repeat("a1", 32)
	idSide  = strings.Repeat("b2", 32)
	idPause = strings.Repeat("c3", 32)
)

func webPod() *event.Pod {
	return &event.Pod{Namespace: "shop", Name: "web-0", UID: "11111111-2222-3333-4444-555555555555", Labels: map[string]string{"app": "web"}}
}

func appInfo() container.Info {
	return container.Info{ID: idApp, Name: "app", Pod: webPod(), CgroupPath: podCgroup + "/" + idApp, State: container.StateRunning}
}

// What is not known yet is neither taken in nor given up.
func TestJudge(t *testing.T) {
	app, bare := podCgroup+"/"+idApp, container.Info{}
	unlabelled := appInfo()
	unlabelled.Pod = webPod()
	unlabelled.Pod.Labels = nil
	sandbox := appInfo()
	sandbox.Name, sandbox.Sandbox = "", true
	unnamed := appInfo()
	unnamed.Name, unnamed.Partial = "", true
	lone := container.Info{ID: idSide, Name: "db"}
	for _, c := range []struct {
		name  string
		spec  Spec
		path  string
		info  container.Info
		known bool
		want  answer
	}{
		{"a service is no container", Spec{Pod: "web-0"}, "/system.slice/cron.service", bare, false, no},
		{"the pod", Spec{Pod: "web-0"}, app, appInfo(), true, yes},
		{"the pod in its namespace", Spec{Pod: "shop/web-0"}, app, appInfo(), true, yes},
		{"the name in another namespace", Spec{Pod: "bank/web-0"}, app, appInfo(), true, no},
		{"all of a namespace", Spec{Namespace: "shop"}, app, appInfo(), true, yes},
		{"a pod that nobody has named yet", Spec{Pod: "web-0"}, app, bare, false, unknown},
		{"a container of no pod", Spec{Pod: "web-0"}, "/docker/" + idSide, lone, true, no},
		{"its sandbox belongs to the pod", Spec{Pod: "web-0"}, app, sandbox, true, yes},
		{"a sandbox is not the container", Spec{Container: "app"}, app, sandbox, true, no},
		{"the container", Spec{Pod: "web-0", Container: "app"}, app, appInfo(), true, yes},
		{"another container of the pod", Spec{Pod: "web-0", Container: "side"}, app, appInfo(), true, no},
		{"a container without its name yet", Spec{Container: "app"}, app, unnamed, true, unknown},
		{"a container of the name, of another pod", Spec{Pod: "web-1", Container: "app"}, app, appInfo(), true, no},
		{"the pod's own cgroup is not its container", Spec{Container: "app"}, podCgroup, bare, false, no},
		{"labels", Spec{Selector: "app=web"}, app, appInfo(), true, yes},
		{"other labels", Spec{Selector: "app=api"}, app, appInfo(), true, no},
		{"a label that is missing meets !=", Spec{Selector: "tier!=back"}, app, appInfo(), true, yes},
		{"labels that nobody has told are not none", Spec{Selector: "app!=api"}, app, unlabelled, true, unknown},
		{"the id", Spec{ContainerID: idApp[:12]}, app, bare, false, yes},
		{"another id", Spec{ContainerID: idSide[:12]}, app, bare, false, no},
		{"ctr's container by its name", Spec{ContainerID: "job"}, ctrCgroup, container.Info{ID: "job"}, true, yes},
		{"/x/y need not be a container", Spec{ContainerID: "job"}, ctrCgroup, bare, false, unknown},
		{"/x/y is no pod's", Spec{Pod: "web-0"}, ctrCgroup, bare, false, no},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked, err := c.spec.criteria()
			if err != nil {
				t.Fatal(err)
			}
			if got := asked.judge(container.ParsePath(c.path), c.info, c.known); got != c.want {
				t.Errorf("%d, want %d (0 no, 1 yes, 2 unknown)", got, c.want)
			}
		})
	}
}

// Who asks for a pod gets its cgroup, which takes in containers to come.
func TestGroup(t *testing.T) {
	app := podCgroup + "/" + idApp
	for _, c := range []struct {
		name       string
		spec       Spec
		path, want string
	}{
		{"a pod", Spec{Pod: "web-0"}, app, podCgroup},
		{"a container of it", Spec{Pod: "web-0", Container: "app"}, app, app},
		{"below a container", Spec{ContainerID: idApp}, app + "/inner", app},
		{"a pod of systemd's driver", Spec{Pod: "web-0"},
			"/kubepods.slice/kubepods-pod11111111_2222_3333_4444_555555555555.slice/cri-containerd-" + idApp + ".scope",
			"/kubepods.slice/kubepods-pod11111111_2222_3333_4444_555555555555.slice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked, err := c.spec.criteria()
			if err != nil {
				t.Fatal(err)
			}
			if got := asked.group(container.ParsePath(c.path)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
