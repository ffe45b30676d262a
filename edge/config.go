package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Scale is a weighing device. Run reads it until ctx ends, reconnecting by itself, and calls emit for each
// message in order from one goroutine; emit never blocks. An error or a panic ends only this device, which is
// started again after a pause.
type Scale interface {
	Run(ctx context.Context, emit func(wim.Reading)) error
}

// Camera is a plate camera. Run receives its reads until ctx ends; emit takes a read with its JPEG (nil for
// none), may be called from any goroutine and never blocks. It answers false when the read was not taken:
// the camera should send it again.
type Camera interface {
	Run(ctx context.Context, emit func(wim.PlateRead, []byte) bool) error
}

// Sign shows one order and returns when it has been read back from the device. It is called from one
// goroutine.
type Sign interface {
	Show(ctx context.Context, order wim.Order, plate string, hold time.Duration) error
}

// Link carries messages to the centre. Publish returns nil when the broker took the payload in this
// connection, which says nothing about the centre. Up gives one token for each new connection.
type Link interface {
	Publish(ctx context.Context, payload []byte) error
	Up() <-chan struct{}
}

// Judge judges one passage; *rules.Set does it.
type Judge interface {
	Judge(f *wim.Facts, v *wim.Verdict)
}

var _ Judge = (*rules.Set)(nil)

// Transactions is a toll or checkpoint system. Run hands on what it says until ctx ends, one transaction at a time; take returns nil
// when it is committed, or was before, ErrTransaction where it can never be, and any other error where it is to be tried again.
type Transactions interface {
	Run(ctx context.Context, take func(context.Context, wim.Transaction) error) error
}

// SystemConfig is a toll or checkpoint system, and which passages its transactions may belong to.
type SystemConfig struct {
	System       string // its name in records and metrics
	Transactions Transactions
	// A passage may end so long before a transaction, 0 means 2 h, and so long after it, 0 means none.
	Before time.Duration
	After  time.Duration
	// Tolerance is by how much masses may differ that are not called different; 0 means 50 ‰.
	Tolerance wim.Permille
	// Arrival is within what time a vehicle that is directed to enter is weighed by this system, else a no-show is recorded; 0 means
	// that it is not watched.
	Arrival time.Duration
}

// healthy is implemented by devices and links that can say how they are.
type healthy interface{ Health() wim.DeviceHealth }

// CameraConfig is one camera of a lane.
type CameraConfig struct {
	Device string
	Camera Camera
}

// LaneConfig is one lane with its devices.
type LaneConfig struct {
	Lane    wim.LaneID
	Purpose wim.LanePurpose // empty means enforcement
	// Device names the scale in cursors and gaps. It must not change while the device stays the same.
	Device     string
	Scale      Scale
	Instrument wim.Instrument
	Cameras    []CameraConfig
	Sign       Sign          // nil for none: orders are then recorded as not shown
	SignDevice string        // for metrics and health
	Hold       time.Duration // how long an order stands; 0 means 8 s
	Assembler  wim.AssemblerConfig
	// Beside are the lanes next to this one whose scales stand abreast of it: who drives on the line between is seen by both.
	Beside []wim.LaneID
	// Reorder is how long a message of the scale waits for those before it, where its link may change their order; 0 means that it
	// does not, as no serial line and no TCP connection does.
	Reorder time.Duration
	// Sizer measures length, width and height; nil for none.
	Sizer *SizerConfig
	// Thermometer measures beside a scale that tells no temperature; nil for none.
	Thermometer Thermometer
}

// Sizer is a laser unit. Run hands on what it measures until ctx ends, from one goroutine.
type Sizer interface {
	Run(ctx context.Context, emit func(wim.Dimensions)) error
}

// SizerConfig is the laser unit of a lane.
type SizerConfig struct {
	Device string // its name in records and metrics
	Sizer  Sizer
	// A size may come so long before a vehicle's first axle, where the unit stands in front of the scale, and so long after the vehicle's
	// end, where it stands behind; 0 means 3 s.
	Before, After time.Duration
	// Error is the maximum error by a certificate, in force from From until before Until, whose number is Certificate; 0 for none.
	Error       wim.Mm
	Certificate string
	From, Until wim.Time
}

// Thermometer is a temperature sensor at a scale or in its pavement.
type Thermometer interface {
	// Temperature is the last one that was measured, 0 where none is known. It does not wait.
	Temperature() wim.DeciKelvin
}

// maxReorder bounds how long a vehicle may wait for its own messages: an order to the driver waits as long.
const maxReorder = 2 * time.Second

// maxApart bounds how far a passage may lie from a transaction of its vehicle: who was here the day before is not on one journey.
const maxApart = 24 * time.Hour

// PlateConfig says which plate belongs to which vehicle. Zero fields take the defaults.
type PlateConfig struct {
	Before time.Duration // a front plate may be read so long before the first axle; 0 means 3 s
	After  time.Duration // a plate may be read so long after the vehicle's end; 0 means 3 s
	// Late is how long a recorded vehicle waits for a plate that its camera delivers late; 0 means 60 s.
	Late time.Duration
	// Sure is the confidence below which a plate is doubtful; 0 means 800 ‰.
	Sure wim.Permille
	// MaxPicture bounds one JPEG; a larger one is dropped and its read kept; 0 means 2 MiB.
	MaxPicture int
}

// PictureConfig says where pictures lie and where they are handed in.
type PictureConfig struct {
	Dir string // folder of the files, mode 0700; empty means that no picture is kept
	// MaxBytes bounds what pictures take on the disk; 0 means 16 GiB. Beyond it the least needed go: see keepPictures.
	MaxBytes int64
	// MaxAge is how long a picture that cannot be handed in is kept, 0 means 30 days; one that shows a finding is kept
	// longer, as far as MaxBytes allows.
	MaxAge time.Duration
	Base   string       // address of the centre, without the /pictures part; empty means that none is sent
	Client *http.Client // with the site's TLS roots; nil means http.DefaultClient's transport
}

// DiskConfig says how a site lives with a disk that fills up.
type DiskConfig struct {
	Reserve *journal.Reserve // nil for none
	// MinFree is what pictures leave free for records on their file system, in bytes; 0 means 64 MiB or the size of the
	// reserve, whichever is more.
	MinFree int64
	// Look is how often the disk is looked at; 0 means 30 s.
	Look time.Duration
}

// Config is all that a site needs.
type Config struct {
	Site    wim.SiteID
	Road    wim.Road
	Station wim.StationMode // how the site and the authorities work together there; empty where nothing depends on it
	Lanes   []LaneConfig
	Systems []SystemConfig
	// Contacts tell of doors, power, snow and dirt; may be empty. PowerLow is called when a battery is nearly empty: it ends Run's
	// context. nil for none.
	Contacts []ContactConfig
	PowerLow func()
	Journal  *journal.Journal // opened and closed by the caller
	Signer   *seal.Signer
	// Next takes over from Signer once the centre holds the rotation; nil for none. Promote then makes it the
	// key of the next start.
	Next    *seal.Signer
	Promote func() error
	// Former are keys of the past: what they signed is signed by them when it must be sent again.
	Former []*seal.Signer
	// CenterKeys are the centre's pinned public keys: a receipt under any other is refused.
	CenterKeys    []*seal.Verifier
	Link          Link
	Rules         Judge
	Registrations *Registrations // nil for none
	// Ask sends a signed question to the centre what a vehicle is registered for; nil asks nobody. Answers come to
	// Site.HandleAnswer.
	Ask func(ctx context.Context, jws []byte) error
	// Active names all that the site works by. What differs from the last run is sealed at the start.
	Active   []wim.Part
	Plates   PlateConfig
	Pictures PictureConfig
	Disk     DiskConfig
	Sender   SenderConfig
	// Drain bounds how long shutdown waits for the last receipts; 0 means 5 s.
	Drain time.Duration
	// Clock reads how far the system clock can be trusted; nil means SystemClock.
	Clock func() wim.ClockState
	// Timekeeper knows what the clock is worth; nil makes one over Clock that forgets at a restart. The site runs it.
	Timekeeper *Timekeeper
	Now        func() time.Time // nil means time.Now
	Logger     *slog.Logger     // nil discards
}

// SenderConfig sets the flow to the centre. Zero fields take the defaults.
type SenderConfig struct {
	// Linger is how long a segment that nobody waits for stays open for more records; 0 means 1 s.
	Linger time.Duration
	// Resend is how long the sender waits for progress of the receipts before it starts again from the
	// receipted mark; it doubles up to eight times while there is none; 0 means 15 s.
	Resend time.Duration
	// Timeout bounds one Publish; 0 means 30 s.
	Timeout time.Duration
	// Retry is the first pause after a Publish that failed; it doubles up to 16 times; 0 means 500 ms.
	Retry time.Duration
}

// Validate fills in defaults and says what is missing.
func (c *Config) Validate() error {
	if err := c.Site.Valid(); err != nil {
		return err
	}
	switch {
	case c.Journal == nil:
		return errors.New("edge: a journal is needed")
	case c.Signer == nil:
		return errors.New("edge: a signing key is needed; make one with: axlegate keys new")
	case c.Next != nil && c.Promote == nil:
		return errors.New("edge: a key that takes over needs a way to take the old one's place")
	case len(c.CenterKeys) == 0:
		return errors.New("edge: the centre's public key is needed: without it no receipt can be believed")
	case c.Link == nil:
		return errors.New("edge: a link to the centre is needed")
	case c.Rules == nil:
		return errors.New("edge: a rule set is needed")
	case len(c.Lanes) == 0:
		return errors.New("edge: a site has at least one lane")
	}
	lanes, devices := map[wim.LaneID]bool{}, map[string]bool{}
	for i := range c.Lanes {
		l := &c.Lanes[i]
		if l.Lane == 0 || lanes[l.Lane] {
			return fmt.Errorf("edge: lane %d is 0 or named twice", l.Lane)
		}
		lanes[l.Lane] = true
		if l.Purpose == "" {
			l.Purpose = wim.Enforcement
		}
		if err := l.Purpose.Valid(); err != nil {
			return fmt.Errorf("edge: lane %d: %w", l.Lane, err)
		}
		if l.Scale == nil || l.Device == "" {
			return fmt.Errorf("edge: lane %d: a scale with a device name is needed", l.Lane)
		}
		names := []string{l.Device}
		for _, cam := range l.Cameras {
			if cam.Camera == nil || cam.Device == "" {
				return fmt.Errorf("edge: lane %d: a camera needs a device name", l.Lane)
			}
			names = append(names, cam.Device)
		}
		if l.Sign != nil {
			if l.SignDevice == "" {
				return fmt.Errorf("edge: lane %d: the sign needs a device name", l.Lane)
			}
			names = append(names, l.SignDevice)
		}
		if z := l.Sizer; z != nil {
			if why := z.check(); why != "" {
				return fmt.Errorf("edge: lane %d: %s", l.Lane, why)
			}
			names = append(names, z.Device)
		}
		for _, n := range names {
			if devices[n] {
				return fmt.Errorf("edge: lane %d: device %q is named twice; cursors and gaps go by it", l.Lane, n)
			}
			devices[n] = true
		}
		for _, b := range l.Beside {
			if b == l.Lane || !slices.ContainsFunc(c.Lanes, func(o LaneConfig) bool { return o.Lane == b }) {
				return fmt.Errorf("edge: lane %d: lane %d beside it is not another lane of this site", l.Lane, b)
			}
		}
		if l.Reorder < 0 || l.Reorder > maxReorder {
			return fmt.Errorf("edge: lane %d: a reorder of %s: want at most %s", l.Lane, l.Reorder, maxReorder)
		}
		l.Assembler.Lane = l.Lane
		if c := l.Instrument.Certificate; c != nil && l.Assembler.Division == 0 {
			l.Assembler.Division = c.Division
		}
		fallback(&l.Assembler.Wait, 20*time.Second)
		fallback(&l.Hold, 8*time.Second)
	}
	for i := range c.Systems {
		y := &c.Systems[i]
		switch {
		case y.Transactions == nil || y.System == "":
			return errors.New("edge: a toll or checkpoint system needs a name")
		case devices[y.System]:
			return fmt.Errorf("edge: system %q has the name of another system or device", y.System)
		case y.Before < 0 || y.After < 0 || y.Before > maxApart || y.After > maxApart:
			return fmt.Errorf("edge: system %q: a passage may lie 0 to %s before and after a transaction", y.System, maxApart)
		case y.Arrival < 0 || y.Arrival > maxApart:
			return fmt.Errorf("edge: system %q: a vehicle arrives within 0 to %s", y.System, maxApart)
		case y.Tolerance < 0 || y.Tolerance > 1000:
			return fmt.Errorf("edge: system %q: a tolerance of %d permille, want 0 to 1000", y.System, y.Tolerance)
		}
		devices[y.System] = true
		fallback(&y.Before, 2*time.Hour)
		fallback(&y.Tolerance, 50)
	}
	for i := range c.Contacts {
		x := &c.Contacts[i]
		if x.Contact == nil || x.Device == "" || !slices.Contains(wim.EventKinds(), x.What) {
			return errors.New("edge: a contact needs a device name, and what it tells of")
		}
		if devices[x.Device] {
			return fmt.Errorf("edge: contact %q has the name of another system or device", x.Device)
		}
		if x.Lane != 0 && !lanes[x.Lane] {
			return fmt.Errorf("edge: contact %q: there is no lane %d", x.Device, x.Lane)
		}
		devices[x.Device] = true
	}
	fallback(&c.Plates.Before, 3*time.Second)
	fallback(&c.Plates.After, 3*time.Second)
	fallback(&c.Plates.Late, time.Minute)
	fallback(&c.Plates.Sure, 800)
	fallback(&c.Plates.MaxPicture, 2<<20)
	fallback(&c.Sender.Linger, time.Second)
	fallback(&c.Sender.Resend, 15*time.Second)
	fallback(&c.Sender.Timeout, 30*time.Second)
	fallback(&c.Sender.Retry, 500*time.Millisecond)
	fallback(&c.Drain, 5*time.Second)
	fallback(&c.Pictures.MaxBytes, 16<<30)
	fallback(&c.Pictures.MaxAge, 30*24*time.Hour)
	if c.Disk.Reserve == nil {
		c.Disk.Reserve = new(journal.Reserve) // holds nothing
	}
	fallback(&c.Disk.MinFree, max(journal.DefaultReserve, c.Disk.Reserve.Size()))
	fallback(&c.Disk.Look, 30*time.Second)
	if c.Pictures.Client == nil {
		c.Pictures.Client = &http.Client{Timeout: time.Minute}
	}
	if c.Clock == nil {
		c.Clock = SystemClock
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Timekeeper == nil {
		c.Timekeeper = OpenTimekeeper(TimekeeperConfig{System: c.Clock, Logger: c.Logger})
	}
	c.Clock = c.Timekeeper.State
	return nil
}

func fallback[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
