// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"io"
	"log/slog"
	"time"

	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/session"
)

// Config is what an agent runs with.
type Config struct {
	// Session's Pins are opened from PinDir.
	Session session.Config
	// LogDir holds the postmortem files.
	LogDir string
	// Flight is how far back a death's file reaches; 0 is off.
	Flight time.Duration
	// MetricsAddr is where metrics are served; empty for nowhere.
	MetricsAddr string
	// PinDir is where the kernel side outlives the agent; empty for nowhere.
	PinDir string
	// KubeEvents makes deaths of pods Kubernetes Events where there is an API;
	// KubeEventsGiven: the user has asked for them, so that an API that is not there
	// is worth a warning.
	KubeEvents, KubeEventsGiven bool
	Changeable
	// Reread reads the configuration again; an error leaves everything as it was.
	Reread func(*slog.Logger) (Changeable, error)
	// Level is the log's, which Verbose sets.
	Level *slog.LevelVar
	// Stdout gets lines of JSON.
	Stdout io.Writer
	// Commit is the one that sigtrace was built from.
	Commit string
}

// Changeable is what a running agent takes over from a configuration that is read
// again.
type Changeable struct {
	Limits  postmortem.Limits
	Verbose bool
}

// apply sets the level: an agent logs more than a watch does, for nobody is looking
// when it happens.
func (c Changeable) apply(level *slog.LevelVar) {
	level.Set(slog.LevelInfo)
	if c.Verbose {
		level.Set(slog.LevelDebug)
	}
}
