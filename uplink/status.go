package uplink

import (
	"encoding/json"
	"fmt"
	"time"
)

// State tells whether a site is connected.
type State string

// The states of a site's connection.
const (
	Online  State = "online"
	Offline State = "offline"
)

// maxStatus bounds a status payload in bytes.
const maxStatus = 1 << 10

// SiteStatus is what a site keeps retained on its status topic. The broker publishes the offline one as the
// site's will when the connection breaks; a site that stops in order publishes it itself.
type SiteStatus struct {
	State State `json:"state"`
	// Boot names the run of the site's daemon, so that the will of an earlier run is known as such.
	Boot string `json:"boot"`
	// Connection counts the connections of this run from 1, so that the will of an earlier connection is
	// known as such.
	Connection uint64 `json:"connection"`
	// Time is the site's clock: when the connection began, in a will too; when the site stopped, where it
	// stopped in order.
	Time time.Time `json:"time"`
}

// Encode writes the payload of a status message.
func (s SiteStatus) Encode() []byte {
	s.Time = s.Time.UTC()
	b, err := json.Marshal(s)
	if err != nil { // only a year beyond 9999 can fail, and a clock that shows one says nothing
		s.Time = time.Time{}
		return s.Encode()
	}
	return b
}

// DecodeStatus reads the payload of a status message. What is not one is ErrMessage.
func DecodeStatus(payload []byte) (SiteStatus, error) {
	var s SiteStatus
	if len(payload) > maxStatus {
		return s, fmt.Errorf("%w: a status of %d bytes, at most %d are allowed", ErrMessage, len(payload), maxStatus)
	}
	if err := json.Unmarshal(payload, &s); err != nil {
		return SiteStatus{}, fmt.Errorf("%w: status: %w", ErrMessage, err)
	}
	if (s.State != Online && s.State != Offline) || s.Boot == "" {
		return SiteStatus{}, fmt.Errorf("%w: status without state or boot", ErrMessage)
	}
	return s, nil
}

// Stale tells whether s is an offline that must not hide the newer last: brokers may publish the will of an
// old connection after the online of the next one.
func (s SiteStatus) Stale(last SiteStatus) bool {
	if s.State != Offline || last.State != Online {
		return false
	}
	return s.Boot != last.Boot || s.Connection < last.Connection
}
