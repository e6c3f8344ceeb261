// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"os"
	"os/signal"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// reloads reads the configuration again at every SIGHUP until ctx ends; systemd is
// notified of that, and of the end.
func (a *agent) reloads(ctx context.Context) {
	context.AfterFunc(ctx, func() { notify(a.log, daemon.SdNotifyStopping) })
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, unix.SIGHUP)
	go func() {
		defer signal.Stop(hangup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				notify(a.log, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
				a.reload()
				notify(a.log, daemon.SdNotifyReady)
			}
		}
	}()
}

// reload takes over what a running agent can change. A mistake leaves everything as
// it was.
func (a *agent) reload() {
	changed, err := a.c.Reread(a.log)
	if err != nil {
		a.log.Error("the configuration was not reloaded", "error", err)
		return
	}
	a.files.SetLimits(changed.Limits)
	changed.apply(a.c.Level)
}
