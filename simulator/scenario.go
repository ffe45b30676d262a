package simulator

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// Scenario is the script of one simulated site. Relative paths are taken from the folder that the file lies
// in.
type Scenario struct {
	Site wim.SiteID `yaml:"site"`
	Seed uint64     `yaml:"seed"`
	// Control is the address of the control port; empty means none. For tests only: it has no sign-in.
	Control string  `yaml:"control"`
	Traffic Traffic `yaml:"traffic"`
	Lanes   []Lane  `yaml:"lanes"`
	Faults  []Fault `yaml:"faults"`
	// Bridges are static scales beside the road; may be empty.
	Bridges []Bridge `yaml:"bridges"`
	// Checkpoints weigh some of the vehicles at rest; may be empty.
	Checkpoints []Checkpoint `yaml:"checkpoints"`

	dir string
}

// Traffic says what drives.
type Traffic struct {
	PerMinute int `yaml:"per_minute"` // vehicles a minute and lane, on average; 0 means 10
	Vehicles  int `yaml:"vehicles"`   // a lane's traffic ends after so many; 0 means never
	Fleet     int `yaml:"fleet"`      // how many different vehicles there are; 0 means 80
	// Overloaded is how many of a thousand carry more than their licences allow and more than the road may
	// carry.
	Overloaded wim.Permille `yaml:"overloaded_permille"`
	// OverLimit is how many of a thousand carry more than the road may carry, though their licences allow it;
	// OverloadedOnly how many carry more than their licences allow and no more than the road may carry. With
	// either, some of the fleet have licences that differ from the road's limit.
	OverLimit      wim.Permille `yaml:"over_limit_permille"`
	OverloadedOnly wim.Permille `yaml:"overloaded_only_permille"`
	// Unregistered is how many of a thousand are not in the registration table.
	Unregistered wim.Permille `yaml:"unregistered_permille"`
	// AxleError is the standard deviation of one axle's indication; 0 means 20 ‰.
	AxleError wim.Permille `yaml:"axle_error_permille"`
	Division  wim.Kg       `yaml:"division_kg"` // of the indication; 0 means 20
	// Speedup makes vehicles pass faster than their speed, to squeeze an hour into minutes; 0 means 1.
	Speedup int `yaml:"speedup"`
}

// Lane is one lane's devices.
type Lane struct {
	Lane   wim.LaneID `yaml:"lane"`
	Device string     `yaml:"device"` // the scale's name in the truth; empty means scale-<lane>
	Scale  string     `yaml:"scale"`  // path at which a serial scale's line appears
	// ScaleModbus is the address that a scale on Modbus TCP listens on, instead of scale.
	ScaleModbus string `yaml:"scale_modbus"`
	// FrontCamera and RearCamera are the addresses that the cameras push to; empty means no camera.
	FrontCamera string `yaml:"front_camera"`
	RearCamera  string `yaml:"rear_camera"`
	// FrontFormat and RearFormat are how the cameras word what they saw; empty means hikvision.
	FrontFormat CameraFormat `yaml:"front_format"`
	RearFormat  CameraFormat `yaml:"rear_format"`
	Sign        string       `yaml:"sign"` // address that the sign listens on; empty means no sign
	// Laser is the address that a unit listens on which measures length, width and height; empty means none.
	Laser string `yaml:"laser"`
}

// FaultKind says what goes wrong.
type FaultKind string

// The faults.
const (
	Garbage     FaultKind = "garbage"          // random bytes on the line, start marks among them; of a ring, a random answer
	DropFrame   FaultKind = "dropped-frame"    // one frame is not sent
	Cable       FaultKind = "cable"            // the line is pulled and plugged in again
	Restart     FaultKind = "restart"          // the scale starts anew
	NoPlate     FaultKind = "camera-no-plate"  // the camera reads no plate
	BadPicture  FaultKind = "camera-bad-image" // a picture that is none
	LatePlate   FaultKind = "camera-late"      // the event comes late
	RepeatEvent FaultKind = "camera-repeat"    // the event comes twice
	NoPicture   FaultKind = "camera-no-image"  // the event has no picture
	WrongClock  FaultKind = "camera-clock"     // the camera's clock is ahead for one event
	Reboot      FaultKind = "camera-reboot"    // the lane's cameras start anew: what passes meanwhile they do not see

	// Of serial scales only.
	HalfFrame   FaultKind = "half-frame"     // the next frame ends in its middle
	RepeatFrame FaultKind = "repeated-frame" // the next frame comes twice

	// Of scales on Modbus only.
	Silence   FaultKind = "silence"       // no request is answered
	LateReply FaultKind = "late-reply"    // one answer comes late
	Overrun   FaultKind = "ring-overrun"  // no request is answered until the ring has gone round, or the time is over
	Torn      FaultKind = "torn-ring"     // an answer shows a slot in the making
	WrongUnit FaultKind = "wrong-unit"    // it answers to another unit number
	Swapped   FaultKind = "swapped-words" // the halves of 32-bit values change places
)

// faultKinds lists all faults.
func faultKinds() []FaultKind {
	return []FaultKind{Garbage, DropFrame, Cable, Restart, NoPlate, BadPicture, LatePlate, RepeatEvent, NoPicture, WrongClock, Reboot, HalfFrame, RepeatFrame, Silence, LateReply, Overrun, Torn, WrongUnit, Swapped}
}

// modbusOnly tells whether only a scale on Modbus can have it.
func (k FaultKind) modbusOnly() bool {
	switch k {
	case Silence, LateReply, Overrun, Torn, WrongUnit, Swapped:
		return true
	case Garbage, DropFrame, Cable, Restart, NoPlate, BadPicture, LatePlate, RepeatEvent, NoPicture, WrongClock, Reboot, HalfFrame, RepeatFrame:
	}
	return false
}

// serialOnly tells whether only a serial scale can have it.
func (k FaultKind) serialOnly() bool { return k == HalfFrame || k == RepeatFrame }

// Fault is one entry of the script. It hits the vehicle that follows After others on the lane, or it strikes
// when the traffic has run for At: then cable, restart and garbage may well meet a vehicle on the scale, and
// any other fault waits for the next one.
type Fault struct {
	Lane  wim.LaneID    `yaml:"lane"`
	After int           `yaml:"after"`
	Every int           `yaml:"every"` // again after so many more vehicles; 0 means once
	At    conf.Duration `yaml:"at"`    // instead of after and every; 0 means not by time
	Kind  FaultKind     `yaml:"kind"`
	// For is how long the cable is out or the scale is silent or answers another unit, how late an event or
	// an answer comes, or how far a camera's clock is ahead; 0 means 3s.
	For conf.Duration `yaml:"for"`
}

// Load reads a scenario file.
func Load(path string) (Scenario, error) {
	var s Scenario
	if _, err := conf.Load(path, &s); err != nil {
		return Scenario{}, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return Scenario{}, fmt.Errorf("scenario path: %w", err)
	}
	s.dir = filepath.Dir(abs)
	return s, nil
}

// Validate fills in defaults and says what is wrong.
func (s *Scenario) Validate() error {
	if err := s.Site.Valid(); err != nil {
		return err
	}
	t := &s.Traffic
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&t.PerMinute, 10)
	def(&t.Fleet, 80)
	def(&t.Speedup, 1)
	if t.AxleError == 0 {
		t.AxleError = 20
	}
	if t.Division == 0 {
		t.Division = 20
	}
	if t.PerMinute < 0 || t.Vehicles < 0 || t.Fleet < 1 || t.Fleet > 20000 || t.Speedup < 1 || t.Speedup > 1000 || t.Division < 1 || t.Division > 1000 {
		return errors.New("traffic: per_minute, vehicles, fleet (1 to 20000), speedup (1 to 1000) or division_kg (1 to 1000) is out of range")
	}
	for _, p := range []wim.Permille{t.Overloaded, t.OverLimit, t.OverloadedOnly, t.Unregistered, t.AxleError} {
		if p < 0 || p > 1000 {
			return errors.New("traffic: a share lies between 0 and 1000 permille")
		}
	}
	if sum := t.Overloaded + t.OverLimit + t.OverloadedOnly; sum > 1000 {
		return fmt.Errorf("traffic: overloaded, over_limit and overloaded_only add up to %d permille; no vehicle is two of them, so at most 1000", sum)
	}
	if t.OverLimit+t.OverloadedOnly > 0 && t.Fleet < paperKinds {
		return fmt.Errorf("traffic.fleet: over_limit and overloaded_only need at least %d vehicles, so that some have the licences for it", paperKinds)
	}
	if s.Control != "" {
		if err := loopback(s.Control); err != nil {
			return err
		}
	}
	if err := s.validateBridges(); err != nil {
		return err
	}
	if err := s.validateCheckpoints(); err != nil {
		return err
	}
	return s.validateDevices()
}

func (s *Scenario) validateDevices() error {
	if len(s.Lanes) == 0 {
		return errors.New("lanes is missing: a site has at least one")
	}
	seen, lines, rings := map[wim.LaneID]bool{}, map[string]bool{}, map[wim.LaneID]bool{}
	for i := range s.Lanes {
		l := &s.Lanes[i]
		if l.Lane == 0 || seen[l.Lane] {
			return fmt.Errorf("lanes[%d].lane: %d is 0 or used twice", i, l.Lane)
		}
		seen[l.Lane] = true
		if l.Device == "" {
			l.Device = fmt.Sprintf("scale-%d", l.Lane)
		}
		if (l.Scale == "") == (l.ScaleModbus == "") {
			return fmt.Errorf("lanes[%d]: want one of scale, the path at which a serial line appears, and scale_modbus, an address to listen on", i)
		}
		if l.Scale != "" {
			if lines[filepath.Clean(l.Scale)] {
				return fmt.Errorf("lanes[%d].scale: %s is another lane's line; two scales cannot share one", i, l.Scale)
			}
			lines[filepath.Clean(l.Scale)] = true
		} else if _, _, err := net.SplitHostPort(l.ScaleModbus); err != nil {
			return fmt.Errorf("lanes[%d].scale_modbus: %q is no address to listen on; write it as 127.0.0.1:5021", i, l.ScaleModbus)
		}
		rings[l.Lane] = l.ScaleModbus != ""
		for key, v := range map[string]string{"front_camera": l.FrontCamera, "rear_camera": l.RearCamera} {
			if u, err := url.Parse(v); v != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
				return fmt.Errorf("lanes[%d].%s: %q is no address to push to; write it as http://127.0.0.1:9102/camera/secret", i, key, v)
			}
		}
		for key, f := range map[string]CameraFormat{"front_format": l.FrontFormat, "rear_format": l.RearFormat} {
			if f != "" && !slices.Contains(CameraFormats(), f) {
				return fmt.Errorf("lanes[%d].%s: %q is not known; there are %s", i, key, f, strings.Trim(fmt.Sprint(CameraFormats()), "[]"))
			}
		}
		if _, _, err := net.SplitHostPort(l.Laser); l.Laser != "" && err != nil {
			return fmt.Errorf("lanes[%d].laser: %q is no address to listen on; write it as 127.0.0.1:5040", i, l.Laser)
		}
		if l.Sign != "" {
			if _, _, err := net.SplitHostPort(l.Sign); err != nil {
				return fmt.Errorf("lanes[%d].sign: %q is no address to listen on; write it as 127.0.0.1:5020", i, l.Sign)
			}
		}
	}
	for i := range s.Faults {
		f := &s.Faults[i]
		if !seen[f.Lane] {
			return fmt.Errorf("faults[%d].lane: there is no lane %d", i, f.Lane)
		}
		if f.After < 0 || f.Every < 0 {
			return fmt.Errorf("faults[%d]: after and every count vehicles", i)
		}
		if f.At < 0 || f.For < 0 {
			return fmt.Errorf("faults[%d]: at and for cannot be negative", i)
		}
		if f.At > 0 && f.After+f.Every > 0 {
			return fmt.Errorf("faults[%d]: it strikes after so many vehicles or at a time, not both; leave out after and every, or at", i)
		}
		if !slices.Contains(faultKinds(), f.Kind) {
			return fmt.Errorf("faults[%d].kind: %q is not known; there are %s", i, f.Kind, strings.Trim(fmt.Sprint(faultKinds()), "[]"))
		}
		if f.Kind.modbusOnly() && !rings[f.Lane] {
			return fmt.Errorf("faults[%d].kind: %s befalls scales on Modbus only, and lane %d has a serial one", i, f.Kind, f.Lane)
		}
		if f.Kind.serialOnly() && rings[f.Lane] {
			return fmt.Errorf("faults[%d].kind: %s befalls serial scales only, and lane %d has one on Modbus", i, f.Kind, f.Lane)
		}
		if f.For == 0 {
			f.For = conf.Duration(3 * time.Second)
		}
	}
	return nil
}

// hits tells whether the fault strikes vehicle n of its lane, counted from 0.
func (f *Fault) hits(n int) bool {
	if f.At > 0 || n < f.After {
		return false
	}
	if f.Every == 0 {
		return n == f.After
	}
	return (n-f.After)%f.Every == 0
}
