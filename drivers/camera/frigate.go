package camera

import "time"

// frigate is what Frigate publishes of plates: tracked_object_update of type lpr, and the end of an event. Frigate
// speaks MQTT; a bridge posts its payloads to the camera's path as they are.
func frigate() dialect {
	return dialect{
		Traits: Traits{
			Format: Frigate, Name: "Frigate tracked_object_update and events, posted by a bridge", Event: "id of the tracked object",
			Clock:   "timestamp in seconds since 1970 with decimals",
			Carries: "plate, confidence, the object's label",
			Lacks:   "pictures, which it publishes elsewhere; the plate's colour",
			Source:  "docs.frigate.video: MQTT and license plate recognition",
		},
		decode: func(contentType string, body []byte, _ *time.Location) ([]event, error) {
			doc, pictures, err := splitJSON(contentType, body)
			if err != nil {
				return nil, err
			}
			var d struct {
				Type      text `json:"type"`
				ID        text `json:"id"`
				Plate     text `json:"plate"`
				Score     text `json:"score"`
				Timestamp text `json:"timestamp"`
				After     *struct {
					ID    text `json:"id"`
					Label text `json:"label"`
					Plate text `json:"recognized_license_plate"`
					Score text `json:"recognized_license_plate_score"`
					Start text `json:"start_time"`
				} `json:"after"`
			}
			if err := decodeJSON(doc, &d); err != nil {
				return nil, err
			}
			e := event{
				id: string(d.ID), stamp: string(d.Timestamp), plate: string(d.Plate), confidence: permille(string(d.Score), 1),
				at: epoch(string(d.Timestamp)), pictures: pictures, doc: doc,
			}
			switch {
			case d.Type == "":
				return nil, refuse("event has no type: no push of this format")
			case d.Type == "lpr" && d.ID != "":
			case d.Type == "end" && d.After != nil && d.After.ID != "" && d.After.Plate != "":
				// The whole event began long before its plate was read: its start would be a wrong time for it, and
				// the plate that came before by itself has the right one.
				e.id, e.stamp, e.plate, e.at = string(d.After.ID), string(d.After.Start), string(d.After.Plate), 0
				e.confidence, e.kind = permille(string(d.After.Score), 1), kind(string(d.After.Label))
			default: // another update, or an object without a plate
				return nil, nil
			}
			return []event{e}, nil
		},
	}
}
