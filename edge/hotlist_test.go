package edge

import (
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestAPlateOnTheHotListIsFoundHoweverItIsWrittenThere(t *testing.T) {
	for name, written := range map[string]string{
		"as a camera reports it": "川A12345",
		"with the dot of a sign": "川A·12345",
		"in small letters":       "川a12345",
		"in full-width forms":    "川Ａ１２３４５",
		"with spaces":            " 川A 12345 ",
	} {
		t.Run(name, func(t *testing.T) {
			h, err := ReadHotList("wanted", strings.NewReader("\ufeff"+hotListHeader+"\n"+written+", stolen \n"))
			if err != nil {
				t.Fatal(err)
			}
			if reason, ok := h.Find("川A12345"); !ok || reason != "stolen" || h.Len() != 1 || h.Name() != "wanted" {
				t.Errorf("%q %v", reason, ok)
			}
			if _, ok := h.Find(""); ok {
				t.Error("a vehicle without a plate is on the list")
			}
		})
	}
}

func TestAHotListThatCannotBeReadIsNamedWithItsLine(t *testing.T) {
	for name, row := range map[string]string{
		"no plate":            ",stolen\n",
		"a word for no plate": "无牌,stolen\n",
		"a plate of 65 bytes": strings.Repeat("A", 65) + ",stolen\n",
		"a plate twice":       "川A12345,again\n",
		"a plate twice, in another way of writing": "川a·12345,again\n",
		"a column too few":                         "川B1\n",
		"a quote that does not end":                "\"川B1,stolen\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadHotList("wanted", strings.NewReader(hotListHeader+"\n川A12345,stolen\n"+row))
			if err == nil || !strings.Contains(err.Error(), "wanted") || !strings.Contains(err.Error(), "3") {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := ReadHotList("wanted", strings.NewReader("plates\n")); err == nil || !strings.Contains(err.Error(), "wanted:1") {
		t.Errorf("another header: %v", err)
	}
}

// FuzzReadHotList reads any file. Every plate on a list is one that a camera would report, so that it is found.
func FuzzReadHotList(f *testing.F) {
	f.Add(hotListHeader + "\n川A12345,stolen\n")
	f.Add("\ufeff" + hotListHeader + "\r\n川a·12345,\r\n\"川B1\",\"a, b\"\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ReadHotList("h", strings.NewReader(text))
		if err != nil {
			if h != nil {
				t.Fatalf("refused (%v) and read all the same", err)
			}
			return
		}
		for p := range h.byPlate {
			if _, ok := h.Find(wim.NormalisePlate(p)); !ok || len(p) > 64 {
				t.Fatalf("plate %q is on the list and is never found", p)
			}
		}
	})
}
