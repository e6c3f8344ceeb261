// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"time"

	"github.com/sigtrace/sigtrace/internal/postmortem"
)

// chart is deaths over time, as stacked columns in the units of an SVG.
type chart struct {
	Width, Height int
	Columns       []column
	From, Until   string
	// Most is the highest column's count, Step what a column stands for.
	Most int
	Step string
}

type column struct {
	X, Width int
	Title    string
	Parts    []part
}

type part struct {
	Y, Height int
	Kind      string
}

const (
	chartWidth, chartHeight = 960, 140
	columnsMax              = 48
)

// steps are the widths that a column may have.
func steps() []time.Duration {
	return []time.Duration{
		time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
	}
}

// newChart draws deaths, newest first; nil if there are fewer than two.
func newChart(deaths []postmortem.Past, at func(time.Time) string) *chart {
	if len(deaths) < 2 {
		return nil
	}
	first, last := deaths[len(deaths)-1].Death.Time, deaths[0].Death.Time
	step := stepFor(last.Sub(first))
	from := first.Truncate(step)
	n := int(last.Sub(from)/step) + 1
	counts := make([]map[string]int, n)
	totals := make([]int, n)
	c := &chart{Width: chartWidth, Height: chartHeight, Step: words(step), From: at(from), Until: at(from.Add(time.Duration(n) * step))}
	for _, p := range deaths {
		i := int(p.Death.Time.Sub(from) / step)
		if counts[i] == nil {
			counts[i] = map[string]int{}
		}
		counts[i][kindOf(p.Death.Cause)]++
		totals[i]++
		c.Most = max(c.Most, totals[i])
	}
	width := chartWidth / max(n, 12)
	for i := range counts {
		if totals[i] > 0 {
			title := fmt.Sprintf("%s: %d deaths", at(from.Add(time.Duration(i)*step)), totals[i])
			if totals[i] == 1 {
				title = at(from.Add(time.Duration(i)*step)) + ": 1 death"
			}
			c.Columns = append(c.Columns, column{X: i * width, Width: max(1, width-2), Title: title, Parts: c.stack(counts[i])})
		}
	}
	return c
}

// stack puts the kinds of one column upon each other.
func (c *chart) stack(counts map[string]int) []part {
	var parts []part
	sum := 0
	for _, k := range kinds() {
		if n := counts[k.ID]; n > 0 {
			top := c.Height - c.Height*(sum+n)/c.Most
			bottom := c.Height - c.Height*sum/c.Most
			parts = append(parts, part{Y: top, Height: max(1, bottom-top), Kind: k.ID})
			sum += n
		}
	}
	return parts
}

func stepFor(span time.Duration) time.Duration {
	all := steps()
	for _, s := range all {
		if span/s < columnsMax {
			return s
		}
	}
	s := all[len(all)-1]
	for span/s >= columnsMax {
		s *= 2
	}
	return s
}

func words(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
