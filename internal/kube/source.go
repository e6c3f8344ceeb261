// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// Source shows facts until its context ends.
type Source interface {
	// Name is one of event's Source constants.
	Name() string
	// Run shows facts until ctx ends. It tries again what fails, for as long as
	// it runs, and reports being unavailable by facts as well.
	Run(ctx context.Context, emit func(kubefact.Fact))
	// State is "connected", or why not.
	State() string
	// Failures counts the attempts to ask it that failed.
	Failures() uint64
}

// Connected is the state of a source that sees.
const Connected = "connected"
