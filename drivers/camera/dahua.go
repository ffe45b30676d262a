package camera

import (
	"time"

	"github.com/axlegate/axlegate/wim"
)

// dahua is ITSAPI: TollgateInfo for each vehicle, KeepAlive and DeviceInfo between. The camera sends the same
// again until the answer says that it was taken.
func dahua() dialect {
	return dialect{
		Traits: Traits{
			Format: Dahua, Name: "Dahua ITSAPI TollgateInfo", Event: "the picture's name with the time",
			Clock:   "SnapInfo.AccurateTime, or SnapTime: local, so a zone must be configured; without one it is not known",
			Carries: "plate, confidence, plate colour, vehicle type, pictures in base64",
			Lacks:   "an id of the event; the offset of its clock",
			Source:  "ipcamtalk.com thread 66375; public receivers of this push agree on the fields; not tried on a camera",
		},
		decode: decodeDahua, answer: `{"Result":true}`,
		fixed: []string{"/NotificationInfo/TollgateInfo", "/NotificationInfo/KeepAlive", "/NotificationInfo/DeviceInfo"},
	}
}

func decodeDahua(contentType string, body []byte, zone *time.Location) ([]event, error) {
	doc, pictures, err := splitJSON(contentType, body)
	if err != nil {
		return nil, err
	}
	type pic struct{ PicName, Content text }
	var d struct {
		Active, DeviceID, PicName text
		DeviceInfo                any
		Picture                   *struct {
			Plate struct {
				PlateNumber, PlateColor, Confidence text
			}
			Vehicle                          struct{ VehicleType text }
			SnapInfo                         struct{ AccurateTime, SnapTime text }
			NormalPic, VehiclePic, CutoutPic pic
		}
	}
	if err := decodeJSON(doc, &d); err != nil {
		return nil, err
	}
	p := d.Picture
	if p == nil {
		if d.Active == "" && d.DeviceID == "" && d.DeviceInfo == nil {
			return nil, refuse("event has no Picture and is no KeepAlive: no ITSAPI push")
		}
		return nil, nil
	}
	e := event{
		plate: string(p.Plate.PlateNumber), color: color(string(p.Plate.PlateColor)), confidence: permille(string(p.Plate.Confidence), 100),
		kind: kind(string(p.Vehicle.VehicleType)), pictures: pictures, doc: doc,
	}
	// In the order of worth: the scene, the vehicle, the plate alone.
	for _, c := range []struct {
		name string
		pic
	}{{"detection", p.NormalPic}, {"vehicle", p.VehiclePic}, {"plate", p.CutoutPic}} {
		if d.PicName == "" {
			d.PicName = c.PicName
		}
		if c.Content != "" {
			e.pictures = append(e.pictures, encoded(c.name, string(c.Content)))
		}
	}
	when := p.SnapInfo.AccurateTime
	if when == "" {
		when = p.SnapInfo.SnapTime
	}
	e.stamp = string(when)
	if d.PicName != "" && when != "" { // a name alone may be the same for every picture
		e.id = wim.DigestOf([]byte(string(d.PicName) + "|" + string(when))).Short()
	}
	e.at = zoned(string(when), zone)
	return []event{e}, nil
}
