package wim

import "time"

// AssemblerConfig sets the limits of one lane's Assembler. Its zero value is usable: zero fields take the
// defaults named here.
type AssemblerConfig struct {
	Lane LaneID
	// Wait is the longest pause between two messages of one vehicle before Expire closes it; 0 means 20 s.
	Wait time.Duration
	// SumTolerance is how far the axle sum may differ from the indicated gross; 0 means 30 ‰.
	SumTolerance Permille
	// Imbalance is how far the two wheels of an axle may differ, as |left − right| : (left + right);
	// 0 means 400 ‰.
	Imbalance Permille
	// Acceleration is how far the speeds of a vehicle's axles may differ, as (highest − lowest) : lowest;
	// 0 means 150 ‰.
	Acceleration Permille
}

// MaxAxles is the largest number of axles that a Vehicle carries.
const MaxAxles = 32

// Assembler turns the readings of one lane's scale into vehicles.
type Assembler struct {
	cfg AssemblerConfig
}

// NewAssembler returns an Assembler with no vehicle begun.
func NewAssembler(cfg AssemblerConfig) *Assembler { return &Assembler{cfg: cfg} }

// Push takes the next reading.
func (a *Assembler) Push(r Reading) (v Vehicle, done bool) { return Vehicle{}, false }

// Expire closes a vehicle whose next message is overdue at now.
func (a *Assembler) Expire(now Time) (v Vehicle, done bool) { return Vehicle{}, false }

// Lost says that messages of the device may have been lost: the vehicle being assembled gets DeviceGap.
func (a *Assembler) Lost() {}

// Rest names the last message that the most recently returned vehicle rests on: its vehicle end, or its
// last axle when the end never came.
func (a *Assembler) Rest() (boot, seq uint32) { return 0, 0 }
