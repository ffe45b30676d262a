package store

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

func openAt(t testing.TB, path string, change ...func(*Config)) *Store {
	t.Helper()
	cfg := Config{Path: path}
	for _, c := range change {
		c(&cfg)
	}
	s, err := OpenSQLite(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// loose is a segment of n records that need not be readable.
func loose(from uint64, n int, prev wim.Digest, size int) Segment {
	s := Segment{Site: "north-1", Chain: wim.ChainID{1}, Key: "k", JWS: "j"}
	for i := range n {
		raw := make([]byte, size)
		raw[0], raw[1], raw[2] = byte(from>>8), byte(from), byte(i)
		r := Stored{Seq: from + uint64(i), Prev: prev, Digest: wim.DigestOf(raw), Kind: "noise", Raw: raw}
		s.Records, prev = append(s.Records, r), r.Digest
	}
	return s
}

func TestTheAuditTrailOnlyGrows(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "c.db"))
	if err := s.PutOfficer(t.Context(), "", center.Officer{Login: "wang", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: "h"}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{`UPDATE trail SET login = 'li'`, `DELETE FROM trail`, `INSERT OR REPLACE INTO trail (id, at, login, action, subject, detail) VALUES (1, 0, '', '', '', '')`} {
		_, err := s.write.ExecContext(t.Context(), q)
		if err == nil || !strings.Contains(err.Error(), "append only") {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.db")
	db, err := sql.Open("sqlite", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE cake (x)`); err != nil {
		t.Fatal(err)
	}
	later := filepath.Join(dir, "later.db")
	s := openAt(t, later)
	if _, err := s.write.ExecContext(t.Context(), `INSERT INTO schema_version (version, applied) VALUES (99, 0)`); err != nil {
		t.Fatal(err)
	}
	garbage, open := filepath.Join(dir, "garbage.db"), filepath.Join(dir, "open.db")
	if err := errors.Join(db.Close(), os.Chmod(other, 0o600), os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600), os.WriteFile(open, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path, want string }{
		{"a database of something else", other, "name another path"},
		{"a store of a later build", later, "schema version 99, this build knows"},
		{"a file that is no database", garbage, "restore the last backup"},
		{"a file that others may read", open, "chmod 600"},
		{"a folder that cannot be made", filepath.Join(garbage, "x", "c.db"), "folder for the store"},
		{"no path", "", "a path is needed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := OpenSQLite(t.Context(), Config{Path: c.path})
			if err == nil || !strings.Contains(err.Error(), c.want) || s != nil {
				t.Errorf("%v, want: %s", err, c.want)
			}
		})
	}
	if _, err := OpenSQLite(t.Context(), Config{Path: "x", MaxBytes: -1}); err == nil {
		t.Error("a negative bound")
	}
	if _, err := Audit(t.Context(), filepath.Join(dir, "none.db"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an audit of nothing: %v", err)
	}
	if _, err := Audit(t.Context(), later, nil); err == nil || !strings.Contains(err.Error(), "99") {
		t.Errorf("an audit of a later build's store: %v", err)
	}
}

func TestAFullDiskStoresNothingAndSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	s := openAt(t, path, func(c *Config) { c.MaxBytes = 1 << 20 })
	var prev wim.Digest
	held := uint64(0)
	for seq := uint64(1); ; seq += 8 {
		seg := loose(seq, 8, prev, 8<<10)
		r, err := s.StoreSegment(t.Context(), seg)
		if err != nil {
			if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "free space") || r != (Result{}) {
				t.Fatalf("%+v %v", r, err)
			}
			break
		}
		held, prev = r.Seq, r.Digest
	}
	if held < 8 {
		t.Fatal("nothing fitted at all")
	}
	heads, err := s.Heads(t.Context())
	if err != nil || len(heads) != 1 || heads[0].Seq != held {
		t.Errorf("a part of a segment was kept: %+v %v", heads, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Space returns: the same segment is taken as if nothing had been.
	s = openAt(t, path)
	if r, err := s.StoreSegment(t.Context(), loose(held+1, 8, prev, 8<<10)); err != nil || r.Fresh != 8 || r.Seq != held+8 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestACommitWhoseAnswerIsLostMayBeRepeated(t *testing.T) {
	lost := errors.New("answer lost")
	for _, c := range []struct {
		name  string
		kept  bool
		fresh int
	}{
		{"failed and not kept", false, 4},
		{"failed, but it was kept", true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openAt(t, filepath.Join(t.TempDir(), "c.db"))
			s.commit = func(tx *sql.Tx) error {
				if c.kept {
					return errors.Join(lost, tx.Commit())
				}
				return errors.Join(lost, tx.Rollback())
			}
			seg := loose(1, 4, wim.Digest{}, 100)
			if r, err := s.StoreSegment(t.Context(), seg); !errors.Is(err, lost) || r != (Result{}) {
				t.Fatalf("%+v %v", r, err)
			}
			s.commit = (*sql.Tx).Commit
			r, err := s.StoreSegment(t.Context(), seg)
			if err != nil || r.Fresh != c.fresh || r.Duplicates != 4-c.fresh || r.Seq != 4 {
				t.Errorf("%+v %v", r, err)
			}
		})
	}
}

func TestAnAuditFindsWhatWasTamperedWith(t *testing.T) {
	for _, c := range []struct{ name, change, want string }{
		{"a record's bytes", `UPDATE record SET raw = CAST(replace(CAST(raw AS TEXT), '"test"', '"tost"') AS BLOB) WHERE seq = 2`, "its bytes have another digest"},
		{"a ledger line", `UPDATE ledger SET digest = zeroblob(32) WHERE seq = 2`, "filed under another digest"},
		{"a record that is gone", `DELETE FROM record WHERE seq = 2`, "intake numbers jump"},
		{"a head that was moved on", `UPDATE chain SET seq = seq + 1`, "its head says"},
		{"an event counter that was set back", `UPDATE counter SET value = 7 WHERE name = 'event'`, "the counter says 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.db")
			s := openAt(t, path)
			if _, err := s.StoreSegment(t.Context(), readable(t)); err != nil {
				t.Fatal(err)
			}
			if rep, err := Audit(t.Context(), path, nil); err != nil || len(rep.Problems) != 0 || rep.Records != 3 || rep.Chains[0].Seq != 3 {
				t.Fatalf("before: %+v %v", rep, err)
			}
			if _, err := s.write.ExecContext(t.Context(), c.change); err != nil {
				t.Fatal(err)
			}
			rep, err := Audit(t.Context(), path, nil)
			if err != nil || !strings.Contains(strings.Join(rep.Problems, "\n"), c.want) {
				t.Errorf("%v %v, want: %s", rep.Problems, err, c.want)
			}
		})
	}
}
