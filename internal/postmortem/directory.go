// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/safefile"
)

const (
	dirMode  = 0o700
	fileMode = 0o600

	journalName = "events.jsonl"
	deathsDir   = "deaths"
	lockName    = ".lock"
)

// LockedError says that another instance writes the directory.
type LockedError struct{ Dir string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("another sigtrace agent writes %s: stop it, or give this one another --log-dir", e.Dir)
}

// directory is the log directory, held by its descriptor and locked. Every name
// is opened below it: none can lead out of it.
type directory struct {
	path string
	root *os.Root
	lock *os.File
}

// openDirectory makes the directory if need be, where nobody else can replace it,
// and locks it.
func openDirectory(path string) (*directory, error) {
	if err := safefile.MakeDirectory(path, dirMode); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	d := &directory{path: path, root: root}
	if err := d.makePrivate(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if err := d.takeLock(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if err := root.Mkdir(deathsDir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// makePrivate closes a directory that is new, though another made it: kubelet
// makes a hostPath 0755. One that has been in use is as its owner wants it.
func (d *directory) makePrivate() error {
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Readdirnames(1); !errors.Is(err, io.EOF) {
		return nil
	}
	if err := f.Chmod(dirMode); err != nil {
		return fmt.Errorf("make %s private: %w", d.path, err)
	}
	return nil
}

func (d *directory) takeLock() error {
	lock, err := d.root.OpenFile(lockName, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	d.lock = lock
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return &LockedError{d.path}
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", d.path, err)
	}
	return nil
}

// lockHeld reports whether another open file holds the lock; it is not kept.
func lockHeld(lock *os.File) bool {
	err := unix.Flock(int(lock.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if err == nil {
		_ = unix.Flock(int(lock.Fd()), unix.LOCK_UN)
	}
	return errors.Is(err, unix.EWOULDBLOCK)
}

// lives reports whether the path still leads to the directory that is held:
// files of one that was deleted take writes that nobody will read.
func (d *directory) lives() bool {
	held, err := d.root.Stat(".")
	if err != nil {
		return false
	}
	there, err := os.Stat(d.path)
	return err == nil && os.SameFile(held, there)
}

// sync makes names durable that were made or changed in a directory below.
func (d *directory) sync(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func (d *directory) close() error {
	var err error
	if d.lock != nil {
		err = d.lock.Close()
	}
	return errors.Join(err, d.root.Close())
}
