// SPDX-License-Identifier: Apache-2.0

// Package docs holds what users may rely on, the contract, as text and as
// tables: for the tests that hold it against the code, and for the generator of
// the JSON schema. No program of the product imports it.
package docs

import (
	_ "embed"
	"reflect"
	"regexp"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

//go:embed contract.md
var contract string

// Row is one row of a table in the contract.
type Row struct {
	// Names are the words in backquotes in the first cell.
	Names []string
	// Cells are all cells, as Markdown.
	Cells []string
}

var (
	backquoted = regexp.MustCompile("`([^`]+)`")
	rule       = regexp.MustCompile(`^[|\s:-]+$`)
)

// Words are the words in backquotes in a piece of Markdown.
func Words(markdown string) []string {
	var words []string
	for _, m := range backquoted.FindAllStringSubmatch(markdown, -1) {
		words = append(words, m[1])
	}
	return words
}

// Table is what the tables below a heading of the contract hold, up to the next
// heading. The heading is given without its marks: "Exit codes", "`Death`". Nil:
// there is no such heading, or no table below it.
func Table(heading string) []Row {
	var rows []Row
	here, fenced, header := false, false, true
	for line := range strings.Lines(contract) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced:
		case strings.HasPrefix(line, "#"):
			here, header = strings.TrimSpace(strings.TrimLeft(line, "#")) == heading, true
		case !strings.HasPrefix(line, "|"):
			header = true
		case rule.MatchString(line):
			header = false
		case here && !header:
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, Row{Names: Words(cells[0]), Cells: cells})
		}
	}
	return rows
}

// Events has one event of each type, empty.
func Events() map[event.Type]event.Event {
	return map[event.Type]event.Event{
		event.TypeSignal: &event.Signal{}, event.TypeOOM: &event.OOM{}, event.TypeExit: &event.Exit{},
		event.TypeDeath: &event.Death{}, event.TypeStuck: &event.Stuck{}, event.TypeLost: &event.Lost{},
		event.TypeStatus: &event.Status{},
	}
}

// OnlyRecorded reports whether a field of the event types, by its name in JSON, is
// in recordings and not in the output.
func OnlyRecorded(name string) bool { return name == "detail" || name == "present_ancestors" }

// Types are the structs, and the strings with a closed list of values, that the
// output is made of.
func Types() (structs, lists map[string]reflect.Type) {
	structs, lists = map[string]reflect.Type{}, map[string]reflect.Type{}
	for _, e := range Events() {
		gather(reflect.TypeOf(e), structs, lists)
	}
	return structs, lists
}

func gather(t reflect.Type, structs, lists map[string]reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		gather(t.Elem(), structs, lists)
	case reflect.String:
		if t.Name() != "string" {
			lists[t.Name()] = t
		}
	case reflect.Struct:
		if !strings.HasSuffix(t.PkgPath(), "internal/event") || structs[t.Name()] != nil {
			return
		}
		structs[t.Name()] = t
		for i := range t.NumField() {
			if name := jsonName(t.Field(i)); !OnlyRecorded(name) && name != "-" {
				gather(t.Field(i).Type, structs, lists)
			}
		}
	}
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// Fields are the names that a struct's own fields have in the output, without
// those of what it embeds.
func Fields(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name := jsonName(t.Field(i)); name != "" && name != "-" && !OnlyRecorded(name) {
			names = append(names, name)
		}
	}
	return names
}

// Planned are the names that the table of what is planned gives in the row with
// this first cell: "commands", "flags of `watch`", "values of `Cause`".
func Planned(what string) []string {
	for _, r := range Table("Planned") {
		if r.Cells[0] == what {
			return Words(r.Cells[1])
		}
	}
	return nil
}
