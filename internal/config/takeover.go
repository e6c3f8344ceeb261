// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// TakeOver gives the flags of a running program that are named in changeable the
// values that they have in fresh. It returns --name=value of those that have changed,
// and of those that differ and cannot change without a restart.
func TakeOver(now, fresh *pflag.FlagSet, changeable []string) (taken, refused []string) {
	fresh.VisitAll(func(want *pflag.Flag) {
		have := now.Lookup(want.Name)
		if have == nil || slices.Equal(Values(have), Values(want)) {
			return
		}
		text := fmt.Sprintf("--%s=%s", want.Name, strings.Join(Values(want), ","))
		if !slices.Contains(changeable, want.Name) {
			refused = append(refused, text)
			return
		}
		if err := have.Value.Set(want.Value.String()); err == nil {
			taken = append(taken, text)
		}
	})
	return taken, refused
}
