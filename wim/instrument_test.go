package wim_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

func TestAVerificationIsNoStatementOfConfidenceAndNoCalibration(t *testing.T) {
	for scheme, want := range map[string]bool{
		"JJG 907": true, "OIML R 134": true, "": true, "cos": true, "Cast": true, "校": true, "检定": true,
		"COST 323": false, "cost 323": false, "ASTM E1318": false, "by aStM": false, "factory Calibration": false, "校准": false, "JJG 907 校准": false,
	} {
		if got := wim.Verification(scheme); got != want {
			t.Errorf("%q: %t", scheme, got)
		}
	}
}

// slowly looks for each word by folding.
func slowly(scheme string) bool {
	for _, no := range []string{"cost", "astm", "calibrat", "校准"} {
		for i := 0; i+len(no) <= len(scheme); i++ {
			if strings.EqualFold(scheme[i:i+len(no)], no) {
				return false
			}
		}
	}
	return true
}

func TestPropertyAVerificationIsToldAsByFoldingLetters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scheme := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"co", "ſt", "ST", "st", "a", "A", "sT", "m", "M", "Calib", "rAt", "校", "准", "\xe6", "\xa0", "C", "\x00", "@", "!", "K"}), 0, 6).Draw(t, "scheme"), "")
		if got, want := wim.Verification(scheme), slowly(scheme); got != want {
			t.Fatalf("%q: %t, by folding %t", scheme, got, want)
		}
	})
}
