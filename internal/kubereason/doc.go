// SPDX-License-Identifier: Apache-2.0

// Package kubereason finds, in what Kubernetes reports of a pod, the reason for a
// stop of one of its containers. It is pure: facts come in as they are read, and
// ReasonFor answers of one stop. It knows nothing of signals; what the kernel
// showed of a stop, its caller says.
package kubereason

import "time"

// MaxWait is how long after a stop's end sources are given to report its reason.
const MaxWait = 2 * time.Second
