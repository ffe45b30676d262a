package camera

import (
	"strings"
	"time"
)

// autoVu is what Genetec AutoVu takes in from plate readers, and so what many of them can send: a list of reads.
func autoVu() dialect {
	return dialect{
		Traits: Traits{
			Format: AutoVu, Name: "Genetec AutoVu third-party ingestion", Event: "ReferenceReadId",
			Clock:   "ReadTimeUtc, UTC with or without saying so",
			Carries: "plate, confidence, pictures of scene and plate in base64",
			Lacks:   "the plate's colour; the vehicle's type",
			Source:  "Axis License Plate Verifier API, section on this receiver",
		},
		fixed: []string{"/lpringestion/Reads"},
		decode: func(contentType string, body []byte, _ *time.Location) ([]event, error) {
			doc, _, err := splitJSON(contentType, body)
			if err != nil {
				return nil, err
			}
			type read struct {
				ReferenceReadID text `json:"ReferenceReadId"`
				Plate           text `json:"Plate"`
				Confidence      text `json:"Confidence"`
				PlateImage      text `json:"PlateImage"`
				ContextImage    text `json:"ContextImage"`
				ReadTimeUTC     text `json:"ReadTimeUtc"`
			}
			var list []read
			if strings.HasPrefix(string(doc), "{") { // one alone, out of its list
				list = make([]read, 1)
				err = decodeJSON(doc, &list[0])
			} else {
				err = decodeJSON(doc, &list)
			}
			if err != nil {
				return nil, err
			}
			if len(list) > maxEvents {
				return nil, refuse("%d reads in one push, at most %d are taken", len(list), maxEvents)
			}
			var out []event
			for _, r := range list {
				if r.ReferenceReadID == "" && r.ReadTimeUTC == "" {
					return nil, refuse("a read has neither ReferenceReadId nor ReadTimeUtc: no push of this format")
				}
				e := event{
					id: string(r.ReferenceReadID), stamp: string(r.ReadTimeUTC), plate: string(r.Plate), confidence: permille(string(r.Confidence), 1),
					at: zoned(string(r.ReadTimeUTC), time.UTC), doc: doc,
				}
				if r.ContextImage != "" {
					e.pictures = append(e.pictures, encoded("detection", string(r.ContextImage)))
				}
				if r.PlateImage != "" {
					e.pictures = append(e.pictures, encoded("plate", string(r.PlateImage)))
				}
				out = append(out, e)
			}
			return out, nil
		},
	}
}
