// SPDX-License-Identifier: Apache-2.0

package proctree

import (
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
)

func ptr[T any](v T) *T { return &v }

const (
	otherNS   = 4026532500
	rootlessA = 4026532600
	belowA    = 4026532601
)

// at is a process that executes a program in a place.
func at(pid int, exe string, place *event.Place, ancestors ...*event.Process) *event.Process {
	p := &event.Process{PID: pid, StartBoottimeNS: uint64(pid), Comm: "x", Exe: exe, Ancestors: ancestors}
	p.Place = place
	return p
}

func as(euid uint32, p *event.Process) *event.Process {
	p.EUID = &euid
	return p
}

func contained(id string, place *event.Place) *event.Process {
	p := at(500, "/app", place)
	p.Container = &event.Container{ID: id}
	return p
}

func rootless(owner uint32, namespaces ...uint32) *event.Place {
	return &event.Place{UserNS: namespaces, UserNSOwner: &owner, MountNS: otherNS}
}

// A runtime's executable counts by where it stands, not by its path alone.
func TestRuntimeTrust(t *testing.T) {
	ofHost := contained("c", &event.Place{MountNS: otherNS})
	daemon := at(10, "/usr/bin/containerd", nil)
	for name, c := range map[string]struct {
		from, target *event.Process
		want         Trust
	}{
		"the host's":                                   {daemon, ofHost, Proven},
		"a recording without places":                   {daemon, contained("c", nil), Proven},
		"in a user namespace":                          {at(11, "/usr/bin/containerd", rootless(1000, rootlessA)), ofHost, None},
		"in a user namespace, host's file":             {at(11, "/usr/bin/containerd", &event.Place{UserNS: []uint32{rootlessA}, UserNSOwner: ptr(uint32(0)), HostFile: true}), ofHost, None},
		"rootless, in its own":                         {at(11, "/usr/bin/conmon", rootless(1000, rootlessA)), contained("c", rootless(1000, rootlessA)), Likely},
		"rootless, below its own":                      {at(11, "/usr/bin/conmon", rootless(1000, rootlessA)), contained("c", rootless(1000, belowA, rootlessA)), Likely},
		"rootless, above its own":                      {at(11, "/usr/bin/conmon", rootless(1000, belowA, rootlessA)), contained("c", rootless(1000, rootlessA)), None},
		"rootless, another owner":                      {at(11, "/usr/bin/conmon", rootless(1001, rootlessA)), contained("c", rootless(1000, belowA, rootlessA)), None},
		"rootless, another namespace":                  {at(11, "/usr/bin/conmon", rootless(1000, rootlessA)), contained("c", rootless(1000, belowA)), None},
		"rootless, owner unknown":                      {at(11, "/usr/bin/conmon", &event.Place{UserNS: []uint32{rootlessA}}), contained("c", rootless(1000, rootlessA)), None},
		"another mount namespace":                      {at(11, "/usr/bin/containerd", &event.Place{MountNS: otherNS}), ofHost, None},
		"… with the host's file":                       {at(11, "/usr/bin/containerd", &event.Place{MountNS: otherNS, HostFile: true}), ofHost, Likely},
		"a user's file":                                {as(1000, at(11, "/opt/tools/containerd", &event.Place{ExeOwner: ptr(uint32(1000))})), ofHost, None},
		"a user's file that root binds":                {as(0, at(11, "/usr/bin/containerd", &event.Place{MountNS: otherNS, ExeOwner: ptr(uint32(1000))})), ofHost, None},
		"a user's file that root runs":                 {as(0, at(11, "/usr/local/bin/containerd", &event.Place{ExeOwner: ptr(uint32(1000))})), ofHost, Likely},
		"a way out of /usr":                            {at(11, "/usr/../tmp/containerd", nil), ofHost, None},
		"runc of the shim":                             {at(12, "/usr/bin/runc", nil, at(11, "/usr/bin/containerd-shim-runc-v2", nil)), ofHost, Proven},
		"runc of a posing shim":                        {at(12, "/usr/bin/runc", nil, at(11, "/usr/bin/containerd-shim-runc-v2", &event.Place{MountNS: otherNS})), ofHost, None},
		"runc of a snap's shim":                        {at(12, "/usr/bin/runc", nil, at(11, "/snap/microk8s/1/bin/containerd-shim-runc-v2", &event.Place{MountNS: otherNS, HostFile: true})), ofHost, Likely},
		"runc that a posing one ran, below the daemon": {at(12, "/usr/bin/runc", nil, at(11, "/usr/bin/containerd-shim", rootless(1000, rootlessA)), daemon), ofHost, Proven},
	} {
		if got := Runtime(c.from, c.target); got != c.want {
			t.Errorf("%s: trust %d, want %d", name, got, c.want)
		}
	}
}

// The runtime of the host's containers is root's: anybody may execute the host's runc
// below the host's shim, with a state of his own.
func TestRuntimeThatIsNotRoot(t *testing.T) {
	from := at(12, "/usr/bin/runc", nil, at(11, "/usr/bin/containerd-shim-runc-v2", nil))
	for _, c := range []struct {
		euid *uint32
		want Trust
	}{{nil, Proven}, {ptr(uint32(0)), Proven}, {ptr(uint32(1000)), None}} {
		from.EUID = c.euid
		if got := Runtime(from, contained("c", nil)); got != c.want {
			t.Errorf("euid %v: trust %d, want %d", c.euid, got, c.want)
		}
	}
}

// A monitor among the ancestors of a process makes it a container's only where it is
// believed to be one.
func TestMonitorOfBelievesNoPoser(t *testing.T) {
	shim := "/usr/bin/containerd-shim-runc-v2"
	poser, real := at(11, shim, rootless(1000, rootlessA)), at(10, shim, nil)
	if m := MonitorOf(at(20, "/app", nil, poser, real)); !Same(m, real) {
		t.Errorf("the monitor is %v", m)
	}
	victim := at(20, "/app", nil, poser)
	if got := Runtime(at(12, "/usr/bin/containerd", nil), victim); got != None {
		t.Errorf("the runtime of no container: trust %d", got)
	}
	if got := Runtime(at(12, "/usr/bin/containerd", nil), at(20, "/app", nil, real)); got != Proven {
		t.Errorf("the runtime of a container that is known by its monitor: trust %d", got)
	}
}

func TestOOMDaemonTrust(t *testing.T) {
	pid1, shell := at(1, "/usr/lib/systemd/systemd", nil), at(9, "/usr/bin/bash", nil)
	for name, c := range map[string]struct {
		from *event.Process
		want Trust
	}{
		"a service":                          {at(10, "/usr/bin/earlyoom", nil, pid1), Proven},
		"a service in its own mounts":        {at(10, "/usr/bin/earlyoom", &event.Place{MountNS: otherNS, HostFile: true}, pid1), Proven},
		"a service of another file":          {at(10, "/usr/bin/earlyoom", &event.Place{MountNS: otherNS}, pid1), None},
		"a user's file in /opt":              {at(10, "/opt/earlyoom", &event.Place{ExeOwner: ptr(uint32(1000))}, pid1), None},
		"in a user namespace":                {at(10, "/usr/bin/earlyoom", rootless(1000, rootlessA), pid1), None},
		"from a shell":                       {at(10, "/usr/bin/earlyoom", nil, shell), None},
		"root's mount namespace from a unit": {inUnit(at(10, "/usr/bin/earlyoom", &event.Place{MountNS: otherNS, HostFile: true}, shell)), Likely},
	} {
		if got := OOMDaemon(c.from, at(20, "/app", nil)); got != c.want {
			t.Errorf("%s: trust %d, want %d", name, got, c.want)
		}
	}
}

func inUnit(p *event.Process) *event.Process {
	p.Unit = "earlyoom.service"
	return p
}

func TestServiceManagerTrust(t *testing.T) {
	pid1 := at(1, "/usr/lib/systemd/systemd", nil)
	manager := at(30, "/usr/lib/systemd/systemd", nil, pid1)
	manager.Unit = "user@1000.service"
	poser := at(31, "/usr/lib/systemd/systemd", rootless(1000, rootlessA), pid1)
	poser.Unit = manager.Unit
	target := func(of *event.Process) *event.Process {
		p := at(40, "/app", nil, of)
		p.Unit = "app.service"
		return p
	}
	for name, c := range map[string]struct {
		from *event.Process
		want Trust
	}{"pid 1": {pid1, Proven}, "a user's manager": {manager, Proven}, "a poser": {poser, None}} {
		if got := ServiceManager(c.from, target(c.from)); got != c.want {
			t.Errorf("%s: trust %d, want %d", name, got, c.want)
		}
	}
}

// A session shows by its lineage, which leads out of the container. Where that was cut
// before it got there nobody knows.
func TestExecSessionNeedsTheWholeLineage(t *testing.T) {
	id := "c"
	inside := func(pid int, ancestors ...*event.Process) *event.Process {
		p := at(pid, "/bin/sh", nil, ancestors...)
		p.Container = &event.Container{ID: id}
		return p
	}
	init := inside(100)
	init.Container.Init = ptr(true)
	shim := at(50, "/usr/bin/containerd-shim-runc-v2", nil)
	var deep []*event.Process
	for pid := 300; pid > 260; pid-- {
		deep = append(deep, inside(pid))
	}
	target := inside(101, init, shim)
	for name, c := range map[string]struct {
		from     *event.Process
		is, sure bool
	}{
		"brought in":           {inside(200, inside(199, shim), shim), true, true},
		"of the init":          {inside(200, init, shim), false, true},
		"cut":                  {inside(301, deep...), false, false},
		"of unknown ancestors": {inside(301), false, false},
		"the init":             {init, false, true},
	} {
		if is, sure := ExecSession(c.from, target); is != c.is || sure != c.sure {
			t.Errorf("%s: %v, sure %v", name, is, sure)
		}
	}
}

// The same id in another place is not the same container.
func TestSameContainerComparesPaths(t *testing.T) {
	const id = "3f4a1c9de2b07b5a6f1e8d9c0b1a2f3e4d5c6b7a8f9e0d1c2b3a4f5e6d7c8b9a"
	in := func(cgroup string) *event.Process {
		p := contained(id, nil)
		p.Cgroup = cgroup
		return p
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"/docker/" + id, "/docker/" + id + "/inner", true},
		{"/machine.slice/libpod-" + id + ".scope", "/machine.slice/libpod-" + id + ".scope/container", true},
		{"/docker/" + id, "/user.slice/docker/" + id, false},
		{"/docker/" + id, "", true},
	} {
		if got := SameContainer(in(c.a), in(c.b)); got != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}
