// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// jsonRecord reads a line of the JSON format (k8s.io/component-base/logs/json).
// Its ts is Unix time in milliseconds with a fraction; releases before 1.20
// wrote seconds.
func jsonRecord(line string) (record, bool) {
	if !strings.HasPrefix(line, "{") {
		return record{}, false
	}
	var fields map[string]any
	if json.Unmarshal([]byte(line), &fields) != nil {
		return record{}, false
	}
	r := record{values: map[string]string{}, verbosity: -1}
	var known bool
	if r.message, known = fields["msg"].(string); !known {
		return record{}, false
	}
	if v, ok := fields["v"].(float64); ok && v >= 0 && v < 100 {
		r.verbosity = int(v)
	}
	if ts, ok := fields["ts"].(float64); ok {
		r.time = unixTime(ts)
	}
	for key, value := range fields {
		r.values[key] = jsonValue(value)
	}
	return r, true
}

func unixTime(ts float64) time.Time {
	if ts < 1e11 {
		ts *= 1000
	}
	if math.IsNaN(ts) || ts < 0 || ts > 1e15 {
		return time.Time{}
	}
	return time.UnixMicro(int64(ts * 1000))
}

func jsonValue(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any:
		return jsonObject(v)
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, jsonValue(item))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(value)
}

// jsonObject is "namespace/name" of a pod (klog.KObj), and all values of any
// other structure.
func jsonObject(object map[string]any) string {
	name, named := object["name"].(string)
	if namespace, _ := object["namespace"].(string); named && namespace != "" {
		return namespace + "/" + name
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(object)) { // one line, one text
		parts = append(parts, key+":"+jsonValue(object[key]))
	}
	return strings.Join(parts, " ")
}
