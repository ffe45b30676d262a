package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/drivers/record"
	"github.com/axlegate/axlegate/wim"
)

type decodeRecordCommand struct {
	File string `arg:"" optional:"" type:"existingfile" help:"A file or message of the controller; without it standard input."`
	Page string `short:"p" required:"" help:"What stands where: a shipped page (axlegate devices record), or the path of a .yaml file."`
}

func (decodeRecordCommand) Help() string {
	return `Writes one vehicle or retraction a line to standard output, as the site's driver would hand it on: axles and gross in
kilograms, speeds in 0.1 km/h, lengths in millimetres, flags, and under "controller" what the controller wrote. A
message that reports nothing gives no line. What is refused is named on standard error, with exit status 1.

  axlegate decode record --page record-open passages.json | jq -r .controller.id
  axlegate decode record --page maker.yaml < passage.xml`
}

// maxRecordFile bounds what is read of a file in bytes.
const maxRecordFile = 64 << 20

func (c decodeRecordCommand) Run() error {
	page, err := loadPage(c.Page, record.LoadPage)
	if err != nil {
		return err
	}
	return withInput(c.File, func(in io.Reader) error { return decodeRecords(page, in, os.Stdout, os.Stderr) })
}

// withInput runs f on a file, or on standard input where none is named; its error names which.
func withInput(file string, f func(io.Reader) error) error {
	in, name := io.Reader(os.Stdin), "standard input"
	if file != "" {
		opened, err := os.Open(file)
		if err != nil {
			return err
		}
		defer opened.Close() //nolint:errcheck // only read
		in, name = opened, file
	}
	if err := f(in); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// loadPage reads a shipped page, or a file.
func loadPage[P any](name string, load func(string, []byte) (P, error)) (p P, err error) {
	var text []byte
	if filepath.Ext(name) == ".yaml" {
		text, err = os.ReadFile(name)
	} else {
		text, err = configs.Device(name)
	}
	if err != nil {
		return p, err
	}
	return load(name, text)
}

// readMessage reads what a file may hold.
func readMessage(in io.Reader) ([]byte, error) {
	message, err := io.ReadAll(io.LimitReader(in, maxRecordFile+1))
	if err == nil && len(message) > maxRecordFile {
		err = fmt.Errorf("larger than %d bytes", maxRecordFile)
	}
	return message, err
}

// decodedRecord is one line of output.
type decodedRecord struct {
	Kind  string   `json:"kind"` // vehicle or retraction
	Lane  string   `json:"lane,omitempty"`
	Time  wim.Time `json:"time,omitempty"`
	Count uint8    `json:"axle_count,omitempty"`

	Gross      wim.Kg               `json:"gross_kg"`
	AxleSum    wim.Kg               `json:"axle_sum_kg"`
	Speed      wim.DeciKmh          `json:"speed_dkmh,omitempty"`
	Length     wim.Mm               `json:"length_mm,omitempty"`
	Flags      wim.Flag             `json:"flags"`
	Axles      []wim.Axle           `json:"axles,omitempty"`
	Controller wim.ControllerRecord `json:"controller"`
}

func decodeRecords(page record.Page, in io.Reader, out, errs io.Writer) error {
	message, err := readMessage(in)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	refusals := 0
	err = page.Decode(message, func(r record.Record, refused *record.Refusal) error {
		if refused != nil {
			refusals++
			_, err := fmt.Fprintln(errs, strings.TrimSpace(refused.Error()))
			return err
		}
		if r.Kind == record.Nothing {
			return nil
		}
		d := decodedRecord{Kind: "vehicle", Lane: r.Lane, Time: r.At, Count: r.Count, Gross: r.Gross, Speed: r.Speed, Length: r.Length, Flags: r.Flags, Axles: r.Axles, Controller: r.Controller}
		if r.Kind == record.Retraction {
			d.Kind = "retraction"
		}
		for _, x := range r.Axles {
			d.AxleSum += x.Load
		}
		return enc.Encode(d)
	})
	if err == nil && refusals > 0 {
		err = errors.New("not all records were read")
	}
	return err
}
