package peers

import (
	"fmt"
	"strings"
)

// dialect is what expr and CEL write differently: something about each axle, n from 1.
type dialect struct {
	n    string
	each func(what string) string
}

// A host takes findings in one of two ways. In one call of six numbers, which is how one would write it; or in two calls of two
// numbers, the row with what it permits and the excess with its band, which expr and CEL make without a list of arguments.
const (
	inOneCall  = "finding(%v, %v, %v, %v, %v, %v)"
	inTwoCalls = "Row(%[1]v, %[4]v) && Found(%[5]v, %[6]v)"
)

// lawWhole is the law: figures, excess and bands. Findings are chained by && because a list of results would be one more
// allocation. An axle has the row 15 and its number.
func lawWhole(d dialect, how string) string {
	one := func(row, measured, taken, permitted, excess, band any) string {
		return fmt.Sprintf(how, row, measured, taken, permitted, excess, band)
	}
	gross := func(row, limit int) string {
		return one(row, "Gross", "Taken", limit, fmt.Sprintf("Net - %d", limit), fmt.Sprintf("Net > %d ? 2 : 1", limit+1000))
	}
	size := func(row int, of string, limit, second int) string {
		return one(row, of, "SizeTaken", limit, fmt.Sprintf("%sNet - %d", of, limit), fmt.Sprintf("%sNet > %d ? 5 : 4", of, second))
	}
	i := d.n + " - 1"
	return "!Goods || " + strings.Join([]string{
		pick(gross),
		"(Posted == 0 || " + one(rowPosted, "Gross", "Taken", "Posted", "Net - Posted", 3) + ")",
		"(PostedAxle == 0 || " + d.each(one("15 + "+d.n, "Loads["+i+"]", "LoadsTaken["+i+"]", "PostedAxle", "LoadsNet["+i+"] - PostedAxle", 3)) + ")",
		size(rowHeight, "Height", 4000, 4200), size(rowWidth, "Width", 2550, 3000), size(rowLength, "Length", 18100, 20000),
		one(rowRated, "Cargo", "Taken", "Rated", "CargoNet - Rated", "(CargoNet - Rated) * 1000 >= 300 * Rated ? 7 : 6"),
		"(Train || LicenceGross == 0 || " + one(rowLicence, "Gross", "Taken", "LicenceGross", "Net - LicenceGross", 0) + ")",
		"(!Train || " + one(rowTowed, "Towed", "Taken", "TowedAtMost", "TowedNet - TowedAtMost", 0) + ")",
	}, " && ")
}

// lawPicks is the law as far as it picks rows and what they permit; Go does the rest. An axle has the row 15 and its number.
func lawPicks(d dialect) string {
	return "!Goods || " + strings.Join([]string{
		pick(func(row, limit int) string { return fmt.Sprintf("Weigh(%d, %d)", row, limit) }),
		"(Posted == 0 || Weigh(8, Posted))",
		"(PostedAxle == 0 || " + d.each("Weigh(15 + "+d.n+", PostedAxle)") + ")",
		"Weigh(10, 4000)", "Weigh(11, 2550)", "Weigh(12, 18100)", "Weigh(13, Rated)",
		"(Train || LicenceGross == 0 || Weigh(14, LicenceGross))",
		"(!Train || Weigh(15, TowedAtMost))",
	}, " && ")
}

// pick is the table of gross masses.
func pick(row func(row, limit int) string) string {
	return fmt.Sprintf("(Axles == 2 ? %s : Axles == 3 ? (Train ? %s : %s) : Axles == 4 ? (Train ? %s : %s) : Axles == 5 ? %s : Drive == 1 ? %s : %s)",
		row(rowG2, 18000), row(rowG3Train, 27000), row(rowG3Rigid, 25000), row(rowG4Train, 36000), row(rowG4Rigid, 31000), row(rowG5, 43000), row(rowG6Single, 46000), row(rowG6, 49000))
}

// regoLaw is the law in Rego. A finding is a list: row, axle, measured, taken, permitted, excess, band.
const regoLaw = `package law

gross_row := [0, 18000] if input.Axles == 2
gross_row := [2, 27000] if { input.Axles == 3; input.Train }
gross_row := [1, 25000] if { input.Axles == 3; not input.Train }
gross_row := [4, 36000] if { input.Axles == 4; input.Train }
gross_row := [3, 31000] if { input.Axles == 4; not input.Train }
gross_row := [5, 43000] if input.Axles == 5
gross_row := [6, 46000] if { input.Axles == 6; input.Drive == 1 }
gross_row := [7, 49000] if { input.Axles == 6; input.Drive > 1 }

default gross_band := 1
gross_band := 2 if input.Net - gross_row[1] > 1000

default height_band := 4
height_band := 5 if input.HeightNet > 4200

default width_band := 4
width_band := 5 if input.WidthNet > 3000

default length_band := 4
length_band := 5 if input.LengthNet > 20000

default rated_band := 6
rated_band := 7 if (input.CargoNet - input.Rated) * 1000 >= 300 * input.Rated

default posted := []
posted := [[8, 0, input.Gross, input.Taken, input.Posted, input.Net - input.Posted, 3]] if input.Posted > 0

default axles := []
axles := [[9, i + 1, load, input.LoadsTaken[i], input.PostedAxle, input.LoadsNet[i] - input.PostedAxle, 3] | some i, load in input.Loads] if input.PostedAxle > 0

default licence := []
licence := [[14, 0, input.Gross, input.Taken, input.LicenceGross, input.Net - input.LicenceGross, 0]] if { not input.Train; input.LicenceGross > 0 }

default towed := []
towed := [[15, 0, input.Towed, input.Taken, input.TowedAtMost, input.TowedNet - input.TowedAtMost, 0]] if input.Train

default verdict := []
verdict := [
	[[gross_row[0], 0, input.Gross, input.Taken, gross_row[1], input.Net - gross_row[1], gross_band]],
	posted,
	axles,
	[
		[10, 0, input.Height, input.SizeTaken, 4000, input.HeightNet - 4000, height_band],
		[11, 0, input.Width, input.SizeTaken, 2550, input.WidthNet - 2550, width_band],
		[12, 0, input.Length, input.SizeTaken, 18100, input.LengthNet - 18100, length_band],
		[13, 0, input.Cargo, input.Taken, input.Rated, input.CargoNet - input.Rated, rated_band],
	],
	licence,
	towed,
] if input.Goods
`
