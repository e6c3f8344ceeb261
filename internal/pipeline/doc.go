// SPDX-License-Identifier: Apache-2.0

// Package pipeline wires the way of the data: probe → event → resolve →
// output. One goroutine owns the stream from the decoder on; the readers of the
// lanes hand it batches.
package pipeline
