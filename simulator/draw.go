package simulator

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"strings"
	"time"

	"github.com/hajimehoshi/bitmapfont/v3"
	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

// Colours of a plate and of the scene.
func plateYellow() color.RGBA { return color.RGBA{0xF7, 0xC4, 0x1F, 0xFF} }
func ink() color.RGBA         { return color.RGBA{0x12, 0x12, 0x12, 0xFF} }

const sceneW, sceneH = 960, 640

// painter draws pictures of one camera. It is used by one goroutine.
type painter struct {
	front      bool
	background *image.RGBA
}

func newPainter(front bool) *painter {
	p := &painter{front: front, background: image.NewRGBA(image.Rect(0, 0, sceneW, sceneH))}
	p.scene()
	return p
}

// scene draws what never changes: dusk, road, lane marks.
func (p *painter) scene() {
	for y := range sceneH {
		c := color.RGBA{uint8(38 + y/9), uint8(48 + y/9), uint8(66 + y/12), 0xFF}
		if y > 330 {
			g := uint8(58 + (y-330)/16)
			c = color.RGBA{g, g, g + 3, 0xFF}
		}
		fill(p.background, image.Rect(0, y, sceneW, y+1), c)
	}
	fill(p.background, image.Rect(0, 318, sceneW, 330), color.RGBA{0x2B, 0x3A, 0x30, 0xFF})
	for y := 340; y < sceneH; y += 60 { // lane marks run towards the camera
		d := (y - 330) / 3
		fill(p.background, image.Rect(120-d/2, y, 126-d/3, y+34), color.RGBA{0xB8, 0xB8, 0xB0, 0xFF})
		fill(p.background, image.Rect(834+d/3, y, 840+d/2, y+34), color.RGBA{0xB8, 0xB8, 0xB0, 0xFF})
	}
}

// overview draws the whole vehicle with its plate and returns the plate's place in pixels.
func (p *painter) overview(plate, site string, lane int, at time.Time, tint uint8) ([]byte, image.Rectangle, error) {
	m := image.NewRGBA(p.background.Rect)
	copy(m.Pix, p.background.Pix)
	var box image.Rectangle
	if p.front {
		box = drawCab(m, tint)
	} else {
		box = drawTail(m, tint)
	}
	drawPlate(m, box, plate)
	fill(m, image.Rect(0, 0, sceneW, 40), color.RGBA{0, 0, 0, 0xFF})
	text(m, 12, 6, 2, fmt.Sprintf("%s  车道 %d  %s", site, lane, at.Format("2006-01-02 15:04:05.000")), color.RGBA{0xF0, 0xF0, 0xF0, 0xFF})
	b, err := encode(m, 80)
	return b, box, err
}

// closeUp draws the plate alone.
func (p *painter) closeUp(plate string) ([]byte, error) {
	m := image.NewRGBA(image.Rect(0, 0, 440, 140))
	drawPlate(m, m.Rect, plate)
	return encode(m, 85)
}

func drawCab(m *image.RGBA, tint uint8) image.Rectangle {
	body := color.RGBA{0x8A ^ tint, 0x2E + tint/3, 0x28 + tint/2, 0xFF}
	dark := color.RGBA{0x1C, 0x1E, 0x22, 0xFF}
	fill(m, image.Rect(250, 70, 710, 120), color.RGBA{body.R / 2, body.G / 2, body.B / 2, 0xFF}) // load behind the cab
	fill(m, image.Rect(280, 110, 680, 560), body)
	fill(m, image.Rect(300, 140, 660, 290), color.RGBA{0x1B, 0x2A, 0x38, 0xFF}) // windscreen
	for i := range 60 {
		fill(m, image.Rect(320+i, 150+i, 380+i, 152+i), color.RGBA{0x2C, 0x42, 0x55, 0xFF}) // a reflection
	}
	fill(m, image.Rect(250, 170, 278, 270), dark)
	fill(m, image.Rect(682, 170, 710, 270), dark)
	fill(m, image.Rect(330, 320, 630, 430), dark) // grille
	for y := 330; y < 430; y += 16 {
		fill(m, image.Rect(338, y, 622, y+5), color.RGBA{0x50, 0x54, 0x5A, 0xFF})
	}
	for _, x := range []int{290, 630} {
		fill(m, image.Rect(x, 400, x+40, 440), color.RGBA{0xFF, 0xF2, 0xC8, 0xFF}) // head lamps
	}
	fill(m, image.Rect(270, 450, 690, 575), color.RGBA{0x30, 0x33, 0x38, 0xFF}) // bumper
	fill(m, image.Rect(285, 575, 375, 620), dark)
	fill(m, image.Rect(585, 575, 675, 620), dark)
	return image.Rect(370, 466, 590, 536)
}

func drawTail(m *image.RGBA, tint uint8) image.Rectangle {
	wall := color.RGBA{0x70 + tint/4, 0x76, 0x7C, 0xFF}
	fill(m, image.Rect(250, 70, 710, 470), wall)
	for x := 262; x < 710; x += 32 {
		fill(m, image.Rect(x, 78, x+3, 462), color.RGBA{wall.R - 24, wall.G - 24, wall.B - 24, 0xFF})
	}
	fill(m, image.Rect(478, 74, 482, 466), color.RGBA{0x22, 0x22, 0x22, 0xFF})
	for i := range 12 { // red and white marking
		c := color.RGBA{0xC8, 0x20, 0x20, 0xFF}
		if i%2 == 1 {
			c = color.RGBA{0xEE, 0xEE, 0xEE, 0xFF}
		}
		fill(m, image.Rect(252+38*i, 440, 252+38*(i+1), 456), c)
	}
	fill(m, image.Rect(250, 470, 710, 580), color.RGBA{0x26, 0x28, 0x2C, 0xFF})
	for _, x := range []int{262, 650} {
		fill(m, image.Rect(x, 500, x+48, 530), color.RGBA{0xD0, 0x18, 0x18, 0xFF})
	}
	fill(m, image.Rect(280, 580, 400, 625), color.RGBA{0x14, 0x14, 0x14, 0xFF})
	fill(m, image.Rect(560, 580, 680, 625), color.RGBA{0x14, 0x14, 0x14, 0xFF})
	return image.Rect(370, 486, 590, 556)
}

// drawPlate fills box with a yellow plate. No plate leaves a dirty blank.
func drawPlate(m *image.RGBA, box image.Rectangle, plate string) {
	if plate == "" {
		fill(m, box, color.RGBA{0x6B, 0x62, 0x4A, 0xFF})
		return
	}
	fill(m, box, ink())
	in := box.Inset(max(2, box.Dy()/28))
	fill(m, in, plateYellow())
	runes := []rune(plate)
	shown := string(runes[:2]) + "·" + string(runes[2:])
	glyphs := drawn(shown)
	// As large as fits, in whole steps, so that strokes stay even.
	k := max(1, min((in.Dx()-8)/glyphs.Rect.Dx(), (in.Dy()-4)/glyphs.Rect.Dy()))
	x := in.Min.X + (in.Dx()-k*glyphs.Rect.Dx())/2
	y := in.Min.Y + (in.Dy()-k*glyphs.Rect.Dy())/2
	stamp(m, glyphs, x, y, k, ink())
}

// text writes a line with its upper left corner at x, y, enlarged k times.
func text(m *image.RGBA, x, y, k int, s string, c color.RGBA) { stamp(m, drawn(s), x, y, k, c) }

// drawn renders a line in the bitmap font as a mask, cropped to its ink's height.
func drawn(s string) *image.Alpha {
	face := bitmapfont.Face
	w := font.MeasureString(face, s).Ceil()
	h := face.Metrics().Height.Ceil()
	a := image.NewAlpha(image.Rect(0, 0, max(w, 1), max(h, 1)))
	d := font.Drawer{Dst: a, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Metrics().Ascent.Ceil())}
	d.DrawString(s)
	return a
}

func stamp(m *image.RGBA, a *image.Alpha, x, y, k int, c color.RGBA) {
	for j := range a.Rect.Dy() {
		for i := range a.Rect.Dx() {
			if a.AlphaAt(i, j).A > 127 {
				fill(m, image.Rect(x+k*i, y+k*j, x+k*(i+1), y+k*(j+1)), c)
			}
		}
	}
}

func fill(m *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src)
}

func encode(m image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("draw picture: %w", err)
	}
	return b.Bytes(), nil
}

// plateColor is the colour that GA 36 gives a plate of a medium or heavy vehicle or a trailer.
func plateColor(plate string) string {
	if strings.TrimSpace(plate) == "" {
		return "unknown"
	}
	return "yellow"
}
