package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzPage reads whatever lies on a page: it ends, keeps within the page and calls nothing a record that has not the
// digest it is filed under.
func FuzzPage(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("testdata", "v1-journal.db"))
	if err != nil {
		f.Fatal(err)
	}
	for ; len(b) >= pageSize; b = b[pageSize:] {
		f.Add(b[:pageSize], true)
		f.Add(b[:pageSize], false)
	}
	f.Add(bytes.Repeat([]byte{0xff}, pageSize), true)
	f.Fuzz(func(t *testing.T, b []byte, first bool) {
		page := make([]byte, pageSize)
		copy(page, b)
		path := filepath.Join(t.TempDir(), "journal.db")
		if err := os.WriteFile(path, page, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := openPages(path)
		if err != nil {
			t.Fatal(err)
		}
		defer p.close() //nolint:errcheck // it was only read
		p.size = pageSize
		no := int64(2)
		if first {
			no = 1
		}
		p.leaf(page, no, func(r tableRow) {
			if len(r.columns) > maxRowColumns {
				t.Errorf("a row of %d columns", len(r.columns))
			}
		})
		if _, err := salvage(path, testSite); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzLog reads whatever lies in the place of a log.
func FuzzLog(f *testing.F) {
	j := fresh(f)
	mustAppend(f, j, passageDraft(7, 1))
	mustAppend(f, j, passageDraft(7, 2))
	b, err := os.ReadFile(j.cfg.Path + "-wal")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:logHeader])
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "journal.db")
		if err := os.WriteFile(path+"-wal", b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := proveLog(path); err != nil && len(b) <= logHeader {
			t.Errorf("a log without a frame: %v", err)
		}
	})
}
