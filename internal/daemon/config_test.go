package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/wim"
)

const samples = "../../configs/samples/"

func TestTheSamplesAreGood(t *testing.T) {
	if _, err := LoadEdge(samples + "edge.yaml"); err != nil {
		t.Error(err)
	}
	for _, file := range []string{"center.yaml", "center-cluster.yaml"} {
		if _, err := LoadCenter(samples + file); err != nil {
			t.Error(err)
		}
	}
	if err := CheckScenario(samples + "scenario.yaml"); err != nil {
		t.Error(err)
	}
	for file, want := range map[string]string{"edge.yaml": "edge", "center.yaml": "center", "scenario.yaml": "scenario"} {
		if kind, err := KindOf(samples + file); err != nil || kind != want {
			t.Errorf("%s is told as %q, %v", file, kind, err)
		}
	}
}

func TestAMistakeInAConfigurationIsNamed(t *testing.T) {
	load := map[string]func(string) error{
		"edge.yaml":           func(p string) error { _, err := LoadEdge(p); return err },
		"center.yaml":         func(p string) error { _, err := LoadCenter(p); return err },
		"center-cluster.yaml": func(p string) error { _, err := LoadCenter(p); return err },
	}
	for _, c := range []struct{ name, file, from, to, want string }{
		{"a typo in a key", "edge.yaml", "    purpose: enforcement", "    purpos: enforcement", `did you mean "purpose"`},
		{"an unknown purpose", "edge.yaml", "purpose: enforcement", "purpose: fun", "want enforcement, test"},
		{"a device used twice", "edge.yaml", "device: sign-1", "device: scale-1", "used twice"},
		{"a certificate that ends before it begins", "edge.yaml", "valid_until: 2027-02-28", "valid_until: 2025-02-28", "valid_until is not after valid_from"},
		{"a certificate without an error to deduct", "edge.yaml", "mass_error_permille: 50 ", "mass_error_permille: 0 ", "deducted before any finding"},
		{"a certificate that certifies a confidence", "edge.yaml", "scheme: JJG 907", "scheme: COST 323", "not a verification"},
		{"half a range of temperatures", "edge.yaml", "        division_kg: 20\n", "        division_kg: 20\n        temperature_min_c: -10\n", "belong together"},
		{"temperatures of no road", "edge.yaml", "        division_kg: 20\n", "        division_kg: 20\n        temperature_min_c: 40\n        temperature_max_c: -10\n", "no range of road temperatures"},
		{"a direction that there is not", "edge.yaml", "        division_kg: 20\n", "        division_kg: 20\n        directions: [up]\n", "want with or against"},
		{"a calibration that nobody applied", "edge.yaml", "      serial: \"0815\"\n", "      serial: \"0815\"\n      calibration: {file: c.json}\n", "when a person entered"},
		{"a lane beside itself", "edge.yaml", "beside: [1]", "beside: [2]", "not another lane"},
		{"speeds that are no range", "edge.yaml", "      speed_min_dkmh: 50        # an", "      speed_min_dkmh: 5000        # an", "want a range"},
		{"a message that waits for ever", "edge.yaml", "pause: 3s", "reorder: 1h", "want at most 2s"},
		{"a date that is none", "edge.yaml", "valid_from: 2026-03-01", "valid_from: 1.3.2026", "want a date such as"},
		{"no key of the centre", "edge.yaml", "  receipt_keys: [center.pem.pub]\n", "", "no receipt can be believed"},
		{"a site that is no name", "edge.yaml", "site: north-1", "site: North 1", "only a-z, 0-9"},
		{"a camera at no end", "edge.yaml", "end: rear", "end: left", "want front or rear"},
		{"a camera that is asked and pushes", "edge.yaml", "end: rear", "end: rear, address: \"http://192.0.2.31\"", "has no secret_file"},
		{"a camera without a way to it", "edge.yaml", "secret_file: camera-1-rear.secret", "format: hikvision", "secret_file is missing"},
		{"a camera of another maker that is asked", "edge.yaml", "secret_file: camera-1-rear.secret", "format: dahua, address: \"http://192.0.2.31\"", "only hikvision"},
		{"a camera whose password nobody asks for", "edge.yaml", "end: rear", "end: rear, username: u, password_file: p", "and with auth"},
		{"a camera with an auth that there is not", "edge.yaml", "end: rear", "end: rear, auth: ntlm", "want basic or digest"},
		{"a camera that pushes and has a ca_file", "edge.yaml", "end: rear", "end: rear, ca_file: x", "ca_file goes with address"},
		{"a camera of an unknown format", "edge.yaml", "end: rear", "end: rear, format: morse", "want one of hikvision, dahua"},
		{"a camera in a zone that there is not", "edge.yaml", "end: rear", "end: rear, zone: Mars", "write it as Asia/Shanghai"},
		{"a camera whose pushes may be endless", "edge.yaml", "end: rear", "end: rear, max_body_mb: 65", "want 1 to 64"},
		{"a clock that nobody keeps", "edge.yaml", "clock: system", "clock: sundial", "want system or host"},
		{"a simulated clock without its file", "edge.yaml", "clock: system", "clock: simulated", "clock_file goes with clock: simulated"},
		{"a clock file that nobody reads", "edge.yaml", "clock: system", "clock_file: x", "clock_file goes with clock: simulated"},
		{"a kind of scale that there is not", "edge.yaml", "kind: modbus", "kind: radar", `edge.yaml:65:13: lanes[1].scale.kind: "radar" is not known; there is: serial, modbus, record`},
		{"a Modbus scale that is not said to be one", "edge.yaml", "      kind: modbus              # serial when left out; record for a controller that sends whole vehicles: docs/devices/record.md\n", "", "lanes[1].scale.kind: is missing; a scale with an address is of kind modbus"},
		{"a Modbus scale with a line", "edge.yaml", "unit: 1\n", "path: /dev/ttyS0\n", "edge.yaml:67:13: lanes[1].scale.path: has no meaning for a scale on Modbus with an address"},
		{"a Modbus scale without an address", "edge.yaml", "address: 192.0.2.30:502 ", "address: \"\" ", "lanes[1].scale.address: is missing"},
		{"a Modbus scale in a dialect", "edge.yaml", "profile: axle-ring-tcp", "dialect: af1", "lanes[1].scale.dialect: has no meaning for a scale on Modbus"},
		{"a Modbus scale without a port", "edge.yaml", "address: 192.0.2.30:502", "address: 192.0.2.30", "edge.yaml:66:16: lanes[1].scale.address"},
		{"a serial scale with a register profile", "edge.yaml", "dialect: af1", "profile: axle-ring-tcp", "lanes[0].scale.profile: has no meaning for a serial scale"},
		{"a serial scale without a line", "edge.yaml", "      path: /dev/serial/by-id/usb-scale-1\n", "", "lanes[0].scale.path: is missing; name the port"},
		{"strips without an address", "edge.yaml", "      path: /dev/serial/by-id/usb-scale-1\n      baud: 115200\n      dialect: af1", "      kind: strips\n      strips: {threshold: 60}", "strips.address"},
		{"strips that cannot be", "edge.yaml", "      path: /dev/serial/by-id/usb-scale-1\n      baud: 115200\n      dialect: af1", "      kind: strips\n      strips: {address: \"192.0.2.60:5030\", threshold: 60, rows: [{position_mm: 0, left: 0}], factors: [1]}", "1 rows"},
		{"strips with a certificate", "edge.yaml", "      path: /dev/serial/by-id/usb-scale-1\n      baud: 115200\n      dialect: af1",
			"      kind: strips\n      strips: {address: \"192.0.2.60:5030\", threshold: 60, rows: [{position_mm: 0, left: 0}, {position_mm: 3000, left: 1}], factors: [1, 1]}", "has no type approval"},
		{"a toll system without a page", "edge.yaml", "    page: toll-open ", "    page: \"\" ", "systems[0].page is missing"},
		{"a toll system with two ways", "edge.yaml", "folder: static-1", "folder: static-1\n    topic: a/b\n    broker: \"tcp://127.0.0.1:1883\"", "want one of folder, listen and topic"},
		{"a toll system with the name of a device", "edge.yaml", "system: static-1", "system: scale-1", "the name of another system or device"},
		{"a toll system that waits for days", "edge.yaml", "before: 2h", "before: 48h", "want at most 24h"},
		{"a secret for a folder", "edge.yaml", "folder: static-1", "folder: static-1\n    secret_file: x", "secret_file goes with listen"},
		{"a board at no address", "edge.yaml", "  listen: 127.0.0.1:9104", "  listen: \"\"", "board.listen is missing"},
		{"a board that nobody could sign in to", "edge.yaml", "    - {login: chen, name: Chen, hash_file: chen.hash}", "", "board.staff is missing"},
		{"staff without a password", "edge.yaml", ", hash_file: chen.hash", "", "login and hash_file are needed"},
		{"a board in a zone that there is not", "edge.yaml", "  zone: Asia/Shanghai\n  staff", "  zone: Mars\n  staff", "board.zone"},
		{"no site at all", "center.yaml", "sites:\n  - site: north-1\n    region: 51/5101/510104/north\n    keys: [north-1.pem.pub]\n    password_file: north-1.password\n", "", "nobody could send"},
		{"a region that does not exist", "center.yaml", "region: 51/5101/510104/north\n", "region: 51/5101/510104/south\n", "not listed under regions"},
		{"an officer of a region that does not exist", "center.yaml", "region: 51/5101/510104, hash", "region: 99, hash", "not listed under regions"},
		{"a region in nothing", "center.yaml", "path: 51/5101, zh", "path: 52/5101, zh", "which is not listed"},
		{"a region twice", "center.yaml", "path: 51/5101/510104, zh", "path: 51/5101, zh", "listed twice"},
		{"a role that there is not", "center.yaml", "role: auditor", "role: emperor", "want enforcer, administrator or auditor"},
		{"an auditor of one authority", "center.yaml", "role: auditor", "role: auditor, competence: traffic-police", "belongs to no authority"},
		{"two brokers at once", "center-cluster.yaml", "  url: tls", "  listen: 127.0.0.1:1883\n  url: tls", "keep one of them"},
		{"no broker at all", "center-cluster.yaml", "  url: tls://broker.example:8883\n", "", "is needed"},
		{"a password for another broker's list", "center-cluster.yaml", "    keys: [north-1.pem.pub]", "    password_file: x\n    keys: [north-1.pem.pub]", "has its own list"},
		{"a password in the configuration", "center-cluster.yaml", "  postgres_file: store.url", "  postgres: postgres://a:b@c/d", "postgres_file"},
		{"an officer of no authority", "center.yaml", "competence: traffic-police, region", "competence: navy, region", "want road-administration or traffic-police"},
		{"a login twice", "center.yaml", "login: wang", "login: li", "listed twice"},
		{"a zone that there is not", "center.yaml", "zone: Asia/Shanghai", "zone: Asia/Atlantis", "use a name such as"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := os.ReadFile(samples + c.file)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(string(b), c.from, c.to, 1)
			if text == string(b) {
				t.Fatal("the case changes nothing")
			}
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := load[c.file](path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
				t.Errorf("error %v, want the file's name and %q", err, c.want)
			}
		})
	}
}

func TestAScaleOnModbusMayStandOnALine(t *testing.T) {
	for _, c := range []struct {
		name, lines, want string
	}{
		{"a line", "path: /dev/ttyS1\n      parity: none\n      baud: 9600", ""},
		{"a line with a parity that there is not", "path: /dev/ttyS1\n      parity: mark", "want none, even or odd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ScaleConfig{Device: "scale-1", Kind: scaleModbus, Path: "/dev/ttyS1"}
			if err := conf.Decode("x.yaml", []byte("device: scale-1\nkind: modbus\n"+strings.ReplaceAll(c.lines, "      ", "")), &s); err != nil {
				t.Fatal(err)
			}
			if _, msg, _ := s.mistake(); msg != "" {
				t.Error(msg)
			}
			_, err := openScale(&EdgeConfig{}, &s, siteKnows{cursor: func(string) (wim.DeviceCursor, bool) { return wim.DeviceCursor{}, false }}, slog.New(slog.DiscardHandler))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestACameraIsOpenedAsItIsConfigured(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"cam.secret": "0123456789abcdef\n", "cam.password": "open sesame\n", "short.secret": "x\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "open.password"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, lines, want string }{
		{"one that pushes", "secret_file: cam.secret", ""},
		{"one of another maker", "secret_file: cam.secret\nformat: dahua\nzone: Asia/Shanghai\nmax_body_mb: 20", ""},
		{"one that shows a password", "secret_file: cam.secret\nformat: dahua\nauth: digest\nusername: north\npassword_file: cam.password", ""},
		{"one that is asked", "address: http://192.0.2.31\nusername: admin\npassword_file: cam.password", ""},
		{"a secret that can be guessed", "secret_file: short.secret", "at least 16"},
		{"a password that others may read", "address: http://192.0.2.31\nusername: admin\npassword_file: open.password", "chmod 600"},
		{"a password that is not there", "secret_file: cam.secret\nauth: basic\nusername: admin\npassword_file: none", "mode 0600"},
		{"a certificate that is not there", "address: https://192.0.2.31\nca_file: none.pem", "none.pem"},
		{"an address that is none", "address: 192.0.2.31", "write it as http://192.0.2.31"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cam CameraConfig
			if err := conf.Decode("x.yaml", []byte("device: cam-1\nend: front\n"+c.lines), &cam); err != nil {
				t.Fatal(err)
			}
			err := cam.valid()
			if err == nil {
				_, err = openCamera(&EdgeConfig{dir: dir}, 1, &cam, slog.New(slog.DiscardHandler))
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestCheckOpensWhatAConfigurationNames(t *testing.T) {
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{{Site: "north-1", Road: "G5", PerMinute: 1, Ring: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	site := s.Sites[0]
	if err := CheckCenter(s.Center); err != nil {
		t.Error(err)
	}
	if err := CheckEdge(site.Edge); err == nil || !strings.Contains(err.Error(), "registrations.csv") {
		t.Errorf("a registration table that is not there: %v", err)
	}
	sim, closeTruth, err := NewSim(SimFiles{Scenario: site.Scenario, Registrations: site.Registrations}, Logging{}.Logger(os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	if sim.SignAddr(1) == "" {
		t.Error("lane 1 has no sign")
	}
	if err := closeTruth(); err != nil {
		t.Error(err)
	}
	if err := CheckEdge(site.Edge); err != nil {
		t.Error(err)
	}
	if cfg, err := LoadEdge(site.Edge); err != nil || cfg.Lanes[0].Scale.Kind != "" || cfg.Lanes[1].Scale.Kind != scaleModbus {
		t.Errorf("the stand's scales: %+v, %v", cfg.Lanes, err)
	}
	key := filepath.Join(s.Dir, "north-1.pem")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := CheckEdge(site.Edge); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
}

func TestACentreThatCannotStartSaysWhyAndLetsGo(t *testing.T) {
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{{Site: "north-1", Road: "G5", PerMinute: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := LoadCenter(s.Center)
	if err != nil {
		t.Fatal(err)
	}
	log := Logging{}.Logger(os.Stderr)
	first, err := NewCenter(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewCenter(t.Context(), cfg, log); err == nil || !strings.Contains(err.Error(), "web.listen") {
		t.Errorf("a second one on the same port: %v", err)
	}
	if err := first.close(); err != nil {
		t.Error(err)
	}
	again, err := NewCenter(t.Context(), cfg, log)
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	if err := again.close(); err != nil {
		t.Error(err)
	}
}

func TestAListenerThatOthersReachNeedsACertificate(t *testing.T) {
	for _, c := range []struct {
		addr string
		good bool
	}{{"127.0.0.1:1", true}, {"[::1]:1", true}, {"localhost:1", true}, {"0.0.0.0:1", false}, {"192.0.2.1:1", false}, {":1", false}, {"nonsense", false}} {
		if _, err := serverTLS("x", c.addr, "", ""); (err == nil) != c.good {
			t.Errorf("%s: %v", c.addr, err)
		}
	}
	if _, err := serverTLS("x", "127.0.0.1:1", "none.crt", "none.key"); err == nil {
		t.Error("a certificate that is not there was taken")
	}
	if _, err := clientTLS(samples + "edge.yaml"); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("a CA file without a certificate: %v", err)
	}
}

func TestAFileThatConfiguresNothingIsNotGuessed(t *testing.T) {
	for name, text := range map[string]string{"other keys": "colour: red\n", "a list": "- a\n", "nothing": "# empty\n", "broken": "a: [b\n"} {
		path := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if kind, err := KindOf(path); err == nil || !strings.Contains(err.Error(), "x.yaml") {
			t.Errorf("%s: told as %q, %v", name, kind, err)
		}
	}
}

func TestAnOfficerWhoIsNoLongerConfiguredCannotSignIn(t *testing.T) {
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{{Site: "north-1", Road: "G5", PerMinute: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	officers := func(cfg CenterConfig) (known []string) {
		c, err := NewCenter(t.Context(), cfg, Logging{}.Logger(os.Stderr))
		if err != nil {
			t.Fatal(err)
		}
		for _, login := range []string{"road", "police"} {
			if _, err := c.Store().Officer(t.Context(), login); err == nil {
				known = append(known, login)
			}
		}
		if err := c.close(); err != nil {
			t.Error(err)
		}
		return known
	}
	cfg, err := LoadCenter(s.Center)
	if err != nil {
		t.Fatal(err)
	}
	if got := officers(cfg); len(got) != 2 {
		t.Errorf("at first %v", got)
	}
	cfg.Officers = cfg.Officers[:1]
	if got := officers(cfg); len(got) != 1 || got[0] != "road" {
		t.Errorf("afterwards %v", got)
	}
}
