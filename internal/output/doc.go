// SPDX-License-Identifier: Apache-2.0

// Package output prints events: as a table for people, as JSON for programs,
// and as the SystemTap recipe did. Names, arguments and paths are other
// people's text: none of it reaches a terminal unquoted.
package output
