// SPDX-License-Identifier: Apache-2.0

// Package live holds the tests on the running kernel: real processes, real
// cgroups, no mocks. Without root none of them is run; with root a missing hook is
// a failure, not a skip.
package live
