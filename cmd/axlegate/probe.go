package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/drivers/indicator"
	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/drivers/modbusscale"
	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/wim"
)

type probeCommand struct {
	Target  string        `arg:"" help:"A serial line such as /dev/ttyUSB0, or host:port of Modbus TCP."`
	Units   string        `short:"u" placeholder:"LIST" help:"Modbus units to ask, such as 1-10,247. On TCP 1, 255 and 0 unless given, on a line 1-10."`
	Baud    []int         `short:"b" default:"19200,9600,38400,57600,115200" help:"Speeds of the line to try."`
	Parity  []string      `short:"p" enum:"even,none,odd" default:"even,none,odd" help:"Parities of the line to try."`
	Listen  time.Duration `default:"1200ms" help:"How long to hear whether a line talks by itself, at each speed; 0 not at all."`
	Timeout time.Duration `default:"200ms" help:"How long to wait for each answer."`
	Limit   time.Duration `default:"2m" help:"How long to try altogether."`
	Profile []string      `placeholder:"NAME" help:"Read what answers by these indicator profiles only: shipped names, or files. All shipped ones unless given."`
	Follow  time.Duration `short:"f" placeholder:"TIME" help:"With one profile: go on reading what answers first for so long and print every change."`
	All     bool          `help:"Go on after the first setting of the line at which something answered."`
}

func (probeCommand) Help() string {
	return `Tells at which speed, parity and unit something answers, which registers can be read there, and what each
indicator profile would make of them; or in which dialect a serial line talks by itself. Compare with the display: several profiles may fit the same registers, and only
the one that shows what the display shows, with a load and without, is right.

  axlegate probe /dev/ttyUSB0                      all usual speeds and parities, units 1 to 10
  axlegate probe /dev/ttyUSB0 -b 9600 -p none -u 1-247 --limit 10m
  axlegate probe 192.0.2.7:502                     units 1, 255 and 0
  axlegate probe 192.0.2.7:502 --profile indicator-laumas-tlb
  axlegate probe 192.0.2.7:502 --profile ./bridge.yaml --follow 1m

The last one shows the weight change while a known load drives on and off, which proves addresses, order and decimals.
Nothing is written, so no scale is set to zero or tared: only functions 3 and 4 are sent. First the line is heard, because a
device that talks by itself would be disturbed. Stop whatever else uses the line. Exit status 1 means that nothing was found.`
}

func (c probeCommand) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, c.Limit, fmt.Errorf("the limit of %s is over; what is not told above was not tried", c.Limit))
	defer cancel()
	p := probe{probeCommand: c, out: os.Stdout, progress: os.Stderr, line: term.IsTerminal(int(os.Stderr.Fd()))}
	return p.run(ctx)
}

// beyond is more than any road's scale weighs: registers that show it mean something else.
const beyond wim.Kg = 500_000

// probe is one run of the command.
type probe struct {
	probeCommand
	out      io.Writer
	progress io.Writer
	line     bool // progress is one line that is written over

	profiles []indicator.Profile
	rings    []modbusscale.Profile
	units    []uint8
	found    int
	told     int // length of the progress line
}

func (p *probe) run(ctx context.Context) error {
	if p.Timeout <= 0 || p.Limit <= 0 || p.Listen < 0 {
		return errors.New("timeout and limit must be above zero, listen at least zero")
	}
	tcp := !strings.ContainsRune(p.Target, filepath.Separator)
	var err error
	if p.units, err = unitList(cmp.Or(p.Units, map[bool]string{true: "1,255,0", false: "1-10"}[tcp])); err != nil {
		return err
	}
	if p.profiles, err = indicatorProfiles(p.Profile); err != nil {
		return err
	}
	if p.Follow != 0 && (p.Follow < 0 || len(p.Profile) != 1) {
		return errors.New("follow wants a time above zero and exactly one profile")
	}
	if len(p.Profile) == 0 {
		if p.rings, err = ringProfiles(); err != nil {
			return err
		}
	}
	if tcp {
		err = p.address(ctx)
	} else {
		err = p.wire(ctx)
	}
	p.say("")
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case p.found == 0:
		return fmt.Errorf("%s: nothing answered; check power, cable (A and B swapped?), the unit number and that the device is set to Modbus", p.Target)
	}
	return nil
}

// unitList reads a list such as 1-10,247.
func unitList(s string) ([]uint8, error) {
	var out []uint8
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.ParseUint(from, 10, 8)
		last, err2 := strconv.ParseUint(to, 10, 8)
		if err1 != nil || err2 != nil || first > last {
			return nil, fmt.Errorf("units: %q is no unit and no range; write them as 1-10,247", part)
		}
		for u := first; u <= last; u++ {
			if !slices.Contains(out, uint8(u)) {
				out = append(out, uint8(u))
			}
		}
	}
	return out, nil
}

// indicatorProfiles loads profiles by shipped name or file, all shipped ones for none.
func indicatorProfiles(names []string) ([]indicator.Profile, error) {
	if len(names) == 0 {
		for _, n := range configs.DeviceNames() {
			if strings.HasPrefix(n, "indicator-") {
				names = append(names, n)
			}
		}
	}
	var out []indicator.Profile
	for _, n := range names {
		text, err := configs.Device(n)
		if strings.ContainsRune(n, filepath.Separator) || strings.HasSuffix(n, ".yaml") {
			text, err = os.ReadFile(n)
		}
		if err != nil {
			return nil, err
		}
		p, err := indicator.LoadProfile(n, text)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// ringProfiles loads the shipped profiles of axle scales.
func ringProfiles() ([]modbusscale.Profile, error) {
	var out []modbusscale.Profile
	for _, n := range configs.DeviceNames() {
		if !strings.HasPrefix(n, "axle-") {
			continue
		}
		text, err := configs.Device(n)
		if err != nil {
			return nil, err
		}
		p, err := modbusscale.LoadProfile(n, text)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// say shows the progress; empty clears it.
func (p *probe) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !p.line {
		return
	}
	fmt.Fprintf(p.progress, "\r%-*s\r%s", p.told, "", text) //nolint:errcheck // a progress that nobody sees
	p.told = len(text)
}

// tell prints what was found.
func (p *probe) tell(format string, args ...any) {
	p.say("")
	fmt.Fprintf(p.out, format+"\n", args...) //nolint:errcheck // as any print
}

// address probes Modbus TCP.
func (p *probe) address(ctx context.Context) error {
	c, err := (&net.Dialer{Timeout: max(p.Timeout, 2*time.Second)}).DialContext(ctx, "tcp", p.Target)
	if err != nil {
		return fmt.Errorf("%w; check the address, the port (Modbus has 502) and that nobody else is connected: some devices serve one host only", err)
	}
	if err := c.Close(); err != nil {
		return err
	}
	return p.bus(ctx, p.Target+", Modbus TCP", modbus.Config{Address: p.Target, Timeout: p.Timeout})
}

// wire probes a serial line.
func (p *probe) wire(ctx context.Context) error {
	if _, err := os.Stat(p.Target); err != nil {
		return fmt.Errorf("%w; the adapters that there are lie under /dev/serial/by-id", err)
	}
	if p.Listen > 0 {
		talks, err := p.hear(ctx)
		if err != nil || talks {
			return err
		}
	}
	for _, parity := range p.Parity {
		for _, baud := range p.Baud {
			before := p.found
			setting := fmt.Sprintf("%s, %d baud, parity %s", p.Target, baud, parity)
			if err := p.bus(ctx, setting, modbus.Config{Line: p.Target, Baud: baud, Parity: modbus.Parity(parity), Timeout: p.Timeout}); err != nil || ctx.Err() != nil {
				return err
			}
			if p.found > before && !p.All {
				return nil
			}
		}
	}
	return nil
}

// hear listens at each speed whether something talks by itself; it sends nothing. talks is true when it was
// understood, so that nothing needs to be asked.
func (p *probe) hear(ctx context.Context) (talks bool, err error) {
	for _, baud := range p.Baud {
		p.say("hearing %s at %d baud", p.Target, baud)
		heard, err := serial.Hear(ctx, p.Target, baud, p.Listen)
		if err != nil {
			return false, err
		}
		if len(heard) == 0 {
			continue
		}
		found := serial.Recognise(heard)
		for _, m := range found {
			bits := ""
			if m.SevenBits {
				bits = ", of which the eighth is parity"
			}
			p.tell("%s, %d baud, eight bits%s: talks by itself in the dialect %s: %d good frames, %d bad", p.Target, baud, bits, m.Dialect, m.Good, m.Bad)
		}
		if len(found) > 0 {
			p.found++
			if len(found) > 1 {
				p.tell("    makers imitate each other; docs/devices/dialects.md tells how these differ, and the display which is right")
			}
			return true, nil
		}
		p.tell("%s, %d baud: %d bytes came unasked that are in no dialect (another speed, or another protocol), beginning with % X", p.Target, baud, len(heard), heard[:min(len(heard), 24)])
	}
	return false, nil
}

// bus asks every unit at one setting.
func (p *probe) bus(ctx context.Context, setting string, cfg modbus.Config) (err error) {
	b, err := modbus.NewBus(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for i, unit := range p.units {
		if cfg.Line != "" && (unit == 0 || unit > 247) {
			continue // on a line nobody answers to these
		}
		p.say("asking %s, unit %d (%d of %d)", setting, unit, i+1, len(p.units))
		if err := p.unit(ctx, b, setting, cfg, unit); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// unit asks one unit.
func (p *probe) unit(ctx context.Context, b *modbus.Bus, setting string, cfg modbus.Config, unit uint8) error {
	c := b.Slave(unit)
	_, err := c.ReadHolding(ctx, 0, 1)
	holding, there := answered(err)
	if !there {
		if err != nil && ctx.Err() == nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, modbus.ErrException) && cfg.Line != "" {
			if strings.Contains(err.Error(), "connect:") {
				return err // the line itself
			}
			p.tell("%s, unit %d: bytes came, but no answer (another speed or parity, an adapter that hears itself, or two devices of one number): %v", setting, unit, err)
		}
		return nil
	}
	p.found++
	input := inputs(ctx, b.Slave(unit))
	p.tell("%s, unit %d answers: holding registers (function 3) at 0 %s, input registers (function 4) at 0 %s", setting, unit, holding, input)
	if p.axleScale(ctx, b.Slave(unit)) {
		return nil // an indicator's registers are more easily met by chance
	}
	fits := 0
	for i := range p.profiles {
		if p.fits(ctx, b, cfg, unit, p.profiles[i]) {
			fits++
		}
	}
	switch {
	case fits > 1:
		p.tell("    %d profiles fit; the display tells which is right, best with a load", fits)
	case fits == 0 && ctx.Err() == nil:
		p.tell("    no profile fits; write one from the maker's table (docs/devices/indicator.md)")
	}
	return nil
}

// axleScale prints the axle scale that a slave is; false when it is none.
func (p *probe) axleScale(ctx context.Context, c *modbus.Client) (found bool) {
	for i := range p.rings {
		if boot, newest, err := modbusscale.Look(ctx, c, p.rings[i]); err == nil {
			p.tell("    %-28s boot %08X, newest event %d", p.rings[i].Name, boot, newest)
			found = true
		}
	}
	return found
}

// inputs puts into words what a slave says to a request for input registers.
func inputs(ctx context.Context, c *modbus.Client) string {
	_, err := c.ReadInput(ctx, 0, 1)
	words, _ := answered(err)
	return words
}

// answered puts an answer into words; there is false when none came.
func answered(err error) (words string, there bool) {
	code, refused := modbus.Exception(err)
	switch {
	case err == nil:
		return "can be read", true
	case refused && code != 10 && code != 11:
		return fmt.Sprintf("are refused with exception %d", code), true
	}
	return "give no answer", false
}

// fits reads the unit by a profile and prints what it tells.
func (p *probe) fits(ctx context.Context, b *modbus.Bus, cfg modbus.Config, unit uint8, profile indicator.Profile) bool {
	ic := indicator.Config{Device: "probe", Profile: profile, Bus: b, Unit: unit}
	if unit == 0 {
		// Zero stands for the profile's own unit, which may be another one.
		if profile.Unit == nil || *profile.Unit != 0 {
			return false
		}
		ic.Bus, ic.Address = nil, cfg.Address
	}
	d, err := indicator.New(ic)
	if err != nil {
		return false
	}
	defer d.Close() //nolint:errcheck // it was only read
	in, err := d.Read(ctx)
	if err != nil || len(p.Profile) == 0 && max(in.Gross, -in.Gross, in.Net, -in.Net) > beyond {
		return false
	}
	p.tell("    %-28s %s", profile.Name, indicated(in))
	if p.Follow > 0 {
		p.follow(ctx, d, in)
	}
	return true
}

// follow prints what changes.
func (p *probe) follow(ctx context.Context, d *indicator.Indicator, last wim.Indication) {
	ctx, cancel := context.WithTimeout(ctx, p.Follow)
	defer cancel()
	shown := indicated(last)
	// Run ends with the context and never fails.
	_ = d.Run(ctx, func(in wim.Indication) {
		if now := indicated(in); now != shown {
			shown = now
			p.tell("    %s  %s", in.Arrival.Std().Local().Format("15:04:05.000"), now)
		}
		p.say("reading %s by %s: %s", p.Target, p.profiles[0].Name, shown)
	})
	if h := d.Health(); !h.Up {
		p.tell("    it was lost: %s", h.Reason)
	}
}

// indicated is an indication in words.
func indicated(in wim.Indication) string {
	var weights []string
	for _, w := range []struct {
		tells wim.Weights
		name  string
		kg    wim.Kg
	}{{wim.TellsGross, "gross", in.Gross}, {wim.TellsNet, "net", in.Net}, {wim.TellsTare, "tare", in.Tare}} {
		if in.Tells.Has(w.tells) {
			weights = append(weights, fmt.Sprintf("%s %d kg", w.name, w.kg))
		}
	}
	return cmp.Or(strings.Join(weights, ", "), "no weight") + "; " + cmp.Or(strings.Join(in.State.Names(), ", "), "no condition")
}
