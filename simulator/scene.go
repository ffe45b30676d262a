package simulator

import (
	"image"
	"image/color"
)

// horizon is the height at which road and sky meet.
const horizon = 330

// The greys of tyres and trim.
func rubber() color.RGBA { return color.RGBA{0x12, 0x13, 0x15, 0xFF} }
func trim() color.RGBA   { return color.RGBA{0x24, 0x27, 0x2B, 0xFF} }

// scene draws what never changes: dusk, hills, road, lane marks.
func (p *painter) scene() {
	m := p.background
	for y := range sceneH {
		// From night blue to the last light over the hills.
		c := color.RGBA{uint8(24 + y*y/850), uint8(34 + y*y/1150), uint8(66 + y/7), 0xFF}
		if y >= horizon {
			g := uint8(50 + (y-horizon)/11)
			c = color.RGBA{g, g, g + 4, 0xFF}
		}
		fill(m, image.Rect(0, y, sceneW, y+1), c)
	}
	for x := range sceneW {
		h := 14 + (x*37/97%23+x*x/4100%31)/3
		fill(m, image.Rect(x, horizon-h, x+1, horizon), color.RGBA{0x1E, 0x28, 0x2C, 0xFF})
	}
	verge := color.RGBA{0x27, 0x30, 0x29, 0xFF}
	slab(m, horizon, sceneH, [4]int{0, 300, 0, -60}, verge)
	slab(m, horizon, sceneH, [4]int{660, sceneW, sceneW + 60, sceneW}, verge)
	paint := color.RGBA{0xC4, 0xC4, 0xBC, 0xFF}
	slab(m, horizon, sceneH, [4]int{318, 321, 20, 34}, paint)
	slab(m, horizon, sceneH, [4]int{639, 642, 926, 940}, paint)
}

// cab draws a truck from the front and returns the place of its plate.
func cab(m *image.RGBA, tint uint8) image.Rectangle {
	body, shade, light := coat(tint)
	shadow(m, 240, 720)
	for _, x := range []int{292, 578} {
		fill(m, image.Rect(x, 560, x+90, 622), rubber())
		fill(m, image.Rect(x+8, 566, x+12, 618), trim())
		fill(m, image.Rect(x+78, 566, x+82, 618), trim())
	}
	slab(m, 64, 130, [4]int{300, 660, 286, 674}, shade) // wind deflector
	slab(m, 64, 70, [4]int{300, 660, 299, 661}, light)
	slab(m, 122, 460, [4]int{288, 672, 274, 686}, body)
	slab(m, 122, 460, [4]int{288, 306, 274, 294}, shade) // its pillars
	slab(m, 122, 460, [4]int{654, 672, 666, 686}, shade)
	for i := range 5 { // marker lamps
		fill(m, image.Rect(330+i*73, 110, 346+i*73, 116), color.RGBA{0xFF, 0xB8, 0x4A, 0xFF})
	}
	slab(m, 134, 154, [4]int{306, 654, 305, 655}, trim()) // sun visor
	slab(m, 154, 296, [4]int{305, 655, 298, 662}, color.RGBA{0x14, 0x20, 0x2C, 0xFF})
	slab(m, 158, 290, [4]int{330, 400, 372, 470}, color.RGBA{0x1E, 0x2F, 0x3F, 0xFF}) // the sky in the glass
	slab(m, 158, 290, [4]int{420, 436, 496, 516}, color.RGBA{0x1E, 0x2F, 0x3F, 0xFF})
	slab(m, 292, 296, [4]int{340, 470, 330, 470}, rubber()) // wipers
	slab(m, 292, 296, [4]int{500, 630, 500, 640}, rubber())
	for _, x := range []int{240, 684} { // mirrors and their arms
		fill(m, image.Rect(x+14, 168, x+22, 176), rubber())
		fill(m, image.Rect(x, 176, x+36, 268), rubber())
		fill(m, image.Rect(x+5, 182, x+31, 240), color.RGBA{0x31, 0x3B, 0x46, 0xFF})
	}
	fill(m, image.Rect(256, 170, 290, 175), rubber())
	fill(m, image.Rect(672, 170, 704, 175), rubber())
	slab(m, 314, 436, [4]int{336, 624, 346, 614}, trim()) // grille
	for y := 322; y < 432; y += 18 {
		in := 6 + (y-314)/12
		fill(m, image.Rect(336+in, y, 624-in, y+6), color.RGBA{0x6B, 0x70, 0x76, 0xFF})
	}
	fill(m, image.Rect(448, 300, 512, 308), light) // badge
	slab(m, 448, 566, [4]int{268, 692, 276, 684}, color.RGBA{0x33, 0x37, 0x3C, 0xFF})
	fill(m, image.Rect(268, 448, 692, 453), color.RGBA{0x4A, 0x4F, 0x55, 0xFF})
	for _, x := range []int{310, 650} {
		glow(m, x, 486, 74)
		fill(m, image.Rect(x-32, 468, x+32, 504), color.RGBA{0xFF, 0xF6, 0xD8, 0xFF})
		fill(m, image.Rect(x-32, 508, x+32, 516), color.RGBA{0xE8, 0x8A, 0x1E, 0xFF})
	}
	return image.Rect(370, 472, 590, 542)
}

// tail draws a box body from behind and returns the place of the plate.
func tail(m *image.RGBA, tint uint8) image.Rectangle {
	wall := color.RGBA{0x6A + tint/4, 0x70 + tint/8, 0x78, 0xFF}
	dark := color.RGBA{wall.R - 26, wall.G - 26, wall.B - 26, 0xFF}
	shadow(m, 236, 724)
	for _, x := range []int{272, 568} {
		fill(m, image.Rect(x, 560, x+58, 624), rubber())
		fill(m, image.Rect(x+62, 560, x+120, 624), rubber())
	}
	fill(m, image.Rect(246, 62, 714, 472), dark)
	fill(m, image.Rect(252, 68, 708, 468), wall)
	for x := 262; x < 708; x += 30 {
		fill(m, image.Rect(x, 76, x+3, 460), dark)
	}
	fill(m, image.Rect(477, 68, 483, 468), rubber()) // where the doors meet
	for _, x := range []int{452, 504} {              // locking bars
		fill(m, image.Rect(x, 70, x+6, 466), color.RGBA{0x9A, 0x9E, 0xA4, 0xFF})
		fill(m, image.Rect(x-8, 300, x+14, 312), trim())
	}
	for i := range 12 { // red and white marking
		c := color.RGBA{0xC0, 0x1C, 0x1C, 0xFF}
		if i%2 == 1 {
			c = color.RGBA{0xEC, 0xEC, 0xEC, 0xFF}
		}
		fill(m, image.Rect(252+38*i, 442, 252+38*(i+1), 456), c)
	}
	fill(m, image.Rect(246, 472, 714, 580), trim())
	fill(m, image.Rect(246, 472, 714, 477), color.RGBA{0x3C, 0x40, 0x46, 0xFF})
	for _, x := range []int{258, 646} {
		fill(m, image.Rect(x, 498, x+56, 530), color.RGBA{0xC8, 0x16, 0x16, 0xFF})
		fill(m, image.Rect(x, 498, x+56, 506), color.RGBA{0xF0, 0x4A, 0x3A, 0xFF})
		fill(m, image.Rect(x, 534, x+56, 544), color.RGBA{0xE8, 0x8A, 0x1E, 0xFF})
	}
	return image.Rect(370, 490, 590, 560)
}

// coat is the paint of a cab with its shade and its light.
func coat(tint uint8) (body, shade, light color.RGBA) {
	paints := [...]color.RGBA{
		{0xA3, 0x2C, 0x2A, 0xFF}, {0x2B, 0x4F, 0x86, 0xFF}, {0xC9, 0xCB, 0xCC, 0xFF}, {0x2E, 0x6B, 0x55, 0xFF},
		{0x8A, 0x2A, 0x3A, 0xFF}, {0x3A, 0x44, 0x55, 0xFF}, {0xB8, 0x6A, 0x24, 0xFF}, {0x33, 0x6C, 0x92, 0xFF},
	}
	c := paints[int(tint)%len(paints)]
	return c, color.RGBA{c.R / 4 * 3, c.G / 4 * 3, c.B / 4 * 3, 0xFF}, color.RGBA{c.R + (255-c.R)/2, c.G + (255-c.G)/2, c.B + (255-c.B)/2, 0xFF}
}

func shadow(m *image.RGBA, left, right int) {
	slab(m, 600, 634, [4]int{left + 10, right - 10, left - 26, right + 26}, color.RGBA{0x1C, 0x1D, 0x1F, 0xFF})
}

// slab fills a quadrangle with level edges at top and bottom; x has its left and right at the top, then at
// the bottom.
func slab(m *image.RGBA, top, bottom int, x [4]int, c color.RGBA) {
	for y := top; y < bottom; y++ {
		l := x[0] + (x[2]-x[0])*(y-top)/(bottom-top)
		r := x[1] + (x[3]-x[1])*(y-top)/(bottom-top)
		fill(m, image.Rect(l, y, r, y+1), c)
	}
}

// glow lightens what lies around a lamp.
func glow(m *image.RGBA, x, y, radius int) {
	for j := -radius; j <= radius; j++ {
		for i := -radius; i <= radius; i++ {
			d := i*i + j*j
			if d >= radius*radius {
				continue
			}
			share := 90 * (radius*radius - d) / (radius * radius) // of 255
			o := m.PixOffset(x+i, y+j)
			for k, lamp := range [3]int{0xFF, 0xF0, 0xC8} {
				m.Pix[o+k] += uint8((lamp - min(lamp, int(m.Pix[o+k]))) * share / 255)
			}
		}
	}
}
