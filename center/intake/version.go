package intake

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/axlegate/axlegate/center"
)

// segmentVersion is the version of segments that this build reads.
const segmentVersion = 1

// laterVersion is the version that a segment says it has, where that is one which only a later build reads; else 0. It
// is not believed: it only chooses the words of the alarm.
func laterVersion(jws string) int {
	header, rest, _ := strings.Cut(jws, ".")
	payload, _, _ := strings.Cut(rest, ".")
	var h struct {
		Type string `json:"typ"`
	}
	var p struct {
		Version int `json:"v"`
	}
	for text, into := range map[string]any{header: &h, payload: &p} {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || json.Unmarshal(b, into) != nil {
			return 0
		}
	}
	if h.Type != "axlegate-segment" || p.Version <= segmentVersion {
		return 0
	}
	return p.Version
}

// alarmFor is the alarm that a person gets for input that was set aside.
func alarmFor(reason string) center.AlarmKind {
	if reason == reasonVersion {
		return center.AlarmVersion
	}
	return center.AlarmQuarantine
}
