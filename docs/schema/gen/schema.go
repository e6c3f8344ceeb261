// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/sigtrace/sigtrace/docs"
	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	schemaID = "https://github.com/sigtrace/sigtrace/blob/main/docs/schema/v1.json"
	about    = "One object of sigtrace's JSON output, schema " + event.Schema + ". Readers must accept new fields, types and values: so does this schema. docs/contract.md is the text that goes with it."
	// eventPackage is the directory of internal/event, seen from here.
	eventPackage = "../../../internal/event"
)

// generate makes the schema of the output from the types of internal/event. A
// closed one, for tests, refuses what is new; the published one accepts it.
func generate(closed bool) (*jsonschema.Schema, error) {
	values, err := docs.Values(eventPackage)
	if err != nil {
		return nil, err
	}
	lists := map[string]*jsonschema.Schema{}
	r := &jsonschema.Reflector{
		Anonymous: true, AllowAdditionalProperties: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t.Kind() != reflect.String || t.Name() == "string" {
				return nil
			}
			lists[t.Name()] = list(t.Name(), values[t.Name()], closed)
			return &jsonschema.Schema{Ref: "#/$defs/" + t.Name()}
		},
	}
	root := &jsonschema.Schema{
		Version: jsonschema.Version, ID: schemaID, Title: event.Schema, Description: about,
		Definitions: jsonschema.Definitions{},
	}
	root.AllOf = []*jsonschema.Schema{{Ref: "#/$defs/Header"}}
	maps.Copy(root.Definitions, r.Reflect(&event.Header{}).Definitions)
	all := docs.Events()
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		maps.Copy(root.Definitions, r.Reflect(all[kind]).Definitions)
		root.AllOf = append(root.AllOf, ifType(kind, reflect.TypeOf(all[kind]).Elem().Name()))
	}
	maps.Copy(root.Definitions, lists)
	prune(root.Definitions)
	without(root.Definitions, "Process", "pid", "comm")
	header(root.Definitions["Header"])
	for name, def := range root.Definitions {
		if err := describe(name, def); err != nil {
			return nil, err
		}
		if closed && def.Properties != nil && name != "Header" {
			def.AdditionalProperties = jsonschema.FalseSchema
		}
	}
	return root, nil
}

// list is a list of values that readers must expect to grow: an enumeration for
// those who want one, and any other string.
func list(name string, values []string, closed bool) *jsonschema.Schema {
	enum := &jsonschema.Schema{}
	for _, v := range values {
		enum.Enum = append(enum.Enum, v)
	}
	s := &jsonschema.Schema{Type: "string", Description: name + ": the values so far."}
	if closed {
		s.Enum = enum.Enum
		return s
	}
	s.AnyOf = []*jsonschema.Schema{enum, {Type: "string"}}
	return s
}

// ifType applies a definition to the events of a type, and to no others.
func ifType(kind event.Type, definition string) *jsonschema.Schema {
	is := jsonschema.NewProperties()
	is.Set("type", &jsonschema.Schema{Const: string(kind)})
	return &jsonschema.Schema{
		If:   &jsonschema.Schema{Properties: is, Required: []string{"type"}},
		Then: &jsonschema.Schema{Ref: "#/$defs/" + definition},
	}
}

// prune takes out what is in recordings and not in the output.
func prune(defs jsonschema.Definitions) {
	for name, def := range defs {
		if strings.HasSuffix(name, "Detail") || name == "Absent" || name == "KernelOOM" || name == "Place" {
			delete(defs, name)
			continue
		}
		if def.Properties == nil {
			continue
		}
		for pair := def.Properties.Oldest(); pair != nil; {
			next := pair.Next()
			if docs.OnlyRecorded(pair.Key) {
				def.Properties.Delete(pair.Key)
			}
			pair = next
		}
	}
}

// without makes a death's process one that need not have these fields: where no
// agent was there, nobody may know them.
func without(defs jsonschema.Definitions, name string, fields ...string) {
	p := *defs[name]
	p.Required = slices.DeleteFunc(slices.Clone(p.Required), func(f string) bool { return slices.Contains(fields, f) })
	defs["Dead"+name] = &p
	defs["Death"].Properties.Set("process", &jsonschema.Schema{Ref: "#/$defs/Dead" + name})
}

// header says which version of the schema this is.
func header(h *jsonschema.Schema) {
	h.Properties.Set("schema", &jsonschema.Schema{Type: "string", Const: event.Schema})
}

// describe gives a definition's fields what the contract says of them. What an
// embedded struct brings has its own table.
func describe(name string, def *jsonschema.Schema) error {
	if def.Properties == nil {
		return nil
	}
	text := map[string]string{}
	for _, table := range []string{"Header", "Process", strings.TrimPrefix(name, "Dead")} {
		for _, r := range docs.Table("`" + table + "`") {
			for _, n := range r.Names {
				text[n] = strings.ReplaceAll(r.Cells[1], "`", "")
			}
		}
	}
	var missing []string
	for pair := def.Properties.Oldest(); pair != nil; pair = pair.Next() {
		field := *pair.Value // one schema may stand for several fields
		if field.Description = text[pair.Key]; field.Description == "" {
			missing = append(missing, pair.Key)
		}
		pair.Value = &field
	}
	if missing != nil {
		return fmt.Errorf("docs/contract.md says nothing of %s's %s", name, strings.Join(missing, ", "))
	}
	return nil
}

// text is the schema as it is committed.
func text(s *jsonschema.Schema) ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(b, '\n'), nil
}
