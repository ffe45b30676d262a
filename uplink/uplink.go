// Package uplink is the contract between a site and the centre: topics, slots, the message that carries
// whole segments, and the limits of flow. It moves bytes and cannot read them: segments and receipts are
// opaque here, so a broker or a proxy can be built from this package alone.
package uplink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Slots is the number of topic slots. A centre instance leases slots; a site always lies in the same one,
// so that one connection sees all its messages in order.
const Slots = 16

// Limits of flow.
const (
	// MaxMessage bounds one MQTT payload in bytes.
	MaxMessage = 256 << 10
	// Window is how many messages a site may have unreceipted on the way.
	Window = 16
)

// Channel is the last level of a topic.
type Channel string

// The channels of a site.
const (
	Segments Channel = "segments" // site → centre: messages of whole segments
	Receipts Channel = "receipts" // centre → site: signed receipts, retained
	Status   Channel = "status"   // site → centre: online or offline with boot id, retained
	Down     Channel = "down"     // centre → site: the signed manifest of what it should work by, retained
	Asks     Channel = "asks"     // site → centre: signed questions for registrations
	Answers  Channel = "answers"  // centre → site: signed answers
)

// Message is one payload as it came on a site's topic.
type Message struct {
	Site    string
	Payload []byte
}

// ErrMessage marks a payload that is no message of this version.
var ErrMessage = errors.New("not an axlegate message")

// Slot is the slot of a site: FNV-1a of its name, modulo Slots.
func Slot(site string) int {
	h := fnv.New32a()
	h.Write([]byte(site)) // a hash never fails
	return int(h.Sum32() % Slots)
}

// Topic names a channel of a site.
func Topic(site string, c Channel) string {
	return "axlegate/v1/" + strconv.Itoa(Slot(site)) + "/" + site + "/" + string(c)
}

// SlotFilter is the subscription of an intake for one channel of all sites in a slot.
func SlotFilter(slot int, c Channel) string {
	return "axlegate/v1/" + strconv.Itoa(slot) + "/+/" + string(c)
}

// SiteOf takes the site out of a topic and checks that it lies in its own slot.
func SiteOf(topic string) (site string, c Channel, err error) {
	p := strings.Split(topic, "/")
	if len(p) != 5 || p[0] != "axlegate" || p[1] != "v1" || p[3] == "" {
		return "", "", fmt.Errorf("topic %q is not of this protocol", topic)
	}
	if p[2] != strconv.Itoa(Slot(p[3])) {
		return "", "", fmt.Errorf("topic %q: site %s belongs to slot %d", topic, p[3], Slot(p[3]))
	}
	return p[3], Channel(p[4]), nil
}

const messageVersion = 1

// Pack joins whole segments into one payload of at most MaxMessage bytes. It takes segments from the front
// as long as they fit and returns how many it took; a first segment that is too large alone is an error.
func Pack(segments [][]byte) (payload []byte, taken int, err error) {
	size := 1
	for _, s := range segments {
		size += 4 + len(s)
	}
	payload = append(make([]byte, 0, min(size, MaxMessage)), messageVersion)
	for _, s := range segments {
		if len(payload)+4+len(s) > MaxMessage {
			break
		}
		payload = binary.BigEndian.AppendUint32(payload, uint32(len(s)))
		payload = append(payload, s...)
		taken++
	}
	if taken == 0 {
		return nil, 0, errors.New("nothing to pack, or the first segment is larger than a message may be")
	}
	return payload, taken, nil
}

// Unpack splits a payload into its segments, which alias it.
func Unpack(payload []byte) ([][]byte, error) {
	if len(payload) > MaxMessage {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrMessage, len(payload), MaxMessage)
	}
	if len(payload) == 0 || payload[0] != messageVersion {
		return nil, fmt.Errorf("%w: unknown version", ErrMessage)
	}
	b := payload[1:]
	var out [][]byte
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, fmt.Errorf("%w: cut off", ErrMessage)
		}
		n := int64(binary.BigEndian.Uint32(b))
		b = b[4:]
		if n == 0 || n > int64(len(b)) {
			return nil, fmt.Errorf("%w: a segment of %d bytes where %d are left", ErrMessage, n, len(b))
		}
		out = append(out, b[:n:n])
		b = b[n:]
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrMessage)
	}
	return out, nil
}
