package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const mib = 1 << 20

func reserveAt(t *testing.T, size int64) (r *Reserve, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "reserve")
	r = OpenReserve(path, size, nil)
	if r.Left() != size || r.Fault() != nil {
		t.Fatalf("%d of %d bytes, %v", r.Left(), size, r.Fault())
	}
	return r, path
}

func TestAReserveReallyTakesItsSpace(t *testing.T) {
	_, path := reserveAt(t, 4*mib)
	st, err := os.Stat(path)
	if err != nil || st.Size() != 4*mib || held(st) < 4*mib || st.Mode().Perm() != 0o600 {
		t.Errorf("%d bytes of which %d are on the disk, mode %v, %v", st.Size(), held(st), st.Mode(), err)
	}
}

func TestAReserveIsGivenUpInStepsAndOnlyToADiskThatIsFull(t *testing.T) {
	r, path := reserveAt(t, 4*mib)
	if r.GiveUp() {
		t.Error("it was given up though the disk has room: the space would not help")
	}
	free := int64(0)
	r.free = func(string) (int64, error) { return free, nil }
	for want := int64(4*mib) - mib/2; want >= 0; want -= mib / 2 {
		if !r.GiveUp() || r.Left() != want {
			t.Fatalf("%d bytes are left, want %d", r.Left(), want)
		}
		if st, err := os.Stat(path); err != nil || st.Size() != want || held(st) > want {
			t.Fatalf("%v, %v", st, err)
		}
	}
	if r.GiveUp() {
		t.Error("nothing is left and something was given up")
	}
	free = 5 * mib
	if err := r.Fill(2 * mib); !errors.Is(err, ErrFull) || r.Fault() == nil || r.Left() != 0 {
		t.Errorf("made anew without a margin: %v, %v, %d", err, r.Fault(), r.Left())
	}
	free = 6 * mib
	if err := r.Fill(2 * mib); err != nil || r.Fault() != nil || r.Left() != 4*mib {
		t.Errorf("there is room for it: %v, %v, %d", err, r.Fault(), r.Left())
	}
}

func TestWhatBefallsAReserve(t *testing.T) {
	for name, tc := range map[string]func(t *testing.T, r *Reserve, path string) *Reserve{
		"it is missing and made again at the start": func(t *testing.T, _ *Reserve, path string) *Reserve {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			return OpenReserve(path, mib, nil)
		},
		"it was given up before a restart": func(t *testing.T, r *Reserve, path string) *Reserve {
			r.free = func(string) (int64, error) { return 0, nil }
			r.GiveUp()
			return OpenReserve(path, mib, nil)
		},
		"it was larger": func(_ *testing.T, _ *Reserve, path string) *Reserve { return OpenReserve(path, mib, nil) },
		"it was smaller": func(t *testing.T, _ *Reserve, path string) *Reserve {
			if err := os.Truncate(path, mib/4); err != nil {
				t.Fatal(err)
			}
			return OpenReserve(path, mib, nil)
		},
		"it is a file with holes": func(t *testing.T, _ *Reserve, path string) *Reserve {
			if err := errors.Join(os.Truncate(path, 0), os.Truncate(path, mib)); err != nil {
				t.Fatal(err)
			}
			return OpenReserve(path, mib, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, path := reserveAt(t, 2*mib)
			r = tc(t, r, path)
			st, err := os.Stat(path)
			if err != nil || r.Left() != mib || r.Fault() != nil || st.Size() != mib || held(st) < mib {
				t.Errorf("%d left, %v, %v, %v", r.Left(), r.Fault(), st, err)
			}
		})
	}
}

func TestAReserveThatCannotBeMadeIsSaidAndDoneWithout(t *testing.T) {
	file := filepath.Join(t.TempDir(), "not a folder")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := OpenReserve(filepath.Join(file, "reserve"), mib, nil)
	if r.Left() != 0 || r.Fault() == nil || r.GiveUp() {
		t.Errorf("%d, %v", r.Left(), r.Fault())
	}
	made, path := reserveAt(t, 2*mib)
	made.free = func(string) (int64, error) { return 0, nil }
	made.GiveUp()
	left := made.Left()
	made.free = func(string) (int64, error) { return 99 * mib, nil }
	made.allocate = func(f *os.File, _ int64) error { return errors.Join(f.Truncate(2*mib), syscall.ENOSPC) }
	if err := made.Fill(0); !errors.Is(err, syscall.ENOSPC) || made.Left() != left {
		t.Errorf("%v, %d left", err, made.Left())
	}
	if st, err := os.Stat(path); err != nil || st.Size() != left {
		t.Errorf("it pretends to hold what it does not: %v, %v", st, err)
	}
	if r := OpenReserve(path, 0, nil); r.Left() != 0 || r.Fault() != nil || r.GiveUp() {
		t.Error("no reserve is wanted")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file of a reserve that nobody wants: %v", err)
	}
}

func TestAFileSystemThatCannotAllocateIsWrittenFull(t *testing.T) {
	r, path := reserveAt(t, 2*mib)
	r.free = func(string) (int64, error) { return 0, nil }
	r.GiveUp()
	r.free = Free
	r.allocate = fillWithZeros
	if err := r.Fill(0); err != nil || r.Left() != 2*mib {
		t.Fatalf("%v, %d", err, r.Left())
	}
	b, err := os.ReadFile(path)
	if st, serr := os.Stat(path); err != nil || serr != nil || held(st) < 2*mib || strings.Trim(string(b), "\x00") != "" {
		t.Errorf("%v, %v, %v", st, err, serr)
	}
}
