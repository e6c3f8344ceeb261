// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// setting is one key's value and where it stands: file:line.
type setting struct {
	values []string
	place  string
}

// sizeMax bounds the file: it has some thirty keys.
const sizeMax = 1 << 20

// readFile reads a YAML map of flag names. It is refused as a whole if anything
// in it is not understood.
func readFile(path string, known []string) (map[string]setting, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	if info.Size() > sizeMax {
		return nil, fmt.Errorf("--config: %s has %d bytes: that is not a configuration", path, info.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return parse(path, b, known)
}

func parse(path string, b []byte, known []string) (map[string]setting, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return nil, nil // empty, or comments alone
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: not a list of keys: write lines like “log-dir: /var/log/sigtrace”", path, root.Line)
	}
	settings := map[string]setting{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		place := fmt.Sprintf("%s:%d:", path, key.Line)
		if !slices.Contains(known, key.Value) {
			return nil, fmt.Errorf("%s unknown key %q%s", place, key.Value, like(key.Value, known))
		}
		if _, twice := settings[key.Value]; twice {
			return nil, fmt.Errorf("%s %s is set twice", place, key.Value)
		}
		values, err := words(value)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", place, key.Value, err)
		}
		settings[key.Value] = setting{values, place}
	}
	return settings, nil
}

// words is a scalar as it is written, or the scalars of a list.
func words(n *yaml.Node) ([]string, error) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, errors.New("has no value")
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}, nil
	case n.Kind == yaml.SequenceNode:
		all := []string{}
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("its items must be plain values")
			}
			all = append(all, item.Value)
		}
		return all, nil
	}
	return nil, errors.New("takes a value or a list of values")
}

// like suggests a key that may have been meant.
func like(key string, known []string) string {
	best, bestDistance := "", 3
	for _, k := range known {
		if d := distance(strings.ReplaceAll(strings.ToLower(key), "_", "-"), k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	if best == "" {
		return " (its keys are the flags of sigtrace agent --help)"
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
