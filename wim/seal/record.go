package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/axlegate/axlegate/wim"
)

// MaxRecord bounds a sealed record in bytes. A train of twenty axles with all its findings takes some 8 KiB.
const MaxRecord = 64 << 10

// ErrMalformed marks bytes that are no record, segment or receipt of a version this build reads.
var ErrMalformed = errors.New("malformed")

// Sealed is a record with its bytes and their digest.
type Sealed struct {
	Raw    []byte
	Digest wim.Digest
	Seq    uint64
	Kind   wim.RecordKind
	Urgent bool
}

// Record encodes r, whose Seq, Prev and Nonce the caller has set, into the bytes that are kept for ever.
func Record(r *wim.Record) (Sealed, error) {
	if r.Format != wim.RecordFormat {
		return Sealed{}, fmt.Errorf("record format %d: this build writes %d", r.Format, wim.RecordFormat)
	}
	if err := check(r); err != nil {
		return Sealed{}, err
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return Sealed{}, fmt.Errorf("encode record %d: %w", r.Seq, err)
	}
	if len(raw) > MaxRecord {
		return Sealed{}, fmt.Errorf("record %d has %d bytes, at most %d are allowed", r.Seq, len(raw), MaxRecord)
	}
	return Sealed{Raw: raw, Digest: wim.DigestOf(raw), Seq: r.Seq, Kind: r.Kind, Urgent: r.Urgent()}, nil
}

// Open decodes a sealed record. A kind that this build does not know is returned with its header only and
// no error, so that it can be held opaque; a known kind must have its body and no unknown field.
func Open(raw []byte) (*wim.Record, error) {
	var r wim.Record
	var strict error
	if len(raw) <= MaxRecord {
		strict = decodeStrict(raw, &r)
	}
	// Nearly all records are of a kind that is known and need no second look for what names them.
	if strict != nil || len(raw) > MaxRecord || Opaque(&r) {
		h, err := Header(raw)
		if err != nil || Opaque(h) {
			return h, err
		}
	}
	if strict != nil {
		return nil, fmt.Errorf("%w record: %w", ErrMalformed, strict)
	}
	if err := checkHeader(&r); err != nil {
		return nil, err
	}
	if err := check(&r); err != nil {
		return nil, fmt.Errorf("%w record: %w", ErrMalformed, err)
	}
	return &r, nil
}

// Header decodes only what names and links a record, of whatever kind and format.
func Header(raw []byte) (*wim.Record, error) {
	if len(raw) > MaxRecord {
		return nil, fmt.Errorf("%w record: %d bytes, at most %d are allowed", ErrMalformed, len(raw), MaxRecord)
	}
	var h struct {
		Format int            `json:"format"`
		Site   wim.SiteID     `json:"site"`
		Chain  wim.ChainID    `json:"chain"`
		Seq    uint64         `json:"seq"`
		Prev   wim.Digest     `json:"prev"`
		Kind   wim.RecordKind `json:"kind"`
		Time   wim.Time       `json:"time"`
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, fmt.Errorf("%w record: %w", ErrMalformed, err)
	}
	r := &wim.Record{Format: h.Format, Site: h.Site, Chain: h.Chain, Seq: h.Seq, Prev: h.Prev, Kind: h.Kind, Time: h.Time}
	if err := checkHeader(r); err != nil {
		return nil, err
	}
	return r, nil
}

func checkHeader(r *wim.Record) error {
	if err := r.Site.Valid(); err != nil {
		return fmt.Errorf("%w record: %w", ErrMalformed, err)
	}
	if r.Seq == 0 || r.Format < 1 || r.Kind == "" || r.Chain.IsZero() {
		return fmt.Errorf("%w record: format, kind, chain or seq is missing", ErrMalformed)
	}
	if r.Kind == wim.KindTombstone {
		return fmt.Errorf("%w record: a tombstone is signed and never a record of its own", ErrMalformed)
	}
	return nil
}

// Opaque tells whether r is of a kind or format that this build holds without reading it.
func Opaque(r *wim.Record) bool { return !known(r.Kind, r.Format) }

func known(k wim.RecordKind, format int) bool {
	if format < 1 || format > wim.RecordFormat {
		return false
	}
	switch k {
	case wim.KindStart, wim.KindPassage, wim.KindSupplement, wim.KindGap:
		return true
	case wim.KindConfiguration, wim.KindRotation, wim.KindTransaction, wim.KindEvent:
		return format >= 2
	case wim.KindTombstone: // never a record of its own
	}
	return false
}

func check(r *wim.Record) error {
	if err := r.Site.Valid(); err != nil {
		return err
	}
	if r.Seq == 0 {
		return errors.New("record without a sequence")
	}
	if (r.Seq == 1) != r.Prev.IsZero() {
		return fmt.Errorf("record %d: only the first record of a chain has no previous digest", r.Seq)
	}
	bodies := 0
	for _, set := range []bool{r.Start != nil, r.Passage != nil, r.Supplement != nil, r.Gap != nil, r.Configuration != nil, r.Rotation != nil, r.Transaction != nil, r.Event != nil} {
		if set {
			bodies++
		}
	}
	var own bool
	switch r.Kind {
	case wim.KindStart:
		own = r.Start != nil
	case wim.KindPassage:
		own = r.Passage != nil
	case wim.KindSupplement:
		own = r.Supplement != nil
	case wim.KindGap:
		own = r.Gap != nil
	case wim.KindConfiguration:
		own = r.Configuration != nil
	case wim.KindRotation:
		own = r.Rotation != nil
	case wim.KindTransaction:
		own = r.Transaction != nil
	case wim.KindEvent:
		own = r.Event != nil && r.Event.Valid() == nil
	case wim.KindTombstone:
	}
	if !own || bodies != 1 {
		return fmt.Errorf("record %d of kind %q must have exactly its own body", r.Seq, r.Kind)
	}
	if sw := &r.Software; r.Format < 2 && (!sw.BuildDigest.IsZero() || sw.Legal != "" || !sw.LegalDigest.IsZero() || !sw.Calibration.IsZero()) {
		return fmt.Errorf("record %d of format %d names its software as format 2 does", r.Seq, r.Format)
	}
	if (r.Kind == wim.KindStart) != (r.Seq == 1) {
		return fmt.Errorf("record %d of kind %q: a chain starts with its chain-start record, and has no other", r.Seq, r.Kind)
	}
	return nil
}

func decodeStrict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("bytes after the end")
	}
	return nil
}
