package parcel

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/axlegate/axlegate/wim"
)

// vault keeps parcels on the disk of a roadside box so that a copy of the folder is worth nothing: registrations and
// lists of plates are personal data. Each file is sealed with AES-256-GCM under a key of its own file, and its digest is
// authenticated with it, so that one file cannot stand in for another.
type vault struct {
	dir  string
	aead cipher.AEAD
}

const keySize = 32

// openVault opens the folder and its key, which it makes the first time. A key that others may read is refused.
func openVault(dir, keyFile string) (*vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of parcels: %w", err)
	}
	key, err := readKey(keyFile)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &vault{dir: dir, aead: aead}, nil
}

func readKey(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, keySize)
		rand.Read(key) // never fails since Go 1.24
		return key, writeSynced(path, key)
	}
	if err != nil {
		return nil, fmt.Errorf("key of the tables: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key of the tables %s has mode %04o: others may read it; run: chmod 600 %s", path, st.Mode().Perm(), path)
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key of the tables: %w", err)
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("key of the tables %s has %d bytes, want %d; move it and the folder of parcels aside, they are fetched again", path, len(key), keySize)
	}
	return key, nil
}

func (v *vault) path(d wim.Digest) string { return filepath.Join(v.dir, d.String()) }

// has tells whether a parcel lies here, whole or not.
func (v *vault) has(d wim.Digest) bool {
	_, err := os.Stat(v.path(d))
	return err == nil
}

// put keeps a parcel's bytes, synced.
func (v *vault) put(d wim.Digest, plain []byte) error {
	nonce := make([]byte, v.aead.NonceSize())
	rand.Read(nonce) // never fails since Go 1.24
	return writeSynced(v.path(d), v.aead.Seal(nonce, nonce, plain, d[:]))
}

// get gives them back; what was changed on the disk is an error.
func (v *vault) get(d wim.Digest) ([]byte, error) {
	b, err := os.ReadFile(v.path(d))
	if err != nil {
		return nil, fmt.Errorf("parcel %s: %w", d.Short(), err)
	}
	if len(b) < v.aead.NonceSize() {
		return nil, fmt.Errorf("parcel %s: its file is cut short", d.Short())
	}
	plain, err := v.aead.Open(nil, b[:v.aead.NonceSize()], b[v.aead.NonceSize():], d[:])
	if err != nil {
		return nil, fmt.Errorf("parcel %s: its file was changed, or belongs to another key", d.Short())
	}
	if wim.DigestOf(plain) != d {
		return nil, fmt.Errorf("parcel %s: it has another digest", d.Short())
	}
	return plain, nil
}

// sweep deletes what nobody needs any more.
func (v *vault) sweep(needed map[wim.Digest]bool) error {
	entries, err := os.ReadDir(v.dir)
	if err != nil {
		return fmt.Errorf("folder of parcels: %w", err)
	}
	var errs []error
	for _, e := range entries {
		d, err := wim.ParseDigest(e.Name())
		if err == nil && !needed[d] {
			errs = append(errs, os.Remove(filepath.Join(v.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// writeSynced replaces a file whole: whoever reads it finds the old or the new, also after a power cut.
func writeSynced(path string, b []byte) (err error) {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
