// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// fileidKernfs is FILEID_KERNFS of include/linux/exportfs.h: a file handle that
// is a kernfs node id, 8 bytes in host order. Since Linux 5.5, for v1
// hierarchies as well as for cgroup2.
const fileidKernfs = 0xfe

// errNoHandles says that this process or kernel cannot open a cgroup by its id:
// no CAP_DAC_READ_SEARCH, a seccomp filter, or a kernel before 5.5.
var errNoHandles = errors.New("cgroups cannot be opened by id")

// handles finds the path of a cgroup from its id, with one lookup.
type handles struct {
	mount *os.File
	// base is what /proc/self/fd shows for the mount point. It is not always the
	// mount point: one that was reached through /proc/1/root shows as a path of
	// that mount namespace.
	base string
}

// openHandles opens the mount point and tries the way once, with the id that
// the mount point itself has.
func openHandles(mountPoint string) (*handles, error) {
	// Not O_PATH: older kernels do not take such a descriptor here.
	f, err := os.OpenFile(mountPoint, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fmt.Errorf("open cgroup mount: %w", err)
	}
	h := &handles{mount: f}
	if h.base, err = fdPath(int(f.Fd())); err != nil {
		_ = f.Close()
		return nil, err
	}
	id, err := dirID(mountPoint)
	if err == nil {
		var p string
		if p, err = h.path(id); err == nil && p != "/" {
			err = fmt.Errorf("%w: %s resolves to %s", errNoHandles, mountPoint, p)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%w: %w", errNoHandles, err)
	}
	return h, nil
}

// path returns the path of the cgroup with that id. The error wraps
// unix.ESTALE where there is none (any more).
func (h *handles) path(id uint64) (string, error) {
	raw := binary.NativeEndian.AppendUint64(nil, id)
	fd, err := unix.OpenByHandleAt(int(h.mount.Fd()), unix.NewFileHandle(fileidKernfs, raw),
		unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC)
	if err != nil {
		return "", fmt.Errorf("open cgroup %d by handle: %w", id, err)
	}
	defer func() { _ = unix.Close(fd) }()
	link, err := fdPath(fd)
	if err != nil {
		return "", err
	}
	return h.relative(link), nil
}

// relative takes the mount point off a path. A node outside of the mounted
// subtree (Mounts.Partial) shows without it: with its path from the root of the
// hierarchy, which is what is wanted.
func (h *handles) relative(link string) string {
	rel, ok := strings.CutPrefix(link, h.base)
	if !ok || (rel != "" && rel[0] != '/') {
		rel = link
	}
	// d_path() marks a directory that was removed since it was opened. The mark
	// is left where it might be part of a name, which no cgroup has in practice.
	rel = strings.TrimSuffix(rel, " (deleted)")
	if rel == "" {
		return "/"
	}
	return rel
}

func (h *handles) close() error {
	return h.mount.Close()
}

// fdPath returns what the descriptor refers to, as d_path() prints it.
func fdPath(fd int) (string, error) {
	p, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return "", fmt.Errorf("path of a cgroup descriptor: %w", err)
	}
	return p, nil
}
