package accuracy

import "math"

// Series is what is kept of a run of errors in percent of the true value. The zero value has none.
type Series struct {
	N         int
	Mean      float64 // of the errors, percent
	Deviation float64 // standard deviation, N − 1 in the divisor, percent
	Low, High float64 // smallest and largest error, percent

	square float64 // sum of squared distances from the mean (Welford)
}

// add takes in one error.
func (s *Series) add(percent float64) {
	s.N++
	if s.N == 1 {
		s.Low, s.High = percent, percent
	}
	s.Low, s.High = min(s.Low, percent), max(s.High, percent)
	d := percent - s.Mean
	s.Mean += d / float64(s.N)
	s.square += d * (percent - s.Mean)
	if s.N > 1 {
		s.Deviation = math.Sqrt(s.square / float64(s.N-1))
	}
}

// histogramReach is how far the histogram's bins go on either side of 0, in percent; what lies beyond is counted in
// its outermost bins. Bins are histogramStep wide.
const (
	histogramReach = 30.0
	histogramStep  = 0.5
	histogramBins  = 2 * int(histogramReach/histogramStep)
)

// Histogram counts errors in bins half a percent wide from −30 to +30 percent; the outermost bins also hold what
// lies beyond.
type Histogram [histogramBins]int

func (h *Histogram) add(percent float64) {
	i := int(math.Floor((percent + histogramReach) / histogramStep))
	h[max(0, min(i, histogramBins-1))]++
}

// Edge is the lower edge of bin i, in percent.
func (*Histogram) Edge(i int) float64 { return -histogramReach + float64(i)*histogramStep }
