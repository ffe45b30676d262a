package main

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/drivers/camera"
	"github.com/axlegate/axlegate/wim"
)

func TestDecodeCameraSaysWhatAPushSays(t *testing.T) {
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	picture := base64.StdEncoding.EncodeToString(jpg.Bytes())
	read := `[{"ReferenceReadId":"r1","Plate":"川A·12345","Confidence":"0.9","ReadTimeUtc":"2031-05-05T23:08:09Z","ContextImage":"` + picture + `","PlateImage":"AAAA"}]`
	for _, c := range []struct {
		name, in string
		cmd      decodeCameraCommand
		out, err string
	}{
		{"a read with its picture", read, decodeCameraCommand{Dialect: camera.AutoVu},
			`{"event":"r1","text":"川A12345","form":"ordinary","confidence_permille":900,"device_time":"2031-05-05T23:08:09.000000000Z","picture":"` + wim.DigestOf(jpg.Bytes()).String() +
				`","left_out":["\"plate\": no JPEG: invalid JPEG format: missing SOI marker"]}` + "\n", ""},
		{"a heartbeat", `{"data_type":"heartbeat"}`, decodeCameraCommand{Dialect: camera.OpenALPR}, "", ""},
		{"another format", read, decodeCameraCommand{Dialect: camera.Dahua}, "", "no JSON of this format"},
		{"what is nothing", "hello", decodeCameraCommand{Dialect: camera.Axis}, "", "--type"},
		{"a zone that there is not", read, decodeCameraCommand{Dialect: camera.AutoVu, Zone: "Mars"}, "", "Asia/Shanghai"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cmd.Pictures = t.TempDir()
			var out strings.Builder
			err := c.cmd.decode(strings.NewReader(c.in), &out)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if out.String() != c.out {
				t.Errorf("have %s\nwant %s", out.String(), c.out)
			}
			b, err := os.ReadFile(filepath.Join(c.cmd.Pictures, wim.DigestOf(jpg.Bytes()).String()+".jpg"))
			if strings.Contains(c.out, "picture") && (err != nil || !bytes.Equal(b, jpg.Bytes())) {
				t.Errorf("the picture: %d bytes, %v", len(b), err)
			}
		})
	}
	var list strings.Builder
	if err := listFormats(&list); err != nil || !strings.Contains(list.String(), "frigate\n  ") {
		t.Errorf("%v: %s", err, list.String())
	}
}
