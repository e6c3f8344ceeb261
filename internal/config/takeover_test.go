// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"testing"

	"github.com/spf13/pflag"
)

// What may change takes its new value, what may not keeps the old one and is named.
func TestTakeOver(t *testing.T) {
	flags := func(size int, names ...string) *pflag.FlagSet {
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		fs.Int("size", size, "")
		fs.StringSlice("name", names, "")
		fs.Bool("same", true, "")
		return fs
	}
	now, fresh := flags(1, "a"), flags(2, "a", "b")
	taken, refused := TakeOver(now, fresh, []string{"size", "same"})
	if !slices.Equal(taken, []string{"--size=2"}) || !slices.Equal(refused, []string{"--name=a,b"}) {
		t.Errorf("taken %v, refused %v", taken, refused)
	}
	if size, _ := now.GetInt("size"); size != 2 {
		t.Errorf("size is %d", size)
	}
	if names, _ := now.GetStringSlice("name"); !slices.Equal(names, []string{"a"}) {
		t.Errorf("name is %v", names)
	}
}
