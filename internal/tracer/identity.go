// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// layoutVersion is raised when the meaning of what lies in the maps changes
// and its types do not.
const layoutVersion = 1

// carried are the maps whose contents outlive an upgrade of the programs. All others
// are made anew with the programs: they hold configuration and targets.
func carried() []string {
	return []string{
		"critical", "routine", "losses", "counted", "procs", "undecided",
		"oom_calls", "oom_kills", "kept_deaths", "kept_stories", "kept_blank", "noted", "notes_blank",
	}
}

// identity is what pins have to be alike in to be used again: with the layout
// their maps, with all of it their programs.
type identity struct{ version, layout, object, config string }

func identify(c Config, o object, spec *ebpf.CollectionSpec) (identity, error) {
	layout, err := layoutOf(spec)
	if err != nil {
		return identity{}, fmt.Errorf("describe the BPF object: %w", err)
	}
	return identity{version: c.Version, layout: layout, object: digest(string(o.bytes)), config: c.digest(spec)}, nil
}

// layoutOf is the digest of all types that the carried maps and the rings hold.
func layoutOf(spec *ebpf.CollectionSpec) (string, error) {
	text := fmt.Sprintf("version %d\n", layoutVersion)
	form := &btf.GoFormatter{}
	declare := func(name string, t btf.Type) error {
		if t == nil {
			return nil
		}
		if _, void := t.(*btf.Void); void {
			return nil
		}
		decl, err := form.TypeDeclaration(name, t)
		text += decl + "\n"
		return err
	}
	for _, name := range carried() {
		m := spec.Maps[name]
		if m == nil {
			return "", fmt.Errorf("no map %s", name)
		}
		text += fmt.Sprintf("%s %v %d %d %d %d\n", name, m.Type, m.KeySize, m.ValueSize, m.MaxEntries, m.Flags)
		if err := declare("key", m.Key); err != nil {
			return "", err
		}
		if err := declare("value", m.Value); err != nil {
			return "", err
		}
	}
	var wire *btf.Struct
	if err := spec.Types.TypeByName("wire", &wire); err != nil {
		return "", err
	}
	if err := declare("wire", wire); err != nil {
		return "", err
	}
	return digest(text), nil
}

// digest of the configuration: the constants that are frozen with the
// programs, and what is left out.
func (c Config) digest(spec *ebpf.CollectionSpec) string {
	text := fmt.Sprintf("without %q raw %v btf %q\n", c.Without, c.Raw, c.BTFPath)
	for _, name := range slices.Sorted(maps.Keys(spec.Variables)) {
		if v := spec.Variables[name]; v.Constant() {
			text += fmt.Sprintf("%s %x\n", name, v.Value)
		}
	}
	return digest(text)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}
