package wim

import (
	"fmt"
	"math"
	"time"
)

// MaxAxles is the largest number of axles that a Vehicle carries. What comes beyond is counted and makes
// the vehicle void (MissedAxle).
const MaxAxles = 32

// The defaults of AssemblerConfig. They are ours, chosen so that a sound instrument never reaches them;
// none is a figure of any law or standard.
const (
	DefaultWait         = 30 * time.Second // a truck may stand on the scale in a queue
	DefaultSumTolerance = Permille(30)     // more than any division and wheel rounding adds up to
	DefaultImbalance    = Permille(400)    // one side carries more than twice the other
	DefaultAcceleration = Permille(150)    // hard braking between the first axle and the last
	DefaultPause        = 3 * time.Second  // a truck that rolls does not need it between two axles
)

// accelerationFloor is the difference of speeds that never counts as acceleration: at a crawl it is what
// reading and rounding two speeds may add up to.
const accelerationFloor DeciKmh = 20

// AssemblerConfig sets the limits of one lane's Assembler. Its zero value is usable: zero fields take the
// defaults named beside them.
type AssemblerConfig struct {
	Lane LaneID
	// Wait is the longest pause between two messages of one vehicle before Expire closes it; 0 means
	// DefaultWait.
	Wait time.Duration
	// SumTolerance is how far the axle sum may differ from the indicated gross before SumMismatch is set;
	// 0 means DefaultSumTolerance.
	SumTolerance Permille
	// Imbalance is how far the two wheels of an axle may differ, as |left − right| : (left + right), before
	// the flag Imbalance is set; 0 means DefaultImbalance.
	Imbalance Permille
	// Acceleration is how far the speeds of a vehicle's axles may differ, as (highest − lowest) : lowest,
	// before the flag Acceleration is set; 0 means DefaultAcceleration.
	Acceleration Permille
	// SpeedMin and SpeedMax are what the instrument can weigh: an axle outside sets SpeedOutOfRange. 0 means no such bound.
	SpeedMin, SpeedMax DeciKmh
	// Pause is how much longer than at twice its due time the next axle may take before StopAndGo is set; 0 means
	// DefaultPause.
	Pause time.Duration
	// Tailgate is the distance from the last axle of the vehicle before to the first of this one below which Tailgating
	// is set; 0 means that distances are not looked at, because a line that buffers makes them up.
	Tailgate Mm
	// Division is the scale division that the certificate lists: an indicated gross mass that is no multiple of it sets
	// OffDivision. 0 means that it is not looked at.
	Division Kg
}

// Validate tells what cannot be meant. NewAssembler takes a negative value for its default.
func (c AssemblerConfig) Validate() error {
	if c.Wait < 0 {
		return fmt.Errorf("assembler: wait of %s: want a positive duration, or 0 for %s", c.Wait, DefaultWait)
	}
	if c.Pause < 0 {
		return fmt.Errorf("assembler: pause of %s: want a positive duration, or 0 for %s", c.Pause, DefaultPause)
	}
	if c.SpeedMin < 0 || c.SpeedMax < 0 || c.SpeedMax > 0 && c.SpeedMin > c.SpeedMax {
		return fmt.Errorf("assembler: speeds from %d to %d tenths of km/h: want a range, or 0 for none", c.SpeedMin, c.SpeedMax)
	}
	if c.Division < 0 {
		return fmt.Errorf("assembler: division of %d kg: want a positive one, or 0 for none", c.Division)
	}
	if c.Tailgate < 0 || c.Tailgate > 100_000 {
		return fmt.Errorf("assembler: tailgate of %d mm: want 1 to 100000, or 0 for none", c.Tailgate)
	}
	for _, p := range []struct {
		name string
		v    Permille
	}{{"sum tolerance", c.SumTolerance}, {"imbalance", c.Imbalance}, {"acceleration", c.Acceleration}} {
		if p.v < 0 || p.v > 1000 {
			return fmt.Errorf("assembler: %s of %d permille: want 1 to 1000, or 0 for the default", p.name, p.v)
		}
	}
	return nil
}

// Assembler turns the readings of one lane's scale into vehicles. It is a pure state machine: it reads no
// clock, starts nothing, never fails and allocates nothing. One goroutine owns it.
//
// It promises that Gross is what the device indicated, unchanged; that every vehicle end yields exactly one
// vehicle, at once; that an axle is never counted twice and never invented; and that whatever is missing or
// beyond belief shows as a flag. A message whose sequence is not above the last one of the same boot is a
// repeat and is ignored.
//
// Axles and Groups of a returned Vehicle alias the Assembler's memory until the next Push; keep a Clone.
type Assembler struct {
	cfg AssemblerConfig

	known bool // boot and seq are set
	boot  uint32
	seq   uint32

	open     bool
	buf      int // the buffer of the vehicle being assembled
	kept     int // axles in the buffer
	received int // axles that came, at most MaxAxles+1
	index    uint8
	start    Time
	touched  Time // arrival of the vehicle's last message, or the clock when it was set back
	last     Time // arrival of the vehicle's last axle
	flags    Flag
	before   moment // of the last axle of all

	loops    [ExitLoop + 1]bool
	reversed bool // the exit loop was covered while the entry loop was not and nothing was on the scale
	beside   beside

	restBoot, restSeq uint32

	// Two buffers in turn, so that a vehicle that is closed by the first axle of the next stays readable.
	axles  [2][MaxAxles]Axle
	groups [2][MaxAxles]AxleGroup
}

// NewAssembler returns an Assembler with no vehicle begun.
func NewAssembler(cfg AssemblerConfig) *Assembler {
	if cfg.Wait <= 0 {
		cfg.Wait = DefaultWait
	}
	if cfg.SumTolerance <= 0 {
		cfg.SumTolerance = DefaultSumTolerance
	}
	if cfg.Imbalance <= 0 {
		cfg.Imbalance = DefaultImbalance
	}
	if cfg.Acceleration <= 0 {
		cfg.Acceleration = DefaultAcceleration
	}
	if cfg.Pause <= 0 {
		cfg.Pause = DefaultPause
	}
	return &Assembler{cfg: cfg}
}

// Push takes the next reading in order of arrival and returns the vehicle that it completes, if any: on a
// vehicle end that vehicle; on the first axle of a vehicle while another is open, the other one, whose end
// was lost (DeviceGap, Gross 0). An end that comes from a new boot while a vehicle is open drops the axles
// of the old boot: their end was never sent, and the device's restart is a gap.
func (a *Assembler) Push(r Reading) (v Vehicle, done bool) {
	switch r.Kind {
	case LinkDown:
		a.Lost()
	case Heartbeat:
		if a.known && (r.Boot != a.boot || r.Seq > a.seq) {
			a.Lost()
		}
	case AxleReading:
		return a.axle(&r)
	case VehicleEnd:
		return a.end(&r)
	case LoopOn, LoopOff:
		a.loop(&r)
	case LinkUp, Retraction:
	}
	return Vehicle{}, false
}

// follow says how r stands to the device's last message. A device without sequence numbers sends 0.
func (a *Assembler) follow(r *Reading) (repeat, hole, restart bool) {
	if !a.known || r.Seq == 0 {
		return false, false, false
	}
	if r.Boot != a.boot {
		return false, false, true
	}
	return r.Seq <= a.seq, r.Seq > a.seq && r.Seq-a.seq > 1, false
}

func (a *Assembler) mark(r *Reading) {
	a.touched = r.Arrival
	if r.Seq != 0 {
		a.known, a.boot, a.seq = true, r.Boot, r.Seq
	}
}

func (a *Assembler) axle(r *Reading) (v Vehicle, done bool) {
	repeat, hole, restart := a.follow(r)
	if repeat {
		return Vehicle{}, false
	}
	index := r.Axle.Index
	if a.open && (restart || index != 0 && index <= a.index) {
		v, done = a.close(0, 0, a.last, DeviceGap), true
	}
	if !a.open {
		a.open = true
		a.buf ^= 1
		a.kept, a.received, a.index, a.flags = 0, 0, 0, 0
		a.start = r.Arrival
		if a.reversed {
			a.flags |= Reverse
			a.reversed = false
		}
		hole = false // what is missing lies before this vehicle, unless its index says otherwise
	}
	if index == 0 && a.index < math.MaxUint8 {
		index = a.index + 1 // the device does not number axles
	}
	if hole || int(index) != int(a.index)+1 {
		a.flags |= DeviceGap
	}
	a.move(r, a.received == 0)
	a.index = index
	a.last = r.Arrival
	a.mark(r)
	a.keep(r, index)
	return v, done
}

func (a *Assembler) keep(r *Reading, index uint8) {
	if a.received <= MaxAxles {
		a.received++
	}
	x := r.Axle
	x.Index = index
	x.Flags = (x.Flags | r.Flags) & allFlags
	if unbalanced(x.Left, x.Right, a.cfg.Imbalance) {
		x.Flags |= Imbalance
	}
	a.flags |= x.Flags
	if a.kept == MaxAxles {
		a.flags |= MissedAxle
		return
	}
	a.axles[a.buf][a.kept] = x
	a.kept++
}

func (a *Assembler) end(r *Reading) (v Vehicle, done bool) {
	repeat, hole, restart := a.follow(r)
	if repeat {
		return Vehicle{}, false
	}
	if !a.open || restart {
		hole = hole || a.open
		a.buf ^= 1
		a.kept, a.received, a.index, a.flags = 0, 0, 0, 0
		a.start = r.Arrival
	}
	a.mark(r)
	f := r.Flags
	if hole {
		f |= DeviceGap
	}
	if a.received != int(r.AxleCount) || a.received < 2 {
		f |= MissedAxle // no vehicle has fewer than two axles
	}
	v = a.close(r.Gross, r.Speed, r.Arrival, f)
	v.Length, v.Temperature, v.Controller = r.Length, r.Temperature, r.Controller
	if a.cfg.Division > 0 && r.Gross%a.cfg.Division != 0 {
		v.Flags |= OffDivision
	}
	if differ(v.AxleSum, r.Gross, a.cfg.SumTolerance) {
		v.Flags |= SumMismatch
	}
	return v, true
}

// close ends the vehicle being assembled.
func (a *Assembler) close(gross Kg, speed DeciKmh, end Time, f Flag) Vehicle {
	axles := a.axles[a.buf][:a.kept]
	v := Vehicle{
		Lane: a.cfg.Lane, Start: a.start, End: end, Speed: speed, Axles: axles,
		Groups: a.groups[a.buf][:0], Gross: gross, Configuration: ConfigurationUnknown,
		Flags: (a.flags | f) & allFlags,
	}
	v.AxleSum = loadOf(axles)
	low, high, mean := speeds(axles)
	if speed <= 0 {
		v.Speed = mean
	}
	if high-low > accelerationFloor && int64(high-low)*1000 > int64(low)*int64(a.cfg.Acceleration) {
		v.Flags |= Acceleration
	}
	v.Flags |= a.beside.flags(axles, a.start, a.last)
	a.open = false
	a.restBoot, a.restSeq = a.boot, a.seq
	return v
}

// Expire closes the open vehicle when its next message is overdue at now: TimedOut, Gross 0 because nothing
// was indicated, End the arrival of its last axle. A clock that was set back starts the wait anew.
func (a *Assembler) Expire(now Time) (v Vehicle, done bool) {
	if !a.open {
		return Vehicle{}, false
	}
	if now < a.touched {
		a.touched = now
		return Vehicle{}, false
	}
	if uint64(now)-uint64(a.touched) < uint64(a.cfg.Wait) {
		return Vehicle{}, false
	}
	return a.close(0, 0, a.last, TimedOut), true
}

// Lost says that messages of the device may have been lost: the vehicle being assembled gets DeviceGap.
// Holes in the sequence and LinkDown are seen without it.
func (a *Assembler) Lost() {
	if a.open {
		a.flags |= DeviceGap
	}
}

// Open tells whether a vehicle is being assembled, so that a shutdown can wait for its end.
func (a *Assembler) Open() bool { return a.open }

// Rest names the last message that the most recently returned vehicle rests on: its vehicle end, or its
// last axle when the end never came.
func (a *Assembler) Rest() (boot, seq uint32) { return a.restBoot, a.restSeq }

// unbalanced tells whether two measured wheel loads differ by more than p of their sum.
func unbalanced(left, right Kg, p Permille) bool {
	if left < 0 || right < 0 {
		return false
	}
	d, s := int64(left)-int64(right), int64(left)+int64(right)
	return max(d, -d)*1000 > s*int64(p)
}

// differ tells whether sum is further from gross than p of gross.
func differ(sum, gross Kg, p Permille) bool {
	d := int64(sum) - int64(gross)
	return max(d, -d)*1000 > max(int64(gross), 0)*int64(p)
}

// loadOf adds the measured axle loads; the sum stays within Kg.
func loadOf(axles []Axle) Kg {
	var s int64
	for i := range axles {
		s += int64(max(axles[i].Load, 0))
	}
	return Kg(min(s, math.MaxInt32))
}

// speeds returns the lowest, highest and mean of the measured speeds, 0 where none was.
func speeds(axles []Axle) (low, high, mean DeciKmh) {
	var sum, n int64
	for i := range axles {
		s := axles[i].Speed
		if s <= 0 {
			continue
		}
		if n == 0 || s < low {
			low = s
		}
		high = max(high, s)
		sum += int64(s)
		n++
	}
	if n > 0 {
		mean = DeciKmh(sum / n)
	}
	return low, high, mean
}
