package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/drivers/toll"
)

func TestDecodeTollWritesATransactionALineAndNamesWhatIsRefused(t *testing.T) {
	page, err := loadPage("toll-open", toll.LoadPage)
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"id":"1","type":"toll-entry","time":"2031-05-06T07:08:09+08:00","plate":"川A·12345","gross_kg":48760}`
	for _, c := range []struct {
		name, in, out, errs string
		fails               bool
	}{
		{"a transaction", good, `"plate":"川A12345"`, "", false},
		{"its time in UTC", good, `"time":"2031-05-05T23:08:09.000000000Z"`, "", false},
		{"a type that nobody named, between others", "[" + good + "," + strings.Replace(good, "toll-entry", "parking", 1) + "]", `"id":"1"`, `transaction 1: type is "parking"`, true},
		{"what is no message", "{", "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			err := decodeTransactions(page, strings.NewReader(c.in), &out, &errs)
			if (err != nil) != c.fails || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.errs) {
				t.Errorf("%v\n%s%s", err, out.String(), errs.String())
			}
		})
	}
}
