package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestACalibrationIsNamedByItsFileAndNeverTakenForAnotherScales(t *testing.T) {
	const text = `{"format":1,"version":"7","site":"north-1","lane":1,"device":"scale-1","from":"","to":"","cells":[{"sensor":"whole","speed_min_dkmh":0,"speed_max_dkmh":900,"temperature_min_dk":0,"temperature_max_dk":0,"factor_ppm":1010000,"uncertainty_ppm":1000,"passes":10}]}`
	path := filepath.Join(t.TempDir(), "c.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var a wim.AppliedCalibration
	if err := nameCalibration(path, "scale-1", &a); err != nil || a.Version != "7" || a.Digest != wim.DigestOf([]byte(text)) {
		t.Errorf("%+v, %v", a, err)
	}
	if err := nameCalibration(path, "scale-2", &a); err == nil {
		t.Error("another scale's calibration is accepted")
	}
	if err := nameCalibration(path+"x", "scale-1", &a); err == nil {
		t.Error("a file that is not there is accepted")
	}
	if err := os.WriteFile(path, []byte(text[1:]), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := nameCalibration(path, "scale-1", &a); err == nil {
		t.Error("a broken file is accepted")
	}
}
