package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/drivers/serial"
)

func TestDecodeSerialWritesIndicationsAndNamesBadFrames(t *testing.T) {
	const good = "\x02+038460012\x03"
	for _, c := range []struct {
		name           string
		command        decodeSerialCommand
		in             string
		out, complains string
		err            string
	}{
		{"two good frames", decodeSerialCommand{Dialect: "xk3190", Unit: "kg", Shown: "gross"}, good + good,
			`{"offset":0,"size":12,"gross":38460,"state":[],"knows":["was-rounded"]}` + "\n" + `{"offset":12,"size":12,"gross":38460,"state":[],"knows":["was-rounded"]}` + "\n", "", ""},
		{"a bad one between", decodeSerialCommand{Dialect: "xk3190", Unit: "kg", Shown: "gross"}, good + "\x02+038460013\x03" + good,
			`{"offset":0,"size":12,"gross":38460,"state":[],"knows":["was-rounded"]}` + "\n" + `{"offset":24,"size":12,"gross":38460,"state":[],"knows":["was-rounded"]}` + "\n",
			"byte 12: check \"13\", want \"12\"\n", "1 of 3 frames"},
		{"without a check the second equal one counts", decodeSerialCommand{Dialect: "aandd"}, "ST,NT,-0000120kg\r\nST,NT,-0000120kg\r\n",
			`{"offset":18,"size":18,"net":-120,"state":["stable","net-shown"],"knows":["stable","net-shown","overload","was-rounded"]}` + "\n", "", ""},
		{"bytes of another dialect", decodeSerialCommand{Dialect: "sma"}, good, "", "", "no good frame"},
		{"no dialect", decodeSerialCommand{}, good, "", "", "--list"},
		{"a unit that the frames do not tell", decodeSerialCommand{Dialect: "xk3190", Shown: "gross"}, good, "", "", "kg, t or g"},
		{"an address of two letters", decodeSerialCommand{Dialect: "xk3190-command", Unit: "kg", Address: "AB"}, good, "", "", "one letter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, complaints bytes.Buffer
			err := c.command.decode(strings.NewReader(c.in), &out, &complaints)
			if out.String() != c.out || complaints.String() != c.complains {
				t.Errorf("%s%s", out.String(), complaints.String())
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTheListShowsEveryDialect(t *testing.T) {
	var out bytes.Buffer
	if err := listDialects(&out); err != nil {
		t.Fatal(err)
	}
	for _, d := range serial.Dialects() {
		if !strings.Contains(out.String(), d.Name+"\n  "+d.Title) {
			t.Errorf("%s is not listed", d.Name)
		}
	}
}
