// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// PinDir is where pins lie if nothing else is said.
const PinDir = "/sys/fs/bpf/sigtrace"

var (
	// ErrPinsHeld says that another instance uses the directory.
	ErrPinsHeld = errors.New("another sigtrace uses these pins")
	// ErrPinsForeign says that a directory holds what is not sigtrace's.
	ErrPinsForeign = errors.New("not sigtrace's pins")
	// ErrNoBPFFS says that a directory is not on a BPF file system.
	ErrNoBPFFS = errors.New("no BPF file system")
)

// Pins is a directory on a BPF file system whose programs, links and maps
// outlive whoever made them: what dies while nobody reads is kept. One
// instance holds it at a time.
type Pins struct {
	dir  string
	lock *os.File

	mu     sync.Mutex // guards meta and record
	meta   *ebpf.Map  // nil until there is one
	record pinRecord
	found  bool
	report PinReport
}

// PinReport says what became of the pins that were found.
type PinReport struct {
	// State is made, reused, upgraded or replaced.
	State string
	// Why they were not reused; empty if they were, or if there were none.
	Why string
	// Seen is CLOCK_BOOTTIME, ns, of when they were last read; 0 if never.
	Seen uint64
	// Dropped counts kept deaths that could not be read any more.
	Dropped int
	// Overlap is when (CLOCK_BOOTTIME, ns) old programs may have reported what new
	// ones did too; zero if none were exchanged.
	Overlap [2]uint64
	// NotKept counts deaths that found no room to be kept since then.
	NotKept uint64
}

// The states of a PinReport.
const (
	PinsMade     = "made"
	PinsReused   = "reused"
	PinsUpgraded = "upgraded"
	PinsReplaced = "replaced"
)

// The directories below the pins', by what they hold. Dots are reserved in
// names on a BPF file system (kernel/bpf/inode.c, bpf_lookup).
const (
	pinnedMaps     = "maps"
	pinnedPrograms = "progs"
	pinnedLinks    = "links"
	pinnedMeta     = "meta"
)

// OpenPins makes the directory if need be and takes hold of it.
func OpenPins(dir string) (*Pins, error) {
	if err := CheckPinDir(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the pin directory: %w", err)
	}
	lock, err := holdDir(dir)
	if err != nil {
		return nil, err
	}
	p := &Pins{dir: dir, lock: lock}
	if err := p.read(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return p, nil
}

// holdDir locks the directory itself: a BPF file system has no plain files.
func holdDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open the pin directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w: stop it, or choose another directory with --pin=DIR", dir, ErrPinsHeld)
		}
		return nil, fmt.Errorf("lock the pin directory %s: %w", dir, err)
	}
	return f, nil
}

// CheckPinDir reports whether pins can be made in dir, which need not be there.
func CheckPinDir(dir string) error {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		var fs unix.Statfs_t
		err := unix.Statfs(at, &fs)
		switch {
		case errors.Is(err, unix.ENOENT) && at != filepath.Dir(at):
			continue
		case err != nil:
			return fmt.Errorf("look at the pin directory %s: %w", at, err)
		case fs.Type == unix.BPF_FS_MAGIC:
			return nil
		}
		return fmt.Errorf("%s lies on %w: mount one (mount -t bpf bpf /sys/fs/bpf), or name a directory on one with --pin=DIR", dir, ErrNoBPFFS)
	}
}

// Pinned reports whether a directory holds sigtrace's pins.
func Pinned(dir string) bool {
	m, err := ebpf.LoadPinnedMap(filepath.Join(dir, pinnedMeta), nil)
	if err != nil {
		return false
	}
	defer m.Close()
	_, err = readRecord(m)
	return err == nil
}

// Report says what became of the pins, once Load has used them.
func (p *Pins) Report() PinReport { return p.report }

// Dir is where the pins lie.
func (p *Pins) Dir() string { return p.dir }

// Close lets go of the directory; the pins stay.
func (p *Pins) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.meta.Close(), p.lock.Close())
}

func (p *Pins) path(kind, name string) string { return filepath.Join(p.dir, kind, pinName(name)) }

// Unpin removes all pins of a directory, and so detaches what they hold.
// Without any it does nothing.
func Unpin(dir string) (removed bool, err error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	p, err := OpenPins(dir)
	if err != nil {
		return false, err
	}
	defer p.Close()
	if err := p.clear(); err != nil {
		return false, err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return p.found, fmt.Errorf("remove the pin directory: %w", err)
	}
	return p.found, nil
}

// clear removes the pins, what shows whose they are last.
func (p *Pins) clear() error {
	for _, kind := range []string{pinnedLinks, pinnedPrograms, pinnedMaps} {
		dir := filepath.Join(p.dir, kind)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the pins: %w", err)
		}
		for _, e := range entries {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("remove a pin: %w", err)
			}
		}
		if err := os.Remove(dir); err != nil {
			return fmt.Errorf("remove the pins: %w", err)
		}
	}
	if err := os.Remove(filepath.Join(p.dir, pinnedMeta)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove a pin: %w", err)
	}
	return nil
}
