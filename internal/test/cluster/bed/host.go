// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"bytes"
	"errors"
	"os"
)

// kernelSettings are those that kubelet sets to its liking (pkg/kubelet/cm,
// setupKernelTunables).
var kernelSettings = []string{
	"/proc/sys/vm/overcommit_memory", "/proc/sys/vm/panic_on_oom", "/proc/sys/kernel/panic",
	"/proc/sys/kernel/panic_on_oops", "/proc/sys/kernel/keys/root_maxkeys", "/proc/sys/kernel/keys/root_maxbytes",
}

// kubeletDirs are where kubelet writes whatever its root directory is.
var kubeletDirs = []string{
	"/var/lib/kubelet/device-plugins", "/var/lib/kubelet", "/var/log/containers", podLogs,
	"/usr/libexec/kubernetes/kubelet-plugins/volume/exec", "/usr/libexec/kubernetes/kubelet-plugins/volume",
	"/usr/libexec/kubernetes/kubelet-plugins", "/usr/libexec/kubernetes",
}

// hostState is what a bed may change of the host, as it was.
type hostState struct {
	settings map[string][]byte
	absent   []string
}

func rememberHost() hostState {
	s := hostState{settings: map[string][]byte{}}
	for _, name := range kernelSettings {
		if value, err := os.ReadFile(name); err == nil {
			s.settings[name] = value
		}
	}
	for _, dir := range kubeletDirs {
		if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
			s.absent = append(s.absent, dir)
		}
	}
	return s
}

func (s hostState) restore() error {
	var errs []error
	for name, was := range s.settings {
		if now, err := os.ReadFile(name); err == nil && !bytes.Equal(now, was) {
			errs = append(errs, os.WriteFile(name, was, 0o644))
		}
	}
	for _, dir := range s.absent {
		if dir == kubeletDirs[0] {
			_ = os.Remove(dir + "/kubelet.sock")
			_ = os.Remove(dir + "/DEPRECATION")
		}
		_ = os.Remove(dir) // stays if another has put something there
	}
	return errors.Join(errs...)
}
