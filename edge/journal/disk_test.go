package journal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver" // the engine whose file system tests break
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// step is one thing that SQLite asked of the disk and that a power cut may undo.
type step struct {
	kind stepKind
	file string // "" is the journal itself, else what follows its name
	off  int64  // of a write; the size of a truncate
	data []byte
}

type stepKind string

const (
	stepCreate   stepKind = "create"
	stepWrite    stepKind = "write"
	stepTruncate stepKind = "truncate"
	stepSync     stepKind = "sync"
	stepDelete   stepKind = "delete"
)

// fault is what happens at a step instead of it going well.
type fault struct {
	err  error // sqlite3.IOERR_WRITE, sqlite3.FULL …; nil lets the step be
	kept bool  // the step is carried out and reported as failed
}

// disk is a file system under SQLite that numbers, keeps and breaks what changes files. Beneath it lie real files.
type disk struct {
	path string // of the journal

	mu    sync.Mutex
	steps []step
	fault func(n int, s step) fault // nil: all goes well
}

var disks atomic.Int64

// newDisk gives a disk for the journal at path and the engine that uses it.
func newDisk(path string, pragmas ...string) (*disk, *engine) {
	d := &disk{path: path}
	name := fmt.Sprintf("disk-%d", disks.Add(1))
	vfs.Register(name, d)
	return d, &engine{driver: "sqlite3", params: url.Values{"vfs": {name}, "_pragma": pragmas}}
}

// done is how many steps there were.
func (d *disk) done() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.steps)
}

func (d *disk) breakAt(f func(n int, s step) fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}

// do keeps a step and carries it out, unless it is to fail.
func (d *disk) do(s step, act func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var f fault
	if d.fault != nil {
		f = d.fault(len(d.steps), s)
	}
	if f.err != nil && !f.kept {
		d.steps = append(d.steps, step{kind: "failed " + s.kind, file: s.file})
		return f.err
	}
	s.data = bytes.Clone(s.data)
	d.steps = append(d.steps, s)
	if err := act(); err != nil {
		return err
	}
	return f.err
}

func (d *disk) suffix(name string) string { return strings.TrimPrefix(name, d.path) }

// Open is not called: SQLite has names for all files of a journal.
func (d *disk) Open(string, vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, 0, sqlite3.CANTOPEN
}

func (d *disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == nil { // a temporary file: no promise rests on it
		return vfsutil.WrapOpenFilename(vfs.Find("os"), name, flags)
	}
	if _, err := os.Lstat(name.String()); err != nil && flags&vfs.OPEN_CREATE != 0 {
		if err := d.do(step{kind: stepCreate, file: d.suffix(name.String())}, func() error { return nil }); err != nil {
			return nil, 0, err
		}
	}
	f, flags, err := vfsutil.WrapOpenFilename(vfs.Find("os"), name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &diskFile{File: f, disk: d, suffix: d.suffix(name.String())}, flags, nil
}

func (d *disk) Delete(name string, syncDir bool) error {
	return d.do(step{kind: stepDelete, file: d.suffix(name)}, func() error { return vfs.Find("os").Delete(name, syncDir) })
}

func (d *disk) Access(name string, flags vfs.AccessFlag) (bool, error) {
	return vfs.Find("os").Access(name, flags)
}

func (d *disk) FullPathname(name string) (string, error) { return vfs.Find("os").FullPathname(name) }

type diskFile struct {
	vfs.File
	disk   *disk
	suffix string
}

func (f *diskFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.disk.do(step{kind: stepWrite, file: f.suffix, off: off, data: p}, func() error {
		n, err = f.File.WriteAt(p, off)
		return err
	})
	return n, err
}

func (f *diskFile) Truncate(size int64) error {
	return f.disk.do(step{kind: stepTruncate, file: f.suffix, off: size}, func() error { return f.File.Truncate(size) })
}

// Sync does not sync the real file: a lost page is for the test to lose.
func (f *diskFile) Sync(vfs.SyncFlag) error {
	return f.disk.do(step{kind: stepSync, file: f.suffix}, func() error { return nil })
}

func (f *diskFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f *diskFile) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }
func (f *diskFile) PersistWAL() bool               { return vfsutil.WrapPersistWAL(f.File) }
func (f *diskFile) SetPersistWAL(keep bool)        { vfsutil.WrapSetPersistWAL(f.File, keep) }
func (f *diskFile) HasMoved() (bool, error)        { return vfsutil.WrapHasMoved(f.File) }

// cut is how the power goes.
type cut string

const (
	cutKill cut = "the process dies and the system lives"
	cutLost cut = "what was not synced is lost"
	cutTorn cut = "what was not synced is there in part, by sectors, in any order"
)

// sector is what a disk writes whole.
const sector = 512

// platter is what lies on the disk: what was synced, and what may or may not have got there.
type platter struct {
	files   map[string][]byte
	pending map[string][]step
}

func newPlatter() *platter {
	return &platter{files: map[string][]byte{"": {}}, pending: map[string][]step{}}
}

func (p *platter) take(s step) {
	switch s.kind {
	case stepSync:
		if slices.ContainsFunc(p.pending[s.file], func(s step) bool { return s.kind == stepCreate }) {
			// With a new file its folder is synced, and with the folder what was deleted from it.
			for name, pending := range p.pending {
				if name == s.file {
					continue
				}
				if i := slices.IndexFunc(pending, func(s step) bool { return s.kind == stepDelete }); i >= 0 {
					delete(p.files, name)
					p.pending[name] = pending[i+1:]
				}
			}
		}
		for _, s := range p.pending[s.file] {
			carryOut(p.files, s)
		}
		p.pending[s.file] = nil
	case stepCreate, stepWrite, stepTruncate, stepDelete:
		p.pending[s.file] = append(p.pending[s.file], s)
	default: // it failed
	}
}

// after is what is found after the cut.
func (p *platter) after(c cut, rng *rand.Rand) map[string][]byte {
	out := make(map[string][]byte, len(p.files))
	for name, b := range p.files {
		out[name] = bytes.Clone(b)
	}
	for _, name := range slices.Sorted(maps.Keys(p.pending)) {
		switch c {
		case cutKill:
			for _, s := range p.pending[name] {
				carryOut(out, s)
			}
		case cutTorn:
			for _, s := range torn(p.pending[name], rng) {
				carryOut(out, s)
			}
		case cutLost:
		}
	}
	return out
}

// torn is a part of what was pending, cut at sectors and shuffled.
func torn(in []step, rng *rand.Rand) []step {
	var out []step
	for _, s := range in {
		if s.kind != stepWrite {
			if rng.IntN(2) == 0 {
				out = append(out, s)
			}
			continue
		}
		for at := int64(0); at < int64(len(s.data)); {
			end := min((s.off+at)/sector*sector+sector-s.off, int64(len(s.data)))
			if rng.IntN(2) == 0 {
				out = append(out, step{kind: stepWrite, file: s.file, off: s.off + at, data: s.data[at:end]})
			}
			at = end
		}
	}
	rng.Shuffle(len(out), func(a, b int) { out[a], out[b] = out[b], out[a] })
	return out
}

func carryOut(files map[string][]byte, s step) {
	b, ok := files[s.file]
	switch s.kind {
	case stepCreate:
		if !ok {
			files[s.file] = []byte{}
		}
	case stepDelete:
		delete(files, s.file)
	case stepTruncate:
		if int64(len(b)) < s.off {
			b = append(b, make([]byte, s.off-int64(len(b)))...)
		}
		files[s.file] = b[:s.off]
	case stepWrite:
		if end := s.off + int64(len(s.data)); int64(len(b)) < end {
			b = append(b, make([]byte, end-int64(len(b)))...)
		}
		copy(b[s.off:], s.data)
		files[s.file] = b
	case stepSync:
	}
}

// write puts what was found after a cut where a journal can be opened.
func write(t testing.TB, path string, files map[string][]byte) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		b, ok := files[suffix]
		if !ok {
			if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// memory is a folder in memory where there is one: what is tried thousands of times need not reach a disk.
func memory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "journal-") //nolint:usetesting // that one is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// inTurns tells whether to try one of several things each time instead of all.
func inTurns() bool { return raced && os.Getenv("AXLEGATE_LONG") == "" }
