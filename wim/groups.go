package wim

// GroupSpacing is the distance from which two neighbouring axles are no longer taken together. It is the
// upper edge of the two-axle group in GB 1589-2016, table 2, as far as secondary sources show it.
const GroupSpacing Mm = 1800

// groupAxles is the largest number of axles that the law takes together.
const groupAxles = 3

// groupInto appends the axle groups of axles to dst: neighbours closer than GroupSpacing, at most three
// together. A spacing that was not measured joins nothing.
func groupInto(dst []AxleGroup, axles []Axle) []AxleGroup {
	first := len(dst)
	for i := range axles {
		x := &axles[i]
		if n := len(dst); n > first && x.Spacing > 0 && x.Spacing < GroupSpacing && dst[n-1].Count < groupAxles {
			g := &dst[n-1]
			g.Count++
			g.Load = loadOf(axles[i+1-int(g.Count) : i+1])
			g.Span += x.Spacing
			continue
		}
		dst = append(dst, AxleGroup{First: uint8(i + 1), Count: 1, Load: max(x.Load, 0)})
	}
	return dst
}
