package serial

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The page is made of the table, so that it cannot say something else than the driver does.
func TestThePageSaysWhatTheTableSays(t *testing.T) {
	const path = "../../docs/devices/dialects.md"
	have := page()
	if *update {
		if err := os.WriteFile(path, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if have != string(want) {
		t.Errorf("%s is not of the table any more: go test ./drivers/serial -run TestThePage -update", path)
	}
}

func page() string {
	var b strings.Builder
	b.WriteString(`# Static indicators on serial lines, by dialect

<!-- Made of the table in drivers/serial by its tests with -update; change it there. -->

A vehicle that was directed off the road is weighed again, standing. Indicators without Modbus tell the weight in frames on
RS-232, RS-422 or RS-485; each maker has a dialect, and imitates those of others. `)
	b.WriteString("`drivers/serial`" + ` decodes them:

- A frame counts only when all of its layout holds, and its checksum where it has one. Without one it counts when the next
  frame is equal: a cut or spoilt frame could still look whole.
- After a bad frame the search goes on at the very next byte, so that the next good one is found whatever lies between.
- A weight is the indicator's own number in whole kilograms, exactly, or there is none. A finer one is refused, or rounded and
  marked where the site says so. Pounds are refused, and a ton that may be either.
- While a frame tells overload, underload or a fault it carries no weight, whatever its digits are.
- What no frame of a dialect tells is not guessed: the unit, and whether gross or net is sent, must be set then. Two dialects may
  both read the same bytes and differ: prove the setting with a known weight.
- An indicator that sends no good frame for two seconds is down, and its line is opened again with growing pauses. The line may be a
  serial port or a terminal server that hands bytes on over TCP; speed and framing are then the server's settings.
- That the indicator finds its load at rest is a word, not a proof: see ` + "`wim.Settled`" + `, which wants a steady weight over time.

To see what an indicator sends, record the line and run ` + "`axlegate decode serial --dialect NAME line.bin`" + `.

The layouts come from what makers publish, frames of the tests were worked out by hand from them, and none was captured from
a device: no indicator has yet been read in the field. The tests read every dialect from a simulated indicator that was written
apart from the decoder, on a pseudo-terminal and over TCP.

| dialect | whose | tells | unit | state | request |
|---|---|---|---|---|---|
`)
	some := func(names []string, none string) string {
		if len(names) == 0 {
			return none
		}
		return strings.Join(names, ", ")
	}
	for _, d := range Dialects() {
		request := "none, it sends by itself"
		if d.Open {
			request = "as set"
		}
		if d.Request != nil {
			request = "`" + strings.ReplaceAll(fmt.Sprintf("% X", d.Request(Options{})), "|", "") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", d.Name, d.Title, some(d.Tells.Names(), "gross or net, as set"), some(d.Units, "as set"),
			some(d.Knows.Names(), "nothing"), request)
	}
	b.WriteString("\nRequests are in hexadecimal, for address A where there is one.\n")
	for _, d := range Dialects() {
		fmt.Fprintf(&b, "\n## %s\n\n%s. Frame: %s. Check: %s. Read in: %s.\n", d.Name, d.Title, d.Frame, d.Check, d.Source)
		if len(d.Lacks) > 0 {
			b.WriteString("\nMissing:\n\n")
		}
		for _, l := range d.Lacks {
			fmt.Fprintf(&b, "- %s\n", l)
		}
	}
	b.WriteString(`
## Not there

- Weigh-Tronix: no source says what ends a frame.
- A&D's own balances, and the commands of A&D: remembered only, not read.
- Consoles of several decks (MCGS, Giropes, Zedem, Avery): the sources disagree, or do not say what fields mean.
- WIM controllers of IRD, PAT, Kistler, CAMEA, Intercomp and others: no maker publishes its frames.
`)
	return b.String()
}
