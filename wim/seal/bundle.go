package seal

import (
	"encoding/binary"
	"fmt"
)

// maxJWS bounds the signature text of a segment: 64 digests take some 6 KiB.
const maxJWS = 16 << 10

// AppendBundle writes a signed segment with its records in wire form: JWS and records, each behind its
// length. The layout stands in docs/wire.md.
func AppendBundle(dst []byte, jws string, raws [][]byte) []byte {
	dst = append(dst, bundleVersion)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(jws)))
	dst = append(dst, jws...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(raws)))
	for _, r := range raws {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(r)))
		dst = append(dst, r...)
	}
	return dst
}

const bundleVersion = 1

// ReadBundle takes apart what AppendBundle wrote. The records alias b. It never allocates more than b's
// own size suggests.
func ReadBundle(b []byte) (jws string, raws [][]byte, err error) {
	if len(b) == 0 || b[0] != bundleVersion {
		return "", nil, fmt.Errorf("%w bundle: unknown version", ErrMalformed)
	}
	b = b[1:]
	sig, b, err := take(b, maxJWS, "signature")
	if err != nil {
		return "", nil, err
	}
	if len(b) < 2 {
		return "", nil, fmt.Errorf("%w bundle: cut off before its records", ErrMalformed)
	}
	n := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if n == 0 || n > MaxSegmentRecords {
		return "", nil, fmt.Errorf("%w bundle: %d records", ErrMalformed, n)
	}
	raws = make([][]byte, 0, n)
	for i := range n {
		var r []byte
		if r, b, err = take(b, MaxRecord, "record"); err != nil {
			return "", nil, fmt.Errorf("record %d: %w", i, err)
		}
		raws = append(raws, r)
	}
	if len(b) != 0 {
		return "", nil, fmt.Errorf("%w bundle: %d bytes after the last record", ErrMalformed, len(b))
	}
	return string(sig), raws, nil
}

func take(b []byte, limit int, what string) (field, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, fmt.Errorf("%w bundle: cut off before a %s", ErrMalformed, what)
	}
	n := int64(binary.BigEndian.Uint32(b))
	b = b[4:]
	if n > int64(limit) {
		return nil, nil, fmt.Errorf("%w bundle: a %s of %d bytes", ErrMalformed, what, n)
	}
	if n > int64(len(b)) {
		return nil, nil, fmt.Errorf("%w bundle: cut off inside a %s", ErrMalformed, what)
	}
	return b[:n:n], b[n:], nil
}
