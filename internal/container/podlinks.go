// SPDX-License-Identifier: Apache-2.0

package container

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// readLinks gives the containers that have a link in var/log/containers; none,
// without an error, where that directory is missing.
func (p *PodLogs) readLinks() ([]Info, error) {
	entries, err := fs.ReadDir(p.root, p.containers)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read containers' logs: %w", err)
	}
	infos := make([]Info, 0, len(entries))
	for _, entry := range entries {
		if info, ok := p.readLink(entry.Name()); ok {
			infos = append(infos, info)
		}
	}
	return infos, nil
}

// readLink reads <pod>_<namespace>_<container>-<id>.log, and the pod's UID and
// the attempt from what it points to. The pod's name may be cut there, the
// target has it whole. The link is read, not followed: it holds a path of the
// host, which the agent may see elsewhere.
func (p *PodLogs) readLink(name string) (Info, bool) {
	base, ok := strings.CutSuffix(name, ".log")
	at := len(base) - idLength
	if !ok || at < 1 || base[at-1] != '-' || !isID(base[at:]) {
		return Info{}, false
	}
	target, err := fs.ReadLink(p.root, path.Join(p.containers, name))
	if err != nil {
		return Info{}, false
	}
	dir, file := path.Split(target)
	pod := podOfLogDir(path.Base(path.Dir(path.Clean(dir))))
	if pod == nil {
		return Info{}, false
	}
	attempt, err := strconv.Atoi(strings.TrimSuffix(file, ".log"))
	if err != nil {
		attempt = 0
	}
	return Info{ID: base[at:], Name: path.Base(dir), Attempt: attempt, Pod: pod}, true
}
