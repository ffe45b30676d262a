package signin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAHashedPasswordIsVerifiedAndNoOther(t *testing.T) {
	stored, err := HashPassword("correct horse 电池")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("form %q", stored)
	}
	d := NewDoor()
	for _, c := range []struct {
		name, stored, password string
		want                   bool
	}{
		{"the right password", stored, "correct horse 电池", true},
		{"the right password from a file with a line's end", stored + "\n", "correct horse 电池", true},
		{"another password", stored, "correct horse 电", false},
		{"an empty password", stored, "", false},
		{"an officer that does not exist", "", "correct horse 电池", false},
		{"a password beyond the limit", stored, strings.Repeat("x", MaxPassword+1), false},
	} {
		if got, err := d.Check(t.Context(), c.stored, c.password); got != c.want || err != nil {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	if ok, err := d.Check(t.Context(), "plain text", "plain text"); ok || err == nil {
		t.Error("a stored password in the clear was taken for a hash")
	}
}

func TestAPasswordThatIsTooShortOrTooLongIsRefused(t *testing.T) {
	for _, p := range []string{"", "short", "七个字的密码呀", strings.Repeat("x", MaxPassword+1)} {
		if _, err := HashPassword(p); err == nil {
			t.Errorf("%d bytes were accepted", len(p))
		}
	}
}

func TestAHashSurvivesItsTextForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := hash{
			threads: uint8(rapid.IntRange(1, 8).Draw(t, "p")), time: uint32(rapid.IntRange(1, 16).Draw(t, "t")),
			salt: rapid.SliceOfN(rapid.Byte(), 8, 64).Draw(t, "salt"), key: rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(t, "key"),
		}
		h.memory = uint32(h.threads) * uint32(rapid.IntRange(8, 100).Draw(t, "m"))
		back, err := parseHash(h.String())
		if err != nil || back.String() != h.String() {
			t.Fatalf("%s came back as %s, %v", h.String(), back.String(), err)
		}
	})
}

func FuzzParseHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2i$v=19$m=64,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err == nil && (h.memory > hashMemoryMax || h.time > hashTimeMax || h.time == 0 || h.threads == 0) {
			t.Errorf("%q asks for too much", s)
		}
	})
}

func TestOneAddressCannotTryManyLogins(t *testing.T) {
	d := NewDoor()
	now := time.Now()
	through := 0
	for i := range 4 * AddressBurst {
		if _, wait := d.Begin(now, fmt.Sprintf("[2001:db8:1:2::%x]:4711", i), fmt.Sprint("login ", i)); wait == 0 {
			through++
		}
	}
	if through > AddressBurst {
		t.Errorf("%d attempts of one network were let through at one instant, want at most %d", through, AddressBurst)
	}
}

func TestRightPasswordsAreNeverHeldUp(t *testing.T) {
	d := NewDoor()
	now := time.Now()
	for i := range 10 * AddressBurst {
		try, wait := d.Begin(now, "192.0.2.7:1", "road")
		if wait != 0 {
			t.Fatalf("attempt %d is held up", i)
		}
		try.Forgive()
	}
}
