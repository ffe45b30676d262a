package signal

// chunk is how many samples are looked at together while nothing is on a strip. A pulse is counted from the beginning of
// the chunk before it until one whole chunk is quiet, so its slow edges are in it, and noise that adds up to nothing.
const chunk = 16

// baselineShift is by how much the baseline follows a quiet chunk: 1/64 of the way.
const baselineShift = 6

// Pulse is one wheel on one strip. Times are sample numbers from the start of the stream.
type Pulse struct {
	Start  int64 // the first sample that is counted
	Length int32 // samples
	Peak   int32 // counts above the baseline
	Area   int64 // sum of the counts above the baseline
	moment int64 // of the area about Start
}

// Centre is the centre of the area, in samples: a time much finer than the sampling, and the same wherever on the edges the
// pulse was noticed.
func (p *Pulse) Centre() float64 { return float64(p.Start) + float64(p.moment)/float64(p.Area) }

// End is the sample behind the last one that is counted.
func (p *Pulse) End() int64 { return p.Start + int64(p.Length) }

// Detector finds the pulses of one strip. The zero value is not usable: NewDetector.
type Detector struct {
	on      int32 // counts above the baseline at which a pulse begins
	longest int64 // samples after which what does not end is taken for a new baseline

	at      int64        // number of the next sample
	base    int32        // in 1/256 counts
	started bool         // base is set
	inside  bool         // pulse is open
	quiet   int32        // samples below the threshold since the last one above
	rest    [chunk]int16 // what did not fill a chunk
	resting int
	before  [chunk]int16 // the chunk before, while nothing is on the strip
	had     bool         // before is filled
	pulse   Pulse

	// Stuck counts what lay on the strip longer than anything drives: it became the baseline.
	Stuck uint64
}

// NewDetector returns a detector for a strip. A pulse begins on counts above the baseline, several times the strip's noise,
// and one that lasts longer than longest samples is none.
func NewDetector(on int32, longest int64) *Detector {
	return &Detector{on: max(on, 1), longest: max(longest, 4*chunk)}
}

// Process takes the next samples and appends the pulses that they complete to out.
func (d *Detector) Process(s []int16, out []Pulse) []Pulse {
	if d.resting > 0 {
		n := copy(d.rest[d.resting:], s)
		if d.resting += n; d.resting < chunk {
			return out
		}
		s, d.resting = s[n:], 0
		rest := d.rest
		out = d.chunk(&rest, out)
	}
	for len(s) >= chunk {
		c := (*[chunk]int16)(s)
		s = s[chunk:]
		if d.inside || !d.started {
			out = d.chunk(c, out)
			continue
		}
		// The way of nearly all samples: nothing is there.
		limit := d.base>>8 + d.on - 1
		s0, a0 := four(c[0], c[1], c[2], c[3], limit)
		s1, a1 := four(c[4], c[5], c[6], c[7], limit)
		s2, a2 := four(c[8], c[9], c[10], c[11], limit)
		s3, a3 := four(c[12], c[13], c[14], c[15], limit)
		if a0|a1|a2|a3 < 0 {
			out = d.chunk(c, out)
			continue
		}
		d.pass(c, s0+s1+s2+s3)
	}
	d.resting = copy(d.rest[:], s)
	return out
}

// lose forgets a wheel that is on the strip, and what did not fill a chunk: the next sample is number at. The baseline stays.
func (d *Detector) lose(at int64) {
	d.at, d.inside, d.had, d.resting = at, false, false, 0
}

// four adds up four samples; above is negative where one of them is above limit. Four at a time, and a sign bit in place of a
// branch, leave the processor no long chain to wait for.
func four(a, b, c, d int16, limit int32) (sum, above int32) {
	e, f, g, h := int32(a), int32(b), int32(c), int32(d)
	return (e + f) + (g + h), (limit - e) | (limit - f) | (limit - g) | (limit - h)
}

// chunk takes one chunk in which something may be.
func (d *Detector) chunk(c *[chunk]int16, out []Pulse) []Pulse {
	sum := int32(0)
	for _, v := range c {
		sum += int32(v)
	}
	if !d.started {
		d.base, d.started = sum<<8/chunk, true
	}
	base := d.base >> 8
	if !d.inside {
		high := int32(c[0])
		for _, v := range c {
			high = max(high, int32(v))
		}
		if high-base < d.on {
			d.pass(c, sum)
			return out
		}
		d.inside, d.quiet = true, 0
		d.pulse = Pulse{Start: d.at}
		if d.had {
			d.pulse.Start -= chunk
			d.add(&d.before, base)
		}
	}
	d.add(c, base)
	d.at += chunk
	switch {
	case d.quiet >= chunk:
		d.inside, d.had = false, false
		if d.pulse.Area > 0 {
			out = append(out, d.pulse)
		}
	case int64(d.pulse.Length) > d.longest:
		d.inside, d.had, d.started = false, false, false
		d.Stuck++
	}
	return out
}

// pass lets the baseline follow a chunk in which nothing was.
func (d *Detector) pass(c *[chunk]int16, sum int32) {
	d.base += (sum<<8/chunk - d.base) >> baselineShift
	d.before, d.had = *c, true
	d.at += chunk
}

// add counts a chunk into the open pulse. The baseline has a fraction that would add up over a long pulse, so the sum is
// corrected by it as a whole.
func (d *Detector) add(c *[chunk]int16, base int32) {
	area, moment, at := int64(0), int64(0), int64(d.pulse.Length)
	for i, v := range c {
		x := int32(v) - base
		area += int64(x)
		moment += int64(x) * (at + int64(i))
		d.pulse.Peak = max(d.pulse.Peak, x)
		if d.quiet++; x >= d.on {
			d.quiet = 0
		}
	}
	fraction := int64(d.base & 0xff)
	d.pulse.Area += area - fraction*chunk>>8
	d.pulse.moment += moment - fraction*chunk*(2*at+chunk)>>9
	d.pulse.Length += chunk
}
