package wim

// Indication is what a static weighing instrument indicates at one moment: a weighbridge's terminal or a
// transmitter on which a vehicle is weighed again, standing. A driver emits indications of one device in order of
// arrival and never invents one; one that it cannot read exactly is counted and skipped.
type Indication struct {
	Arrival Time // the site's clock when the last byte was read

	// Gross, Net and Tare are what the instrument tells of each, in whole kilograms as it indicates them, and may be
	// below zero. Tells says which of them it told; the others are 0 and mean nothing.
	Gross, Net, Tare Kg
	Tells            Weights

	State Condition // what the instrument says of itself
	Knows Condition // which conditions it can tell at all; one that is not in Knows is neither set nor clear
}

// Weights says which weights an Indication carries, as a set of bits.
type Weights uint8

// The weights.
const (
	TellsGross Weights = 1 << iota
	TellsNet
	TellsTare
)

var weightNames = [...]string{"gross", "net", "tare"} //nolint:gochecknoglobals // a table that is never written

// Has tells whether all bits of v are set.
func (w Weights) Has(v Weights) bool { return w&v == v }

// Names lists the weights in order of definition.
func (w Weights) Names() []string { return bitNames(uint32(w), weightNames[:]) }

// Condition is what a static instrument says of itself, as a set of bits. Its own word that it is stable is not
// enough to weigh by: a steady weight over time is.
type Condition uint16

// The conditions.
const (
	Stable     Condition = 1 << iota // the instrument finds the load at rest
	AtZero                           // within the instrument's zero band
	NetShown                         // a tare is in effect: the display shows the net weight
	Overload                         // above what the instrument weighs
	Underload                        // below what the instrument weighs
	Faulty                           // the instrument says that its values cannot be used
	Dynamic                          // the value was worked out of a moving load
	Held                             // the value is held and not of this moment
	WasRounded                       // the driver rounded a finer value to whole kilograms
)

var conditionNames = [...]string{ //nolint:gochecknoglobals // a table that is never written
	"stable", "at-zero", "net-shown", "overload", "underload", "faulty", "dynamic", "held", "was-rounded",
}

// Unweighable are the conditions under which no weight may be taken from an Indication.
const Unweighable = Overload | Underload | Faulty | Held

// Has tells whether all bits of d are set.
func (c Condition) Has(d Condition) bool { return c&d == d }

// Any tells whether any bit of d is set.
func (c Condition) Any(d Condition) bool { return c&d != 0 }

// Names lists the set conditions in order of definition.
func (c Condition) Names() []string { return bitNames(uint32(c), conditionNames[:]) }

// ConditionNamed is the condition of that name, such as "at-zero"; 0 where there is none.
func ConditionNamed(name string) Condition {
	for i, n := range conditionNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}
