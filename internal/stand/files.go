package stand

import (
	"cmp"
	"crypto/rand"
	"path/filepath"
	"time"

	"github.com/axlegate/axlegate/center"
)

// files is what the templates of one site are filled with.
type files struct {
	SiteConfig
	Site
	User          string // at the broker
	Broker, Web   string
	CamerasListen string
	Static        string // address that the checkpoint pushes to
	StaticSecret  string
	From, Until   string // certificate dates
	Lanes         []lane
	FaultList     bool
}

// lane is one lane in the templates.
type lane struct {
	Lane        int
	Link        string // the path of a serial scale
	Ring        string // the address of a scale on Modbus, instead
	Laser       string // the address of a unit that measures sizes; empty for none
	Sign        string // the sign's address
	FrontSecret string
	RearSecret  string
	Uncertified bool
}

func (b *builder) site(c SiteConfig, broker, web string) Site {
	name := string(c.Site)
	at := func(file string) string { return filepath.Join(b.dir, name+"-"+file) }
	s := Site{
		Site: c.Site, Region: center.Region(county + "/" + name), Edge: at("edge.yaml"), Scenario: at("scenario.yaml"), Truth: at("truth.ndjson"),
		Registrations: at("registrations.csv"), Journal: filepath.Join(b.dir, name, "journal.db"),
		Listen: b.port(), Control: b.port(), Board: b.port(),
		Staff: Officer{Login: "staff", Name: "站员 Chen"},
	}
	b.signIn(&s.Staff, name+"-staff.hash")
	b.key(name + ".pem")
	user, password := name, rand.Text()
	if b.user != "" {
		user, password = b.user, b.password
	}
	b.secret(name+".password", password)
	told := ""
	if c.Checkpoint > 0 {
		told = rand.Text()
		b.secret(name+"-static.secret", told)
	}
	now := time.Now().UTC()
	f := files{SiteConfig: c, Site: s, User: user, Broker: broker, Web: web, CamerasListen: b.port(), Static: b.port(), StaticSecret: told,
		From: now.AddDate(0, -3, 0).Format(time.DateOnly), Until: now.AddDate(0, 9, 0).Format(time.DateOnly)}
	for n := 1; n <= cmp.Or(c.Lanes, 2); n++ {
		l := lane{Lane: n, Link: filepath.Join(b.dir, name, "dev", "scale-"+string(rune('0'+n))), Sign: b.port(),
			FrontSecret: rand.Text(), RearSecret: rand.Text(), Uncertified: n == 2}
		if n == c.Ring {
			l.Link, l.Ring = "", b.port()
		}
		if n == c.Laser {
			l.Laser = b.port()
		}
		b.secret(name+"-camera-"+string(rune('0'+n))+"-front.secret", l.FrontSecret)
		b.secret(name+"-camera-"+string(rune('0'+n))+"-rear.secret", l.RearSecret)
		f.Lanes = append(f.Lanes, l)
	}
	b.write(name+"-edge.yaml", edgeTemplate, f)
	b.write(name+"-scenario.yaml", scenarioTemplate, f)
	return s
}

// centerFile is what the template of one centre is filled with.
type centerFile struct {
	*Stand
	Instance string
	Data     string
	Listen   Center
}

// county is the region that all stations of the stand lie in.
const county = "51/5101/510104"

const centerTemplate = `# The centre of the test stand. Everything listens on loopback.
data: {{.Data}}
pictures: pictures
{{- if .Second.Config}}
instance: {{.Instance}}
{{- end}}
key: center.pem
title: Axlegate
zone: Asia/Shanghai
metrics_listen: {{.Listen.Metrics}}
web:
  listen: {{.Listen.Web}}
{{- if .Postgres}}
store:
  postgres_file: store.url
{{- end}}
broker:
{{- if .External}}
  url: tcp://{{.Broker}}
  username: {{.BrokerUser}}
  password_file: broker.password
{{- else}}
  listen: {{.Broker}}
{{- end}}
rules: [cn, cn-2016-62]
regions:
  - {path: "51", zh: 四川省, en: Sichuan}
  - {path: 51/5101, zh: 成都市, en: Chengdu}
  - {path: 51/5101/510104, zh: 锦江区, en: Jinjiang}
{{- range .Sites}}
  - {path: {{.Region}}, zh: {{.Site}} 超限检测站, en: Weigh station {{.Site}}}
{{- end}}
sites:
{{- $external := .External}}
{{- range .Sites}}
  - site: {{.Site}}
    region: {{.Region}}
    keys: [{{.Site}}.pem.pub]
{{- if not $external}}
    password_file: {{.Site}}.password
{{- end}}
{{- end}}
authorities:
  - {competence: road-administration, zh: 交通运输综合执法, en: Road administration}
  - {competence: traffic-police, zh: 公安交管, en: Traffic police}
officers:
{{- range .Officers}}
  - {login: {{.Login}}, name: {{.Name}}, role: {{.Role}}{{with .Competence}}, competence: {{.}}{{end}}, hash_file: {{.Login}}.hash}
{{- end}}
`

const edgeTemplate = `# Site {{.SiteConfig.Site}} of the test stand: lanes with simulated devices.
site: {{.SiteConfig.Site}}
data: {{.SiteConfig.Site}}
key: {{.SiteConfig.Site}}.pem
listen: {{.Listen}}
rules: cn
clock: host # the simulated hardware runs by this machine's clock, right or not
registrations: {{.SiteConfig.Site}}-registrations.csv
road:
  name: {{.Road}}
  class: class-1
center:
  broker: {{.Broker}}
  username: {{.User}}
  password_file: {{.SiteConfig.Site}}.password
  receipt_keys: [center.pem.pub]
  pictures: http://{{.Web}}
cameras:
  listen: {{.CamerasListen}}
board:
  listen: {{.Board}}
  zone: Asia/Shanghai
  staff:
    - {login: {{.Staff.Login}}, name: {{.Staff.Name}}, hash_file: {{.SiteConfig.Site}}-staff.hash}
lanes:
{{- $site := .SiteConfig.Site}}{{$from := .From}}{{$until := .Until}}
{{- range .Lanes}}
  - lane: {{.Lane}}
    scale:
      device: scale-{{.Lane}}
{{- if .Ring}}
      kind: modbus
      address: {{.Ring}}
{{- else}}
      path: {{.Link}}
{{- end}}
    instrument:
      maker: Axlegate
      model: simulated
      serial: "{{$site}}-{{.Lane}}"
{{- if not .Uncertified}}
      certificate:
        number: SIM-{{.Lane}}
        scheme: JJG 907
        class: "5"
        mass_error_permille: 50
        axle_error_permille: 80
        valid_from: {{$from}}
        valid_until: {{$until}}
        lanes: [{{.Lane}}]
        speed_min_dkmh: 50
        speed_max_dkmh: 1000
        min_kg: 1000
        max_kg: 100000
        division_kg: 20
        zone: Asia/Shanghai
{{- end}}
    cameras:
      - {device: camera-{{.Lane}}-front, end: front, secret_file: {{$site}}-camera-{{.Lane}}-front.secret}
      - {device: camera-{{.Lane}}-rear, end: rear, secret_file: {{$site}}-camera-{{.Lane}}-rear.secret}
    sign: {device: sign-{{.Lane}}, address: "{{.Sign}}"}
{{- if .Laser}}
    laser:
      device: laser-{{.Lane}}
      address: {{.Laser}}
      code: "{{.Lane}}"
      silence: 10s
      certificate: {number: "LASER-{{.Lane}}", max_error_mm: 60, valid_from: {{$from}}, valid_until: {{$until}}, zone: Asia/Shanghai}
{{- end}}
{{- end}}
{{- if .Checkpoint}}
systems:
  - {system: static, page: toll-open, listen: {{.Static}}, secret_file: {{.SiteConfig.Site}}-static.secret, before: 10m, arrives_within: 45s}
{{- end}}
`
