package camera

import "time"

// openALPR is what the OpenALPR agent, now Rekor's, posts. Only groups are read, which are one vehicle each:
// results of single frames would be many reads of one, and a preview is followed by its group.
func openALPR() dialect {
	return dialect{
		Traits: Traits{
			Format: OpenALPR, Name: "OpenALPR / Rekor agent, alpr_group", Event: "best_uuid",
			Clock:   "epoch_start in ms since 1970; seconds in older agents",
			Carries: "plate voted from many frames, confidence, body type, a picture of the vehicle in base64",
			Lacks:   "the plate's colour; the whole scene, which only the agent keeps",
			Source:  "OpenALPR agent documentation; mlapaglia/OpenAlprWebhookProcessor",
		},
		decode: func(contentType string, body []byte, _ *time.Location) ([]event, error) {
			doc, pictures, err := splitJSON(contentType, body)
			if err != nil {
				return nil, err
			}
			var d struct {
				DataType   text `json:"data_type"`
				EpochStart text `json:"epoch_start"`
				BestUUID   text `json:"best_uuid"`
				BestNumber text `json:"best_plate_number"`
				Confidence text `json:"best_confidence"`
				Preview    text `json:"is_preview"`
				BestPlate  struct {
					Plate      text `json:"plate"`
					Confidence text `json:"confidence"`
					Crop       text `json:"plate_crop_jpeg"`
				} `json:"best_plate"`
				Vehicle struct {
					BodyType []struct {
						Name text `json:"name"`
					} `json:"body_type"`
				} `json:"vehicle"`
				Crop text `json:"vehicle_crop_jpeg"`
			}
			if err := decodeJSON(doc, &d); err != nil {
				return nil, err
			}
			switch {
			case d.DataType == "":
				return nil, refuse("event has no data_type: no push of this format")
			case d.DataType != "alpr_group" || d.Preview.yes():
				return nil, nil
			}
			e := event{
				id: string(d.BestUUID), stamp: string(d.EpochStart), plate: string(d.BestNumber), confidence: permille(string(d.Confidence), 100),
				at: epoch(string(d.EpochStart)), pictures: pictures, doc: doc,
			}
			if e.plate == "" { // the vote can differ from the best single plate, and counts before it
				e.plate, e.confidence = string(d.BestPlate.Plate), permille(string(d.BestPlate.Confidence), 100)
			}
			if len(d.Vehicle.BodyType) > 0 { // best first
				e.kind = kind(string(d.Vehicle.BodyType[0].Name))
			}
			if d.Crop != "" {
				e.pictures = append(e.pictures, encoded("vehicle", string(d.Crop)))
			}
			if d.BestPlate.Crop != "" {
				e.pictures = append(e.pictures, encoded("plate", string(d.BestPlate.Crop)))
			}
			return []event{e}, nil
		},
	}
}
