// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// makePinnedMaps fills p.maps: with those that are pinned as far as they fit,
// with new ones otherwise. What becomes of the programs it leaves in the
// pins' report.
func (p *Tracer) makePinnedMaps(id identity) error {
	pins := p.pins
	pins.report = PinReport{State: PinsMade, Seen: pins.record.Seen}
	var old map[string]*ebpf.Map
	if pins.found {
		var why error
		if old, why = pins.openMaps(id, p.spec); why != nil {
			if err := pins.replace(why); err != nil {
				return err
			}
		} else {
			pins.compare(id, len(old) == len(p.spec.Maps))
		}
	}
	if pins.report.State != PinsReused {
		old = onlyCarried(old)
		err := pins.begin(id)
		if err == nil {
			err = p.spec.Variables["config_generation"].Set(uint32(pins.record.Generation))
		}
		if err != nil {
			closeMaps(old)
			return err
		}
	}
	err := p.makeMaps(old)
	closeMaps(old)
	if err != nil || pins.report.State == PinsReused {
		return err
	}
	return pins.pinMaps(p.maps)
}

// openMaps opens what is pinned; the error says why it cannot be used.
func (p *Pins) openMaps(id identity, spec *ebpf.CollectionSpec) (map[string]*ebpf.Map, error) {
	if p.record.Layout != id.layout {
		return nil, fmt.Errorf("they were made by version %q with another layout", p.record.Version)
	}
	found := map[string]*ebpf.Map{}
	for name, s := range spec.Maps {
		m, err := ebpf.LoadPinnedMap(p.path(pinnedMaps, name), nil)
		if err == nil && !strings.HasPrefix(name, ".") {
			// Data sections get their flags when they are loaded, and are
			// compared there.
			if err = s.Compatible(m); err != nil {
				_ = m.Close()
			}
		}
		if err != nil {
			if !isCarried(name) {
				continue
			}
			closeMaps(found)
			return nil, fmt.Errorf("the map %s is not what it should be: %w", name, err)
		}
		found[name] = m
	}
	return found, nil
}

// compare decides whether the pinned programs serve as they are; all shows
// whether all maps have been found.
func (p *Pins) compare(id identity, all bool) {
	p.report.State = PinsUpgraded
	switch {
	case p.record.Object == "":
		p.report.Why = "an exchange of programs was interrupted"
	case p.record.Object != id.object:
		p.report.Why = fmt.Sprintf("they were made by version %q with other programs", p.record.Version)
	case p.record.Config != id.config:
		p.report.Why = "they were made with another configuration"
	case !all || !p.whole():
		p.report.Why = "some are missing"
	default:
		p.report.State = PinsReused
	}
}

// whole reports whether every hook that was attached has its pins, or cannot be
// pinned on this kernel.
func (p *Pins) whole() bool {
	for _, h := range hooks() {
		if p.record.Hooks[h.name] != Attached {
			continue
		}
		for _, kind := range []string{pinnedPrograms, pinnedLinks} {
			if _, err := os.Stat(p.path(kind, h.program)); err != nil {
				return false
			}
		}
	}
	return true
}

// replace removes pins that cannot be used. Deaths that were kept and not read
// are lost: they are counted.
func (p *Pins) replace(why error) error {
	p.report.State, p.report.Why = PinsReplaced, why.Error()
	if m, err := ebpf.LoadPinnedMap(p.path(pinnedMaps, "kept_deaths"), nil); err == nil {
		p.report.Dropped = countKeys(m)
		_ = m.Close()
	}
	if err := p.clear(); err != nil {
		return err
	}
	_ = p.meta.Close()
	p.meta, p.record = nil, pinRecord{}
	return nil
}

func countKeys(m *ebpf.Map) int {
	var n int
	var key, next []byte
	for n <= int(m.MaxEntries()) {
		var from any
		if key != nil {
			from = key
		}
		if err := m.NextKey(from, &next); err != nil {
			break
		}
		key = append([]byte(nil), next...)
		n++
	}
	return n
}

func isCarried(name string) bool {
	for _, c := range carried() {
		if c == name {
			return true
		}
	}
	return false
}

// onlyCarried closes what an upgrade makes anew.
func onlyCarried(all map[string]*ebpf.Map) map[string]*ebpf.Map {
	kept := map[string]*ebpf.Map{}
	for name, m := range all {
		if isCarried(name) {
			kept[name] = m
		} else {
			_ = m.Close()
		}
	}
	return kept
}

func closeMaps(all map[string]*ebpf.Map) {
	for _, m := range all {
		_ = m.Close()
	}
}

// pinName: dots are reserved on a BPF file system.
func pinName(name string) string { return strings.TrimPrefix(name, ".") }

// pinMaps pins what is not pinned yet, and puts the new maps in the place of the
// pins of those that are made anew. The old programs keep the old ones alive until
// they are detached.
func (p *Pins) pinMaps(all map[string]*ebpf.Map) error {
	for name, m := range all {
		at := p.path(pinnedMaps, name)
		if isCarried(name) {
			if _, err := os.Stat(at); err == nil {
				continue
			}
		}
		if err := os.Remove(at); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove a pin: %w", err)
		}
		if err := m.Pin(at); err != nil {
			return fmt.Errorf("pin the map %s: %w", name, err)
		}
	}
	return nil
}

// takeHooks uses the pinned programs and links as they are. What could not be
// pinned is attached anew.
func (p *Tracer) takeHooks() error {
	p.hooks = maps.Clone(p.pins.record.Hooks)
	for _, h := range hooks() {
		switch p.hooks[h.name] {
		case Attached:
		case notPinned:
			_ = p.bring(h) // its state says whether it could
			continue
		default:
			continue
		}
		prog, err := ebpf.LoadPinnedProgram(p.pins.path(pinnedPrograms, h.program), nil)
		if err != nil {
			return fmt.Errorf("open the pinned program %s: %w", h.program, err)
		}
		p.programs[h.program] = prog
		l, err := link.LoadPinnedLink(p.pins.path(pinnedLinks, h.program), nil)
		if err != nil {
			return fmt.Errorf("open the pinned link %s: %w", h.program, err)
		}
		p.links = append(p.links, l)
	}
	return nil
}

// swap pins a program that has just been attached, and drops the one that
// served the hook before.
func (p *Pins) swap(h hook, prog *ebpf.Program, l link.Link) error {
	if err := exchange(prog, p.path(pinnedPrograms, h.program)); err != nil {
		return err
	}
	return exchange(l, p.path(pinnedLinks, h.program))
}

type pinner interface{ Pin(string) error }

// exchange puts a pin in another's place. Both are there for a moment, so that
// whoever is killed meanwhile leaves one.
func exchange(o pinner, at string) error {
	next := filepath.Join(filepath.Dir(at), "next_"+filepath.Base(at))
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove a pin: %w", err)
	}
	if err := o.Pin(next); err != nil {
		return fmt.Errorf("pin %s: %w", filepath.Base(at), err)
	}
	if err := os.Remove(at); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove a pin: %w", err)
	}
	if err := o.Pin(at); err != nil {
		return fmt.Errorf("pin %s: %w", filepath.Base(at), err)
	}
	return nil
}

// leave detaches the old program of a hook that two must not serve at once,
// and waits until the kernel has done so, which takes an RCU grace period.
func (p *Pins) leave(h hook) {
	at := p.path(pinnedLinks, h.program)
	l, err := link.LoadPinnedLink(at, nil)
	if err != nil {
		return
	}
	info, err := l.Info()
	_ = l.Unpin()
	_ = l.Close()
	if err != nil {
		return
	}
	const grace = time.Second
	for end := time.Now().Add(grace); time.Now().Before(end); time.Sleep(time.Millisecond) {
		again, err := link.NewFromID(info.ID)
		if err != nil {
			return
		}
		_ = again.Close()
	}
}

// drop removes the pins of hooks that are not attached any more.
func (p *Pins) drop(attached map[string]bool) error {
	for _, kind := range []string{pinnedLinks, pinnedPrograms} {
		entries, err := os.ReadDir(filepath.Join(p.dir, kind))
		if err != nil {
			return fmt.Errorf("read the pins: %w", err)
		}
		for _, e := range entries {
			if attached[e.Name()] {
				continue
			}
			if err := os.Remove(filepath.Join(p.dir, kind, e.Name())); err != nil {
				return fmt.Errorf("remove a pin: %w", err)
			}
		}
	}
	return nil
}
