// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// PodLogs names pods, and most containers, from the directories in which
// kubelet keeps their logs (pkg/kubelet/kuberuntime/helpers.go):
//
//	pods/<namespace>_<pod>_<uid>/<container>/<attempt>.log
//	containers/<pod>_<namespace>_<container>-<id>.log → the file above
//
// It needs no socket. The links stay as long as kubelet keeps the dead
// container. A pod's sandbox has no log.
type PodLogs struct {
	root             fs.FS
	pods, containers string
}

// NewPodLogs reads var/log/pods and var/log/containers below root, the host's
// root directory.
func NewPodLogs(root fs.FS) *PodLogs {
	return &PodLogs{root: root, pods: "var/log/pods", containers: "var/log/containers"}
}

// Name implements [Source].
func (p *PodLogs) Name() string { return "pod-logs" }

// Close implements [Source].
func (p *PodLogs) Close() error { return nil }

// List gives the containers that have a link and all pods.
func (p *PodLogs) List(context.Context) ([]Info, error) {
	pods, err := p.readPods()
	if err != nil {
		return nil, err
	}
	links, err := p.readLinks()
	if err != nil {
		return nil, err
	}
	infos := make([]Info, 0, len(pods)+len(links))
	for _, pod := range pods {
		infos = append(infos, Info{Pod: pod})
	}
	return append(infos, links...), nil
}

// Inspect finds ref's container by its link, or else its pod by the UID. A
// container without a link in a pod that has one container gets that one's
// name only where there are no links at all to say better: such an id may be
// the pod's sandbox.
func (p *PodLogs) Inspect(_ context.Context, ref Ref) (Info, bool, error) {
	if !isID(ref.ID) && ref.PodUID == "" {
		return Info{}, false, nil
	}
	links, err := p.readLinks()
	if err != nil {
		return Info{}, false, err
	}
	for _, link := range links {
		if ref.ID != "" && link.ID == ref.ID {
			return link, true, nil
		}
	}
	if ref.PodUID == "" {
		return Info{}, false, nil
	}
	pods, err := p.readPods()
	if err != nil {
		return Info{}, false, err
	}
	for dir, pod := range pods {
		if pod.UID != ref.PodUID {
			continue
		}
		info := Info{Pod: pod}
		if name := p.onlyContainer(dir); name != "" && ref.ID != "" && len(links) == 0 {
			info.ID, info.Name = ref.ID, name
		}
		return info, true, nil
	}
	return Info{}, false, nil
}

// readPods gives the pods by their directories.
func (p *PodLogs) readPods() (map[string]*event.Pod, error) {
	entries, err := fs.ReadDir(p.root, p.pods)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, absent("no directory /" + p.pods)
	}
	if err != nil {
		return nil, fmt.Errorf("read pods' logs: %w", err)
	}
	pods := make(map[string]*event.Pod, len(entries))
	for _, entry := range entries {
		if pod := podOfLogDir(entry.Name()); pod != nil {
			pods[path.Join(p.pods, entry.Name())] = pod
		}
	}
	return pods, nil
}

// podOfLogDir reads <namespace>_<pod>_<uid>; names of the API hold no "_".
func podOfLogDir(name string) *event.Pod {
	fields := strings.Split(name, "_")
	if len(fields) != 3 || !isPodUID(fields[2]) || fields[0] == "" || fields[1] == "" {
		return nil
	}
	return &event.Pod{Namespace: fields[0], Name: fields[1], UID: fields[2]}
}

// onlyContainer gives the name of a pod's container if it has just one.
func (p *PodLogs) onlyContainer(dir string) string {
	entries, err := fs.ReadDir(p.root, dir)
	if err != nil || len(entries) != 1 || !entries[0].IsDir() {
		return ""
	}
	return entries[0].Name()
}
