// SPDX-License-Identifier: Apache-2.0

// layering counts, for each package, the references between its files that run
// upwards: against the order of its files in which the fewest do. A package that
// reads from top to bottom has none; each one that is left is a file that cannot be
// understood before another that needs it. It fails where a package has more of
// them than its limit in the file limits, as a share of all references.
//
//	go run ./internal/test/layering [-v] [PACKAGE…]
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const limitsFile = "internal/test/layering/limits"

func main() {
	verbose := flag.Bool("v", false, "print the references that run upwards")
	flag.Parse()
	if err := run(flag.Args(), *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "layering:", err)
		os.Exit(1)
	}
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Standard, DepOnly       bool
}

func run(patterns []string, verbose bool) error {
	if len(patterns) == 0 {
		patterns = []string{"./cmd/...", "./internal/..."}
	}
	limits, err := readLimits(limitsFile)
	if err != nil {
		return err
	}
	packages, exports, err := list(patterns)
	if err != nil {
		return err
	}
	var over []string
	for _, p := range packages {
		edges, err := references(p, exports)
		if err != nil {
			return fmt.Errorf("%s: %w", p.ImportPath, err)
		}
		order := arrange(p.GoFiles, edges)
		up := upward(order, edges)
		if len(edges) == 0 {
			continue
		}
		name := strings.TrimPrefix(p.ImportPath, "github.com/sigtrace/sigtrace/")
		share := 100 * len(up) / len(edges)
		fmt.Printf("%-34s %3d of %3d references upwards, %2d %%\n", name, len(up), len(edges), share)
		if verbose {
			for _, e := range up {
				fmt.Printf("    %s → %s\n", e.from, e.to)
			}
		}
		limit, ok := limits[name]
		if !ok {
			limit = limits["*"]
		}
		if share > limit {
			over = append(over, fmt.Sprintf("%s has %d %% (limit %d %%)", name, share, limit))
		}
	}
	if len(over) > 0 {
		return errors.New("more references run upwards than the limits allow: " + strings.Join(over, "; ") + "; part what is entangled (-v shows it)")
	}
	return nil
}

// readLimits reads lines of a package and its limit in percent; * is for all others.
func readLimits(name string) (map[string]int, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("limits: %w", err)
	}
	defer f.Close()
	limits := map[string]int{"*": 100}
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) != 2 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		n, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, fmt.Errorf("limits: %s: %w", fields[0], err)
		}
		limits[fields[0]] = n
	}
	return limits, nil
}

// list returns the packages and where the export data of all dependencies lies.
func list(patterns []string) (packages []listed, exports map[string]string, err error) {
	args := append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Standard,DepOnly"}, patterns...)
	c := exec.Command("go", args...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list: %w", err)
	}
	exports = map[string]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, exports, nil
		} else if err != nil {
			return nil, nil, fmt.Errorf("go list: %w", err)
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			packages = append(packages, p)
		}
	}
}

// edge is that one file of a package uses what another declares.
type edge struct{ from, to string }

func references(p listed, exports map[string]string) ([]edge, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	pkg, err := config.Check(p.ImportPath, fset, files, info)
	if err != nil {
		return nil, err
	}
	file := func(pos token.Pos) string { return filepath.Base(fset.Position(pos).Filename) }
	seen := map[edge]bool{}
	for ident, object := range info.Uses {
		if object.Pkg() != pkg || object.Parent() != nil && object.Parent() != pkg.Scope() {
			continue
		}
		if e := (edge{file(ident.Pos()), file(object.Pos())}); e.from != e.to {
			seen[e] = true
		}
	}
	var edges []edge
	for e := range seen {
		edges = append(edges, e)
	}
	slices.SortFunc(edges, func(a, b edge) int { return strings.Compare(a.from+" "+a.to, b.from+" "+b.to) })
	return edges, nil
}

// upward are the edges from a file to one before it in the order.
func upward(order []string, edges []edge) []edge {
	at := map[string]int{}
	for i, f := range order {
		at[f] = i
	}
	var up []edge
	for _, e := range edges {
		if at[e.to] < at[e.from] {
			up = append(up, e)
		}
	}
	return up
}

// arrange finds an order in which few edges run upwards: each file is moved to
// where that helps most until no move helps.
func arrange(files []string, edges []edge) []string {
	order := slices.Clone(files)
	slices.Sort(order)
	for best := len(upward(order, edges)); ; {
		improved := false
		for _, f := range slices.Clone(order) {
			for to := range order {
				moved := slices.DeleteFunc(slices.Clone(order), func(g string) bool { return g == f })
				moved = slices.Insert(moved, to, f)
				if n := len(upward(moved, edges)); n < best {
					order, best, improved = moved, n, true
				}
			}
		}
		if !improved {
			return order
		}
	}
}
