// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// lifecycleScenarios: the pod's own life has come so far.
func lifecycleScenarios() []scenario {
	return []scenario{
		{"sidecar-of-a-finished-pod", "pod_finished", notLogged, 0, 0, func(s *stage) victim {
			s.create(never, shell("sleep 3"), sidecar(s.container("sidecar", heeds)))
			return s.ended("sidecar")
		}},
		{"deadline", "deadline_exceeded", notLogged, 0, -1, func(s *stage) victim {
			s.create(app(heeds), func(p *core.Pod) { p.Spec.ActiveDeadlineSeconds = ptr.To(int64(5)) })
			return s.running("app")
		}},
		{"image-changed", "container_changed", kubeletsOwn, 0, 0, func(s *stage) victim {
			s.create(app(heeds))
			v := s.running("app")
			s.patch(fmt.Sprintf(`{"spec":{"containers":[{"name":"app","image":%q}]}}`, s.bed.OtherImage))
			return v
		}},
		{"poststart-fails", "poststart_hook", kubeletsOwn, 0, -1, func(s *stage) victim {
			s.create(app(heeds), func(p *core.Pod) {
				hook := []string{"/bin/sh", "-c", "test -e /state/again || { touch /state/again; sleep 1; exit 1; }"}
				p.Spec.Containers[0].Lifecycle = &core.Lifecycle{PostStart: &core.LifecycleHandler{Exec: &core.ExecAction{Command: hook}}}
			})
			return s.ended("app")
		}},
		{"sandbox-killed", "sandbox_changed", kubeletsOwn, 0, -1, func(s *stage) victim {
			s.create(app(heeds))
			v := s.running("app")
			s.kill(s.sandboxPID())
			return v
		}},
		{"ended-by-itself", "exited", nil, 0, 7, func(s *stage) victim {
			s.create(never, shell("sleep 1; exit 7"))
			return s.ended("app")
		}},
	}
}

// memoryScenarios: limits of memory, at each level.
func memoryScenarios() []scenario {
	return []scenario{
		{"oom-of-init", "cgroup_oom", nil, 0, 137, func(s *stage) victim {
			s.create(never, limit("48Mi"), func(p *core.Pod) { p.Spec.Containers[0].Command = []string{"/bin/app", "alloc", "200"} })
			return s.ended("app")
		}},
		{"oom-of-a-child", "cgroup_oom", nil, 0, 137, func(s *stage) victim {
			s.create(never, limit("48Mi"), shell("/bin/app alloc 200; exec /bin/app "+heeds))
			v := s.running("app")
			v.anyProcess = true
			return v
		}},
		// What Kubernetes then calls OOMKilled was stopped for its probe.
		{"oom-of-a-child-then-liveness", "liveness_probe", probes, 0, 143, func(s *stage) victim {
			s.create(never, limit("48Mi"), shell("/bin/app alloc 200; exec /bin/app -on-term=exit=143 -state=/state "+sick), liveness(byExec()))
			return s.ended("app")
		}},
		{"oom-of-the-pod", "cgroup_oom", nil, 0, 137, func(s *stage) victim {
			s.create(never, shell("while [ ! -e /state/go ]; do sleep 0.2; done; exec /bin/app alloc 200"))
			v := s.running("app")
			s.limitPod("50331648")
			s.touch("go")
			return v
		}},
		// Too little for runc itself: the sandbox never comes to be. (With the
		// "1024m" that people write, one byte, recent kernels refuse the very
		// cgroup, and nobody dies.)
		{"limit-too-small-for-a-sandbox", "cgroup_oom", nil, 0, -1, func(s *stage) victim {
			s.create(never, limit("1Mi"))
			eventually(s.T, "the pod is known", func() bool { return s.book.get(s.name) != nil })
			return victim{pod: s.uid(), anyProcess: true}
		}},
	}
}

// limitPod sets a limit on the pod's own cgroup, where kubelet sets one if all
// containers have theirs.
func (s *stage) limitPod(bytes string) {
	s.Helper()
	for _, file := range []string{"memory/%s/memory.limit_in_bytes", "%s/memory.max"} {
		pattern := filepath.Join("/sys/fs/cgroup", fmt.Sprintf(file, strings.TrimPrefix(s.bed.CgroupRoot, "/")+"/kubepods/besteffort/pod"+s.uid()))
		if _, err := os.Stat(pattern); err != nil {
			continue
		}
		if err := os.WriteFile(pattern, []byte(bytes), 0o644); err != nil {
			s.Fatal(err)
		}
		return
	}
	s.Fatal("no cgroup of the pod")
}

// touch makes a file in the pod's state.
func (s *stage) touch(name string) {
	s.Helper()
	if err := os.WriteFile(s.volume(s.uid(), name), nil, 0o644); err != nil {
		s.Fatal(err)
	}
}

// handScenarios: somebody's hand, and not Kubernetes.
func handScenarios() []scenario {
	return []scenario{
		{"stopped-by-crictl", "runtime_stop", nil, 0, 0, func(s *stage) victim {
			s.create(app(heeds))
			v := s.running("app")
			s.stopByHand(v, 5)
			return v
		}},
		{"stopped-by-crictl-ignores", "runtime_stop", nil, 2, 137, func(s *stage) victim {
			s.create(app(ignores))
			v := s.running("app")
			s.stopByHand(v, 2)
			return v
		}},
		{"killed-by-ctr", "runtime_stop", nil, 0, 137, func(s *stage) victim {
			s.create(app(heeds))
			v := s.running("app")
			s.command("ctr", "-a", s.bed.CRISocket, "-n", "k8s.io", "tasks", "kill", "-s", "SIGKILL", v.container)
			return v
		}},
		{"kubectl-exec-kill", "exec_session", nil, 0, 0, func(s *stage) victim {
			s.create(app(heeds))
			v := s.running("app")
			s.kubectl("exec", s.name, "--", "/bin/sh", "-c", "kill -TERM 1; :")
			return v
		}},
		{"killed-from-the-host", "foreign_process", nil, 0, 137, func(s *stage) victim {
			s.create(app(heeds))
			v := s.running("app")
			s.kill(s.pid(v))
			return v
		}},
		{"shim-killed", "runtime_cleanup", nil, 0, 137, func(s *stage) victim {
			s.create(app(heeds))
			v := s.running("app")
			time.Sleep(time.Second) // else kubelet may still be starting it
			s.kill(s.parent(s.pid(v)))
			return v
		}},
	}
}
