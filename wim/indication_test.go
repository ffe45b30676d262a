package wim

import (
	"slices"
	"testing"
)

func TestEveryConditionHasANameAndIsFoundByIt(t *testing.T) {
	all := WasRounded<<1 - 1
	names := all.Names()
	if len(names) != 9 {
		t.Fatalf("%v", names)
	}
	var back Condition
	for _, n := range names {
		back |= ConditionNamed(n)
	}
	if back != all {
		t.Errorf("%v became %v", names, back.Names())
	}
	if ConditionNamed("tired") != 0 {
		t.Error("a condition that there is not was found")
	}
	if w := TellsGross | TellsTare; !slices.Equal(w.Names(), []string{"gross", "tare"}) || w.Has(TellsNet) {
		t.Errorf("%v", w.Names())
	}
}
