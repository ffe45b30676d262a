package center

import (
	"regexp"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestACodeIsReadAsItWasMeant(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		c := NewCode()
		if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(c) || seen[c] {
			t.Fatalf("code %q", c)
		}
		seen[c] = true
	}
	want := CodeDigest("north-1", "01AB-CD01-XY23")
	for _, typed := range []string{"01abcd01xy23", "OIAB-CDOL-XY23", " 01AB CD01 XY23"} {
		if CodeDigest("north-1", typed) != want {
			t.Errorf("%q is another code", typed)
		}
	}
	if CodeDigest("south-2", "01AB-CD01-XY23") == want {
		t.Error("a code holds for another site")
	}
}

func TestAKeyThatEndedIsBelievedForWhatItSigned(t *testing.T) {
	c := wim.ChainID{1}
	for _, x := range []struct {
		name  string
		k     SiteKey
		chain wim.ChainID
		to    uint64
		want  bool
	}{
		{"one that holds", SiteKey{}, c, 9, true},
		{"up to its rotation", SiteKey{Ended: 1, EndChain: c, EndSeq: 9}, c, 9, true},
		{"behind its rotation", SiteKey{Ended: 1, EndChain: c, EndSeq: 9}, c, 10, false},
		{"another chain", SiteKey{Ended: 1, EndChain: c, EndSeq: 9}, wim.ChainID{2}, 1, false},
		{"one that was lost", SiteKey{Ended: 1}, c, 1, false},
		{"one that was lost, of no chain", SiteKey{Ended: 1}, wim.ChainID{}, 0, false},
	} {
		if got := x.k.Believes(x.chain, x.to); got != x.want {
			t.Errorf("%s: %v", x.name, got)
		}
	}
}
