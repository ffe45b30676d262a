package strips

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// sealed gives a block whose content was changed the CRC that it then has.
func sealed(block []byte) []byte {
	body := block[:len(block)-afterBytes]
	return binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

func TestALengthThatIsWrongCostsItsOwnBlockOnly(t *testing.T) {
	raw, _, a := stream(t, 3, nil)
	list := blocks(raw)
	for _, n := range []uint32{0, 15, 17, 1000, 16 << 10, maxContent, maxContent + 1, 1<<32 - 1} {
		for _, at := range []int{1, len(list) / 2, len(list) - 2, len(list) - 1} {
			if n == 0 && at == len(list)-1 {
				continue // the end has this length
			}
			bad := slices.Clone(list)
			bad[at] = slices.Clone(bad[at])
			binary.LittleEndian.PutUint32(bad[at][12:], n)
			_, _, r := weighed(t, bytes.NewReader(slices.Concat(bad...)), a)
			if int(r.Blocks) != len(list)-1 || r.Skipped != uint64(len(list[at])) {
				t.Errorf("a length of %d in block %d: %d of %d blocks, %d bytes passed over of %d", n, at, r.Blocks, len(list), r.Skipped, len(list[at]))
			}
		}
	}
}

func TestAWrongLengthIsPassedOverBeforeSoMuchHasCome(t *testing.T) {
	raw, _, _ := stream(t, 1, nil)
	list := blocks(raw)
	bad := slices.Clone(list[1])
	binary.LittleEndian.PutUint32(bad[12:], maxContent)
	in, out := io.Pipe()
	defer in.Close()                                   //nolint:errcheck // it lies in memory
	go out.Write(slices.Concat(list[0], bad, list[2])) //nolint:errcheck // then nothing more comes: a reader that waits for a mebibyte waits for ever
	r := NewReader(in)
	for range 2 {
		got := make(chan error, 1)
		go func() { _, err := r.Next(); got <- err }()
		select {
		case err := <-got:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the block behind the wrong length was not given")
		}
	}
}

func TestAStreamThatEndsWithinAVehicleWeighsNoPartOfIt(t *testing.T) {
	raw, truth, a := stream(t, 1, nil)
	list := blocks(raw)
	end := list[len(list)-1]
	for cut := 1; cut < len(list)-1; cut += 3 {
		for _, lost := range []bool{true, false} {
			last := slices.Clone(end)
			if !lost { // the digitiser stopped there by itself: its numbers have no hole
				binary.LittleEndian.PutUint32(last[8:], uint32(cut)) //nolint:gosec // some hundred
				last = sealed(last)
			}
			ends, _, _ := weighed(t, bytes.NewReader(slices.Concat(slices.Concat(list[:cut]...), last)), a)
			for _, e := range ends {
				if int(e.AxleCount) != len(truth[0].Axles) {
					t.Errorf("cut at block %d: %d axles of %d", cut, e.AxleCount, len(truth[0].Axles))
				}
			}
		}
	}
}

func TestAHeaderThatSaysOtherStripsIsRefusedThoughNobodyStartedAnew(t *testing.T) {
	raw, _, a := stream(t, 1, nil)
	list := blocks(raw)
	moved := bytes.Replace(list[0], []byte(`"position_mm":3000`), []byte(`"position_mm":4000`), 1)
	r, w := NewReader(bytes.NewReader(slices.Concat(list[0], list[1], sealed(moved), list[2]))), NewWeigher(a, 0)
	for i := range 4 {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		var out []wim.Reading
		if out, err = w.Take(&b, out); (err != nil) != (i == 2) || len(out) != 0 {
			t.Errorf("block %d: %v, %v", i, out, err)
		}
	}
}
