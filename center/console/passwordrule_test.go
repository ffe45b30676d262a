package console

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/signin"
)

func TestAPasswordIsJudgedByLengthAndByHowEasilyItIsGuessed(t *testing.T) {
	o := center.Officer{Login: "zhang.wei", Name: "张伟 Zhang Wei"}
	for _, c := range []struct{ name, password, want string }{
		{"several unrelated words", "kettle bramble ninety fox", ""},
		{"Chinese text that nobody says", "昨天借走三把伞还剩半碗面", ""},
		{"random letters of one kind only", "hqvkzmtwbxrd", ""},
		{"what a password manager makes", "W7$k_q2!LmZr9@tB", ""},
		{"the one-time form", "k7mq9-wz4ht-p3xvb-8ncya", ""},
		{"a phrase with the own name in it", "zhang.wei collects tin kettles", ""},
		{"eleven characters", "hqvkzmtwbxr", "problem.new.short"},
		{"eleven Chinese characters are eleven, not thirty-three", "昨天借走三把伞还剩半碗", "problem.new.short"},
		{"beyond what is hashed", strings.Repeat("hqvkzmtwbxrd", 100), "problem.new.too-long"},
		{"broken UTF-8", "hqvkzmtwbxrd\xff", "problem.new.control"},
		{"one character again and again", "aaaaaaaaaaaaaaaa", "problem.new.common"},
		{"a piece again and again", "abQ7abQ7abQ7abQ7", "problem.new.common"},
		{"a sequence", "abcdefghijklmnop", "problem.new.common"},
		{"a sequence backwards", "9876543210987654", "problem.new.common"},
		{"a row of keys", "qwertyuiopasdf", "problem.new.common"},
		{"a diagonal of keys", "1qaz2wsx3edc4rfv", "problem.new.common"},
		{"the commonest word with a year", "Password2026!", "problem.new.common"},
		{"a disguised common word", "P@$$w0rd1234", "problem.new.common"},
		{"common words behind each other", "adminpolicetraffic", "problem.new.common"},
		{"common Chinese words", "中国交警管理员密码公路执法超限", "problem.new.common"},
		{"common pinyin", "woaini5201314", "problem.new.common"},
		{"the program's name", "Axlegate-2026", "problem.new.common"},
		{"the login", "zhang.wei2026", "problem.new.own-name"},
		{"the name turned into capitals", "ZHANGWEI-zhangwei", "problem.new.own-name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := badPassword(c.password, &o); got != c.want {
				t.Errorf("%q: %q, want %q", c.password, got, c.want)
			}
		})
	}
}

func TestOneTimePasswordsAreGoodOnesAndNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		p := oncePassword()
		if len(p) != 23 || seen[p] || badPassword(p, &center.Officer{Login: "li"}) != "" {
			t.Fatalf("%q", p)
		}
		seen[p] = true
	}
}

func TestPropertyNoPasswordIsTooMuchForItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.String().Draw(t, "password")
		o := center.Officer{Login: rapid.String().Draw(t, "login"), Name: rapid.String().Draw(t, "name")}
		bad := badPassword(p, &o)
		if bad == "" {
			if _, err := signin.HashPassword(p); err != nil {
				t.Fatalf("%q is accepted and cannot be hashed: %v", p, err)
			}
		}
		if badPassword(p+p, &o) == "" && bad == "problem.new.common" {
			t.Fatalf("%q is refused, but accepted when it is typed twice", p)
		}
	})
}
