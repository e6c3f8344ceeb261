// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Off is what leaves a source out.
const Off = "off"

// errNoLog says that no log of a kubelet was found.
var errNoLog = errors.New("no kubelet's log was found; name it by --kubelet-log FILE|journal")

// usualLogs are where kubelets write that are not run by systemd.
var usualLogs = []string{
	"/var/log/kubelet.log", "/var/log/kubelet/kubelet.log", "/var/log/kubernetes/kubelet.log",
	"/var/lib/rancher/rke2/agent/logs/kubelet.log", "/var/log/k3s.log",
}

// FindLog gives the kubelet's log that a user has named: a file, "journal", or
// nothing, for the one that is there.
func FindLog(name string) (Source, error) {
	switch name {
	case "journal":
		return NewJournal(hostZone()), nil
	case "":
		return foundLog()
	}
	path, err := filepath.Abs(name)
	if err != nil {
		path = name
	}
	return NewLogFile(path, hostZone()), nil
}

func foundLog() (Source, error) {
	if KubeletInJournal() {
		if _, err := exec.LookPath("journalctl"); err == nil {
			return NewJournal(hostZone()), nil
		}
	}
	for _, path := range usualLogs {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return NewLogFile(path, hostZone()), nil
		}
	}
	return nil, errNoLog
}

// hostZone is the host's time zone, which kubelet logs in. In a container it is
// not ours: it is read through pid 1's root where that is allowed.
func hostZone() *time.Location {
	data, err := os.ReadFile("/proc/1/root/etc/localtime")
	if err != nil {
		return time.Local
	}
	zone, err := time.LoadLocationFromTZData("host", data)
	if err != nil {
		return time.Local
	}
	return zone
}
