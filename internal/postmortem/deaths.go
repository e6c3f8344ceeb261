// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

const partial = ".partial"

// deaths is the directory of one file a death.
type deaths struct {
	dir *directory
	// names are those of the files that are there, oldest first. A clock that
	// is set back does not make what is written now the oldest.
	names []string
}

// openDeaths lists what is there; what a crash left half-written goes.
func openDeaths(dir *directory) (*deaths, error) {
	entries, err := fs.ReadDir(dir.root.FS(), deathsDir)
	if err != nil {
		return nil, err
	}
	d := &deaths{dir: dir}
	for _, e := range entries {
		switch name := e.Name(); {
		case strings.HasSuffix(name, partial):
			_ = dir.root.Remove(path.Join(deathsDir, name))
		case strings.HasSuffix(name, deathSuffix):
			d.names = append(d.names, name)
		}
	}
	slices.Sort(d.names)
	return d, nil
}

// account is one death's file on its way to the disk.
type account struct {
	name string
	text []byte
}

// syncing is how many files are synced at once: a file system makes one
// transaction of what comes together.
const syncing = 16

// write writes deaths' files, each whole or not at all, and makes them durable.
// A later revision takes the place of an earlier one.
func (d *deaths) write(files []account) error {
	var g errgroup.Group
	g.SetLimit(syncing)
	for _, f := range files {
		g.Go(func() error { return d.fill(f) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("write a death's file: %w", err)
	}
	for _, f := range files {
		to := path.Join(deathsDir, f.name)
		if err := d.dir.root.Rename(to+partial, to); err != nil {
			return fmt.Errorf("name a death's file: %w", err)
		}
		if !slices.Contains(d.names, f.name) {
			d.names = append(d.names, f.name)
		}
	}
	if err := d.dir.sync(deathsDir); err != nil {
		return fmt.Errorf("sync %s: %w", deathsDir, err)
	}
	return nil
}

// lives reports whether the files' directory is still there.
func (d *deaths) lives() bool {
	info, err := d.dir.root.Stat(deathsDir)
	return err == nil && info.IsDir()
}

// fill writes a file under the name of what is not whole yet.
func (d *deaths) fill(a account) error {
	name := path.Join(deathsDir, a.name+partial)
	f, err := d.dir.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(a.text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = d.dir.root.Remove(name)
	}
	return err
}

// makeRoom removes the oldest files until those that come keep the limit. A later
// revision takes the place of its own file.
func (d *deaths) makeRoom(files []account, limit int) {
	coming := func(name string) bool {
		return slices.ContainsFunc(files, func(a account) bool { return a.name == name })
	}
	// Those that are written anew are the newest now.
	stay := slices.DeleteFunc(slices.Clone(d.names), coming)
	again := slices.DeleteFunc(slices.Clone(d.names), func(name string) bool { return !coming(name) })
	d.names = append(stay, again...)
	more := len(files) - len(again)
	for len(d.names) > max(len(again), limit-more) {
		if err := d.dir.root.Remove(path.Join(deathsDir, d.names[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // a directory that is read-only: writing will say so
		}
		d.names = d.names[1:]
	}
}
