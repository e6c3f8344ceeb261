// SPDX-License-Identifier: Apache-2.0

package kubeevent

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// reportOf is how a death is reported, by the table of causes; nil where it is
// not.
func reportOf(d *event.Death) *event.EventReport {
	r := d.Cause.Row().Report
	if r == nil || !r.Inner && !proctree.IsInit(d.Process) {
		return nil
	}
	return r
}

// typeOf is the type of an Event: a warning for what nobody wanted.
func typeOf(r *event.EventReport) string {
	if r.Warning {
		return corev1.EventTypeWarning
	}
	return corev1.EventTypeNormal
}
