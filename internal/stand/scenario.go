package stand

const scenarioTemplate = `# Simulated hardware of site {{.SiteConfig.Site}}.
site: {{.SiteConfig.Site}}
seed: {{.Seed}}
control: {{.Control}}
traffic:
  per_minute: {{.PerMinute}}
  vehicles: {{.Vehicles}}
  fleet: {{if .Fleet}}{{.Fleet}}{{else}}120{{end}}
  overloaded_permille: {{.Overloaded}}
  unregistered_permille: 60
  speedup: {{if .Speedup}}{{.Speedup}}{{else}}1{{end}}
lanes:
{{- $cameras := .CamerasListen}}
{{- range .Lanes}}
  - lane: {{.Lane}}
{{- if .Ring}}
    scale_modbus: {{.Ring}}
{{- else}}
    scale: {{.Link}}
{{- end}}
    front_camera: http://{{$cameras}}/camera/{{.FrontSecret}}
    rear_camera: http://{{$cameras}}/camera/{{.RearSecret}}
    sign: {{.Sign}}
{{- if .Laser}}
    laser: {{.Laser}}
{{- end}}
{{- end}}
{{- if .Checkpoint}}
checkpoints:
  - {name: static, push: "http://{{.Static}}/{{.StaticSecret}}", share_permille: {{.Checkpoint}}, after: 3s, misread_permille: 60, repeated_permille: 100}
{{- end}}
{{- if .Faults}}
faults:
  - {lane: 1, after: 4, every: 23, kind: garbage}
  - {lane: 1, after: 9, every: 41, kind: dropped-frame}
  - {lane: 2, after: 13, every: 67, kind: cable, for: 4s}
  - {lane: 2, after: 6, every: 29, kind: camera-late, for: 6s}
  - {lane: 2, after: 3, every: 31, kind: camera-no-plate}
  - {lane: 1, after: 7, every: 37, kind: camera-repeat}
{{- range .Lanes}}{{if .Ring}}
  - {lane: {{.Lane}}, after: 11, every: 31, kind: torn-ring}
  - {lane: {{.Lane}}, after: 15, every: 43, kind: late-reply, for: 1s}
  - {lane: {{.Lane}}, after: 20, every: 53, kind: silence, for: 4s}
  - {lane: {{.Lane}}, after: 25, every: 61, kind: restart}
{{- else}}
  - {lane: {{.Lane}}, after: 18, every: 47, kind: half-frame}
  - {lane: {{.Lane}}, after: 22, every: 59, kind: repeated-frame}
{{- end}}{{end}}
{{- end}}
`
