package seal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAKeyTakesOverAlsoWhenTheChangeIsCutShort(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  func(t *testing.T, path string, k *KeyFiles)
	}{
		{"in one go", func(t *testing.T, _ string, k *KeyFiles) {
			if err := k.Promote(); err != nil {
				t.Fatal(err)
			}
		}},
		{"cut after the old key was put aside", func(t *testing.T, path string, k *KeyFiles) {
			if err := move(path, path+formerSuffix+k.Signer.ID); err != nil {
				t.Fatal(err)
			}
		}},
		{"cut before the public halves", func(t *testing.T, path string, k *KeyFiles) {
			if err := os.Rename(path, path+formerSuffix+k.Signer.ID); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "site.pem")
			old, err := GenerateSigner()
			if err != nil {
				t.Fatal(err)
			}
			next, err := GenerateSignerFor("ES256")
			if err != nil {
				t.Fatal(err)
			}
			if err := WriteNext(path, next); err == nil || !strings.Contains(err.Error(), "keys new") {
				t.Errorf("a key to take over from nobody: %v", err)
			}
			if err := old.WriteFiles(path); err != nil {
				t.Fatal(err)
			}
			if err := WriteNext(path, next); err != nil {
				t.Fatal(err)
			}
			if err := WriteNext(path, next); err == nil {
				t.Error("a key that waits was overwritten")
			}
			k, err := ReadKeyFiles(path)
			if err != nil || k.Signer.ID != old.ID || k.Next.ID != next.ID || len(k.Former) != 0 {
				t.Fatalf("%+v, %v", k, err)
			}
			c.cut(t, path, k)
			k, err = ReadKeyFiles(path)
			if err != nil {
				t.Fatal(err)
			}
			if k.Signer.ID != next.ID || k.Next != nil || len(k.Former) != 1 || k.Former[0].ID != old.ID {
				t.Errorf("%+v", k)
			}
			if err := k.Promote(); err == nil {
				t.Error("promoted nobody")
			}
		})
	}
}
