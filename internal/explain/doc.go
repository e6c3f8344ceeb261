// SPDX-License-Identifier: Apache-2.0

// Package explain says what an exit code, a signal, a cause or a reason that
// Kubernetes reports means: how it comes about, what to look at and what to change.
// It is tables and nothing else: which cause it was in a given case, only a verdict
// says. docs/causes is generated from it.
package explain
