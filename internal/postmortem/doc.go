// SPDX-License-Identifier: Apache-2.0

// Package postmortem writes, rotates and reads the files from which past deaths
// are explained: events.jsonl, and one file for a person for each death.
//
// A line is written whole or not at all. What a full, read-only or vanished
// directory cannot take waits in bounded memory, is written once it can be, and
// is counted where it cannot wait.
package postmortem
