package simulator

import (
	"bytes"
	"crypto/md5" // HTTP Digest knows nothing else
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// CameraFormat names how a camera words what it saw. Each was written from its maker's or its receivers' pages.
type CameraFormat string

// The formats.
const (
	HikvisionFormat       CameraFormat = "hikvision"
	DahuaFormat           CameraFormat = "dahua"
	AxisFormat            CameraFormat = "axis"
	PlateRecognizerFormat CameraFormat = "plate-recognizer"
	OpenALPRFormat        CameraFormat = "openalpr"
	AutoVuFormat          CameraFormat = "autovu"
	FrigateFormat         CameraFormat = "frigate"
)

// CameraFormats lists all formats.
func CameraFormats() []CameraFormat {
	return []CameraFormat{HikvisionFormat, DahuaFormat, AxisFormat, PlateRecognizerFormat, OpenALPRFormat, AutoVuFormat, FrigateFormat}
}

// shot is what a camera has of one vehicle.
type shot struct {
	sighting
	plate         string    // empty when it read none
	at            time.Time // by the camera's clock, in China
	confidence    int       // 0 to 100
	overview      []byte    // nil when there is none
	closeUp       []byte
	box           image.Rectangle
	lane          wim.LaneID
	front         bool
	site          wim.SiteID
	number        int // of the vehicle, since the camera started
	rand          *rand.Rand
	width, height int
}

// push is one request's body.
type push struct {
	contentType string
	body        []byte
}

// word puts a shot into a format. No push means that such a camera says nothing of it.
func (f CameraFormat) word(s *shot) ([]push, error) {
	switch f {
	case DahuaFormat:
		return s.dahua()
	case AxisFormat:
		return s.axis()
	case PlateRecognizerFormat:
		return s.plateRecognizer()
	case OpenALPRFormat:
		return s.openALPR()
	case AutoVuFormat:
		return s.autoVu()
	case FrigateFormat:
		return s.frigate()
	case HikvisionFormat:
	}
	return s.hikvision(), nil
}

type object map[string]any

func document(v any) ([]push, error) {
	b, err := json.Marshal(v)
	return []push{{"application/json", b}}, err
}

func (s *shot) hikvision() []push {
	var b bytes.Buffer
	part := func(name, ctype string, data []byte) {
		fmt.Fprintf(&b, "--boundary\r\nContent-Disposition: form-data; name=%q; filename=%q\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", name, name, ctype, len(data))
		b.Write(data)
		b.WriteString("\r\n")
	}
	part("anpr.xml", "text/xml", s.isapi())
	if s.closeUp != nil {
		part("licensePlatePicture.jpg", "image/jpeg", s.closeUp)
	}
	if s.overview != nil {
		part("detectionPicture.jpg", "image/jpeg", s.overview)
	}
	b.WriteString("--boundary--\r\n")
	return []push{{"multipart/form-data; boundary=boundary", b.Bytes()}}
}

// dahua writes local time without a zone, as the maker does, and names a vehicle by its picture only.
func (s *shot) dahua() ([]push, error) {
	kinds := map[string]string{"truck": "HeavyTruck", "trailer": "HeavyTruck"}
	picture := func(suffix string, jpeg []byte) object {
		return object{"PicName": s.uuid + suffix + ".jpg", "Content": base64.StdEncoding.EncodeToString(jpeg)}
	}
	return document(object{"Picture": object{
		"Plate": object{
			"IsExist": s.plate != "", "PlateNumber": s.plate, "PlateColor": capital(plateColor(s.plate)), "PlateType": "", "Confidence": s.confidence,
			"BoundingBox": []int{s.box.Min.X * 8192 / s.width, s.box.Min.Y * 8192 / s.height, s.box.Max.X * 8192 / s.width, s.box.Max.Y * 8192 / s.height}, "UploadNum": 1,
		},
		"Vehicle":   object{"VehicleColor": "White", "VehicleType": kinds[s.kind], "VehicleSign": "Unknown", "VehicleSeries": ""},
		"SnapInfo":  object{"DeviceID": string(s.site), "LanNo": s.lane, "Direction": "Obverse", "SnapTime": s.at.Format(time.DateTime), "AccurateTime": s.at.Format("2006-01-02 15:04:05.000"), "DSTTune": 0},
		"NormalPic": picture("", s.overview), "CutoutPic": picture("-plate", s.closeUp),
	}})
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// axis tells of a vehicle when it sees it and when it has lost it; the second time without a picture. All numbers are
// text.
func (s *shot) axis() ([]push, error) {
	var out []push
	for i, state := range []string{"new", "lost"} {
		doc, err := json.Marshal(object{
			"packetCounter": strconv.Itoa(2*s.number + i), "carID": strconv.Itoa(s.number), "carState": state, "datetime": strings.Replace(s.at.Format("20060102 150405.000"), ".", "", 1),
			"capture_timestamp": strconv.FormatInt(s.at.UnixMilli(), 10), "plateText": s.plate, "plateUTF8": s.plate, "plateASCII": s.plate,
			"plateConfidence": fmt.Sprintf("%.3f", float64(s.confidence)/100), "plateCountry": "CHN", "carMoveDirection": []string{"unknown", "in"}[i],
			"plateCoordinates": []int{s.box.Min.X, s.box.Min.Y, s.box.Dx(), s.box.Dy()}, "vehicle_info": object{"type": "truck", "confidenceMMR": "80"},
		})
		if err != nil {
			return nil, err
		}
		p, err := form(formPart{"event", "", "application/json", doc})
		if i == 0 && s.overview != nil {
			p, err = form(formPart{"event", "", "application/json", doc}, formPart{"image", "frame.jpg", "image/jpeg", s.overview})
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// plateRecognizer sends nothing of a vehicle whose plate it did not read but an empty list.
func (s *shot) plateRecognizer() ([]push, error) {
	results := []object{}
	if s.plate != "" {
		results = append(results, object{
			"plate": strings.ToLower(s.plate), "score": float64(s.confidence) / 100, "dscore": 0.8, "box": object{"xmin": s.box.Min.X, "ymin": s.box.Min.Y, "xmax": s.box.Max.X, "ymax": s.box.Max.Y},
			"vehicle": object{"type": "Big Truck", "score": 0.7}, "candidates": []object{{"plate": strings.ToLower(s.plate)}},
		})
	}
	doc, err := json.Marshal(object{
		"hook": object{"event": "recognition", "id": string(s.site), "filename": s.uuid + ".jpg"},
		"data": object{
			"camera_id": string(s.site), "filename": s.uuid + ".jpg", "timestamp": s.at.UTC().Format("2006-01-02T15:04:05.000Z"),
			"timestamp_local": s.at.Format("2006-01-02 15:04:05.000000-07:00"), "results": results,
		},
	})
	if err != nil {
		return nil, err
	}
	if s.overview == nil {
		return []push{{"application/json", doc}}, nil
	}
	p, err := form(formPart{"json", "", "", doc}, formPart{"upload", s.uuid + ".jpg", "image/jpeg", s.overview})
	return []push{p}, err
}

// openALPR sends a preview before its group, and nothing of a vehicle without a plate.
func (s *shot) openALPR() ([]push, error) {
	if s.plate == "" {
		return document(object{"data_type": "heartbeat", "agent_uid": string(s.site)})
	}
	group := object{
		"data_type": "alpr_group", "version": 2, "epoch_start": s.at.UnixMilli(), "epoch_end": s.at.UnixMilli() + 600, "camera_id": s.lane, "agent_uid": string(s.site),
		"best_plate_number": s.plate, "best_confidence": float64(s.confidence), "best_uuid": s.uuid, "is_preview": true,
		"best_plate": object{"plate": s.plate, "confidence": float64(s.confidence) - 0.5, "plate_crop_jpeg": base64.StdEncoding.EncodeToString(s.closeUp)},
		"vehicle":    object{"body_type": []object{{"name": "tractor-trailer", "confidence": 81.5}}, "color": []object{{"name": "white", "confidence": 60}}},
	}
	preview, err := document(group)
	if err != nil {
		return nil, err
	}
	group["is_preview"] = false
	if s.overview != nil {
		group["vehicle_crop_jpeg"] = base64.StdEncoding.EncodeToString(s.overview)
	}
	final, err := document(group)
	return append(preview, final...), err
}

func (s *shot) autoVu() ([]push, error) {
	return document([]object{{
		"ReferenceReadId": s.uuid, "ReferenceCameraId": fmt.Sprint(s.lane), "CameraName": string(s.site), "Plate": s.plate, "PlateStateProvince": "",
		"Confidence": strconv.FormatFloat(float64(s.confidence)/100, 'f', 2, 64), "ReadTimeUtc": s.at.UTC().Format("2006-01-02T15:04:05.0000000Z"), "VehicleDirection": "Approaching",
		"ContextImage": base64.StdEncoding.EncodeToString(s.overview), "PlateImage": base64.StdEncoding.EncodeToString(s.closeUp),
	}})
}

// frigate is what a bridge posts: the plate, and the end of the object that it was on.
func (s *shot) frigate() ([]push, error) {
	end, err := document(object{"type": "end", "before": object{}, "after": object{"id": s.uuid, "label": "car", "camera": string(s.site), "start_time": s.seconds(), "recognized_license_plate": null(s.plate), "recognized_license_plate_score": float64(s.confidence) / 100}})
	if err != nil || s.plate == "" {
		return end, err
	}
	lpr, err := document(object{"type": "lpr", "id": s.uuid, "name": nil, "plate": s.plate, "score": float64(s.confidence) / 100, "camera": string(s.site), "timestamp": s.seconds()})
	return append(lpr, end...), err
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (s *shot) seconds() json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", s.at.Unix(), s.at.Nanosecond()/1e6))
}

type formPart struct {
	name, file, ctype string
	data              []byte
}

func form(parts ...formPart) (push, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", p.name)}}
		if p.file != "" {
			h.Set("Content-Disposition", fmt.Sprintf("form-data; name=%q; filename=%q", p.name, p.file))
		}
		if p.ctype != "" {
			h.Set("Content-Type", p.ctype)
		}
		out, err := w.CreatePart(h)
		if err != nil {
			return push{}, err
		}
		if _, err := out.Write(p.data); err != nil {
			return push{}, err
		}
	}
	err := w.Close()
	return push{w.FormDataContentType(), b.Bytes()}, err
}

// digestAnswer answers a challenge of RFC 2617 as cameras do: with MD5, and always as the first request of a nonce.
func digestAnswer(challenge string, user *url.Userinfo, uri string) string {
	value := func(key string) string {
		_, rest, ok := strings.Cut(challenge, key+`="`)
		if !ok {
			return ""
		}
		v, _, _ := strings.Cut(rest, `"`)
		return v
	}
	sum := func(s string) string {
		h := md5.Sum([]byte(s))
		return hex.EncodeToString(h[:])
	}
	password, _ := user.Password()
	nonce, cnonce := value("nonce"), strconv.FormatUint(rand.Uint64(), 16)
	a1, a2 := sum(user.Username()+":"+value("realm")+":"+password), sum(http.MethodPost+":"+uri)
	response := sum(a1 + ":" + nonce + ":00000001:" + cnonce + ":auth:" + a2)
	return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", qop=auth, nc=00000001, cnonce="%s", response="%s"`,
		user.Username(), value("realm"), nonce, uri, cnonce, response)
}
