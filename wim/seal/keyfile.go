package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// What stands behind the name of a key file.
const (
	nextSuffix   = ".next"
	formerSuffix = ".former-"
)

// KeyFiles is a signing key in a file with those beside it: one that is to take over (.next) and those of the past
// (.former-…).
type KeyFiles struct {
	path   string
	Signer *Signer
	Next   *Signer   // nil for none
	Former []*Signer // oldest file name first
}

// ReadKeyFiles reads a key and those beside it. A change of key that was cut short is finished.
func ReadKeyFiles(path string) (*KeyFiles, error) {
	_, err := os.Stat(path)
	former, gerr := filepath.Glob(path + formerSuffix + "*")
	if gerr != nil {
		return nil, fmt.Errorf("signing key %s: %w", path, gerr)
	}
	former = slices.DeleteFunc(former, func(f string) bool { return filepath.Ext(f) == ".pub" })
	if errors.Is(err, fs.ErrNotExist) && len(former) > 0 {
		if err := move(path+nextSuffix, path); err != nil {
			return nil, fmt.Errorf("finish the change of key: %w", err)
		}
	}
	k := &KeyFiles{path: path}
	if k.Signer, err = ReadSigner(path); err != nil {
		return nil, err
	}
	if _, err := os.Stat(path + nextSuffix); err == nil {
		if k.Next, err = ReadSigner(path + nextSuffix); err != nil {
			return nil, err
		}
	}
	slices.Sort(former)
	for _, f := range former {
		s, err := ReadSigner(f)
		if err != nil {
			return nil, err
		}
		k.Former = append(k.Former, s)
	}
	return k, nil
}

// WriteNext puts a new key beside the one in path; the daemon that has it open next hands over to it.
func WriteNext(path string, next *Signer) error {
	if _, err := ReadSigner(path); err != nil {
		return err
	}
	return next.WriteFiles(path + nextSuffix)
}

// Promote makes Next the key of the next start and keeps the present one as a former. The files are synced; a
// crash between the two steps is finished by ReadKeyFiles.
func (k *KeyFiles) Promote() error {
	if k.Next == nil {
		return errors.New("promote key: there is none to take over")
	}
	if err := move(k.path, k.path+formerSuffix+k.Signer.ID); err != nil {
		return fmt.Errorf("promote key: %w", err)
	}
	if err := move(k.path+nextSuffix, k.path); err != nil {
		return fmt.Errorf("promote key: %w", err)
	}
	return nil
}

// move renames both halves of a key and syncs their folder. It never replaces a private half.
func move(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("%s is there already", to)
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if err := os.Rename(from+".pub", to+".pub"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
