package camera

import (
	"strings"
	"time"
)

// axis is the push of Axis License Plate Verifier, whose engine is FF Group's. One vehicle has several events
// under one carID, which counts from the camera's start: new, update, lost. The later ones amend the first.
func axis() dialect {
	return dialect{
		Traits: Traits{
			Format: Axis, Name: "Axis License Plate Verifier (FF Group)", Event: "carID, with the time of its first event",
			Clock:   "capture_timestamp in ms since 1970, or capture_ts in ns",
			Carries: "plate, confidence, vehicle type, pictures as parts or in base64; updates of the same vehicle",
			Lacks:   "the plate's colour; an id that outlives a restart",
			Source:  "developer.axis.com License Plate Verifier API; FF Group JSON fields, protocol 1.6",
		},
		decode: func(contentType string, body []byte, _ *time.Location) ([]event, error) {
			doc, pictures, err := splitJSON(contentType, body)
			if err != nil {
				return nil, err
			}
			var d struct {
				CarID            text `json:"carID"`
				CarState         text `json:"carState"`
				PacketCounter    text `json:"packetCounter"`
				CaptureTimestamp text `json:"capture_timestamp"`
				CaptureTS        text `json:"capture_ts"`
				PlateUTF8        text `json:"plateUTF8"`
				PlateText        text `json:"plateText"`
				PlateUnicode     text `json:"plateUnicode"`
				PlateConfidence  text `json:"plateConfidence"`
				VehicleInfo      struct {
					Type text `json:"type"`
				} `json:"vehicle_info"`
				ImageArray []struct {
					ImageType   text `json:"ImageType"`
					BinaryImage text `json:"BinaryImage"`
				} `json:"ImageArray"`
			}
			if err := decodeJSON(doc, &d); err != nil {
				return nil, err
			}
			if d.CarID == "" {
				if d.PacketCounter == "" && d.CaptureTimestamp == "" && d.CaptureTS == "" && d.CarState == "" {
					var alive struct{ Type, Event, Heartbeat text }
					if err := decodeJSON(doc, &alive); err != nil || alive == (struct{ Type, Event, Heartbeat text }{}) {
						return nil, refuse("event has no carID and is no heartbeat")
					}
				}
				return nil, nil
			}
			when := d.CaptureTimestamp
			if when == "" {
				when = d.CaptureTS
			}
			plate := d.PlateUTF8
			for _, other := range []text{d.PlateUnicode, d.PlateText} { // plateASCII is not always ASCII, nor the plate
				if plate == "" {
					plate = other
				}
			}
			e := event{
				id: "car-" + string(d.CarID), counts: true, stamp: string(when), plate: string(plate), confidence: permille(string(d.PlateConfidence), 1),
				kind: kind(string(d.VehicleInfo.Type)), at: epoch(string(when)), pictures: pictures, doc: doc,
			}
			for _, i := range d.ImageArray {
				name := strings.ToLower(string(i.ImageType))
				if name == "frame" {
					name = "detection"
				}
				e.pictures = append(e.pictures, encoded(name, string(i.BinaryImage)))
			}
			return []event{e}, nil
		},
	}
}
