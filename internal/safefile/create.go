// SPDX-License-Identifier: Apache-2.0

// Package safefile opens for writing what users name, as root, in directories
// where others may write too: nobody can lead root's output elsewhere with a link,
// or have it written into a file of their own.
package safefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Refusal is a path that is not written to. Its text names the component, the
// reason and what to do.
type Refusal struct {
	// Path is the component that is refused.
	Path string
	// Reason follows the path in a sentence; Advice is what to do.
	Reason, Advice string
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s %s: %s", r.Path, r.Reason, r.Advice) }

// stdout is the name that means it.
const stdout = "-"

// triesMax is how often a name is tried that others make and remove meanwhile.
const triesMax = 8

// Create opens a file for writing, empty, as os.Create does, with these
// differences. The last component is not followed where it is a link. A file that
// is there must be a regular one of root, of the user who runs this or of the one
// who called sudo. In a directory where others may write it must have no other
// name besides, or be new. The name - is stdout, and so are /dev/stdout,
// /dev/stderr and /dev/fd/N what they say. It returns a *Refusal for what it does
// not open.
func Create(name string, mode os.FileMode) (*os.File, error) {
	if fd, ok := descriptor(name); ok {
		return duplicate(name, fd)
	}
	dir, base := filepath.Split(name)
	if base == "" || base == "." || base == ".." {
		return nil, &Refusal{name, "is a directory", "name a file in it"}
	}
	if dir == "" {
		dir = "."
	}
	dirFD, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(dirFD)
	for range triesMax {
		f, err := openIn(dirFD, base, name, mode)
		if !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENOENT) {
			return f, err
		}
	}
	return nil, &Refusal{name, "is made and removed by somebody else all the time", "choose a name in another directory"}
}

// descriptor is the one that a name stands for.
func descriptor(name string) (int, bool) {
	switch name {
	case stdout, "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, prefix := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if n, ok := strings.CutPrefix(name, prefix); ok {
			fd, err := strconv.Atoi(n)
			return fd, err == nil && fd >= 0
		}
	}
	return 0, false
}

func duplicate(name string, fd int) (*os.File, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(copied), name), nil
}

// openIn opens the file if it is there and may be written to, or makes it.
func openIn(dirFD int, base, name string, mode os.FileMode) (*os.File, error) {
	var before unix.Stat_t
	err := unix.Fstatat(dirFD, base, &before, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return open(dirFD, base, name, unix.O_CREAT|unix.O_EXCL, mode)
	}
	if err != nil {
		return nil, &os.PathError{Op: "stat", Path: name, Err: err}
	}
	// Before it is opened: opening a device or a FIFO does something.
	if err := mayWrite(dirFD, name, &before); err != nil {
		return nil, err
	}
	f, err := open(dirFD, base, name, unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := emptied(f, dirFD, name); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func open(dirFD int, base, name string, flags int, mode os.FileMode) (*os.File, error) {
	fd, err := unix.Openat(dirFD, base, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|flags, uint32(mode.Perm()))
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	// Of a regular file it means nothing, and is not to outlive the opening.
	if err := unix.SetNonblock(fd, false); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// emptied looks again at what has been opened: it may be another file by now.
func emptied(f *os.File, dirFD int, name string) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return &os.PathError{Op: "stat", Path: name, Err: err}
	}
	if err := mayWrite(dirFD, name, &st); err != nil {
		return err
	}
	if isNull(&st) {
		return nil
	}
	return f.Truncate(0)
}

// mayWrite refuses a file that is there.
func mayWrite(dirFD int, name string, st *unix.Stat_t) error {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFLNK:
		return &Refusal{name, "is a symbolic link, which is not followed", "name the file it leads to, or remove it"}
	case unix.S_IFDIR:
		return &Refusal{name, "is a directory", "name a file in it"}
	default:
		if isNull(st) {
			return nil
		}
		return &Refusal{name, "is not a regular file", "choose another name; - is stdout"}
	}
	if !isOwn(st.Uid) {
		return &Refusal{name, fmt.Sprintf("belongs to uid %d", st.Uid), "remove it, or choose another name"}
	}
	if st.Nlink > 1 {
		var dir unix.Stat_t
		if err := unix.Fstat(dirFD, &dir); err != nil {
			return &os.PathError{Op: "stat", Path: name, Err: err}
		}
		if dir.Mode&0o022 != 0 || !isOwn(dir.Uid) {
			return &Refusal{name, "has another name (a hard link), in a directory where others may write", "remove it, or choose another name"}
		}
	}
	return nil
}

// isNull: /dev/null takes everything and harms nothing.
func isNull(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3)
}

// isOwn: root, the user who runs this, and the one who called sudo, who could do
// as root whatever this does.
func isOwn(uid uint32) bool {
	if uid == 0 || uid == uint32(os.Geteuid()) {
		return true
	}
	caller, err := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 32)
	return os.Geteuid() == 0 && err == nil && uid == uint32(caller)
}
