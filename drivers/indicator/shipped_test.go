package indicator

import (
	"strings"
	"testing"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/wim"
)

// image is registers by frame address, written by hand from the makers' tables and not from the profiles.
type image map[uint16]uint16

const all = wim.TellsGross | wim.TellsNet | wim.TellsTare

// images holds for each shipped profile what stands in the registers and what the instrument then indicates.
func images() map[string][]struct {
	name  string
	regs  image
	gross wim.Kg
	net   wim.Kg
	tare  wim.Kg
	tells wim.Weights
	state wim.Condition
} {
	type row = struct {
		name  string
		regs  image
		gross wim.Kg
		net   wim.Kg
		tare  wim.Kg
		tells wim.Weights
		state wim.Condition
	}
	const grossNet = wim.TellsGross | wim.TellsNet
	return map[string][]row{
		"indicator-laumas-tlb": {
			{"a stable lorry with a tare", image{6: 0x0C00, 8: 38460, 10: 24000}, 38460, 24000, 0, grossNet, wim.Stable | wim.NetShown},
			{"more than 65 535 kg", image{6: 0x0800, 7: 1, 8: 0x1170, 9: 1, 10: 0x1170}, 70000, 70000, 0, grossNet, wim.Stable},
			{"twenty kilograms below zero", image{6: 0x0880, 8: 20, 10: 0}, -20, 0, 0, grossNet, wim.Stable},
			{"nine divisions too much", image{6: 0x0004, 8: 60180, 10: 60180}, 0, 0, 0, 0, wim.Overload},
			{"a broken cell", image{6: 0x0001}, 0, 0, 0, 0, wim.Faulty},
		},
		"indicator-hbm-wtx": {
			{"tonnes with two decimals", image{1: 2400, 3: 3846, 5: 2<<4 | 2<<7}, 38460, 24000, 0, grossNet, wim.Stable},
			{"kilograms in motion", image{1: 38460, 3: 38460, 4: 1 << 4}, 38460, 38460, 0, grossNet, 0},
			{"an empty bridge", image{4: 1 << 11}, 0, 0, 0, grossNet, wim.Stable | wim.AtZero},
			{"below the least", image{0: 0xFFFF, 1: 0xFF00, 4: 1 << 2}, 0, 0, 0, 0, wim.Underload | wim.Stable},
			{"above the safe load", image{4: 3<<2 | 1<<4}, 0, 0, 0, 0, wim.Overload},
		},
		"indicator-flintec-ft112": {
			{"the weight of the manual's example", image{4: 1, 5: 0x86A0, 3: 10000, 6: 0x8000}, 100000, 0, 10000, wim.TellsGross | wim.TellsTare, wim.Stable},
			{"one decimal, in motion, net", image{5: 45000, 3: 5000, 6: 0x4000, 7: 1<<2 | 1<<3}, 4500, 0, 500, wim.TellsGross | wim.TellsTare, wim.NetShown},
			{"converter over range", image{5: 1, 6: 0x8000, 9: 1 << 4}, 0, 0, 0, 0, wim.Stable | wim.Overload},
			{"a held value", image{5: 38460, 6: 0x8000, 7: 1 << 15}, 38460, 0, 0, wim.TellsGross | wim.TellsTare, wim.Stable | wim.Held},
		},
		"indicator-flintec-ft12": {
			{"at rest", image{2: 1 << 1, 6: 38460, 4: 14460}, 38460, 0, 14460, wim.TellsGross | wim.TellsTare, wim.Stable},
			{"in motion below zero", image{2: 1<<1 | 1<<2, 5: 0xFFFF, 6: 0xFF88}, -120, 0, 0, wim.TellsGross | wim.TellsTare, 0},
			{"over range", image{2: 2 << 13, 6: 38460}, 0, 0, 0, 0, wim.Stable | wim.Faulty | wim.Overload},
		},
		"indicator-flintec-dad141": {
			{"at rest with a tare", image{0x3301: 38460, 0x3303: 24000, 0x3304: 0x30}, 38460, 24000, 0, grossNet, wim.Stable | wim.NetShown},
			{"under range", image{0x3300: 0xFFFF, 0x3301: 0xF000, 0x3304: 0x01}, 0, 0, 0, 0, wim.Underload},
		},
		"indicator-mettler-ind570": {
			{"38 460 with 14 460 of tare", image{2: 0x4716, 3: 0x3C00, 4: 0x4661, 5: 0xF000, 6: 0x46BB, 7: 0x8000}, 38460, 24000, 14460, all, 0},
		},
		"indicator-pavone-jbx8": {
			{"at rest with a tare", image{0: 1<<1 | 1<<3, 2: 38460, 4: 24000}, 38460, 24000, 0, grossNet, wim.Stable | wim.NetShown},
			{"below zero", image{1: 0xFFFF, 2: 0xFF88, 3: 0xFFFF, 4: 0xFF88}, -120, -120, 0, grossNet, 0},
			{"cell disconnected", image{0: 1 << 6}, 0, 0, 0, 0, wim.Faulty},
		},
		"indicator-bilancial-dd700": {
			{"38 460 and 24 000", image{0: 0x4716, 1: 0x3C00, 2: 0x46BB, 3: 0x8000}, 38460, 24000, 0, grossNet, 0},
		},
		"indicator-tuna-id551pn": {
			{"at rest", image{2: 0x4716, 3: 0x3C00, 4: 1 << 15}, 38460, 0, 0, wim.TellsGross, wim.Stable},
			{"in motion", image{2: 0x4716, 3: 0x3C00, 4: 1<<15 | 1<<12}, 38460, 0, 0, wim.TellsGross, 0},
			{"over capacity", image{2: 0x4716, 3: 0x3C00, 4: 1<<15 | 1<<10}, 0, 0, 0, 0, wim.Stable | wim.Overload},
			{"data not good", image{2: 0x4716, 3: 0x3C00}, 0, 0, 0, 0, wim.Stable | wim.Faulty},
		},
		"indicator-eagle-ei1000": {
			{"84 790 pounds", image{0x2000: 0x4716, 0x2001: 0x3C2B, 0x2008: 0x4716, 0x2009: 0x3C2B}, 38460, 38460, 0, all, wim.WasRounded},
			{"nothing", image{}, 0, 0, 0, all, 0},
		},
		"indicator-minebea-pr5220": {
			{"at rest", image{2: 1 << 14, 17: 38460}, 38460, 0, 0, wim.TellsGross, wim.Stable},
			{"below zero, as an amount", image{2: 1<<14 | 1<<11, 17: 120}, -120, 0, 0, wim.TellsGross, wim.Stable},
			{"below zero, with a sign", image{2: 1<<14 | 1<<11, 16: 0xFFFF, 17: 0xFF88}, -120, 0, 0, wim.TellsGross, wim.Stable},
			{"above Max", image{2: 1<<14 | 1<<9, 17: 60500}, 0, 0, 0, 0, wim.Stable | wim.Overload},
		},
		"indicator-diniargeo-dgt4": {
			{"the manual's 1000 and 6000", image{1: 0x03E8, 3: 0x1770, 4: 1 << 2}, 1000, 6000, 0, grossNet, wim.Stable},
			{"a net weight below zero", image{1: 1000, 3: 500, 4: 1<<5 | 1}, 1000, -500, 0, grossNet, wim.NetShown},
			{"an empty bridge", image{4: 1<<7 | 1<<2}, 0, 0, 0, grossNet, wim.Stable | wim.AtZero},
			{"overload", image{1: 61000, 4: 1 << 4}, 0, 0, 0, 0, wim.Overload},
		},
		"indicator-rinstrum-c500": {
			{"a stable gross weight", image{1: 38460, 3: 38460, 7: 6}, 38460, 38460, 0, grossNet, wim.Stable},
			{"a net weight in motion", image{1: 38460, 3: 24000}, 38460, 24000, 0, grossNet, wim.NetShown},
			{"out of range", image{1: 38460, 7: 7}, 0, 0, 0, 0, wim.Stable | wim.Faulty},
		},
	}
}

func TestEveryShippedProfileReadsWhatItsMakersTableSays(t *testing.T) {
	images := images()
	for _, name := range configs.DeviceNames() {
		if !strings.HasPrefix(name, "indicator-") {
			continue
		}
		rows := images[name]
		if len(rows) == 0 {
			t.Errorf("%s has no image here", name)
		}
		delete(images, name)
		p := shipped(t, name)
		if p.Name != name || p.Maker == "" || len(p.Models) == 0 {
			t.Errorf("%s calls itself %q of %q, %v", name, p.Name, p.Maker, p.Models)
		}
		l := newLayout(p)
		for _, c := range rows {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				regs := make([]uint16, l.count)
				known := 0
				for i := range regs {
					v, ok := c.regs[l.first+uint16(i)]
					if regs[i] = v; ok {
						known++
					}
				}
				if known != len(c.regs) {
					t.Errorf("of %d registers %d are asked for, %d to %d", len(c.regs), known, l.first, l.first+l.count-1)
				}
				in, err := l.indication(regs)
				if err != nil {
					t.Fatal(err)
				}
				if in.Gross != c.gross || in.Net != c.net || in.Tare != c.tare || in.Tells != c.tells || in.State != c.state {
					t.Errorf("gross %d net %d tare %d, tells %v, %v; want gross %d net %d tare %d, tells %v, %v", in.Gross, in.Net, in.Tare, in.Tells.Names(), in.State.Names(),
						c.gross, c.net, c.tare, c.tells.Names(), c.state.Names())
				}
			})
		}
	}
	for name := range images {
		t.Errorf("%s is not shipped", name)
	}
}
