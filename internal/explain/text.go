// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
)

// text is the part of a page that is written by hand. `…` is a name in the record, a
// command or a setting.
type text struct {
	means, known string
	look, change []string
	// related are Kubernetes' reasons of a cause, and causes of a reason.
	related []string
}

const (
	kindCause  = "cause"
	kindReason = "kubernetes_reason"
)

// knownBy is how a stop that Kubernetes has a reason for is known.
func knownBy(sources string) string { return fmt.Sprintf(byKubelet, sources) }
