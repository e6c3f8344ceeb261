// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"
)

// Place is where a process stands, as far as the proc file system shows it.
type Place struct {
	// UserNS and MountNS are inodes of namespaces, 0 where they cannot be read.
	UserNS, MountNS uint32
	// ExeOwner is the uid of who owns the file that it executes.
	ExeOwner uint32
}

// place reads where a process stands. It takes the right to trace it.
func (f FS) place(pid int) Place {
	p := Place{UserNS: f.Namespace(pid, "user"), MountNS: f.Namespace(pid, "mnt")}
	if file, err := os.Stat(f.Path(pid, "exe")); err == nil {
		if st, ok := file.Sys().(*syscall.Stat_t); ok {
			p.ExeOwner = st.Uid
		}
	}
	return p
}

// Namespace returns the inode of a process's namespace of a kind ("mnt", "user"), 0
// where it cannot be read.
func (f FS) Namespace(pid int, kind string) uint32 {
	link, err := os.Readlink(f.Path(pid, "ns/"+kind))
	if err != nil {
		return 0
	}
	var inode uint32
	if _, err := fmt.Sscanf(strings.TrimPrefix(link, kind+":"), "[%d]", &inode); err != nil {
		return 0
	}
	return inode
}

// File is a file's identity: its device as stat(2) has it, and its inode.
type File struct{ Device, Inode uint64 }

// HostFile finds the file at a path of the host, whose mount namespace hostNS is; a
// link that leads out of its root is not followed.
func (f FS) HostFile(name string, hostNS uint32) (File, error) {
	host := f.Path(1, "root")
	if own := f.Namespace(os.Getpid(), "mnt"); own != 0 && own == hostNS {
		host = "/" // pid 1's may not be readable even to root
	}
	root, err := os.OpenRoot(host)
	if err != nil {
		return File{}, fmt.Errorf("open the host's root: %w", err)
	}
	defer root.Close()
	info, err := root.Stat(strings.TrimPrefix(path.Clean(name), "/"))
	if err != nil {
		return File{}, fmt.Errorf("look for the host's file: %w", err)
	}
	return identify(info)
}

// Executed returns the file that a process executes.
func (f FS) Executed(pid int, startNS uint64) (File, error) {
	info, err := os.Stat(f.Path(pid, "exe"))
	if err != nil || !f.Same(pid, startNS) {
		return File{}, ErrGone
	}
	return identify(info)
}

func identify(info os.FileInfo) (File, error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return File{}, fmt.Errorf("%s: no inode", info.Name())
	}
	return File{st.Dev, st.Ino}, nil
}
