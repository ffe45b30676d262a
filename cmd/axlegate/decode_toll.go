package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/axlegate/axlegate/drivers/toll"
	"github.com/axlegate/axlegate/wim"
)

type decodeTollCommand struct {
	File string `arg:"" optional:"" type:"existingfile" help:"A file or message of the system; without it standard input."`
	Page string `short:"p" required:"" help:"What stands where: a shipped page (axlegate devices toll), or the path of a .yaml file."`
}

func (decodeTollCommand) Help() string {
	return `Writes one transaction a line to standard output, as the site would record it: its own name, type, time in UTC,
plates, masses in kilograms and what it says of the entry. What is refused is named on standard error, with exit
status 1.

  axlegate decode toll --page toll-open weighings.json | jq -r '[.id, .plate, .gross_kg] | @tsv'
  axlegate decode toll --page toll-open-zh < 2026-11-23.csv`
}

func (c decodeTollCommand) Run() error {
	page, err := loadPage(c.Page, toll.LoadPage)
	if err != nil {
		return err
	}
	return withInput(c.File, func(in io.Reader) error { return decodeTransactions(page, in, os.Stdout, os.Stderr) })
}

func decodeTransactions(page toll.Page, in io.Reader, out, errs io.Writer) error {
	message, err := readMessage(in)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	refusals := 0
	err = page.Decode(message, func(t wim.Transaction, refused *toll.Refusal) error {
		if refused != nil {
			refusals++
			_, err := fmt.Fprintln(errs, strings.TrimSpace(refused.Error()))
			return err
		}
		return enc.Encode(t)
	})
	if err == nil && refusals > 0 {
		err = errors.New("not all transactions were read")
	}
	return err
}
