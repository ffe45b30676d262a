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

// overview draws the whole vehicle with its plate and returns the plate's place in pixels.
func (p *painter) overview(plate, site string, lane int, at time.Time, tint uint8) ([]byte, image.Rectangle, error) {
	m := image.NewRGBA(p.background.Rect)
	copy(m.Pix, p.background.Pix)
	var box image.Rectangle
	if p.front {
		box = cab(m, tint)
	} else {
		box = tail(m, tint)
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
	stamp(m, glyphs, x, y, k, k/3, ink())
}

// text writes a line with its upper left corner at x, y, enlarged k times.
func text(m *image.RGBA, x, y, k int, s string, c color.RGBA) { stamp(m, drawn(s), x, y, k, 0, c) }

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

// stamp enlarges a mask k times; bold widens its strokes by so many pixels.
func stamp(m *image.RGBA, a *image.Alpha, x, y, k, bold int, c color.RGBA) {
	for j := range a.Rect.Dy() {
		for i := range a.Rect.Dx() {
			if a.AlphaAt(i, j).A > 127 {
				fill(m, image.Rect(x+k*i, y+k*j, x+k*(i+1)+bold, y+k*(j+1)), c)
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
