package rules

import "github.com/axlegate/axlegate/wim"

// Chance gives, in permille, the probability that the true value is above the permitted one, for engineers who set up
// a site; no verdict, slip or dossier has it. Its assumptions: errors are normal with a standard deviation of half the
// maximum permissible error that was deducted, and nothing was known of the vehicle before (a flat prior). The table is
// of integers, so that every machine gives the same. A finding without a deduction is certain: 0 or 1000.
func Chance(f *wim.Finding) wim.Permille {
	over, deducted := int64(f.Measured)-int64(f.Permitted), int64(f.Deducted)
	if f.Size != (wim.Size{}) {
		over, deducted = int64(f.Size.Measured)-int64(f.Size.Permitted), int64(f.Size.Deducted)
	}
	switch {
	case deducted <= 0 && over > 0:
		return 1000
	case deducted <= 0:
		return 0
	}
	below := over < 0
	if below {
		over = -over
	}
	p := normal(over * 2 * zSteps / deducted)
	if below {
		p = 1000 - p
	}
	return p
}

// zSteps is the table's resolution: steps of a standard deviation.
const zSteps = 20

// normal gives the standard normal distribution at so many steps above its middle, in permille.
func normal(z int64) wim.Permille {
	table := [...]wim.Permille{
		500, 520, 540, 560, 579, 599, 618, 637, 655, 674, 691, 709,
		726, 742, 758, 773, 788, 802, 816, 829, 841, 853, 864, 875,
		885, 894, 903, 911, 919, 926, 933, 939, 945, 951, 955, 960,
		964, 968, 971, 974, 977, 980, 982, 984, 986, 988, 989, 991,
		992, 993, 994, 995, 995, 996, 997, 997, 997, 998, 998, 998,
		999, 999, 999, 999, 999, 999, 1000, 1000, 1000, 1000, 1000,
	}
	return table[min(z, int64(len(table)-1))]
}
