// SPDX-License-Identifier: Apache-2.0

// Package pipeline wires the way of the data: source (raw events) → waiting (for the
// kernel's decision, for names) → resolve → verdicts → filter → printer. One goroutine
// owns the stream from the decoder on; the readers of the lanes hand it batches.
package pipeline
