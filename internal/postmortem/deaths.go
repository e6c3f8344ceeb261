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

// write writes one death's file, whole or not at all: a later revision takes
// the place of an earlier one. It is durable after sync.
func (d *deaths) write(name string, text []byte) error {
	half := path.Join(deathsDir, name+partial)
	err := d.fill(half, text)
	if err == nil {
		err = d.dir.root.Rename(half, path.Join(deathsDir, name))
	}
	if err != nil {
		_ = d.dir.root.Remove(half)
		return fmt.Errorf("write a death's file: %w", err)
	}
	if !slices.Contains(d.names, name) {
		d.names = append(d.names, name)
	}
	return nil
}

func (d *deaths) fill(name string, text []byte) error {
	f, err := d.dir.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// makeRoom removes the oldest files until another one keeps the limit.
func (d *deaths) makeRoom(limit int) {
	for len(d.names) > max(0, limit-1) {
		if err := d.dir.root.Remove(path.Join(deathsDir, d.names[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // a directory that is read-only: writing will say so
		}
		d.names = d.names[1:]
	}
}

func (d *deaths) sync() error {
	if err := d.dir.sync(deathsDir); err != nil {
		return fmt.Errorf("sync %s: %w", deathsDir, err)
	}
	return nil
}
