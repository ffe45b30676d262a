package arch

// The third-party modules that stand in the table more than once.
const (
	bitmapfont = "github.com/hajimehoshi/bitmapfont/v3"
	gobus      = "go.bug.st/serial"
	goburrow   = "github.com/goburrow/modbus"
	jose       = "github.com/go-jose/go-jose/v4"
	kong       = "github.com/alecthomas/kong"
	nats       = "github.com/nats-io/nats-server/v2"
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
		{Path: "wim/seal", Ours: []string{"wim"}, Foreign: []string{jose}},
		{
			Path: "rules", Ours: []string{"internal/conf", "wim"},
			Tests: []string{"configs"},
			Why:   "Its tests judge with the rule sets that ship.",
		},
		{Path: "configs"},

		// Between site and centre.
		{Path: "uplink"},
		{
			Path: "uplink/mqtt", Ours: []string{"uplink"}, Foreign: []string{paho},
			Tests: []string{"uplink/broker", "uplink/linktest"},
			Why:   "Both ends are proved on the real broker, over a link that a test can cut.",
		},
		{Path: "uplink/broker", Ours: []string{"uplink"}, Foreign: []string{nats}},
		{Path: "uplink/linktest"},

		// The site.
		{Path: "edge", Ours: []string{"edge/journal", "rules", "uplink", "wim", "wim/seal"}, Foreign: []string{prometheus}},
		{Path: "edge/journal", Ours: []string{"wim", "wim/seal"}, Foreign: []string{sqlite}},
		{Path: "drivers/serial", Ours: []string{"wim"}, Foreign: []string{gobus}},
		{Path: "drivers/modbus", Foreign: []string{goburrow}},
		{Path: "drivers/sign", Ours: []string{"drivers/modbus", "internal/conf", "wim"}},
		{Path: "drivers/camera", Ours: []string{"wim"}},

		// The centre.
		{Path: "center", Ours: []string{"wim"}},
		{Path: "center/store", Ours: []string{"center", "wim", "wim/seal"}, Foreign: []string{sqlite}},
		{Path: "center/intake", Ours: []string{"center/store", "uplink", "wim", "wim/seal"}},
		{Path: "center/review", Ours: []string{"center", "rules", "wim", "wim/seal"}},
		{Path: "center/picture", Ours: []string{"wim"}},
		{Path: "center/console", Ours: []string{"center", "internal/web", "wim"}, Foreign: []string{scs, "golang.org/x/crypto"}},

		// Simulated hardware: words only, never drivers or rules, so that two encoders meet on a wire.
		{Path: "simulator", Ours: []string{"internal/conf", "wim"}, Foreign: []string{bitmapfont, "github.com/creack/pty", simonvet, "golang.org/x/image"}},

		// Inside.
		{Path: "internal/arch"},
		{Path: "internal/conf", Foreign: []string{yaml}},
		{Path: "internal/web", Ours: []string{"wim"}},
	}
}

func powers() []Power {
	return []Power{
		{Name: "SQL", Imports: []string{"database/sql", sqlite}, Rooms: []string{"center/store", "edge/journal"}},
		{Name: "MQTT", Imports: []string{paho}, Rooms: []string{"uplink/mqtt"}},
		{Name: "the broker", Imports: []string{nats}, Rooms: []string{"uplink/broker"}},
		{Name: "signing", Imports: []string{jose}, Rooms: []string{"wim/seal"}},
		{Name: "HTML", Imports: []string{"html/template"}, Rooms: []string{"center/console", "internal/web"}},
		{Name: "the serial line", Imports: []string{gobus}, Rooms: []string{"drivers/serial"}},
	}
}
