// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
)

// explain turns a loading error into one sentence with what to do. It looks
// for what the kernel is missing only now that loading has failed.
func explain(err error, c Config) error {
	missing := lacks(c)
	switch {
	case confidential():
		return fmt.Errorf("this kernel is locked down for confidentiality, which forbids BPF programs to read its memory: sigtrace works with lockdown=integrity or none (%w)", short{err})
	case len(missing) > 0:
		return fmt.Errorf("this kernel has no %s (%w)", strings.Join(missing, "; and no "), short{err})
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("the kernel refuses to load BPF programs: run as root, or with CAP_BPF and CAP_PERFMON (%w)", short{err})
	}
	return fmt.Errorf("load the BPF programs: %w", short{err})
}

// lacks names what this kernel has not, and which kernels have it.
func lacks(c Config) []string {
	var list []string
	if errors.Is(features.HaveMapType(ebpf.RingBuf), ebpf.ErrNotSupported) {
		list = append(list, "BPF ring buffers: Linux 5.8 and later have them, RHEL from 8.4 on")
	}
	if _, err := btf.LoadKernelSpec(); c.BTFPath == "" && errors.Is(err, ebpf.ErrNotSupported) {
		list = append(list, "BTF in /sys/kernel/btf/vmlinux: Debian 11, Ubuntu 20.10, RHEL 8.2, Fedora 32 and later are built with it, "+
			"others with CONFIG_DEBUG_INFO_BTF; a file with this very kernel's BTF will do, --btf FILE")
	}
	return list
}

// confidential reports whether the kernel is locked down so far that its memory
// cannot be read (kernel_lockdown.7).
func confidential() bool {
	state, err := os.ReadFile("/sys/kernel/security/lockdown")
	return err == nil && strings.Contains(string(state), "[confidentiality]")
}

// short shows the first line of an error: a verifier log has thousands.
type short struct{ err error }

func (s short) Error() string { return firstLine(s.err) }
func (s short) Unwrap() error { return s.err }

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	// How much of the verifier's log is not shown shows a user nothing.
	if at := strings.LastIndex(line, " ("); at >= 0 && strings.HasSuffix(line, " line(s) omitted)") {
		line = line[:at]
	}
	// A guess of the library's: memory is accounted otherwise since 5.11, and
	// where the limit matters Load says so.
	return strings.Replace(line, " (MEMLOCK may be too low, consider rlimit.RemoveMemlock)", "", 1)
}
