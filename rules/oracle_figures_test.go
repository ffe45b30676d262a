package rules_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// A comparison that would not notice a wrong figure proves nothing: each mass of the Chinese set, one kilogram more or
// less, must make the engine differ from the oracle.
func TestAFigureThatIsAKilogramOffIsNoticed(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "configs", "rules", "cn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	figures := regexp.MustCompile(`(?:value|by): -?([0-9]+) kg`).FindAllStringSubmatchIndex(text, -1)
	if len(figures) < 20 {
		t.Fatalf("%d figures", len(figures))
	}
	for _, at := range figures {
		n, err := strconv.Atoi(text[at[2]:at[3]])
		if err != nil {
			t.Fatal(err)
		}
		for _, off := range []int{-1, 1} {
			s, err := rules.Load("cn.yaml", []byte(text[:at[2]]+strconv.Itoa(n+off)+text[at[3]:]))
			if err != nil {
				t.Fatal(err)
			}
			if !noticed(s) {
				t.Errorf("line %d: %d kg instead of %d", strings.Count(text[:at[0]], "\n")+1, n+off, n)
			}
		}
	}
}

// noticed looks for a vehicle about which the engine with a set and the oracle of Chinese law differ.
func noticed(s *rules.Set) bool {
	r := rand.New(rand.NewPCG(1589, 62)) //nolint:gosec // the same vehicles in every run
	var v wim.Verdict
	for range 40_000 {
		f := drawChinese(r)
		if !settled(f) {
			continue
		}
		s.Judge(f, &v)
		if differs(f, &v, chinese(f)) != "" {
			return true
		}
	}
	return false
}
