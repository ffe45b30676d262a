package arch

// The third-party modules that stand in the table more than once.
const (
	bitmapfont = "github.com/hajimehoshi/bitmapfont/v3"
	gobus      = "go.bug.st/serial"
	goburrow   = "github.com/goburrow/modbus"
	huma       = "github.com/danielgtaylor/huma/v2"
	jose       = "github.com/go-jose/go-jose/v4"
	kong       = "github.com/alecthomas/kong"
	nats       = "github.com/nats-io/nats-server/v2"
	pgx        = "github.com/jackc/pgx/v5"
	paho       = "github.com/eclipse/paho.mqtt.golang"
	prometheus = "github.com/prometheus/client_golang"
	scs        = "github.com/alexedwards/scs/v2"
	simonvet   = "github.com/simonvetter/modbus"
	sqlite     = "modernc.org/sqlite"
	yaml       = "github.com/goccy/go-yaml"
)

// House is the import table of this module.
func House() Table {
	return Table{
		Rooms:   rooms(),
		Powers:  powers(),
		AnyTest: []string{"pgregory.net/rapid"},
		// What a court relies on depends on nothing but its arguments.
		Timeless: []string{"wim", "rules"},
	}
}

func rooms() []Room {
	return []Room{
		// Vocabulary and judgement.
		{Path: "wim"},
		{Path: "wim/accuracy", Ours: []string{"wim"}},
		{
			Path: "wim/signal", Ours: []string{"wim"}, Tests: []string{"simulator/physics"},
			Why: "Its tests weigh what the physics of the simulator does to strips, whose truth is known.",
		},
		{Path: "wim/calibration", Ours: []string{"wim", "wim/accuracy"}},
		{Path: "wim/seal", Ours: []string{"wim"}, Foreign: []string{jose}},
		{Path: "rules", Ours: []string{"internal/conf", "wim"}},
		{
			Path: "configs", Tests: []string{yaml, "internal/testenv"},
			Why: "Its tests read alert rules as Prometheus does and have promtool try them.",
		},

		// Between site and centre.
		{Path: "uplink"},
		{
			Path: "uplink/mqtt", Ours: []string{"uplink"}, Foreign: []string{paho},
			Tests: []string{"internal/freeport", "internal/testenv", "uplink/broker", "uplink/linktest"},
			Why:   "Its tests run both ends against real brokers over a link that is cut.",
		},
		{Path: "uplink/broker", Ours: []string{"uplink"}, Foreign: []string{nats}},
		{Path: "uplink/linktest"},

		// The site.
		{
			Path: "edge", Ours: []string{"edge/journal", "rules", "uplink", "wim", "wim/calibration", "wim/seal"}, Foreign: []string{prometheus, "golang.org/x/sys"},
			Tests: []string{"internal/testenv"},
			Why:   "Of rules it asks only that a set fits its Judge; of uplink only how segments are packed. Its tests fill real disks.",
		},
		{
			Path: "edge/parcel", Ours: []string{"edge", "internal/conf", "rules", "wim", "wim/seal"}, Foreign: []string{prometheus},
			Tests: []string{"configs"},
			Why:   "Its tests send down the rule set that ships.",
		},
		{
			Path: "edge/board", Ours: []string{"edge", "internal/signin", "internal/web", "wim"}, Foreign: []string{scs},
			Why: "The site's page, for whom a site is what it shows and takes in.",
		},
		{
			Path: "edge/journal", Ours: []string{"wim", "wim/seal"}, Foreign: []string{sqlite}, Tests: []string{"github.com/ncruces/go-sqlite3"},
			Why: "Its tests run it on an SQLite whose file system fails and loses power at every step.",
		},
		{
			Path: "drivers/serial", Ours: []string{"wim"}, Foreign: []string{gobus},
			Tests: []string{"drivers/scaletest", "internal/freeport", "simulator", "internal/pty"},
			Why:   "Its tests need a line that can be pulled, a pseudo-terminal or a socket; on it they also meet the simulator's indicators.",
		},
		{Path: "drivers/inbox", Tests: []string{"internal/freeport"}},
		{Path: "drivers/page", Ours: []string{"wim"}},
		{
			Path: "drivers/profile", Ours: []string{"drivers/inbox", "drivers/page", "internal/conf", "wim"},
			Tests: []string{"configs", "internal/freeport", "simulator"},
			Why:   "Its tests read the page that ships, and hear the simulator's unit.",
		},
		{
			Path: "drivers/record", Ours: []string{"drivers/inbox", "drivers/page", "internal/conf", "wim"},
			Tests: []string{"configs", "drivers/scaletest", "internal/freeport"},
			Why:   "Its tests read the pages that ship.",
		},
		{
			Path: "drivers/strips", Ours: []string{"wim", "wim/signal"}, Tests: []string{"simulator", "simulator/physics"},
			Why: "Its tests weigh what the simulator's strips sampled.",
		},
		{
			Path: "drivers/contact", Ours: []string{"drivers/modbus", "wim"}, Tests: []string{"internal/freeport", simonvet},
			Why: "Its tests read a module that another maker's server plays.",
		},
		{
			Path: "drivers/weighbridge", Ours: []string{"wim"}, Tests: []string{"drivers/serial", "simulator"},
			Why: "Its tests weigh what the simulator's terminal shows on a line.",
		},
		{
			Path: "drivers/toll", Ours: []string{"drivers/inbox", "drivers/page", "internal/conf", "wim"},
			Tests: []string{"configs", "internal/freeport"},
			Why:   "Its tests read the pages that ship.",
		},
		{
			Path: "drivers/scaletest", Ours: []string{"wim"}, Foreign: []string{"pgregory.net/rapid"},
			Why: "It is for tests only; no room has an arrow to it outside tests.",
		},
		{
			Path: "drivers/modbus", Foreign: []string{goburrow, gobus},
			Tests: []string{"internal/freeport", "internal/pty", simonvet},
			Why:   "The other end in its tests is another library, or a slave on a pseudo-terminal, so that two implementations meet.",
		},
		{
			Path: "drivers/modbusscale", Ours: []string{"drivers/modbus", "internal/conf", "wim"},
			Tests: []string{"configs", "drivers/scaletest", "internal/freeport", "internal/pty", simonvet},
			Why:   "As drivers/modbus; its tests load the profile that ships.",
		},
		{
			Path: "drivers/indicator", Ours: []string{"drivers/modbus", "internal/conf", "wim"},
			Tests: []string{"configs", "internal/freeport", "internal/testenv", "simulator", "internal/pty", simonvet},
			Why:   "As drivers/modbusscale; on the wires of its tests it also meets the simulator and a server in another language.",
		},
		{
			Path: "drivers/sign", Ours: []string{"drivers/modbus", "internal/conf", "wim"},
			Tests: []string{"internal/freeport", simonvet},
			Why:   "As drivers/modbus.",
		},
		{
			Path: "drivers/camera", Ours: []string{"wim"}, Foreign: []string{"golang.org/x/time"},
			Tests: []string{"drivers/cameratest", "simulator"},
			Why:   "Its tests meet the simulator's cameras on a socket, each format written twice.",
		},
		{
			Path: "drivers/cameratest", Ours: []string{"wim"},
			Why: "It is for tests only; no room has an arrow to it outside tests.",
		},
		{Path: "drivers/thermometer", Ours: []string{"wim"}},
		{
			Path: "drivers/tpm", Foreign: []string{"github.com/google/go-tpm"},
			Tests: []string{"internal/testenv", "wim", "wim/seal"},
			Why:   "Its tests sign with a TPM in software what wim/seal verifies.",
		},

		// The centre.
		{Path: "center", Ours: []string{"wim"}},
		{
			Path: "center/store", Ours: []string{"center", "wim", "wim/seal"}, Foreign: []string{pgx, sqlite},
			Tests: []string{"center/store/storetest", "internal/testenv"},
			Why:   "One contract for both forms, on a real PostgreSQL.",
		},
		{
			Path: "center/store/storetest", Ours: []string{"center", "center/store", "wim", "wim/seal"},
			Why: "It is for tests only; no room has an arrow to it outside tests.",
		},
		{
			Path: "center/intake", Ours: []string{"center", "center/picture", "center/store", "uplink", "wim", "wim/seal"}, Foreign: []string{prometheus, "golang.org/x/time"},
			Tests: []string{"center/store/storetest", "uplink/broker", "uplink/linktest", "uplink/mqtt"},
			Why: "Of center/store and center/picture it takes words and errors; both stand behind interfaces of its own. " +
				"Its tests let centres take slots over from each other on a real broker.",
		},
		{
			Path: "center/review", Ours: []string{"center", "rules", "wim", "wim/seal"}, Foreign: []string{prometheus},
			Tests: []string{"center/intake", "center/store", "center/store/storetest", "configs", "uplink"},
			Why:   "Its tests review a real store that the intake fills, by the rule set that ships, and kill both.",
		},
		{Path: "center/picture", Ours: []string{"wim"}},
		{
			Path: "center/dossier", Ours: []string{"center", "rules", "wim", "wim/seal"}, Tests: []string{"internal/testenv"},
			Why: "Its tests follow the expert's page with openssl, jq and unzip.",
		},
		{Path: "center/downlink", Ours: []string{"center", "wim", "wim/seal"}, Foreign: []string{prometheus, "golang.org/x/time"}},
		{Path: "center/api", Ours: []string{"center", "wim"}, Foreign: []string{huma, "golang.org/x/time"}},
		{
			Path: "center/console", Ours: []string{"center", "internal/signin", "internal/web", "wim"},
			Foreign: []string{scs, prometheus},
			Tests:   []string{"golang.org/x/net"},
			Why:     "Its tests read the pages as a browser would: as a tree, not as text.",
		},

		// Simulated hardware: words only, never drivers or rules, so that two encoders meet on a wire.
		{Path: "simulator/physics"},
		{
			Path: "simulator", Ours: []string{"internal/capture", "internal/conf", "internal/freeport", "internal/pty", "simulator/physics", "wim"},
			Foreign: []string{bitmapfont, simonvet, "golang.org/x/image", "golang.org/x/sync", "golang.org/x/sys"},
			Tests:   []string{"internal/testenv"},
			Why:     "Its tests read its instruments with another maker's master.",
		},

		// What pages share, and strict configuration.
		{Path: "internal/capture"},
		{Path: "internal/pty", Foreign: []string{"golang.org/x/sys", "golang.org/x/term"}},
		{Path: "internal/conf", Foreign: []string{yaml}},
		{Path: "internal/signin", Foreign: []string{"golang.org/x/crypto", "golang.org/x/time"}},
		{Path: "internal/web", Ours: []string{"wim"}, Foreign: []string{"golang.org/x/text"}},

		// What a certificate names of the software.
		{Path: "internal/legal", Ours: []string{"wim"}},

		{Path: "internal/scoresheet", Ours: []string{"internal/scoring", "internal/web", "wim", "wim/accuracy", "wim/calibration"}},
		// Truth and records meet here, and the law that both are judged by stands behind an interface.
		{Path: "internal/scoring", Ours: []string{"wim", "wim/accuracy"}, Tests: []string{"configs", "rules"}, Why: "Its tests judge by the rule set that ships."},

		// Wiring: the one room that knows all others.
		{
			Path: "internal/daemon",
			Ours: []string{
				"center", "center/api", "center/console", "center/dossier", "center/downlink", "center/intake", "center/picture", "center/review", "center/store", "configs", "drivers/camera",
				"drivers/contact", "drivers/inbox", "drivers/indicator", "drivers/modbus", "drivers/modbusscale", "drivers/profile", "drivers/record", "drivers/serial", "drivers/sign", "drivers/strips", "drivers/thermometer", "drivers/toll", "drivers/tpm", "drivers/weighbridge", "edge", "edge/board", "edge/journal", "edge/parcel", "internal/conf", "internal/legal", "internal/scoring", "rules", "simulator", "uplink", "uplink/broker",
				"uplink/mqtt", "wim", "wim/accuracy", "wim/calibration", "wim/seal",
			},
			Foreign: []string{prometheus, "golang.org/x/sync"},
			Tests:   []string{"internal/stand", "internal/testenv"},
			Why:     "Its tests check a whole stand, and starts on a disk that takes no writes.",
		},
		{
			Path: "internal/stand", Ours: []string{"center", "internal/freeport", "internal/signin", "wim", "wim/seal"},
		},
		{Path: "cmd/axlegate-center", Ours: []string{"internal/daemon"}, Foreign: []string{kong}},
		{Path: "cmd/axlegate-edge", Ours: []string{"internal/daemon"}, Foreign: []string{kong}},
		{Path: "cmd/axlegate-sim", Ours: []string{"internal/daemon", "simulator", "simulator/physics", "wim"}, Foreign: []string{kong, "golang.org/x/term"}},
		{
			Path: "cmd/axlegate", Ours: []string{
				"center", "center/dossier", "configs", "drivers/camera", "drivers/indicator", "drivers/modbus", "drivers/modbusscale", "drivers/profile", "drivers/record", "drivers/serial", "drivers/strips", "drivers/toll", "drivers/tpm", "edge/journal", "internal/capture", "internal/conf",
				"internal/daemon", "internal/scoresheet", "internal/scoring", "internal/signin", "internal/stand", "internal/web", "rules", "simulator", "wim", "wim/accuracy", "wim/calibration", "wim/seal",
			},
			Foreign: []string{kong, "golang.org/x/sync", "golang.org/x/term"},
			Tests:   []string{"internal/freeport", "simulator/physics", "internal/pty"},
			Why:     "The toolbox reads journals, keys, password hashes and what devices sent itself, and asks devices on the bench; it starts daemons through internal/daemon.",
		},

		// What proves the rest.
		{Path: "internal/arch"},
		{Path: "internal/audit", Ours: []string{"wim"}},
		{Path: "internal/bench", Proves: true},
		{Path: "internal/browsertest", Proves: true},
		{Path: "internal/chaos", Proves: true},
		{Path: "internal/e2e", Proves: true},
		{Path: "internal/freeport"},
		{Path: "internal/testenv", Ours: []string{"internal/freeport"}},
		{Path: "internal/testenv/install", Ours: []string{"internal/testenv"}},
	}
}

func powers() []Power {
	return []Power{
		{Name: "SQL", Imports: []string{"database/sql", pgx, sqlite}, Rooms: []string{"center/store", "edge/journal"}},
		{Name: "MQTT", Imports: []string{paho}, Rooms: []string{"uplink/mqtt"}},
		{Name: "the broker", Imports: []string{nats}, Rooms: []string{"uplink/broker"}},
		{Name: "signing", Imports: []string{jose}, Rooms: []string{"wim/seal"}},
		{Name: "HTML", Imports: []string{"html/template"}, Rooms: []string{"center/console", "edge/board", "internal/scoresheet", "internal/web"}},
		{Name: "the serial line", Imports: []string{gobus}, Rooms: []string{"drivers/modbus", "drivers/serial"}},
	}
}
