package wim

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// SiteID names a weighing site: 1 to 32 characters of a-z, 0-9 and '-', so that it may stand in a topic,
// a file name and a certificate.
type SiteID string

// Valid tells whether the name may be used.
func (s SiteID) Valid() error {
	if len(s) == 0 || len(s) > 32 {
		return fmt.Errorf("site %q: a site name has 1 to 32 characters", string(s))
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return fmt.Errorf("site %q: a site name has only a-z, 0-9 and '-'", string(s))
		}
	}
	return nil
}

// LaneID is the number of a lane at its site, from 1.
type LaneID uint16

// LanePurpose says what a lane's weighings are for. It stands in every record; anything but Enforcement
// makes every finding void.
type LanePurpose string

// The purposes of a lane.
const (
	Enforcement LanePurpose = "enforcement"
	Testing     LanePurpose = "test"
	Calibration LanePurpose = "calibration"
	Maintenance LanePurpose = "maintenance"
)

// Valid tells whether the purpose is one of the known ones.
func (p LanePurpose) Valid() error {
	switch p {
	case Enforcement, Testing, Calibration, Maintenance:
		return nil
	}
	return fmt.Errorf("lane purpose %q: want enforcement, test, calibration or maintenance", string(p))
}

// ClockState says how far the site's clock could be trusted when a record was written.
type ClockState string

// The states of a clock: as the operating system reports them, and one that was set shortly before.
const (
	ClockSynchronised   ClockState = "synchronised"
	ClockUnsynchronised ClockState = "unsynchronised"
	ClockUnknown        ClockState = "unknown"
	ClockStepped        ClockState = "stepped"
)

// DigestSize is the length of a Digest in bytes.
const DigestSize = sha256.Size

// Digest is a SHA-256 digest; as text it is 64 lower-case hexadecimal digits.
type Digest [DigestSize]byte

// DigestOf returns the digest of b.
func DigestOf(b []byte) Digest { return sha256.Sum256(b) }

// IsZero tells whether the digest is unset.
func (d Digest) IsZero() bool { return d == Digest{} }

// String gives 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Short gives the first twelve hexadecimal digits, for logs and pages.
func (d Digest) Short() string { return hex.EncodeToString(d[:6]) }

// MarshalText gives 64 hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads exactly 64 hexadecimal digits.
func (d *Digest) UnmarshalText(b []byte) error { return hexInto(d[:], b, "digest") }

// ChainID names one journal for ever: 16 random bytes, as text 32 hexadecimal digits.
type ChainID [16]byte

// NewChainID draws a chain id from the system's random source.
func NewChainID() ChainID {
	var c ChainID
	rand.Read(c[:]) // never fails since Go 1.24
	return c
}

// IsZero tells whether the chain is unset.
func (c ChainID) IsZero() bool { return c == ChainID{} }

// String gives 32 hexadecimal digits.
func (c ChainID) String() string { return hex.EncodeToString(c[:]) }

// MarshalText gives 32 hexadecimal digits.
func (c ChainID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, c[:]), nil }

// UnmarshalText reads exactly 32 hexadecimal digits.
func (c *ChainID) UnmarshalText(b []byte) error { return hexInto(c[:], b, "chain id") }

// ParseChainID reads 32 hexadecimal digits.
func ParseChainID(s string) (ChainID, error) {
	var c ChainID
	err := c.UnmarshalText([]byte(s))
	return c, err
}

// ParseDigest reads 64 hexadecimal digits.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	err := d.UnmarshalText([]byte(s))
	return d, err
}

// Nonce is 16 random bytes in every record, so that a digest shown to one party cannot be guessed back
// to a record by another.
type Nonce [16]byte

// NewNonce draws a nonce from the system's random source.
func NewNonce() Nonce { return Nonce(NewChainID()) }

// MarshalText gives 32 hexadecimal digits.
func (n Nonce) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, n[:]), nil }

// UnmarshalText reads exactly 32 hexadecimal digits.
func (n *Nonce) UnmarshalText(b []byte) error { return hexInto(n[:], b, "nonce") }

var errHexLength = errors.New("wrong length")

func hexInto(dst, src []byte, what string) error {
	if len(src) != hex.EncodedLen(len(dst)) {
		return fmt.Errorf("%s: %w: want %d hexadecimal digits, have %d", what, errHexLength, hex.EncodedLen(len(dst)), len(src))
	}
	if _, err := hex.Decode(dst, src); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// DeviceHealth is what a driver says of its device: for metrics, health pages and people.
type DeviceHealth struct {
	Device     string
	Up         bool
	Since      Time   // of the last change between up and down
	Reason     string // why it is down: what, where, what to do
	Messages   uint64 // good frames, events or answers
	Bad        uint64 // frames, events or answers refused
	Skipped    uint64 // bytes thrown away to find the next good frame
	Reconnects uint64
}
