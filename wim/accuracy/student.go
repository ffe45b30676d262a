package accuracy

import "math"

// normalBelow is the share of a standard normal distribution below x.
func normalBelow(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// studentBelow is the share of Student's distribution with so many degrees of freedom below t; to about 1e-12.
func studentBelow(t, degrees float64) float64 {
	tail := betaShare(degrees/(degrees+t*t), degrees/2, 0.5) / 2
	if t > 0 {
		return 1 - tail
	}
	return tail
}

// StudentQuantile is the t below which the share p, from a half to 1, of Student's distribution lies.
func StudentQuantile(p, degrees float64) float64 {
	low, high := 0.0, 1.0
	for studentBelow(high, degrees) < p && high < 1e9 {
		high *= 2
	}
	return bisect(low, high, func(t float64) bool { return studentBelow(t, degrees) >= p })
}

// bisect finds where reached turns true between low and high, to the last bits.
func bisect(low, high float64, reached func(float64) bool) float64 {
	for range 200 {
		mid := low + (high-low)/2
		if mid == low || mid == high {
			break
		}
		if reached(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// betaShare is the regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz).
func betaShare(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2): // the fraction converges on the other side
		return 1 - betaShare(1-x, b, a)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny = 1e-300
	keep := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/keep(1-(a+b)*x/(a+1))
	h := d
	for m := 1.0; m <= 500; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/keep(1+even*d), keep(1+even/c)
		h *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/keep(1+odd*d), keep(1+odd/c)
		step := d * c
		h *= step
		if math.Abs(step-1) < 1e-15 {
			break
		}
	}
	return front * h
}
