// SPDX-License-Identifier: Apache-2.0

package container

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// maxFile bounds what is read of any one file; a config.json has some ten
// kilobytes, the records of containers/storage some kilobytes a container.
const maxFile = 16 << 20

// ociSpec is the part of an OCI runtime spec (config.json) that is of use.
type ociSpec struct {
	Annotations map[string]string `json:"annotations"`
	Linux       struct {
		CgroupsPath string `json:"cgroupsPath"`
	} `json:"linux"`
}

// The annotations of containerd's CRI plugin (internal/cri/annotations) and
// the one in which nerdctl keeps a container's name (pkg/labels).
const (
	criContainerType    = "io.kubernetes.cri.container-type"
	criContainerName    = "io.kubernetes.cri.container-name"
	criImageName        = "io.kubernetes.cri.image-name"
	criSandboxName      = "io.kubernetes.cri.sandbox-name"
	criSandboxNamespace = "io.kubernetes.cri.sandbox-namespace"
	criSandboxUID       = "io.kubernetes.cri.sandbox-uid"
	nerdctlName         = "nerdctl/name"
)

// info gives what the annotations report about the container with this id.
func (s ociSpec) info(id string) Info {
	a := s.Annotations
	info := Info{
		ID:         id,
		Name:       a[criContainerName],
		Image:      a[criImageName],
		Sandbox:    a[criContainerType] == "sandbox",
		CgroupPath: cgroupOfSpec(s.Linux.CgroupsPath),
	}
	if info.Name == "" {
		info.Name = a[nerdctlName]
	}
	if a[criSandboxName] != "" {
		info.Pod = &event.Pod{Namespace: a[criSandboxNamespace], Name: a[criSandboxName], UID: a[criSandboxUID]}
		// containerd 1.5 and before have no annotation for the UID.
		fillZero(&info.Pod.UID, ParsePath(info.CgroupPath).PodUID)
	}
	return info
}

// cgroupOfSpec gives the cgroup that runc and crun make of a spec's
// cgroupsPath: "slice:prefix:name" is systemd's notation (runc
// docs/systemd.md), an absolute path stands for itself. A relative path
// depends on who started the runtime and gives "".
func cgroupOfSpec(cgroupsPath string) string {
	slice, rest, ok := strings.Cut(cgroupsPath, ":")
	prefix, name, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 {
		if strings.HasPrefix(cgroupsPath, "/") {
			return cgroupsPath
		}
		return ""
	}
	if slice == "" {
		slice = "system.slice"
	}
	if prefix != "" {
		name = prefix + "-" + name
	}
	if !strings.HasSuffix(name, ".slice") {
		name += ".scope"
	}
	return sliceDir(slice) + "/" + name
}

// sliceDir gives the directory of a slice: a-b.slice is /a.slice/a-b.slice,
// and -.slice the root (systemd.slice(5)).
func sliceDir(slice string) string {
	base := strings.TrimSuffix(slice, ".slice")
	if base == "-" {
		return ""
	}
	var dir strings.Builder
	for i := 1; i <= len(base); i++ {
		if i == len(base) || base[i] == '-' {
			dir.WriteString("/" + base[:i] + ".slice")
		}
	}
	return dir.String()
}

// readJSON decodes a file of bounded size.
func readJSON(fsys fs.FS, name string, into any) error {
	data, err := readFile(fsys, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// readPID reads a pid file, 0 if there is none or it holds no pid.
func readPID(fsys fs.FS, name string) int {
	data, err := readFile(fsys, name)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// absent turns an error about a missing file into one that wraps ErrAbsent.
func absent(what string) error { return fmt.Errorf("%s: %w", what, ErrAbsent) }
