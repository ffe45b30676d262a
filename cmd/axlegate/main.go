// Command axlegate is the toolbox: a demonstration without hardware, and what engineers and auditors need
// around the daemons.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"github.com/axlegate/axlegate/internal/daemon"
)

const about = `Axlegate weighs vehicles in motion and tells, provably, whether one is too heavy for its road
(over-limit, 超限) or for its registration (overloaded, 超载).

  axlegate demo                       two simulated sites, a centre and both authorities' boards, at once
  axlegate keys new site.pem          make a signing key
  axlegate check edge.yaml            check a configuration and name the line of every mistake
  axlegate probe /dev/ttyUSB0         find out what stands on a serial line or a Modbus address
  axlegate devices mettler            which devices can be connected, of one maker
  axlegate enrol --center … --site …  have a centre believe a site's key, with a one-time code
  axlegate verify journal.db          prove a chain of sealed records, offline
  axlegate export … -o dossier.zip    a matter's evidence as one archive; "axlegate verify" checks it
  axlegate judge facts.ndjson         judge facts or exported records by a rule set
  axlegate replay records.ndjson      judge sealed records again; a difference under the same set is an alarm
  axlegate score --truth … -r …       how well a site weighs and whom it accuses, against what truly passed
  axlegate calibrate --truth …        a scale's factors from passes of test trucks, before and after
  axlegate drift records.ndjson       when a scale seems to drift
  axlegate classes records.ndjson     vehicles by class: ours, and the thirteen of FHWA
  axlegate decode camera push.bin     what a saved push of a camera says
  axlegate decode serial -d toledo …  what a recorded line of a static indicator says
  axlegate capture /dev/ttyUSB0 …     keep what a line says, to play it again with axlegate-sim replay
  axlegate rules show cn              a rule set as tables; check, compare and explain them

The daemons are axlegate-edge (one site), axlegate-center (the authorities) and axlegate-sim (simulated
hardware); each explains itself with --help.`

type toolbox struct {
	Demo      demoCommand      `cmd:"" help:"Run everything with simulated hardware and show where to look."`
	Verify    verifyCommand    `cmd:"" help:"Prove a dossier or a chain of sealed records, offline; name what is wrong."`
	Export    exportCommand    `cmd:"" help:"Get a matter's dossier from a centre, or a journal's records with signatures."`
	Judge     judgeCommand     `cmd:"" help:"Judge facts or sealed records, one a line, by a rule set."`
	Replay    replayCommand    `cmd:"" help:"Judge sealed records again and tell every difference."`
	Weigh     weighCommand     `cmd:"" help:"Weigh a recorded stream of strips' samples, and hold it against its truth."`
	Score     scoreCommand     `cmd:"" help:"Hold records against ground truth: accuracy classes, detection, accusations."`
	Calibrate calibrateCommand `cmd:"" help:"Work out a scale's factors from passes of test trucks; nothing is applied."`
	Drift     driftCommand     `cmd:"" help:"Tell from records when a scale seems to drift."`
	Classes   classesCommand   `cmd:"" help:"Count the vehicles of records by class, in every scheme."`
	Rules     rulesCommand     `cmd:"" help:"Read, check, compare and explain rule sets."`
	Decode    decodeCommand    `cmd:"" help:"Read what a device sent, as its driver does."`
	Check     checkCommand     `cmd:"" help:"Check a configuration file without starting anything."`
	Keys      keysCommand      `cmd:"" help:"Make and look at signing keys and password hashes."`
	Enrol     enrolCommand     `cmd:"" help:"Have the centre believe this site's key, with a one-time code."`
	Capture   captureCommand   `cmd:"" help:"Keep what goes over a device's line, byte by byte, to look at it or play it again."`
	Watch     watchCommand     `cmd:"" help:"Show live what one scale or camera of a site says; nothing is recorded."`
	Devices   devicesCommand   `cmd:"" help:"List the devices that can be connected, and what their sources do not tell."`
	Probe     probeCommand     `cmd:"" help:"Find out what answers on a serial line or a Modbus TCP address; nothing is written."`
	Version   kong.VersionFlag `help:"Print the version and exit."`
}

func main() {
	var t toolbox
	k := kong.Parse(&t, kong.Name("axlegate"), kong.Description(about), kong.Vars{"version": daemon.Version}, kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "axlegate:", err)
		os.Exit(1)
	}
}
