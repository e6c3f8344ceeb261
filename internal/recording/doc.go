// SPDX-License-Identifier: Apache-2.0

// Package recording keeps what verdicts are drawn from, so that the same verdicts
// can be drawn again elsewhere and later: for bug reports, demos, and tests.
//
// A recording is a text of JSON lines. The first names the format and the
// machine; then come the events as they were handed to the verdicts, with
// everything that they rest on, the answers of /proc and the cgroup files
// where they were asked, and "seen": how far the stream had been seen.
package recording
