// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"time"

	core "k8s.io/api/core/v1"
)

// victim is whose death a scenario is about: the init of a container; with
// anyProcess, whichever of the container's (or the pod's) died of this.
type victim struct {
	container, pod string
	anyProcess     bool
}

// scenario is one way for a container to be stopped, and the truth of it.
type scenario struct {
	name  string
	cause string
	// sources that cannot know say less, and say so: the cause that each is
	// documented to give instead. Kernel alone stands for no source at all.
	weaker map[string]string
	// gap from TERM to KILL in seconds, where the app does not heed TERM.
	gap  float64
	code int // of the exit; -1: not looked at
	play func(*stage) victim
}

// Sets of sources, the columns of the matrix.
const (
	kernel   = "kernel" // none of Kubernetes' own
	api      = "api"
	log      = "log"
	counters = "counters"
	all      = "all"
)

// kubeletsOwn: the kernel shows the runtime's stop, and no more; kubelet's
// counters are about probes only.
var kubeletsOwn = map[string]string{kernel: "runtime_stop", counters: "runtime_stop"}

// probes: counted by kubelet, too.
var probes = map[string]string{kernel: "runtime_stop"}

// notLogged at kubelet's usual verbosity.
var notLogged = map[string]string{kernel: "runtime_stop", counters: "runtime_stop", log: "runtime_stop"}

const heeds, ignores = "-on-term=exit=0", "-on-term=ignore"

const (
	sick  = "-sick-after=3s"
	state = "-state=/state"
)

func scenarios() []scenario {
	var list []scenario
	for _, group := range [][]scenario{probeScenarios(), deletionScenarios(), nodeScenarios(), lifecycleScenarios(), memoryScenarios(), handScenarios()} {
		list = append(list, group...)
	}
	return list
}

func probeScenarios() []scenario {
	return []scenario{
		{"liveness-exec", "liveness_probe", probes, 0, 0, func(s *stage) victim {
			s.create(app(heeds, sick, state), liveness(byExec()))
			return s.ended("app")
		}},
		{"liveness-exec-ignores", "liveness_probe", probes, 4, 137, func(s *stage) victim {
			s.create(app(ignores, sick, state), liveness(byExec()))
			return s.ended("app")
		}},
		{"liveness-http", "liveness_probe", probes, 0, 143, func(s *stage) victim {
			port, address := s.port()
			s.create(app("-on-term=exit=143", sick, state, "-http="+address), liveness(byHTTP(port)))
			return s.ended("app")
		}},
		{"liveness-http-ignores", "liveness_probe", probes, 4, 137, func(s *stage) victim {
			port, address := s.port()
			s.create(app(ignores, sick, state, "-http="+address), liveness(byHTTP(port)))
			return s.ended("app")
		}},
		{"liveness-tcp", "liveness_probe", probes, 0, 3, func(s *stage) victim {
			port, address := s.port()
			s.create(app("-on-term=exit=3", sick, state, "-tcp="+address), liveness(byTCP(port)))
			return s.ended("app")
		}},
		{"liveness-tcp-ignores", "liveness_probe", probes, 4, 137, func(s *stage) victim {
			port, address := s.port()
			s.create(app(ignores, sick, state, "-tcp="+address), liveness(byTCP(port)))
			return s.ended("app")
		}},
		{"liveness-grpc", "liveness_probe", probes, 0, 0, func(s *stage) victim {
			port, address := s.port()
			s.create(app(heeds, sick, state, "-grpc="+address), liveness(byGRPC(port)))
			return s.ended("app")
		}},
		{"liveness-grpc-ignores", "liveness_probe", probes, 4, 137, func(s *stage) victim {
			port, address := s.port()
			s.create(app(ignores, sick, state, "-grpc="+address), liveness(byGRPC(port)))
			return s.ended("app")
		}},
		{"liveness-never-restarted", "liveness_probe", probes, 0, 143, func(s *stage) victim {
			s.create(never, app("-on-term=exit=143", sick, state), liveness(byExec()))
			return s.ended("app")
		}},
		{"liveness-own-grace", "liveness_probe", probes, 2, 137, func(s *stage) victim {
			s.create(grace(60), app(ignores, sick, state), liveness(byExec()), func(p *core.Pod) {
				seconds := int64(2)
				p.Spec.Containers[0].LivenessProbe.TerminationGracePeriodSeconds = &seconds
			})
			return s.ended("app")
		}},
		{"liveness-of-a-sidecar", "liveness_probe", probes, 0, 0, func(s *stage) victim {
			s.create(sidecar(s.container("sidecar", heeds, sick, state)), func(p *core.Pod) {
				p.Spec.InitContainers[0].LivenessProbe = probe(byExec())
			})
			return s.ended("sidecar")
		}},
		{"liveness-after-prestop", "liveness_probe", probes, 0, 0, func(s *stage) victim {
			s.create(grace(20), app(heeds, sick, state), liveness(byExec()), preStop("sleep 2"))
			return s.ended("app")
		}},
		{"startup", "startup_probe", probes, 0, 0, func(s *stage) victim {
			s.create(app(heeds, "-sick-after=1ms", state), func(p *core.Pod) { p.Spec.Containers[0].StartupProbe = startup(byExec()) })
			return s.ended("app")
		}},
		{"startup-ignores", "startup_probe", probes, 4, 137, func(s *stage) victim {
			s.create(app(ignores, "-sick-after=1ms", state), func(p *core.Pod) { p.Spec.Containers[0].StartupProbe = startup(byExec()) })
			return s.ended("app")
		}},
		{"flapping-then-stopped-by-hand", "runtime_stop", nil, 0, 0, func(s *stage) victim {
			port, address := s.port()
			s.create(app(heeds, "-sick-after=1s", "-flapping", "-http="+address), liveness(byHTTP(port)), func(p *core.Pod) {
				p.Spec.Containers[0].LivenessProbe.FailureThreshold = 4
			})
			v := s.running("app")
			time.Sleep(8 * time.Second)
			s.stopByHand(v, 5)
			return v
		}},
		{"sick-then-killed-from-the-host", "foreign_process", nil, 0, 137, func(s *stage) victim {
			s.create(app(heeds, "-sick-after=1s", state), liveness(byExec()), func(p *core.Pod) {
				p.Spec.Containers[0].LivenessProbe.FailureThreshold = 100
			})
			v := s.running("app")
			time.Sleep(5 * time.Second)
			s.kill(s.pid(v))
			return v
		}},
	}
}

func sidecar(c core.Container) change {
	return func(p *core.Pod) {
		always := core.ContainerRestartPolicyAlways
		c.RestartPolicy = &always
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
	}
}

func preStop(script string) change {
	return func(p *core.Pod) {
		p.Spec.Containers[0].Lifecycle = &core.Lifecycle{PreStop: &core.LifecycleHandler{
			Exec: &core.ExecAction{Command: []string{"/bin/sh", "-c", script}},
		}}
	}
}
