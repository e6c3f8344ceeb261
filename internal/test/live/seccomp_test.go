// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// withoutRingBuffers lets bpf(2) answer as kernels before 5.8 do: EINVAL to
// who asks for a ring buffer. The test binary, in another role, supervises.
func withoutRingBuffers(t *testing.T, c *exec.Cmd) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.Args = append([]string{self, "-test.run", "^TestOldKernelRole$", "--", c.Path}, c.Args[1:]...)
	c.Path = self
	c.Env = append(os.Environ(), "TEST_OLD_KERNEL=1")
}

func TestOldKernelRole(*testing.T) {
	if os.Getenv("TEST_OLD_KERNEL") == "" {
		return
	}
	command := os.Args[4:]
	runtime.LockOSThread() // the filter is this thread's, and its children's
	listener, err := filterBPF()
	if err != nil {
		fmt.Fprintln(os.Stderr, "seccomp:", err)
		os.Exit(100)
	}
	go refuseRingBuffers(listener)
	c := exec.Command(command[0], command[1:]...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	_ = c.Run()
	os.Exit(c.ProcessState.ExitCode())
}

// The kernel's structures (include/uapi/linux/seccomp.h).
type notification struct {
	id      uint64
	pid     uint32
	flags   uint32
	nr      int32
	arch    uint32
	address uint64
	args    [6]uint64
}

type answer struct {
	id    uint64
	value int64
	error int32
	flags uint32
}

const (
	goOn       = 1  // SECCOMP_USER_NOTIF_FLAG_CONTINUE, 5.5
	mapCreate  = 0  // BPF_MAP_CREATE
	ringBuffer = 27 // BPF_MAP_TYPE_RINGBUF
)

// filterBPF hands each bpf(2) of this thread to the listener that it returns.
func filterBPF() (uintptr, error) {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the system call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_BPF, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return 0, errno
	}
	return fd, nil
}

func refuseRingBuffers(listener uintptr) {
	for {
		var n notification
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, listener, unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n)))
		if errno == unix.EINTR || errno == unix.ENOENT {
			continue
		}
		if errno != 0 {
			return
		}
		a := answer{id: n.id, flags: goOn}
		if n.args[0] == mapCreate && mapType(n) == ringBuffer {
			a.flags, a.error = 0, -int32(unix.EINVAL)
		}
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, listener, unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&a)))
	}
}

// mapType reads the first word of the caller's bpf_attr.
func mapType(n notification) uint32 {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", n.pid))
	if err != nil {
		return 0
	}
	defer mem.Close()
	var word [4]byte
	if _, err := mem.ReadAt(word[:], int64(n.args[1])); err != nil {
		return 0
	}
	return binary.NativeEndian.Uint32(word[:])
}
