package wim

// FHWAScheme names the thirteen vehicle classes of the United States' Federal Highway Administration, told from axle
// spacings and masses.
//
// What the classes are was read (the Long-Term Pavement Performance programme's definitions, FHWA-HRT-13-091). The spacings and masses
// by which they are told are recalled: their table was not readable, so nothing may rest on a class but statistics. Known
// weaknesses, read in FHWA-HRT-13-091: axles alone do not show dual tyres, so that pickups and light trucks with
// trailers, buses and motor homes mix, and some vehicles of many axles have no rule.
const FHWAScheme = "fhwa-13-ltpp"

// FHWAClass is one of the thirteen, by what it is made of.
type FHWAClass struct {
	Number uint8
	En, Zh string
}

// FHWAClasses lists the thirteen classes. The Chinese words are ours.
func FHWAClasses() []FHWAClass {
	return []FHWAClass{
		{1, "motorcycle", "摩托车"}, {2, "car", "小客车"}, {3, "other vehicle of two axles and four tyres", "其他两轴四胎车"}, {4, "bus", "客车"},
		{5, "two axles, six tyres, single unit", "两轴六胎单车"}, {6, "three axles, single unit", "三轴单车"}, {7, "four axles and more, single unit", "四轴及以上单车"},
		{8, "up to four axles, one trailer", "四轴及以下，带一辆挂车"}, {9, "five axles, one trailer", "五轴，带一辆挂车"}, {10, "six axles and more, one trailer", "六轴及以上，带一辆挂车"},
		{11, "up to five axles, several trailers", "五轴及以下，带多辆挂车"}, {12, "six axles, several trailers", "六轴，带多辆挂车"}, {13, "seven axles and more, several trailers", "七轴及以上，带多辆挂车"},
	}
}

// band100 is a range in hundredths, both ends within; a high end of 0 is none.
type band100 struct{ low, high int64 }

func (b band100) has(v int64) bool { return v >= b.low && (b.high == 0 || v <= b.high) }

// fhwaRule is one row: so many axles, spacings front to rear in hundredths of a foot, gross mass and the least steering
// axle in hundredths of a kip (1,000 lb). Spacings beyond the last column go by that column, which is ours.
type fhwaRule struct {
	axles, most uint8
	class       uint8
	form        string
	spacings    []band100
	gross       band100
	steering    int64
}

// fhwaRules is searched from the top; the first row that fits counts. All figures are recalled.
//
//nolint:gochecknoglobals // a table that is never written; a function would build it for every vehicle
var fhwaRules = [...]fhwaRule{
	{2, 2, 1, "", []band100{{100, 599}}, band100{10, 300}, 0},
	{2, 2, 2, "", []band100{{600, 1010}}, band100{100, 799}, 0},
	{2, 2, 3, "", []band100{{1011, 2309}}, band100{100, 799}, 0},
	{2, 2, 4, "", []band100{{2310, 4000}}, band100{1200, 0}, 0},
	{2, 2, 5, "", []band100{{600, 2309}}, band100{800, 0}, 250},
	{3, 3, 2, "", []band100{{600, 1010}, {600, 2500}}, band100{100, 1199}, 0},
	{3, 3, 3, "", []band100{{1011, 2309}, {600, 2500}}, band100{100, 1199}, 0},
	{3, 3, 4, "", []band100{{2310, 4000}, {300, 700}}, band100{2000, 0}, 0},
	{3, 3, 5, "", []band100{{600, 2309}, {630, 3000}}, band100{1200, 1999}, 250},
	{3, 3, 6, "", []band100{{600, 2309}, {250, 629}}, band100{1200, 0}, 350},
	{3, 3, 8, "2S1", []band100{{600, 2309}, {1100, 4500}}, band100{2000, 0}, 350},
	{4, 4, 2, "", []band100{{600, 1010}, {600, 3000}, {100, 1199}}, band100{100, 1199}, 0},
	{4, 4, 3, "", []band100{{1011, 2309}, {600, 3000}, {100, 1199}}, band100{100, 1199}, 0},
	{4, 4, 5, "", []band100{{600, 2600}, {630, 4000}, {100, 2000}}, band100{1200, 1999}, 250},
	{4, 4, 7, "", []band100{{600, 2309}, {250, 629}, {250, 1299}}, band100{1200, 0}, 350},
	{4, 4, 8, "3S1", []band100{{600, 2600}, {250, 629}, {1300, 5000}}, band100{2000, 0}, 500},
	{4, 4, 8, "2S2", []band100{{600, 2600}, {800, 4500}, {250, 2000}}, band100{2000, 0}, 350},
	{5, 5, 3, "", []band100{{1011, 2309}, {600, 2500}, {100, 1199}, {100, 1199}}, band100{100, 1199}, 0},
	{5, 5, 5, "", []band100{{600, 2309}, {630, 3500}, {100, 2500}, {100, 1199}}, band100{1200, 1999}, 250},
	{5, 5, 7, "", []band100{{600, 2309}, {250, 629}, {250, 629}, {250, 630}}, band100{1200, 0}, 350},
	{5, 5, 9, "3S2", []band100{{600, 3000}, {250, 629}, {630, 6500}, {250, 1199}}, band100{2000, 0}, 500},
	{5, 5, 9, "3-2", []band100{{600, 3000}, {250, 629}, {630, 5000}, {1200, 2700}}, band100{2000, 0}, 350},
	{5, 5, 9, "2S3", []band100{{600, 3000}, {1600, 4500}, {250, 630}, {250, 630}}, band100{2000, 0}, 350},
	{5, 5, 11, "2S12", []band100{{600, 3000}, {1100, 2600}, {600, 2000}, {1100, 2600}}, band100{2000, 0}, 350},
	{6, 6, 10, "3S3", []band100{{600, 2600}, {250, 630}, {610, 5000}, {250, 1199}, {250, 1099}}, band100{2000, 0}, 500},
	{6, 6, 12, "3S12", []band100{{600, 2600}, {250, 630}, {1100, 2600}, {600, 2400}, {1100, 2600}}, band100{2000, 0}, 500},
	{7, 9, 13, "", []band100{{600, 4500}, {300, 4500}, {300, 4500}, {300, 4500}, {300, 4500}}, band100{2000, 0}, 500},
}

// feet100 is a length in hundredths of a foot, to the nearest. A foot is 304.8 mm.
func feet100(m Mm) int64 { return (int64(m)*1000 + 1524) / 3048 }

// kip100 is a mass in hundredths of a kip, to the nearest. Ten pounds are 4.5359237 kg.
func kip100(m Kg) int64 { return (int64(m)*10_000_000 + 22_679_619) / 45_359_237 }

// ClassFHWA is the vehicle's class by FHWAScheme, from 1 to 13, and 0 where no row fits, a spacing or the gross mass is not
// known or axles may be missing. form is how its units are joined where the row says it, such as "3S2".
func ClassFHWA(v *Vehicle) (class uint8, form string) {
	n := len(v.Axles)
	if n < 2 || n > 9 || v.Gross <= 0 || v.Flags.Any(MissedAxle|DeviceGap|TimedOut|Tailgating) {
		return 0, ""
	}
	var spacings [8]int64
	for i := 1; i < n; i++ {
		if v.Axles[i].Spacing <= 0 {
			return 0, ""
		}
		spacings[i-1] = feet100(v.Axles[i].Spacing)
	}
	gross, steering := kip100(v.Gross), kip100(max(v.Axles[0].Load, 0))
	for i := range fhwaRules {
		r := &fhwaRules[i]
		if n >= int(r.axles) && n <= int(r.most) && r.gross.has(gross) && steering >= r.steering && r.fits(spacings[:n-1]) {
			return r.class, r.form
		}
	}
	return 0, ""
}

func (r *fhwaRule) fits(spacings []int64) bool {
	for i, s := range spacings {
		if !r.spacings[min(i, len(r.spacings)-1)].has(s) {
			return false
		}
	}
	return true
}
