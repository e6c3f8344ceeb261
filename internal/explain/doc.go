// SPDX-License-Identifier: Apache-2.0

// Package explain says what an exit code or a signal means: how it came about,
// what usually causes it, and what to look at next. It is a table and nothing
// else: which cause it was in a given case, only a verdict tells.
package explain
