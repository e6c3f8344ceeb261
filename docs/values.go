// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

// Values are the constants of each named string type in the Go package in dir,
// in the order of the source.
func Values(dir string) (map[string][]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no Go files in %s: %w", dir, err)
	}
	values := map[string][]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
				addConstants(g, values)
			}
		}
	}
	return values, nil
}

func addConstants(g *ast.GenDecl, values map[string][]string) {
	for _, s := range g.Specs {
		spec := s.(*ast.ValueSpec)
		typ, ok := spec.Type.(*ast.Ident)
		if !ok {
			continue
		}
		for _, v := range spec.Values {
			lit, ok := v.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				continue
			}
			if text, err := strconv.Unquote(lit.Value); err == nil {
				values[typ.Name] = append(values[typ.Name], text)
			}
		}
	}
}
