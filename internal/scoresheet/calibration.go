package scoresheet

import (
	"fmt"
	"html/template"
	"io"
	"math"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/calibration"
)

// WriteCalibration draws what a calibration changes: the error of each pass of a test truck as told, and with the factors of the
// other passes.
func WriteCalibration(w io.Writer, head Head, c *calibration.Calibration, passes []calibration.Pass, f *calibration.Fitted) error {
	t, err := template.New("calibration.html").Funcs(template.FuncMap{
		"t": both, "factor": func(p calibration.PPM) string { return fmt.Sprintf("%.5f", float64(p)/1e6) },
		"kmh":     func(v wim.DeciKmh) string { return fmt.Sprintf("%g", float64(v)/10) },
		"celsius": func(d wim.DeciKelvin) string { return fmt.Sprintf("%.0f", float64(d)/10-273.15) },
		"sensor": func(s calibration.Sensor) template.HTML {
			switch s {
			case calibration.Left:
				return both("左", "left")
			case calibration.Right:
				return both("右", "right")
			case calibration.Whole:
			}
			return both("整台", "whole")
		},
	}).ParseFS(files, "calibration.html", "style.html")
	if err != nil {
		return fmt.Errorf("calibration sheet: %w", err)
	}
	return t.Execute(w, struct {
		Head
		*calibration.Calibration
		Before, After template.HTML
		Passes, Out   int
	}{head, c, scatter(passes, f.Before, "校准前", "before"), scatter(passes, f.After, "校准后", "after"), len(passes), f.Unused})
}

// scatter draws errors over the speed. Both pictures of a page have one scale: what lies beyond ±15 % stands at its edge.
func scatter(passes []calibration.Pass, errors []float64, zh, en string) template.HTML {
	const reach = 15.0
	top := 40.0
	for i := range passes {
		top = max(top, math.Ceil(float64(passes[i].Speed)/100)*10)
	}
	d := &drawing{w: 480, h: 290}
	a := &axes{left: 44, top: 26, right: 466, bottom: 236, x0: 0, x1: top, y0: -reach, y1: reach}
	for v := -reach; v <= reach; v += 5 {
		d.line(map[bool]string{true: "zero", false: "grid"}[v == 0], a.left, a.y(v), a.right, a.y(v))
		d.text("end", a.left-6, a.y(v)+4, tick(v))
	}
	for v := 0.0; v <= top; v += 20 {
		d.text("middle", a.x(v), a.bottom+16, fmt.Sprintf("%g", v))
	}
	d.line("axis", a.left, a.bottom, a.right, a.bottom)
	for i := range passes {
		if !math.IsNaN(errors[i]) {
			d.add(`<circle class="dot soft" cx="%.1f" cy="%.1f" r="3.5"/>`, a.x(float64(passes[i].Speed)/10), a.y(max(-reach, min(reach, errors[i]))))
		}
	}
	d.words("start", a.left, 16, zh, en)
	d.words("middle", (a.left+a.right)/2, a.bottom+34, "车速 km/h；纵轴：总质量误差 %", "speed, km/h; upwards: error of the gross mass, %")
	return d.svg(zh, en)
}
