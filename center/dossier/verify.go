package dossier

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Trust is what the verifier knows from elsewhere. Where a list is empty the keys in the dossier are taken, and the
// report says which ids are to be compared.
type Trust struct {
	SiteKeys   []*seal.Verifier
	CenterKeys []*seal.Verifier
}

// Verify checks a dossier as an archive.
func Verify(archive []byte, t Trust) Report {
	f, err := Unpack(archive)
	if err != nil {
		r := Report{}
		r.wrong("archive", "", err)
		return r.done()
	}
	return VerifyFiles(f, t)
}

// VerifyFiles checks a dossier file by file. When a file is not as the centre signed it, nothing else is looked at.
func VerifyFiles(f Files, t Trust) Report {
	v := &verification{files: f, trust: t, used: map[string]bool{manifestName: true, contentsName: true, sumsName: true, readmeZh: true, readmeEn: true}}
	v.all()
	return v.Report.done()
}

// done fills in what a machine expects: lists that are there, and the one word.
func (r *Report) done() Report {
	for _, l := range []*[]Statement{&r.Wrong, &r.Proven, &r.Stated, &r.NotProven} {
		if *l == nil {
			*l = []Statement{}
		}
	}
	r.OK = len(r.Wrong) == 0
	if !r.OK {
		// A dossier that was altered proves nothing to a reader in a hurry.
		r.Proven, r.Stated = []Statement{}, []Statement{}
	}
	return *r
}

// verification is one run.
type verification struct {
	Report
	files  Files
	trust  Trust
	used   map[string]bool
	c      Contents
	center *seal.Verifier // whose signature the list bears
	keys   map[string]*seal.Verifier
	chains map[wim.ChainID]*chain
	order  []wim.ChainID
}

func (v *verification) all() {
	if !v.list() || !v.contents() || !v.readKeys() {
		return
	}
	v.records()
	v.pictures()
	v.judge()
	v.strays()
	v.says()
}

// list checks that every file is as the centre signed it.
func (v *verification) list() bool {
	jws, ok := v.files[manifestName]
	if !ok {
		v.wrong("manifest-absent", manifestName)
		return false
	}
	keys, code := v.trust.CenterKeys, "centre-key"
	if len(keys) == 0 {
		keys, code = v.enclosed(), "manifest"
	}
	d, id, err := seal.VerifyDossier(string(jws), keys...)
	if err != nil {
		v.wrong(code, manifestName, err)
		return false
	}
	for _, k := range keys {
		if k.ID == id {
			v.center = k
		}
	}
	v.Matter, v.Made, v.CenterKey = d.Matter, d.Time, id
	listed := map[string]bool{manifestName: true}
	for _, x := range d.Files {
		if listed[x.Name] {
			v.wrong("manifest", x.Name, errors.New("a file stands twice in the list"))
		}
		listed[x.Name] = true
		b, ok := v.files[x.Name]
		switch {
		case !ok:
			v.wrong("file-absent", x.Name, x.Name)
		case int64(len(b)) != x.Size || wim.DigestOf(b) != x.Digest:
			v.wrong("file-changed", x.Name, x.Name)
		}
	}
	for _, name := range v.files.names() {
		if !listed[name] {
			v.wrong("file-added", name, name)
		}
	}
	if len(v.Wrong) > 0 {
		return false
	}
	if !bytes.Equal(v.files[sumsName], sums(v.files)) {
		v.wrong("sums", sumsName)
	}
	v.proven("whole", manifestName, len(d.Files), id, d.Time)
	if len(v.trust.CenterKeys) > 0 {
		v.proven("centre-trust", "", id)
	} else {
		v.NotProven = append(v.NotProven, statement("centre-compare", "", id))
	}
	return true
}

// enclosed are the keys that lie in the dossier, before anything is known of them.
func (v *verification) enclosed() (out []*seal.Verifier) {
	for _, name := range v.files.names() {
		if strings.HasPrefix(name, "keys/") {
			if k, err := seal.ParseVerifierPEM(v.files[name]); err == nil {
				out = append(out, k)
			}
		}
	}
	return out
}

func (v *verification) contents() bool {
	d := json.NewDecoder(bytes.NewReader(v.files[contentsName]))
	d.DisallowUnknownFields()
	err := d.Decode(&v.c)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("bytes after the end")
		}
	}
	switch {
	case err != nil:
	case v.c.Version != Version:
		err = fmt.Errorf("version %d, this program reads %d: use a newer one", v.c.Version, Version)
	case v.c.Matter.ID != v.Matter || v.c.Made != v.Made || v.c.Center != v.CenterKey:
		err = errors.New("they name another matter, time or key than the signed list")
	}
	if err != nil {
		v.wrong("contents", contentsName, err)
	}
	return err == nil
}

// readKeys reads the sites' keys; whether they are believed is decided where they sign.
func (v *verification) readKeys() bool {
	v.keys = map[string]*seal.Verifier{}
	for _, k := range v.c.Keys {
		key, err := seal.ParseVerifierPEM(v.use(k.File))
		if err == nil && (key.ID != k.ID || k.File != keyFile(k.ID) || key.Algorithm() != k.Algorithm) {
			err = fmt.Errorf("it is %s, not %s", key.ID, k.ID)
		}
		if err == nil && k.Of == OfCenter && k.ID != v.CenterKey {
			err = fmt.Errorf("the centre's key is %s", v.CenterKey)
		}
		if err != nil {
			v.wrong("key", k.File, err)
			return false
		}
		if k.Of == OfSite {
			v.keys[k.ID] = key
		}
	}
	for _, k := range v.trust.SiteKeys {
		v.keys[k.ID] = k
	}
	return true
}

// use gives a file and remembers that the dossier has a place for it.
func (v *verification) use(name string) []byte {
	v.used[name] = true
	return v.files[name]
}

func (v *verification) strays() {
	for _, name := range v.files.names() {
		if !v.used[name] {
			v.wrong("file-added", name, name)
		}
	}
}
