// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// mobyNamespace is where Docker keeps its containers in containerd.
const mobyNamespace = "moby"

// TaskDir names containers from containerd's own state, the bundle directories
// of running tasks: <dir>/<namespace>/<id>/{init.pid,config.json}. It needs no
// socket and knows ctr's containers too. It does not know images, except
// those of pods; nor the names of Docker's containers.
type TaskDir struct {
	root fs.FS
	dirs []string
}

// taskDirs are where containerd (its own, Docker's, k3s's, k0s's and
// MicroK8s's) keeps them, relative to the host's root.
func taskDirs() []string {
	const tasks = "io.containerd.runtime.v2.task"
	return []string{
		"run/containerd/" + tasks,
		"run/docker/containerd/daemon/" + tasks,
		"run/k3s/containerd/" + tasks,
		"run/k0s/containerd/" + tasks,
		"var/snap/microk8s/common/run/containerd/" + tasks,
	}
}

// NewTaskDir reads below root, the host's root directory, in these directories
// or, if none is given, in the usual ones.
func NewTaskDir(root fs.FS, dirs ...string) *TaskDir {
	if len(dirs) == 0 {
		dirs = taskDirs()
	}
	return &TaskDir{root: root, dirs: dirs}
}

// Name implements [Source].
func (t *TaskDir) Name() string { return "containerd-tasks" }

// Close implements [Source].
func (t *TaskDir) Close() error { return nil }

// List gives the containers that have a task.
func (t *TaskDir) List(ctx context.Context) ([]Info, error) {
	var infos []Info
	err := t.walk(func(dir, namespace string) error {
		bundles, err := fs.ReadDir(t.root, path.Join(dir, namespace))
		if err != nil {
			return err
		}
		for _, bundle := range bundles {
			if err := ctx.Err(); err != nil {
				return err
			}
			info, err := t.read(dir, namespace, bundle.Name())
			if err == nil {
				infos = append(infos, info)
			} // else it has gone, or is just being made
		}
		return nil
	})
	return infos, err
}

// Inspect reads the bundle of ref's container. A candidate is one if its spec
// names the very cgroup.
func (t *TaskDir) Inspect(_ context.Context, ref Ref) (Info, bool, error) {
	var found Info
	err := t.walk(func(dir, namespace string) error {
		if !isIdentifier(ref.ID) || found.ID != "" || ref.Candidate && namespace != ref.Namespace {
			return nil
		}
		info, err := t.read(dir, namespace, ref.ID)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !ref.Candidate || info.CgroupPath == ref.Path:
			found = info
		}
		return nil
	})
	return found, found.ID != "", err
}

// walk calls f for every namespace of every directory that there is.
func (t *TaskDir) walk(f func(dir, namespace string) error) error {
	var there bool
	var errs []error
	for _, dir := range t.dirs {
		namespaces, err := fs.ReadDir(t.root, dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		there = true
		errs = append(errs, err)
		for _, namespace := range namespaces {
			if err := f(dir, namespace.Name()); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	if !there {
		return absent(fmt.Sprintf("no task directory of containerd (%s)", t.dirs[0]))
	}
	return errors.Join(errs...)
}

// read takes in one bundle. Its error wraps fs.ErrNotExist if there is none.
func (t *TaskDir) read(dir, namespace, id string) (Info, error) {
	bundle := path.Join(dir, namespace, id)
	var spec ociSpec
	if err := readJSON(t.root, path.Join(bundle, "config.json"), &spec); err != nil {
		return Info{}, err
	}
	info := spec.info(id)
	info.Runtime = RuntimeContainerd
	info.PID = readPID(t.root, path.Join(bundle, "init.pid"))
	switch {
	case namespace == mobyNamespace:
		info.Runtime = RuntimeDocker
	case info.Name == "" && !info.Sandbox && !isID(id):
		info.Name = id // ctr's containers have no other
	}
	return info, nil
}
