// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Off is what leaves a source out.
const Off = "off"

// errNoLog says that no log of a kubelet was found.
var errNoLog = errors.New("no kubelet log found: set --kubelet-log FILE|journal")

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

var errNoKubelet = errors.New("no kubelet found: set --kubelet-url https://NODE:10250")

// FindKubelet gives the kubelet that a user has named, or this node's, where
// there is one and a way to ask it: its open port, or credentials.
func FindKubelet(address string, access Access, insecure bool) (Source, error) {
	if address != "" {
		return NewKubelet(address, access, insecure)
	}
	if access.There() == nil {
		return NewKubelet("https://"+net.JoinHostPort(nodeAddress(), "10250"), access, insecure)
	}
	if _, err := os.Stat("/var/lib/kubelet/pods"); err == nil {
		return NewKubelet("http://127.0.0.1:10255", access, insecure)
	}
	return nil, errNoKubelet
}

// nodeAddress is the node's, which a pod has from its environment.
func nodeAddress() string {
	for _, name := range []string{"NODE_IP", "HOST_IP"} {
		if ip := os.Getenv(name); ip != "" {
			return ip
		}
	}
	return "127.0.0.1"
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
