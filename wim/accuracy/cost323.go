package accuracy

import (
	"fmt"
	"math"
)

// Criterion is a quantity that COST 323 asks about.
type Criterion int

// The criteria of COST 323.
const (
	Gross       Criterion = iota // gross mass
	Group                        // the load of a group of two axles and more
	SingleAxle                   // an axle that is in no group
	AxleOfGroup                  // one axle of a group
	criteria    = iota
)

// Criteria lists them in the order in which a report shows them.
func Criteria() [criteria]Criterion { return [...]Criterion{Gross, Group, SingleAxle, AxleOfGroup} }

// String names the criterion as JSON does.
func (c Criterion) String() string {
	switch c {
	case Gross:
		return "gross"
	case Group:
		return "axle-group"
	case SingleAxle:
		return "single-axle"
	case AxleOfGroup:
		return "axle-of-group"
	}
	return "unknown"
}

// MarshalText gives its name.
func (c Criterion) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// TestPlan says how the vehicles of a test were chosen: the more repeatable they are, the more of them must be right.
type TestPlan string

// The test plans of COST 323.
const (
	OneVehicle       TestPlan = "r1" // one vehicle, the same conditions (full repeatability)
	OneVehicleVaried TestPlan = "r2" // one vehicle, varied load and speed (extended repeatability)
	SomeVehicles     TestPlan = "R1" // some vehicles (limited reproducibility)
	FullTraffic      TestPlan = "R2" // full traffic (full reproducibility)
)

// TestPlans lists the test plans.
func TestPlans() []TestPlan {
	return []TestPlan{OneVehicle, OneVehicleVaried, SomeVehicles, FullTraffic}
}

// Environment says how much the conditions of a test varied.
type Environment string

// The environments of COST 323.
const (
	EnvironmentI   Environment = "I"   // repeatability: some hours, like temperatures
	EnvironmentII  Environment = "II"  // limited reproducibility: some days of one season
	EnvironmentIII Environment = "III" // full reproducibility: over a year
)

// Environments lists the environments.
func Environments() []Environment {
	return []Environment{EnvironmentI, EnvironmentII, EnvironmentIII}
}

func (p TestPlan) quantile() (float64, error) {
	switch p {
	case OneVehicle:
		return 2.675, nil
	case OneVehicleVaried:
		return 2.36, nil
	case SomeVehicles:
		return 2.155, nil
	case FullTraffic:
		return 2.0, nil
	}
	return 0, fmt.Errorf("test plan %q: want r1 (one vehicle), r2 (one vehicle, varied), R1 (some vehicles) or R2 (full traffic)", string(p))
}

func (e Environment) divisor() (float64, error) {
	switch e {
	case EnvironmentI:
		return 1, nil
	case EnvironmentII:
		return 1.05, nil
	case EnvironmentIII:
		return 1.1, nil
	}
	return 0, fmt.Errorf("environment %q: want I, II or III", string(e))
}

// Valid tells whether the plan is one of the four.
func (p TestPlan) Valid() error { _, err := p.quantile(); return err }

// Valid tells whether the environment is one of the three.
func (e Environment) Valid() error { _, err := e.divisor(); return err }

// Class is an accuracy class of COST 323.
type Class struct {
	Name string  `json:"name"`
	K    float64 `json:"k"` // tolerance on the gross mass in percent, which gives the class its number
}

// lastClass bounds the classes E: beyond it nothing is said but that it is worse.
const lastClass = 60

// Classes lists the accuracy classes, best first. Below D(25) all are E, in steps of 5.
func Classes() []Class {
	out := []Class{{"A(5)", 5}, {"B+(7)", 7}, {"B(10)", 10}, {"C(15)", 15}, {"D+(20)", 20}, {"D(25)", 25}}
	for k := 30; k <= lastClass; k += 5 {
		out = append(out, Class{fmt.Sprintf("E(%d)", k), float64(k)})
	}
	return out
}

// Tolerance is what COST 323 lets a criterion differ by at the class number k (the tolerance on gross mass), in
// percent of the true value, in service. Initial verification asks for 0.8 of it.
func Tolerance(c Criterion, k float64) float64 {
	switch c {
	case Gross:
		return k
	case Group:
		switch {
		case k < 7:
			return k / 0.7
		case k < 30:
			return k + 3
		}
		return 1.1 * k
	case SingleAxle:
		switch {
		case k < 10:
			return k * (85 - k) / 50
		case k < 25:
			return k + 5
		}
		return 1.2 * k
	case AxleOfGroup:
		switch {
		case k < 10:
			return 2 * k
		case k < 25:
			return k + 10
		}
		return 1.2*k + 5
	}
	return math.NaN()
}

// initialFactor is the part of the tolerance that an initial verification allows.
const initialFactor = 0.8

// leastCount is the smallest number of weighings that we class; the published table of confidences begins there.
const leastCount = 10

// RequiredConfidence is the share of weighings, in percent, that must lie within the tolerance: what COST 323 asks of
// n weighings under a test plan in an environment. n must be at least 2.
func RequiredConfidence(p TestPlan, e Environment, n int) (float64, error) {
	c, err := p.quantile()
	if err != nil {
		return 0, err
	}
	k, err := e.divisor()
	if err != nil {
		return 0, err
	}
	if n < 2 {
		return 0, fmt.Errorf("confidence of %d weighings: want at least 2", n)
	}
	return max(0, 100*(2*normalBelow(c/k-shift(n))-1)), nil
}

// shift is how far the mean of n weighings may lie off, in standard deviations, at 95 percent.
func shift(n int) float64 {
	return StudentQuantile(0.975, float64(n-1)) / math.Sqrt(float64(n))
}

// Confidence is a lower estimate of the share of weighings, in percent, that lie within ±tolerance percent, from
// the number, mean and standard deviation of their errors. s.N must be at least 2.
func Confidence(s *Series, tolerance float64) float64 {
	d := max(s.Deviation, 1e-9) // weighings that are all alike are as sure as can be
	df := float64(s.N - 1)
	t := shift(s.N)
	above := 1 - studentBelow((tolerance-s.Mean)/d-t, df)
	below := 1 - studentBelow((tolerance+s.Mean)/d-t, df)
	return max(0, 100*(1-above-below))
}

// Fit is what COST 323 makes of one criterion.
type Fit struct {
	Criterion Criterion `json:"criterion"`
	N         int       `json:"n"`
	Mean      float64   `json:"mean_percent"`
	Deviation float64   `json:"deviation_percent"`
	Low       float64   `json:"lowest_percent"`
	High      float64   `json:"highest_percent"`
	// TooFew says that there are fewer than ten weighings; nothing below is set then.
	TooFew   bool    `json:"too_few,omitempty"`
	Required float64 `json:"required_percent"` // confidence that is asked for
	// Tolerance is the smallest one within which the required share lies, K the class number that it stands for, and
	// Class the class; empty where it is worse than E(60).
	Tolerance float64 `json:"tolerance_percent"`
	K         float64 `json:"k"`
	Class     string  `json:"class"`
	// Levels has one entry for each of Classes.
	Levels []Level `json:"levels"`
}

// Level is how a criterion stands to one class.
type Level struct {
	Class      string  `json:"class"`
	Tolerance  float64 `json:"tolerance_percent"`
	Confidence float64 `json:"confidence_percent"` // estimated from mean and deviation
	Kept       bool    `json:"kept"`
}

// COST323 is the report under one test plan and environment.
type COST323 struct {
	Plan        TestPlan    `json:"plan"`
	Environment Environment `json:"environment"`
	Initial     bool        `json:"initial_verification"`
	Fits        []Fit       `json:"criteria"`
	// Class is the worst of the criteria's; empty where a criterion is worse than E(60) or none has ten weighings.
	Class string `json:"class"`
}

// Assess classes the errors of the four criteria, in the order of Criteria.
func Assess(p TestPlan, e Environment, initial bool, errors *[criteria]Series) (COST323, error) {
	out := COST323{Plan: p, Environment: e, Initial: initial}
	worst, known := 0.0, false
	for _, c := range Criteria() {
		f, err := fit(p, e, initial, c, &errors[c])
		if err != nil {
			return COST323{}, err
		}
		if !f.TooFew {
			known, worst = true, max(worst, f.K)
		}
		out.Fits = append(out.Fits, f)
	}
	if known {
		out.Class = classOf(worst)
	}
	return out, nil
}

func fit(p TestPlan, e Environment, initial bool, c Criterion, s *Series) (Fit, error) {
	f := Fit{Criterion: c, N: s.N, Mean: s.Mean, Deviation: s.Deviation, Low: s.Low, High: s.High}
	if s.N < leastCount {
		f.TooFew = true
		return f, errorsOf(p.Valid(), e.Valid())
	}
	required, err := RequiredConfidence(p, e, s.N)
	if err != nil {
		return Fit{}, err
	}
	factor := 1.0
	if initial {
		factor = initialFactor
	}
	f.Required = required
	f.Tolerance = bisect(0, 1e6, func(d float64) bool { return Confidence(s, d) >= required })
	f.K = bisect(0, 1e6, func(k float64) bool { return factor*Tolerance(c, k) >= f.Tolerance })
	f.Class = classOf(f.K)
	for _, cl := range Classes() {
		l := Level{Class: cl.Name, Tolerance: factor * Tolerance(c, cl.K)}
		l.Confidence = Confidence(s, l.Tolerance)
		l.Kept = l.Confidence >= required
		f.Levels = append(f.Levels, l)
	}
	return f, nil
}

func errorsOf(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// classOf is the best class whose number is not below k, empty for none.
func classOf(k float64) string {
	for _, c := range Classes() {
		if k <= c.K {
			return c.Name
		}
	}
	return ""
}
