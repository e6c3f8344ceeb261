// SPDX-License-Identifier: Apache-2.0

package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// linksMax is how many links a path may lead over, as for the kernel (MAXSYMLINKS).
const linksMax = 40

// MakeDirectory makes a directory with those above it, as os.MkdirAll does, after it
// has seen that nobody but root and its owner can replace any of them. It returns
// a *Refusal where somebody can.
func MakeDirectory(path string, mode os.FileMode) error {
	if err := CheckDirectory(path); err != nil {
		return err
	}
	if err := os.MkdirAll(path, mode); err != nil {
		return err
	}
	// In /tmp somebody may have been faster.
	return CheckDirectory(path)
}

// CheckDirectory looks at every component of a path, links followed, as far as it is
// there: none may be writable by anybody but root and its owner. In a sticky
// directory, such as /tmp, everybody may make names and nobody can take away what
// belongs to another: the next component must belong to root or to the user who
// runs this.
func CheckDirectory(path string) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	w := walk{at: "/", left: components(absolute)}
	if err := w.directory(); err != nil {
		return err
	}
	for len(w.left) > 0 {
		there, err := w.step()
		if err != nil || !there {
			return err
		}
	}
	return nil
}

// walk goes down a path.
type walk struct {
	// at is a directory without links in its path; left are the components below.
	at   string
	left []string
	// sticky: at is a directory where everybody may make names.
	sticky bool
	links  int
}

func components(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// step goes one component on; it reports whether that is there.
func (w *walk) step() (bool, error) {
	name := w.left[0]
	w.left = w.left[1:]
	if name == "." {
		return true, nil
	}
	if name == ".." {
		w.at = filepath.Dir(w.at)
		return true, w.directory()
	}
	next := filepath.Join(w.at, name)
	var st unix.Stat_t
	if err := unix.Lstat(next, &st); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return false, &os.PathError{Op: "stat", Path: next, Err: err}
	}
	if w.sticky && !isOwn(st.Uid) {
		return false, &Refusal{next, fmt.Sprintf("belongs to uid %d, in a directory where everybody may write", st.Uid), "remove it, or choose another directory"}
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		return true, w.follow(next)
	case unix.S_IFDIR:
		w.at = next
		return true, w.directory()
	}
	return false, &Refusal{next, "is not a directory", "choose another directory"}
}

// follow goes on where a link leads. Who could replace it has been looked at: it
// lies in a directory that has passed.
func (w *walk) follow(link string) error {
	if w.links++; w.links > linksMax {
		return &Refusal{link, "leads over too many symbolic links", "choose another directory"}
	}
	to, err := os.Readlink(link)
	if err != nil {
		return err
	}
	w.left = append(components(to), w.left...)
	if filepath.IsAbs(to) {
		w.at = "/"
		return w.directory()
	}
	return nil
}

// directory looks at who may write where the walk is.
func (w *walk) directory() error {
	var st unix.Stat_t
	if err := unix.Lstat(w.at, &st); err != nil {
		return &os.PathError{Op: "stat", Path: w.at, Err: err}
	}
	byAll, byGroup := st.Mode&unix.S_IWOTH != 0, st.Mode&unix.S_IWGRP != 0 && !isOwnersGroup(w.at, &st)
	w.sticky = st.Mode&unix.S_ISVTX != 0 && (byAll || byGroup)
	switch {
	case w.sticky && len(w.left) > 0:
		return nil
	case byAll:
		return &Refusal{w.at, "is writable by everybody", "take that away (chmod o-w), or choose another directory"}
	case byGroup:
		return &Refusal{w.at, fmt.Sprintf("is writable by the group %d", st.Gid), "take that away (chmod g-w), or choose another directory"}
	}
	return nil
}

// systemGroups are the ids below those of people's groups (SYS_GID_MAX of
// login.defs).
const systemGroups = 1000

// isOwnersGroup: root's group, and the group that a user alone is in, which has the
// user's id. Ubuntu's /var/log belongs to root and syslog's group, whose daemon
// writes the system's logs.
func isOwnersGroup(path string, st *unix.Stat_t) bool {
	return st.Gid == st.Uid || st.Gid == 0 || path == "/var/log" && st.Uid == 0 && st.Gid < systemGroups
}
