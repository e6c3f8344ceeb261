// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Close takes the bed down. It may be called again.
func (b *Bed) Close() error {
	if b.lock == nil {
		return nil
	}
	for _, d := range slices.Backward(b.daemons) {
		if d.name != "containerd" {
			d.stop(time.Second)
		}
	}
	errs := []error{b.keepLogs(), b.seen.removeLogs(b.options.KeepLogs)}
	errs = append(errs, remove(b.Dir, b.CgroupRoot), b.host.restore())
	errs = append(errs, b.lock.Close())
	b.lock = nil
	return errors.Join(errs...)
}

// keepLogs copies the programs' logs to where they are wanted.
func (b *Bed) keepLogs() error {
	to := b.options.KeepLogs
	if to == "" {
		return nil
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	logs, err := filepath.Glob(b.path("*.log"))
	errs := []error{err}
	for _, name := range logs {
		data, err := os.ReadFile(name)
		errs = append(errs, err, os.WriteFile(filepath.Join(to, filepath.Base(name)), data, 0o644))
	}
	return errors.Join(errs...)
}

// remove takes away what is of a bed: processes, sockets, mounts, directories.
// It needs nothing of the process that made it.
func remove(dir, cgroup string) error {
	killContainerd(dir)
	shims := shimSockets(dir)
	err := removeCgroup(cgroup)
	killShims(dir)
	for _, socket := range shims {
		_ = os.Remove(socket)
	}
	return errors.Join(err, unmountBelow(dir), os.RemoveAll(dir))
}

// shimSockets lie outside of containerd's directories, in one that all share.
func shimSockets(dir string) []string {
	files, _ := filepath.Glob(filepath.Join(dir, "containerd-state/io.containerd.runtime.v2.task/*/*/address"))
	var sockets []string
	for _, f := range files {
		if address, err := os.ReadFile(f); err == nil {
			sockets = append(sockets, strings.TrimPrefix(string(address), "unix://"))
		}
	}
	return sockets
}

// killContainerd comes first: it would start shims to clean up after those
// that are killed.
func killContainerd(dir string) {
	killWhere(func(argv []string) bool {
		return filepath.Base(argv[0]) == "containerd" && slices.Contains(argv, dir+"/containerd.toml")
	})
}

func killShims(dir string) {
	killWhere(func(argv []string) bool {
		return strings.HasPrefix(filepath.Base(argv[0]), "containerd-shim") && slices.Contains(argv, dir+"/containerd.sock")
	})
}

// killWhere kills the processes whose arguments say whose they are, and waits
// until they are gone.
func killWhere(ours func(argv []string) bool) {
	for range 100 {
		left := 0
		procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, name := range procs {
			data, err := os.ReadFile(name)
			if err != nil || len(data) == 0 {
				continue
			}
			pid, _ := strconv.Atoi(strings.Split(name, "/")[2])
			if ours(strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")) {
				left++
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
		if left == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// unmountBelow unmounts everything at and below a directory, the innermost
// first.
func unmountBelow(dir string) error {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var mounts []string
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) > 4 && strings.HasPrefix(f[4]+"/", dir+"/") {
			mounts = append(mounts, f[4])
		}
	}
	var errs []error
	for _, m := range slices.Backward(mounts) {
		if err := unix.Unmount(m, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", m, err))
		}
	}
	return errors.Join(errs...)
}
