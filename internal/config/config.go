// SPDX-License-Identifier: Apache-2.0

// Package config gives flags the values that a command line leaves open: from
// the environment, and from one YAML file, under the same names.
package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Prefix begins the names of environment variables: --log-dir is
// SIGTRACE_LOG_DIR.
const Prefix = "SIGTRACE_"

// FileFlag names the flag that names the file.
const FileFlag = "config"

// Variable is the environment variable for a flag.
func Variable(flag string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Given are the names of the flags that a command line sets.
func Given(fs *pflag.FlagSet) map[string]bool {
	names := map[string]bool{}
	fs.Visit(func(f *pflag.Flag) { names[f.Name] = true })
	return names
}

// Apply sets the flags that are not given: from the environment, else from the
// file that --config names. An error names the key and the place.
func Apply(fs *pflag.FlagSet, given map[string]bool, environ []string) error {
	env := variables(environ)
	open := func(f *pflag.Flag) bool { return !given[f.Name] && configurable(f) }
	if f := fs.Lookup(FileFlag); f != nil && !given[FileFlag] && env[Variable(FileFlag)] != "" {
		if err := f.Value.Set(env[Variable(FileFlag)]); err != nil {
			return fmt.Errorf("%s: %w", Variable(FileFlag), err)
		}
	}
	settings, err := fromFile(fs)
	if err != nil {
		return err
	}
	fs.VisitAll(func(f *pflag.Flag) {
		value, inEnv := env[Variable(f.Name)]
		s, inFile := settings[f.Name]
		switch {
		case err != nil || !open(f):
		case inEnv:
			err = set(fs, f, []string{value}, Variable(f.Name))
		case inFile:
			err = set(fs, f, s.values, s.place+" "+f.Name)
		}
	})
	return err
}

func fromFile(fs *pflag.FlagSet) (map[string]setting, error) {
	f := fs.Lookup(FileFlag)
	if f == nil || f.Value.String() == "" {
		return nil, nil
	}
	return readFile(f.Value.String(), names(fs))
}

// Copy sets the flags of these names in to as they are set in from.
func Copy(to, from *pflag.FlagSet, names map[string]bool) error {
	for name := range names {
		f := from.Lookup(name)
		if f == nil || to.Lookup(name) == nil {
			continue
		}
		if err := set(to, to.Lookup(name), Values(f), "--"+name); err != nil {
			return err
		}
	}
	return nil
}

// Values is a flag's value as words: a list's items, else one.
func Values(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}

func set(fs *pflag.FlagSet, f *pflag.Flag, values []string, place string) error {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		if err := list.Replace(split(values)); err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
		f.Changed = true
		return nil
	}
	if len(values) != 1 {
		return fmt.Errorf("%s: takes one value, not a list", place)
	}
	if err := f.Value.Set(values[0]); err != nil {
		return fmt.Errorf("%s: %w", place, reason(f, values[0], err))
	}
	f.Changed = true
	return nil
}

// reason says what would fit where strconv only says that it does not.
func reason(f *pflag.Flag, value string, err error) error {
	switch f.Value.Type() {
	case "bool":
		return fmt.Errorf("%q is neither true nor false", value)
	case "int":
		return fmt.Errorf("%q is not a whole number", value)
	case "duration":
		return fmt.Errorf("%q is not a duration: try 5m or 90s", value)
	}
	return err
}

// split takes lists as they are written on a command line: a,b.
func split(values []string) []string {
	var all []string
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			if item = strings.TrimSpace(item); item != "" {
				all = append(all, item)
			}
		}
	}
	return all
}

// Unknown lists the variables with the prefix that name no flag. Kubernetes
// makes such for a Service called sigtrace: those are no mistake.
func Unknown(fs *pflag.FlagSet, environ []string) []string {
	known := map[string]bool{}
	for _, n := range names(fs) {
		known[Variable(n)] = true
	}
	var unknown []string
	for name := range variables(environ) {
		service := strings.Contains(name, "_SERVICE_") || strings.HasPrefix(name, Prefix+"PORT")
		if strings.HasPrefix(name, Prefix) && !known[name] && !service {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

func variables(environ []string) map[string]string {
	env := map[string]string{}
	for _, v := range environ {
		if name, value, ok := strings.Cut(v, "="); ok {
			env[name] = value
		}
	}
	return env
}

// commandLineOnly marks flags that are about one call alone.
const commandLineOnly = "sigtrace_command_line_only"

// CommandLineOnly keeps a flag out of the environment and the file.
func CommandLineOnly(fs *pflag.FlagSet, name string) {
	_ = fs.SetAnnotation(name, commandLineOnly, []string{""})
}

func configurable(f *pflag.Flag) bool {
	_, only := f.Annotations[commandLineOnly]
	return !only && !f.Hidden && f.Name != "help" && f.Name != FileFlag
}

func names(fs *pflag.FlagSet) []string {
	var all []string
	fs.VisitAll(func(f *pflag.Flag) {
		if configurable(f) {
			all = append(all, f.Name)
		}
	})
	return all
}
