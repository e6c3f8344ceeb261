// SPDX-License-Identifier: Apache-2.0

// Package advice says what to do about a death: a few sentences, each by a rule that
// rests on a figure of the death's own record, and none without one. It is pure: a
// record in, sentences out. It decides nothing about the cause.
package advice
