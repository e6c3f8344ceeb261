// SPDX-License-Identifier: Apache-2.0

// Package safetext makes other people's text fit to be shown: a comm, an
// argument or a pod's name may hold escape sequences, and arguments may hold
// secrets.
package safetext
