// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// machine is QEMU's program with a machine that runs this architecture: with
// KVM where that really runs a guest, for there are machines with a /dev/kvm
// that hangs. The panic without an init is what shows that it runs.
func machine(ctx context.Context, arch, image string) ([]string, error) {
	var qemu, tcg []string
	switch arch {
	case "amd64":
		qemu = []string{"qemu-system-x86_64"}
		tcg = append(slices.Clone(qemu), "-cpu", "max")
	case "arm64":
		qemu = []string{"qemu-system-aarch64", "-M", "virt"}
		// Pointer authentication by QEMU's own hash: the architecture's is slow to emulate.
		tcg = append(slices.Clone(qemu), "-cpu", "max,pauth-impdef=on")
	default:
		return nil, fmt.Errorf("ARCH: no guests of %q", arch)
	}
	// The guest's clock counts instructions, 2 ns each: however little of this
	// machine's time an emulated guest gets, none of its tests is late.
	tcg = append(tcg, "-accel", "tcg", "-icount", "shift=1")
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil || arch != runtime.GOARCH {
		return tcg, nil
	}
	f.Close()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	kvm := append(slices.Clone(qemu), "-accel", "kvm", "-cpu", "host")
	args := append(slices.Clone(kvm[1:]), "-m", "256", "-display", "none", "-no-reboot", "-monitor", "none", "-serial", "stdio",
		"-kernel", image, "-append", "panic=-1 console="+console(arch))
	out, _ := exec.CommandContext(ctx, kvm[0], args...).CombinedOutput()
	if bytes.Contains(out, []byte("Kernel panic")) {
		return kvm, nil
	}
	return tcg, nil
}

func console(arch string) string {
	if arch == "arm64" {
		return "ttyAMA0"
	}
	return "ttyS0"
}

// handout is the guest's name of the line that leads to its archive.
func handout(arch string) string {
	if arch == "arm64" {
		return "ttyS0"
	}
	return "ttyS1"
}

// command starts a guest. What it hands out comes as a tar archive over a second
// serial line; arm64's machine has one only, and so gets a card with another.
func (c *config) command(ctx context.Context, g *guest) *exec.Cmd {
	words := fmt.Sprintf("loglevel=2 panic=-1 sigtrace.kind=%s sigtrace.cgroup=%s sigtrace.groups=%s sigtrace.out=%s",
		g.kind, g.mode, strings.Join(g.groups, ","), handout(c.arch))
	if c.update {
		words += " sigtrace.update=1"
	}
	image := c.images[g.kernel.name]
	if g.kernel.floor() {
		return exec.CommandContext(ctx, image, append(strings.Fields(words),
			"mem=768M", "initrd="+filepath.Join(c.work, "initrd"), "con=null", "con0=fd:0,fd:1", "rdinit=/init")...)
	}
	memory, disk := "1024", "initrd"
	switch g.kind {
	case debian:
		// Docker refuses to start containers where AppArmor is on and its parser is
		// not there.
		words += " quiet systemd.show_status=false systemd.mask=systemd-logind.service psi=1 apparmor=0"
		memory, disk = "3072", "initrd-debian"
		if g.mode == "v1" {
			words += " systemd.unified_cgroup_hierarchy=0"
		}
	case integrity, secret:
		words += " lockdown=" + g.kind
	}
	cpus := "2"
	if slices.Contains(c.machine, "-icount") {
		cpus = g.kernel.cpus
	}
	args := append(slices.Clone(c.machine[1:]), "-m", memory, "-smp", cpus, "-display", "none", "-nodefaults", "-no-reboot", "-monitor", "none",
		"-serial", "stdio", "-kernel", image, "-initrd", filepath.Join(c.work, disk),
		"-append", strings.TrimSpace("console="+console(c.arch)+" "+words+" "+c.append))
	if c.arch == "arm64" {
		args = append(args, "-chardev", "file,id=out,path="+g.out+".tar", "-device", "pci-serial,chardev=out")
	} else {
		args = append(args, "-serial", "file:"+g.out+".tar")
	}
	return exec.CommandContext(ctx, c.machine[0], args...)
}
