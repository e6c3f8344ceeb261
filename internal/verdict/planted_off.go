// SPDX-License-Identifier: Apache-2.0

//go:build !planted

package verdict

import "github.com/sigtrace/sigtrace/internal/event"

// plantedFault does nothing: only builds for tests (-tags planted) have faults.
func plantedFault(*event.Exit, bool) {}
