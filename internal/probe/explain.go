// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
)

// explain turns a loading error into one sentence with what to do.
func explain(err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("the kernel refuses to load BPF programs: run as root, or with CAP_BPF and CAP_PERFMON (%w)", short{err})
	case errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("this kernel lacks what sigtrace needs (BTF in /sys/kernel/btf/vmlinux and BPF ring buffers, Linux 5.8 and later have both; --btf FILE brings BTF): %w", short{err})
	}
	return fmt.Errorf("load the BPF programs: %w", short{err})
}

// short shows the first line of an error: a verifier log has thousands.
type short struct{ err error }

func (s short) Error() string { return firstLine(s.err) }
func (s short) Unwrap() error { return s.err }

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	// A guess of the library's: memory is accounted otherwise since 5.11, and
	// where the limit matters Load says so.
	return strings.Replace(line, " (MEMLOCK may be too low, consider rlimit.RemoveMemlock)", "", 1)
}
