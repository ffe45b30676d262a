package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/axlegate/axlegate/drivers/camera"
	"github.com/axlegate/axlegate/wim"
)

type decodeCameraCommand struct {
	File     string        `arg:"" optional:"" type:"existingfile" help:"The body of one push; without it standard input."`
	Dialect  camera.Format `short:"d" default:"hikvision" help:"Whose format it is (--list)."`
	Type     string        `placeholder:"TYPE" help:"Content type of the push; guessed by its first bytes when left out."`
	Zone     string        `placeholder:"ZONE" help:"Zone of times written without one, as Asia/Shanghai; without it they are not known."`
	Pictures string        `type:"path" placeholder:"DIR" help:"Write each picture there, named by its digest."`
	List     bool          `help:"List the formats, with what each carries and lacks."`
}

func (decodeCameraCommand) Help() string {
	return `Writes one read a line to standard output, as the site's driver would hand it on: the text normalised, the confidence
in permille, the camera's clock, the picture's digest, and under "left_out" what was sent and cannot be a plate or a
picture. A heartbeat gives no line. What is no push of the format is named on standard error with exit status 1.

  axlegate decode camera --dialect axis push.json | jq -r .text
  curl … | axlegate decode camera -d hikvision --type 'multipart/form-data; boundary=b' --pictures .`
}

// maxPush bounds what is read of a file in bytes; no site takes as much.
const maxPush = 64 << 20

func (c decodeCameraCommand) Run() error {
	if c.List {
		return listFormats(os.Stdout)
	}
	if err := c.Dialect.Valid(); err != nil {
		return err
	}
	in, name := io.Reader(os.Stdin), "standard input"
	if c.File != "" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read
		in, name = f, c.File
	}
	if err := c.decode(in, os.Stdout); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// decodedRead is one line of output.
type decodedRead struct {
	Event      string          `json:"event"`
	Text       string          `json:"text"`
	Form       wim.PlateForm   `json:"form,omitempty"`
	Color      wim.PlateColor  `json:"color,omitempty"`
	Confidence wim.Permille    `json:"confidence_permille"`
	Kind       wim.VehicleKind `json:"kind,omitempty"`
	DeviceTime *wim.Time       `json:"device_time,omitempty"`
	Picture    *wim.Digest     `json:"picture,omitempty"`
	LeftOut    []string        `json:"left_out,omitempty"`
}

func (c decodeCameraCommand) decode(in io.Reader, out io.Writer) error {
	var zone *time.Location
	if c.Zone != "" {
		var err error
		if zone, err = time.LoadLocation(c.Zone); err != nil {
			return fmt.Errorf("zone: %w; write it as Asia/Shanghai", err)
		}
	}
	body, err := io.ReadAll(io.LimitReader(in, maxPush+1))
	if err != nil {
		return err
	}
	if len(body) > maxPush {
		return fmt.Errorf("more than %d bytes are no push of a camera", maxPush)
	}
	if c.Type == "" && camera.MediaType(body) == "" {
		return errors.New("neither XML nor JSON nor multipart by its first bytes; say what it is with --type")
	}
	reads, err := camera.Decode(c.Dialect, c.Type, body, zone)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, d := range reads {
		r := d.Read
		line := decodedRead{Event: r.Event, Text: r.Text, Form: wim.FormOfPlate(r.Text), Color: r.Color, Confidence: r.Confidence, Kind: r.Kind, LeftOut: d.LeftOut}
		if r.DeviceTime != 0 {
			line.DeviceTime = &r.DeviceTime
		}
		if d.JPEG != nil {
			line.Picture = &r.Picture
			if c.Pictures != "" {
				if err := os.WriteFile(filepath.Join(c.Pictures, r.Picture.String()+".jpg"), d.JPEG, 0o600); err != nil {
					return err
				}
			}
		}
		if err := enc.Encode(line); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	return nil
}

func listFormats(out io.Writer) error {
	var b strings.Builder
	for _, f := range camera.Formats() {
		fmt.Fprintf(&b, "%s\n  %s\n  a vehicle is named by: %s\n  time: %s\n  carries: %s\n  lacks: %s\n  from: %s\n", f.Format, f.Name, f.Event, f.Clock, f.Carries, f.Lacks, f.Source)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
