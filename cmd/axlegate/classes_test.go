package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestVehiclesAreCountedByClassInEveryScheme(t *testing.T) {
	text := sealedBy(t, set(t, "cn-2016-62"), nil, 10_000, 17_000, 20_000) + "{\n" + `{"kind":"gap"}` + "\n"
	var complain, out bytes.Buffer
	list, broken, err := countClasses("records", strings.NewReader(text), &complain)
	if err != nil || broken != 1 || !strings.Contains(complain.String(), "records:4:") {
		t.Fatalf("%d broken, %v: %s", broken, err, complain.String())
	}
	want := []counted{{wim.Scheme, "rigid-2", 3}, {wim.FHWAScheme, "5", 3}}
	if len(list) != 2 || list[0] != want[0] || list[1] != want[1] {
		t.Errorf("%+v, want %+v", list, want)
	}
	for _, lang := range []string{"zh", "en"} {
		out.Reset()
		l := speaking(t, lang)
		if err := l.classes(&out, list); err != nil {
			t.Fatal(err)
		}
		if err := l.schemes(&out); err != nil {
			t.Fatal(err)
		}
		if s := out.String(); !strings.Contains(s, "rigid-2") || !strings.Contains(s, "EUR13") || strings.Count(s, "\n13 ")+strings.Count(s, "  13 ") == 0 {
			t.Errorf("%s", s)
		}
	}
}
