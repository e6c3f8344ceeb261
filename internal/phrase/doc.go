// SPDX-License-Identifier: Apache-2.0

// Package phrase has the words for people that verdicts and outputs share: how a
// process, an actor, an OOM kill, an end are named in a sentence. Whatever comes
// from outside is quoted for a terminal.
package phrase
