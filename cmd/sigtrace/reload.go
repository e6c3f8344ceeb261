// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/config"
)

// configure gives the flags that the command line leaves open their values.
func (f *agentFlags) configure(c *cobra.Command) error {
	f.given = config.Given(c.Flags())
	if err := config.Apply(c.Flags(), f.given, os.Environ()); err != nil {
		return usageError{err}
	}
	return f.validate()
}

// reloadable are the flags that a running agent can change.
func reloadable() []string {
	return []string{"log-max-size", "log-max-files", "deaths-max", "verbose"}
}

// reloads reads the configuration again at every SIGHUP until ctx ends.
func (f *agentFlags) reloads(ctx context.Context, c *cobra.Command, log *slog.Logger, apply func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, unix.SIGHUP)
	go func() {
		defer signal.Stop(hangup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				notify(log, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
				if err := f.reload(c.Flags(), log); err != nil {
					log.Error("the configuration stays as it was", "error", err)
				} else {
					apply()
				}
				notify(log, daemon.SdNotifyReady)
			}
		}
	}()
}

// reload takes over what can be changed and says what cannot. A mistake leaves
// everything as it was.
func (f *agentFlags) reload(now *pflag.FlagSet, log *slog.Logger) error {
	fresh, c := newAgentFlags()
	if err := config.Copy(c.Flags(), now, f.given); err != nil {
		return err
	}
	if err := config.Apply(c.Flags(), f.given, os.Environ()); err != nil {
		return err
	}
	if err := fresh.validate(); err != nil {
		return err
	}
	taken, refused := f.takeOver(now, c.Flags())
	if len(refused) > 0 {
		log.Warn("changed, and takes effect with a restart only", "flags", strings.Join(refused, " "))
	}
	log.Info("the configuration was read again", "changed", strings.Join(taken, " "))
	return nil
}

// takeOver sets the flags that differ and may change while running.
func (f *agentFlags) takeOver(now, fresh *pflag.FlagSet) (taken, refused []string) {
	fresh.VisitAll(func(want *pflag.Flag) {
		have := now.Lookup(want.Name)
		if have == nil || slices.Equal(config.Values(have), config.Values(want)) {
			return
		}
		text := fmt.Sprintf("--%s=%s", want.Name, strings.Join(config.Values(want), ","))
		if !slices.Contains(reloadable(), want.Name) {
			refused = append(refused, text)
			return
		}
		if err := have.Value.Set(want.Value.String()); err == nil {
			taken = append(taken, text)
		}
	})
	return taken, refused
}
