package camera

import (
	"fmt"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// plateRecognizer is the webhook of Plate Recognizer Stream: one push may name several vehicles, and all have
// the same picture.
func plateRecognizer() dialect {
	return dialect{
		Traits: Traits{
			Format: PlateRecognizer, Name: "Plate Recognizer Stream webhook", Event: "camera, time and plate",
			Clock:   "data.timestamp in UTC; data.timestamp_local with its offset",
			Carries: "plate, confidence, vehicle type, one picture of the scene",
			Lacks:   "an id of the vehicle; the plate's colour",
			Source:  "guides.platerecognizer.com/docs/stream/results; parkpow/deep-license-plate-recognition",
		},
		decode: func(contentType string, body []byte, zone *time.Location) ([]event, error) {
			doc, pictures, err := splitJSON(contentType, body)
			if err != nil {
				return nil, err
			}
			var d struct {
				Hook struct{ Event text }
				Data *struct {
					CameraID       text `json:"camera_id"`
					Timestamp      text `json:"timestamp"`
					TimestampLocal text `json:"timestamp_local"`
					Results        []struct {
						Plate   text `json:"plate"`
						Score   text `json:"score"`
						Vehicle struct {
							Type text `json:"type"`
						} `json:"vehicle"`
					} `json:"results"`
				}
			}
			if err := decodeJSON(doc, &d); err != nil {
				return nil, err
			}
			switch {
			case d.Data == nil && d.Hook.Event == "":
				return nil, refuse("event has neither data nor hook: no push of this format")
			case d.Data == nil:
				return nil, nil
			case len(d.Data.Results) > maxEvents:
				return nil, refuse("%d vehicles in one push, at most %d are read", len(d.Data.Results), maxEvents)
			}
			at := zoned(string(d.Data.Timestamp), zone)
			if at == 0 {
				at = zoned(string(d.Data.TimestampLocal), zone)
			}
			var out []event
			for i, r := range d.Data.Results {
				e := event{
					stamp: string(d.Data.CameraID + "|" + d.Data.Timestamp), plate: string(r.Plate), confidence: permille(string(r.Score), 1),
					kind: kind(string(r.Vehicle.Type)), at: at, pictures: pictures, doc: doc,
				}
				if wim.NormalisePlate(e.plate) == "" { // two of them in one push are two vehicles
					e.doc = fmt.Appendf(nil, "%d|%s", i, doc)
				}
				out = append(out, e)
			}
			return out, nil
		},
	}
}
