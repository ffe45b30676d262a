package console

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/signin"
)

// What a password that an officer chooses must have. There are no rules on which kinds of character it is
// made of: length counts, and that it is not what everybody tries first (NIST SP 800-63B).
const (
	ownPasswordMin = 12 // characters
	// surprisesMin is how many of its characters must not follow from the ones before.
	surprisesMin = 6
)

// commonWords are what passwords are made of that are tried first, here and elsewhere. Longer ones come first.
func commonWords() []string {
	words := []string{
		"password", "passwort", "passwd", "passphrase", "administrator", "admin", "officer", "auditor", "enforcer", "police", "traffic",
		"welcome", "letmein", "changeme", "default", "secret", "login", "master", "dragon", "monkey", "football", "baseball", "basketball",
		"sunshine", "princess", "superman", "batman", "shadow", "michael", "jordan", "freedom", "whatever", "trustno", "iloveyou", "computer",
		"internet", "service", "summer", "winter", "spring", "autumn", "january", "october", "november", "december", "monday", "friday",
		"axlegate", "overload", "overlimit", "weigh", "scale", "truck", "highway", "road", "test", "guest", "root", "user", "hello", "love",
		"woaini", "wodemima", "mima", "zhongguo", "beijing", "shanghai", "sichuan", "chengdu", "jiaojing", "jingcha", "gonglu", "luzheng",
		"zhifa", "chaoxian", "chaozai", "zhichao", "guanliyuan", "aini", "nihao", "520", "1314", "888", "666", "china",
		"密码", "口令", "管理员", "中国", "我爱你", "你好", "交警", "警察", "公路", "路政", "执法", "超限", "超载", "治超",
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words
}

// keyboardRows are neighbours on a keyboard, as fingers run over them.
func keyboardRows() []string {
	return []string{"`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "qawsedrftgyhujikolp"}
}

// badPassword tells what is wrong with a password that an officer has chosen: the key of a text; empty when
// nothing is.
func badPassword(password string, o *center.Officer) string {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "problem.new.control"
	case n < ownPasswordMin:
		return "problem.new.short"
	case len(password) > signin.MaxPassword:
		return "problem.new.too-long"
	}
	own := names(o)
	for _, p := range []string{strings.ToLower(password), plain(password)} {
		without := strip(p, own)
		if without != p && surprises(strip(without, commonWords())) < surprisesMin {
			return "problem.new.own-name"
		}
		if surprises(strip(without, commonWords())) < surprisesMin {
			return "problem.new.common"
		}
	}
	return ""
}

// names are an officer's login and name and their parts, the longest first.
func names(o *center.Officer) (out []string) {
	for _, s := range []string{o.Login, o.Name} {
		s = strings.ToLower(s)
		parts := append([]string{s, strings.Join(strings.Fields(s), "")}, strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
		for _, p := range parts {
			if utf8.RuneCountInString(p) >= 2 && !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// plain undoes the usual disguises of letters.
func plain(s string) string {
	return strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(strings.ToLower(s))
}

// strip takes words out; each leaves one character behind, for the choice of the word.
func strip(s string, words []string) string {
	for _, w := range words {
		s = strings.ReplaceAll(s, w, "\x00")
	}
	return s
}

// surprises counts the characters that do not follow from what comes before: by being the same, the next or
// the one before, a neighbour on the keyboard, or the same piece once more. A character that came before
// counts half.
func surprises(s string) int {
	r := []rune(period(s))
	seen := map[rune]bool{}
	halves := 0
	for i, c := range r {
		if i > 0 && follows(r[i-1], c) {
			seen[c] = true
			continue
		}
		halves++
		if !seen[c] {
			halves++
		}
		seen[c] = true
	}
	return halves / 2
}

// period is the shortest piece whose repetition is s.
func period(s string) string {
	r := []rune(s)
	for n := 1; n <= len(r)/2; n++ {
		same := true
		for i := n; i < len(r) && same; i++ {
			same = r[i] == r[i-n]
		}
		if same {
			return string(r[:n])
		}
	}
	return s
}

func follows(a, b rune) bool {
	if d := b - a; d >= -1 && d <= 1 {
		return true
	}
	for _, row := range keyboardRows() {
		keys := []rune(row)
		for i := 1; i < len(keys); i++ {
			if keys[i-1] == a && keys[i] == b || keys[i-1] == b && keys[i] == a {
				return true
			}
		}
	}
	return false
}
