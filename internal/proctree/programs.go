// SPDX-License-Identifier: Apache-2.0

package proctree

import (
	"path"
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// isSystemBinary is where packages install: an executable elsewhere (/tmp, a home
// directory) is no runtime, whatever its name.
func isSystemBinary(exe string) bool {
	// Without what an upgrade leaves behind, nor a way back out of the directory.
	exe = path.Clean(strings.TrimSuffix(exe, " (deleted)"))
	for _, dir := range []string{"/usr/", "/bin/", "/sbin/", "/opt/", "/lib/", "/var/lib/", "/nix/store/", "/snap/", "/run/current-system/"} {
		if strings.HasPrefix(exe, dir) {
			return true
		}
	}
	return false
}

// executes reports whether a process outside of containers executes one of the named
// programs, installed where programs are.
func executes(p *event.Process, names ...string) bool {
	return p != nil && p.Container == nil && isSystemBinary(p.Exe) &&
		slices.Contains(names, strings.TrimSuffix(path.Base(p.Exe), " (deleted)"))
}

var (
	ociRuntimes = []string{"runc", "crun", "youki", "runsc", "kata-runtime", "nvidia-container-runtime", "docker-runc"}
	daemons     = []string{"containerd", "dockerd", "crio", "podman", "docker-containerd", "k3s", "k0s", "buildkitd", "cri-dockerd"}
	oomDaemons  = []string{"systemd-oomd", "earlyoom", "nohang", "oomd", "oomd_bin", "psi-monitor", "bustd"}
)

// HasRole reports whether an executable's path is of a program that plays a part in
// verdicts: a runtime, a monitor, a daemon that frees memory, a service manager.
func HasRole(exe string) bool {
	base := path.Base(strings.TrimSuffix(exe, " (deleted)"))
	return isSystemBinary(exe) && (isMonitorName(base) || base == "systemd" || slices.Contains(ociRuntimes, base) ||
		slices.Contains(daemons, base) || slices.Contains(oomDaemons, base))
}

func isOCIRuntime(p *event.Process) bool { return executes(p, ociRuntimes...) }

// maybeCopyInMemory reports whether a process may be crun, or runc up to 1.1: they
// execute a sealed copy of themselves (CVE-2019-5736), a memfd that has no path
// but that of its descriptor. Its arguments prove nothing: whether a monitor or
// a daemon started it does.
func maybeCopyInMemory(p *event.Process) bool {
	pathless := p.Exe == "" || strings.HasPrefix(p.Exe, "/dev/fd/") || strings.HasPrefix(p.Exe, "/proc/self/fd/")
	return p.Container == nil && pathless && len(p.Args) > 0 && slices.Contains([]string{"crun", "runc"}, path.Base(p.Args[0]))
}

// IsUnstarted reports whether a process looks like one that an OCI runtime has
// forked to become a container's, and that has not executed the container's program
// yet: runc's last stage, from a file on the host or from a sealed copy in memory.
// A container's program can make itself look so.
func IsUnstarted(p *event.Process) bool {
	if p == nil || p.Comm != "runc:[2:INIT]" {
		return false
	}
	pathless := p.Exe == "" || strings.HasPrefix(p.Exe, "/dev/fd/") || strings.HasPrefix(p.Exe, "/proc/self/fd/") || strings.HasPrefix(p.Exe, "/memfd:")
	if !pathless && (!isSystemBinary(p.Exe) || strings.TrimSuffix(path.Base(p.Exe), " (deleted)") != "runc") {
		return false
	}
	return len(p.Args) == 0 || len(p.Args) == 2 && path.Base(p.Args[0]) == "runc" && p.Args[1] == "init"
}

// CreatesContainers reports whether a process is an OCI runtime that is creating or
// starting a container: what it kills then is what it could not start.
func CreatesContainers(p *event.Process) bool {
	if p == nil || !isOCIRuntime(p) && !maybeCopyInMemory(p) {
		return false
	}
	return slices.Contains(p.Args, "create") || slices.Contains(p.Args, "run")
}

// IsMonitor reports whether a process is a shim or conmon, by its executable; for
// whose containers that counts is another question.
func IsMonitor(p *event.Process) bool {
	return p != nil && p.Container == nil && isSystemBinary(p.Exe) && isMonitorName(path.Base(p.Exe))
}

func isMonitorName(base string) bool {
	return strings.HasPrefix(base, "containerd-shim") || strings.HasPrefix(base, "conmon")
}

func isDaemon(p *event.Process) bool { return executes(p, daemons...) }

// RemovesRemains reports whether an OCI runtime is removing what a dead shim has
// left: containerd runs the shim's "delete", and that "runc … delete --force",
// which kills what still lives. A stop is never that.
func RemovesRemains(p *event.Process) bool {
	if !isOCIRuntime(p) || len(p.Ancestors) == 0 || !IsMonitor(p.Ancestors[0]) {
		return false
	}
	i := slices.Index(p.Args, "delete")
	return i >= 0 && i+1 < len(p.Args) && p.Args[i+1] == "--force"
}

// OOMDaemon is how far the sender is believed to be a daemon that frees memory: by
// its executable, and that the service manager runs it as a service. Such services
// have mount namespaces of their own (ProtectSystem=): what pid 1 has started from
// the host's file is the host's.
func OOMDaemon(from, target *event.Process) Trust {
	if !executes(from, oomDaemons...) || ownedByUser(from.Place) {
		return None
	}
	service := len(from.Ancestors) > 0 && from.Ancestors[0].PID == 1
	if !service && !strings.HasSuffix(from.Unit, ".service") {
		return None
	}
	trust := trustFor(from, target)
	if trust == Likely && service && len(from.Place.UserNS) == 0 {
		return Proven
	}
	return trust
}

// SandboxKind names the kind of sandbox that a runtime's shim, or the program of one,
// runs containers in: gVisor or Kata Containers, whose processes this kernel does
// not see. It is empty for what shares this kernel.
func SandboxKind(exe string) string {
	switch base := path.Base(exe); {
	case strings.HasPrefix(base, "containerd-shim-runsc"), base == "runsc":
		return "gVisor"
	case strings.HasPrefix(base, "containerd-shim-kata"), base == "kata-runtime":
		return "Kata Containers"
	}
	return ""
}
