package daemon

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"time"

	"github.com/axlegate/axlegate/drivers/camera"
	"github.com/axlegate/axlegate/drivers/strips"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// EdgeConfig is the configuration file of axlegate-edge. Relative paths are taken from the folder that the
// file lies in.
type EdgeConfig struct {
	Site wim.SiteID `yaml:"site"`
	// Data is the folder of the journal and the pictures that wait to be sent.
	Data string `yaml:"data"`
	// Key is the site's private signing key, made with "axlegate keys new": a file, or a key in a TPM such as
	// tpm:/dev/tpmrm0#0x81010a01.
	Key string `yaml:"key"`
	// Listen serves /metrics, /healthz and /readyz.
	Listen string `yaml:"listen"`
	// Rules names an embedded rule set, or the path of a file when it ends in .yaml.
	Rules string `yaml:"rules"`
	// Registrations is a CSV table of vehicle licences known at the site; empty for none.
	Registrations string `yaml:"registrations"`
	// Keep is how long records stay in the journal after the centre's receipt; 0 means 168h.
	Keep conf.Duration `yaml:"keep"`
	// ReserveMB is how many MiB are held back on the disk of data for when it is full; nothing means 64, 0 means none.
	ReserveMB *int64 `yaml:"reserve_mb"`
	// JournalMaxMB bounds the journal's file, in MiB; 0 means that only the disk does. A journal that is full is as a full
	// disk: nothing is deleted for it, the site gives no orders and what passes becomes a gap.
	JournalMaxMB int64 `yaml:"journal_max_mb"`
	// PicturesMaxMB is what pictures may take, in MiB; 0 means 16384. Those that the centre has go first, those of a vehicle
	// that exceeded a limit last.
	PicturesMaxMB int64 `yaml:"pictures_max_mb"`
	// PicturesMaxAge is how long a picture waits to be handed in; 0 means 720h. Those of a vehicle that exceeded a
	// limit wait on, as long as there is room.
	PicturesMaxAge conf.Duration `yaml:"pictures_max_age"`
	// Clock says who keeps this machine's time: "system" (or empty) asks the kernel whether it is synchronised;
	// "host" says that the host of this virtual machine or container keeps it, which the kernel cannot know.
	// "simulated" is for rehearsals: the machine's clock, set by the duration that ClockFile holds at the moment.
	Clock     string        `yaml:"clock"`
	ClockFile string        `yaml:"clock_file"`
	Road      RoadConfig    `yaml:"road"`
	Center    LinkConfig    `yaml:"center"`
	Cameras   CamerasConfig `yaml:"cameras"`
	// Board is the site's own page for its staff; nothing means none.
	Board *BoardConfig `yaml:"board"`
	Lanes []LaneConfig `yaml:"lanes"`
	// Systems are toll and checkpoint systems beside the road.
	Systems []SystemConfig `yaml:"systems"`
	// Bridges are static scales whose indicators the site reads: docs/devices/bridge.md.
	Bridges []BridgeConfig `yaml:"bridges"`
	// Contacts tell of the cabinet's door, power, snow and dirt: docs/devices/contacts.md.
	Contacts []ContactsConfig `yaml:"contacts"`

	raw []byte
	dir string
}

// RoadConfig describes the road that the site stands on.
type RoadConfig struct {
	Name        string `yaml:"name"`
	Class       string `yaml:"class"`
	PostedGross wim.Kg `yaml:"posted_gross_kg"`
	PostedAxle  wim.Kg `yaml:"posted_axle_kg"`
	PostedSign  string `yaml:"posted_sign"`
	// What signs say of sizes, in millimetres.
	PostedLength wim.Mm `yaml:"posted_length_mm"`
	PostedWidth  wim.Mm `yaml:"posted_width_mm"`
	PostedHeight wim.Mm `yaml:"posted_height_mm"`
	// Station is how the site and the authorities work together: joint-station, off-site, motorway-entrance or
	// toll-exit; empty where no law in use depends on it.
	Station wim.StationMode `yaml:"station"`
}

// LinkConfig is how a site reaches the centre.
type LinkConfig struct {
	Broker       string `yaml:"broker"` // tcp://host:port on loopback, tls://host:port beyond
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	// ReceiptKeys are the centre's public keys; a receipt under any other is refused.
	ReceiptKeys []string `yaml:"receipt_keys"`
	// Pictures is the base address that pictures are sent to, https beyond loopback.
	Pictures string `yaml:"pictures"`
	// CA is a PEM file of the authorities that the centre's certificates are checked against; empty means
	// the system's.
	CA string `yaml:"ca_file"`
}

// CamerasConfig is the one listener that all cameras of the site push to.
type CamerasConfig struct {
	Listen string `yaml:"listen"`
	// AllowPlain permits plain HTTP beyond loopback, for cameras that cannot do TLS on a line of their own.
	AllowPlain bool   `yaml:"allow_plain"`
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
}

// LaneConfig is one lane with its devices.
type LaneConfig struct {
	Lane       wim.LaneID       `yaml:"lane"`
	Purpose    wim.LanePurpose  `yaml:"purpose"` // empty means enforcement
	Scale      ScaleConfig      `yaml:"scale"`
	Instrument InstrumentConfig `yaml:"instrument"`
	Weighing   WeighingConfig   `yaml:"weighing"`
	Cameras    []CameraConfig   `yaml:"cameras"`
	Sign       *SignConfig      `yaml:"sign"`
	Laser      *LaserConfig     `yaml:"laser"`
}

// WeighingConfig says when a weighing is flagged. All may be left out.
type WeighingConfig struct {
	SpeedMin     wim.DeciKmh   `yaml:"speed_min_dkmh"`        // an axle that is slower is outside what the scale weighs; 0 means no such bound
	SpeedMax     wim.DeciKmh   `yaml:"speed_max_dkmh"`        // likewise faster
	Acceleration wim.Permille  `yaml:"acceleration_permille"` // how far the speeds of a vehicle's axles may differ; 0 means 150, and 50 of strips
	Imbalance    wim.Permille  `yaml:"imbalance_permille"`    // |left − right| : axle; 0 means 400
	Pause        conf.Duration `yaml:"pause"`                 // so late an axle has stood; 0 means 3s
	Tailgate     wim.Mm        `yaml:"tailgate_mm"`           // least distance to the axle of the vehicle before; 0 means that it is not looked at
	Thermometer  string        `yaml:"thermometer"`           // file in which the kernel keeps a sensor's thousandths of a degree; empty for none
	Beside       []wim.LaneID  `yaml:"beside"`                // lanes whose scales stand abreast of this one
	Reorder      conf.Duration `yaml:"reorder"`               // how long a message waits for those before it, where a network may reorder them; 0 means not at all
}

// assembler says when a weighing of the lane is flagged.
func (l *LaneConfig) assembler() wim.AssemblerConfig {
	a := l.Weighing.assembler()
	if l.Scale.Kind == scaleStrips && a.Acceleration == 0 {
		a.Acceleration = strips.Acceleration
	}
	return a
}

func (c *WeighingConfig) assembler() wim.AssemblerConfig {
	return wim.AssemblerConfig{SpeedMin: c.SpeedMin, SpeedMax: c.SpeedMax, Acceleration: c.Acceleration, Imbalance: c.Imbalance, Pause: time.Duration(c.Pause), Tailgate: c.Tailgate}
}

// ScaleConfig is the scale of a lane: one that sends on a serial line, one that is asked over Modbus, at an
// address or on a serial line of its own, or a controller that sends whole vehicles.
type ScaleConfig struct {
	Device  string `yaml:"device"`
	Kind    string `yaml:"kind"`    // "serial" (or empty), "modbus", "record" or "strips"
	Path    string `yaml:"path"`    // of the line
	Baud    int    `yaml:"baud"`    // of the line; 0 means 115200 for a serial scale and 19200 for Modbus
	Dialect string `yaml:"dialect"` // of a serial scale: "af1"
	Parity  string `yaml:"parity"`  // of a line with Modbus: even (or empty), none or odd
	Address string `yaml:"address"` // of Modbus TCP or of a terminal server, host:port
	Unit    uint8  `yaml:"unit"`    // of Modbus; 0 means 1
	Profile string `yaml:"profile"` // of Modbus: embedded register profile, or a .yaml file; empty means axle-ring-tcp
	// Record is of a controller that sends whole vehicles.
	Record *RecordConfig `yaml:"record"`
	// Strips are bare sensors whose samples the site weighs by itself.
	Strips *StripsConfig `yaml:"strips"`
}

// The kinds of scale.
const (
	scaleSerial = "serial"
	scaleModbus = "modbus"
	scaleRecord = "record"
	scaleStrips = "strips"
)

// setting is a key of a scale that is given.
type setting struct {
	key string
	set bool
}

// mistake tells what is wrong with a scale's own settings: the key that it is about, what is wrong and what to
// do. An empty message is none.
func (s *ScaleConfig) mistake() (key, msg, hint string) {
	var others []setting
	what := "a serial scale"
	switch s.Kind {
	case "", scaleSerial:
		if s.Path == "" && s.Kind == "" && s.Address != "" {
			return "kind", "is missing", "a scale with an address is of kind modbus, or of kind serial behind a terminal server"
		}
		if s.Path == "" && s.Address == "" {
			return "path", "is missing", "name the port by /dev/serial/by-id, or a terminal server by address"
		}
		if s.Address != "" {
			if _, _, err := net.SplitHostPort(s.Address); err != nil {
				return "address", fmt.Sprintf("%q is no address", s.Address), "write the terminal server's as 192.0.2.30:4001"
			}
			what += " behind a terminal server"
			others = []setting{{"path", s.Path != ""}, {"baud", s.Baud != 0}}
		}
		others = append(others, []setting{{"unit", s.Unit != 0}, {"profile", s.Profile != ""}, {"parity", s.Parity != ""}, {"record", s.Record != nil}, {"strips", s.Strips != nil}}...)
	case scaleStrips:
		what = "strips"
		if key, msg, hint := s.Strips.mistake(); msg != "" {
			return key, msg, hint
		}
		others = []setting{{"path", s.Path != ""}, {"baud", s.Baud != 0}, {"dialect", s.Dialect != ""}, {"parity", s.Parity != ""},
			{"address", s.Address != ""}, {"unit", s.Unit != 0}, {"profile", s.Profile != ""}, {"record", s.Record != nil}}
	case scaleRecord:
		what = "a scale that sends records"
		if key, msg, hint := s.Record.mistake(); msg != "" {
			return key, msg, hint
		}
		others = []setting{{"path", s.Path != ""}, {"baud", s.Baud != 0}, {"dialect", s.Dialect != ""}, {"parity", s.Parity != ""},
			{"address", s.Address != ""}, {"unit", s.Unit != 0}, {"profile", s.Profile != ""}, {"strips", s.Strips != nil}}
	case scaleModbus:
		others = []setting{{"dialect", s.Dialect != ""}, {"record", s.Record != nil}, {"strips", s.Strips != nil}}
		what = "a scale on Modbus"
		switch {
		case s.Address == "" && s.Path == "":
			return "address", "is missing", "write it as 192.0.2.30:502, or name a serial line by path"
		case s.Address != "":
			if _, _, err := net.SplitHostPort(s.Address); err != nil {
				return "address", fmt.Sprintf("%q is no address", s.Address), "write it as 192.0.2.30:502"
			}
			what += " with an address"
			others = append(others, setting{"path", s.Path != ""}, setting{"baud", s.Baud != 0}, setting{"parity", s.Parity != ""})
		}
	default:
		return "kind", fmt.Sprintf("%q is not known", s.Kind), "there is: " + scaleSerial + ", " + scaleModbus + ", " + scaleRecord + ", " + scaleStrips
	}
	for _, o := range others {
		if o.set {
			return o.key, "has no meaning for " + what, "leave it out, or correct kind"
		}
	}
	return "", "", ""
}

// InstrumentConfig identifies the weighing instrument for the record.
type InstrumentConfig struct {
	Maker       string             `yaml:"maker"`
	Model       string             `yaml:"model"`
	Serial      string             `yaml:"serial"`
	Certificate *CertificateConfig `yaml:"certificate"`
	Calibration *CalibrationConfig `yaml:"calibration"`
}

// CertificateConfig is the verification certificate (检定证书) of an instrument.
type CertificateConfig struct {
	Number     string       `yaml:"number"`
	Scheme     string       `yaml:"scheme"`
	Class      string       `yaml:"class"`
	MassError  wim.Permille `yaml:"mass_error_permille"`
	AxleError  wim.Permille `yaml:"axle_error_permille"`
	ValidFrom  string       `yaml:"valid_from"`  // 2006-01-02, first day
	ValidUntil string       `yaml:"valid_until"` // 2006-01-02, last day
	Lanes      []wim.LaneID `yaml:"lanes"`
	SpeedMin   wim.DeciKmh  `yaml:"speed_min_dkmh"`
	SpeedMax   wim.DeciKmh  `yaml:"speed_max_dkmh"`
	Min        wim.Kg       `yaml:"min_kg"`
	Max        wim.Kg       `yaml:"max_kg"`
	Division   wim.Kg       `yaml:"division_kg"`
	Zone       string       `yaml:"zone"` // of the two dates; empty means UTC
	// Directions are with or against the lane; empty where the certificate names none. The temperatures, in °C, are both left out
	// where it names none.
	Directions     []wim.Direction `yaml:"directions"`
	TemperatureMin *int            `yaml:"temperature_min_c"`
	TemperatureMax *int            `yaml:"temperature_max_c"`
}

// CalibrationConfig names the calibration (校准) that a person entered into the instrument.
type CalibrationConfig struct {
	File    string `yaml:"file"`    // as "axlegate calibrate" wrote it
	Applied string `yaml:"applied"` // when it was entered, as 2026-05-01T09:30:00+08:00
}

// CameraConfig is one plate camera.
type CameraConfig struct {
	Device     string  `yaml:"device"`
	End        wim.End `yaml:"end"`
	SecretFile string  `yaml:"secret_file"` // last part of the path that the camera pushes to
	// Format is how the maker words its reads: docs/devices/cameras.md; empty means hikvision.
	Format camera.Format `yaml:"format"`
	Zone   string        `yaml:"zone"` // of times that the camera writes without one; empty means that they are not known
	// MaxBodyMB bounds one push; 0 means 8.
	MaxBodyMB int64 `yaml:"max_body_mb"`
	// Address is of a camera that is asked for its stream instead of pushing, as http://192.0.2.31.
	Address string `yaml:"address"`
	CA      string `yaml:"ca_file"` // certificates that the camera at address is checked against; empty means the system's
	// Auth is what a camera that pushes must show: basic or digest; empty means its secret path alone.
	Auth         camera.Auth `yaml:"auth"`
	Username     string      `yaml:"username"`
	PasswordFile string      `yaml:"password_file"` // mode 0600
}

// zone is nil where none is set.
func (c *CameraConfig) zone() (*time.Location, error) {
	if c.Zone == "" {
		return nil, nil
	}
	z, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, fmt.Errorf("camera %s: zone: %w; write it as Asia/Shanghai", c.Device, err)
	}
	return z, nil
}

// valid says what is wrong with a camera, apart from its name.
func (c *CameraConfig) valid() error {
	if c.End != wim.Front && c.End != wim.Rear {
		return fmt.Errorf("camera %s: end is %q, want front or rear", c.Device, c.End)
	}
	if err := c.validAccess(); err != nil {
		return err
	}
	if c.Format != "" {
		if err := c.Format.Valid(); err != nil {
			return fmt.Errorf("camera %s: %w", c.Device, err)
		}
	}
	if c.MaxBodyMB < 0 || c.MaxBodyMB > 64 {
		return fmt.Errorf("camera %s: max_body_mb is %d, want 1 to 64, or 0 for 8", c.Device, c.MaxBodyMB)
	}
	_, err := c.zone()
	return err
}

// validAccess says whether the ways to reach a camera fit together; which of them a format has, the driver says.
func (c *CameraConfig) validAccess() error {
	switch {
	case c.Address == "" && c.SecretFile == "":
		return fmt.Errorf("camera %s: secret_file is missing; a camera that is asked has an address instead", c.Device)
	case c.Address != "" && (c.SecretFile != "" || c.Auth != ""):
		return fmt.Errorf("camera %s: a camera that is asked at its address has no secret_file and no auth", c.Device)
	case c.Address != "" && c.Format != "" && c.Format != camera.Hikvision:
		return fmt.Errorf("camera %s: only hikvision cameras can be asked at an address", c.Device)
	case c.Auth != "" && c.Auth != camera.Basic && c.Auth != camera.Digest:
		return fmt.Errorf("camera %s: auth is %q, want basic or digest", c.Device, c.Auth)
	case (c.Username == "") != (c.PasswordFile == "") || c.Address == "" && (c.Auth == "") != (c.Username == ""):
		return fmt.Errorf("camera %s: username and password_file go together, and with auth where the camera pushes", c.Device)
	case c.Address == "" && c.CA != "":
		return fmt.Errorf("camera %s: ca_file goes with address", c.Device)
	}
	return nil
}

// SignConfig is the message sign of a lane.
type SignConfig struct {
	Device  string        `yaml:"device"`
	Address string        `yaml:"address"`
	Unit    uint8         `yaml:"unit"`    // 0 means 1
	Profile string        `yaml:"profile"` // embedded register profile; empty means sign-modbus-tcp
	Hold    conf.Duration `yaml:"hold"`    // how long an order stands; 0 means 8s
}

// LoadEdge reads and checks a configuration file.
func LoadEdge(path string) (EdgeConfig, error) {
	var c EdgeConfig
	raw, err := conf.Load(path, &c)
	if err != nil {
		return EdgeConfig{}, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return EdgeConfig{}, fmt.Errorf("configuration path: %w", err)
	}
	c.raw, c.dir = raw, filepath.Dir(abs)
	for i := range c.Lanes {
		if key, msg, hint := c.Lanes[i].Scale.mistake(); msg != "" {
			at := fmt.Sprintf("lanes[%d].scale.%s", i, key)
			return EdgeConfig{}, conf.Fault(path, raw, "$."+at, at+": "+msg, hint)
		}
	}
	return c, nil
}

// Validate checks everything that can be told without opening another file or device.
func (c *EdgeConfig) Validate() error {
	if err := c.Road.Station.Valid(); err != nil {
		return fmt.Errorf("road: %w", err)
	}
	if err := c.Site.Valid(); err != nil {
		return err
	}
	for _, f := range []struct{ key, value string }{
		{"data", c.Data}, {"key", c.Key}, {"listen", c.Listen}, {"rules", c.Rules}, {"road.name", c.Road.Name}, {"road.class", c.Road.Class},
		{"center.broker", c.Center.Broker}, {"center.pictures", c.Center.Pictures},
	} {
		if f.value == "" {
			return fmt.Errorf("%s is missing", f.key)
		}
	}
	if c.reserve() < 0 || c.JournalMaxMB < 0 || c.PicturesMaxMB < 0 || c.PicturesMaxAge < 0 {
		return errors.New("reserve_mb, journal_max_mb, pictures_max_mb and pictures_max_age must not be negative")
	}
	if !slices.Contains([]string{"", clockSystem, clockHost, clockSimulated}, c.Clock) {
		return fmt.Errorf("clock is %q, want %s or %s, or %s for a rehearsal", c.Clock, clockSystem, clockHost, clockSimulated)
	}
	if (c.Clock == clockSimulated) != (c.ClockFile != "") {
		return fmt.Errorf("clock_file goes with clock: %s, and only with it", clockSimulated)
	}
	if len(c.Center.ReceiptKeys) == 0 {
		return errors.New("center.receipt_keys is missing: without the centre's public key no receipt can be believed and nothing is ever pruned")
	}
	if err := c.Board.valid(); err != nil {
		return err
	}
	if len(c.Lanes) == 0 {
		return errors.New("lanes is missing: a site has at least one")
	}
	lanes, devices := map[wim.LaneID]bool{}, map[string]bool{}
	device := func(lane int, name string) error {
		if name == "" {
			return fmt.Errorf("lanes[%d]: a device without a name", lane)
		}
		if devices[name] {
			return fmt.Errorf("lanes[%d]: device name %q is used twice; cursors and gaps go by it", lane, name)
		}
		devices[name] = true
		return nil
	}
	for i := range c.Lanes {
		l := &c.Lanes[i]
		if l.Lane == 0 || lanes[l.Lane] {
			return fmt.Errorf("lanes[%d].lane: %d is 0 or used twice", i, l.Lane)
		}
		lanes[l.Lane] = true
		if l.Purpose == "" {
			l.Purpose = wim.Enforcement
		}
		if err := l.Purpose.Valid(); err != nil {
			return fmt.Errorf("lanes[%d]: %w", i, err)
		}
		if err := device(i, l.Scale.Device); err != nil {
			return err
		}
		for _, cam := range l.Cameras {
			if err := device(i, cam.Device); err != nil {
				return err
			}
			if err := cam.valid(); err != nil {
				return fmt.Errorf("lanes[%d]: %w", i, err)
			}
		}
		if c.Cameras.Listen == "" && slices.ContainsFunc(l.Cameras, func(c CameraConfig) bool { return c.Address == "" }) {
			return errors.New("cameras.listen is missing, but a lane has cameras that push")
		}
		if l.Sign != nil {
			if err := device(i, l.Sign.Device); err != nil {
				return err
			}
		}
		if l.Laser != nil {
			if err := device(i, l.Laser.Device); err != nil {
				return err
			}
			if err := l.Laser.valid(); err != nil {
				return fmt.Errorf("lanes[%d].laser: %w", i, err)
			}
		}
		if err := l.weighingMistake(); err != nil {
			return fmt.Errorf("lanes[%d].%w", i, err)
		}
		if err := l.certificateMistake(); err != nil {
			return fmt.Errorf("lanes[%d].%w", i, err)
		}
		if err := l.assembler().Validate(); err != nil {
			return fmt.Errorf("lanes[%d].weighing: %w", i, err)
		}
		for _, b := range l.Weighing.Beside {
			if b == l.Lane || !slices.ContainsFunc(c.Lanes, func(o LaneConfig) bool { return o.Lane == b }) {
				return fmt.Errorf("lanes[%d].weighing.beside: %d is not another lane of this site", i, b)
			}
		}
		if r := time.Duration(l.Weighing.Reorder); r < 0 || r > 2*time.Second {
			return fmt.Errorf("lanes[%d].weighing.reorder: %s: want at most 2s; a driver waits for the sign as long", i, r)
		}
		if _, err := l.instrument(); err != nil {
			return fmt.Errorf("lanes[%d].instrument: %w", i, err)
		}
	}
	for i := range c.Systems {
		if err := c.Systems[i].valid(); err != nil {
			return fmt.Errorf("systems[%d].%w", i, err)
		}
		if name := c.Systems[i].System; devices[name] {
			return fmt.Errorf("systems[%d].system: %q is the name of another system or device", i, name)
		}
		devices[c.Systems[i].System] = true
	}
	for i := range c.Bridges {
		if err := c.Bridges[i].valid(); err != nil {
			return fmt.Errorf("bridges[%d].%w", i, err)
		}
		if name := c.Bridges[i].Bridge; devices[name] {
			return fmt.Errorf("bridges[%d].bridge: %q is the name of another system or device", i, name)
		}
		devices[c.Bridges[i].Bridge] = true
	}
	for i := range c.Contacts {
		x := &c.Contacts[i]
		if err := x.valid(); err != nil {
			return fmt.Errorf("contacts[%d].%w", i, err)
		}
		if devices[x.Contact] {
			return fmt.Errorf("contacts[%d].contact: %q is the name of another system or device", i, x.Contact)
		}
		if x.Lane != 0 && !lanes[x.Lane] {
			return fmt.Errorf("contacts[%d].lane: there is no lane %d", i, x.Lane)
		}
		devices[x.Contact] = true
	}
	if len(c.Bridges) > 0 && c.Board == nil {
		return errors.New("bridges: staff weigh on the site's board, and there is none; set up board")
	}
	return nil
}

func (l *LaneConfig) instrument() (wim.Instrument, error) {
	in := wim.Instrument{ID: l.Scale.Device, Maker: l.Instrument.Maker, Model: l.Instrument.Model, Serial: l.Instrument.Serial}
	if a := l.Instrument.Calibration; a != nil {
		applied, err := time.Parse(time.RFC3339, a.Applied)
		if err != nil || a.File == "" {
			return in, errors.New("calibration: file, and applied as 2026-05-01T09:30:00+08:00, are needed: when a person entered the factors into the instrument")
		}
		in.Calibration = &wim.AppliedCalibration{Applied: wim.TimeOf(applied)}
	}
	c := l.Instrument.Certificate
	if c == nil {
		return in, nil
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return in, fmt.Errorf("certificate.zone: %w", err)
	}
	from, err := time.ParseInLocation(time.DateOnly, c.ValidFrom, zone)
	if err != nil {
		return in, fmt.Errorf("certificate.valid_from: want a date such as 2026-01-31: %w", err)
	}
	until, err := time.ParseInLocation(time.DateOnly, c.ValidUntil, zone)
	if err != nil {
		return in, fmt.Errorf("certificate.valid_until: want a date such as 2026-12-31: %w", err)
	}
	switch {
	case c.Number == "" || c.Scheme == "" || c.Class == "":
		return in, errors.New("certificate: number, scheme and class are needed")
	case c.MassError <= 0 || c.MassError >= 500 || c.AxleError <= 0 || c.AxleError >= 500:
		return in, errors.New("certificate: mass_error_permille and axle_error_permille must lie between 1 and 499: they are deducted before any finding")
	case len(c.Lanes) == 0 || c.SpeedMax <= c.SpeedMin || c.Max <= c.Min || c.Division <= 0:
		return in, errors.New("certificate: lanes, speed range, Min, Max and division are needed as printed on it")
	case !until.After(from):
		return in, errors.New("certificate: valid_until is not after valid_from")
	case !wim.Verification(c.Scheme):
		return in, fmt.Errorf("certificate.scheme: %q is a statement of confidence or a calibration, not a verification (检定); leave the certificate out, or write OIML R 134, JJG 907 or the national one", c.Scheme)
	case (c.TemperatureMin == nil) != (c.TemperatureMax == nil):
		return in, errors.New("certificate: temperature_min_c and temperature_max_c belong together")
	}
	for _, d := range c.Directions {
		if d != wim.WithLane && d != wim.AgainstLane {
			return in, fmt.Errorf("certificate.directions: %q: want with or against, the lane's direction", string(d))
		}
	}
	in.Certificate = &wim.Certificate{
		Number: c.Number, Scheme: c.Scheme, Class: c.Class, MassError: c.MassError, AxleError: c.AxleError,
		ValidFrom: wim.TimeOf(from), ValidUntil: wim.TimeOf(until.AddDate(0, 0, 1)), Lanes: c.Lanes,
		SpeedMin: c.SpeedMin, SpeedMax: c.SpeedMax, Min: c.Min, Max: c.Max, Division: c.Division, Directions: c.Directions,
	}
	if c.TemperatureMin != nil {
		in.Certificate.TemperatureMin, in.Certificate.TemperatureMax = wim.DeciKelvinOf(int64(*c.TemperatureMin)*1000), wim.DeciKelvinOf(int64(*c.TemperatureMax)*1000)
		if in.Certificate.TemperatureMin == 0 || in.Certificate.TemperatureMax <= in.Certificate.TemperatureMin {
			return in, errors.New("certificate: temperature_min_c and temperature_max_c are no range of road temperatures")
		}
	}
	return in, nil
}

// The keepers of the clock.
const (
	clockSystem    = "system"
	clockHost      = "host"
	clockSimulated = "simulated"
)

// reserve is how much of the disk is held back, in bytes.
func (c *EdgeConfig) reserve() int64 {
	if c.ReserveMB == nil {
		return journal.DefaultReserve
	}
	return *c.ReserveMB << 20
}

func (c *EdgeConfig) path(p string) string { return rel(c.dir, p) }

func rel(dir, p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(dir, p)
}
