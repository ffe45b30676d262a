package api

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// maxPicture bounds what is answered at once; the intake takes no larger ones.
const maxPicture = 16 << 20

type pictureIn struct {
	Digest string `path:"digest" pattern:"^[0-9a-f]{64}$" doc:"SHA-256, as a read of the matter names it."`
	Matter int64  `query:"matter" required:"true" minimum:"1" doc:"A matter that shows it."`
}

type pictureOut struct {
	Type string `header:"Content-Type"`
	Body []byte
}

func (a *api) addPictures(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "get-picture", Method: http.MethodGet, Path: "/pictures/{digest}", Summary: "A plate picture", Tags: []string{"matters"},
		Description: "Of a matter that the token's officer may see; a digest alone opens nothing. 404 also while the picture is on its way.",
		Security:    needs(center.ScopeMattersRead), Errors: []int{401, 403, 404, 422, 429, 500},
		Responses: map[string]*huma.Response{"200": {Description: "The picture as the camera made it.", Content: map[string]*huma.MediaType{
			"image/jpeg": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}}},
	}, a.picture)
}

func (a *api) picture(ctx context.Context, in *pictureIn) (_ *pictureOut, err error) {
	none := huma.Error404NotFound("there is no such picture at that matter")
	d, err := wim.ParseDigest(in.Digest)
	if err != nil || d.IsZero() {
		return nil, none
	}
	f, err := a.cfg.Store.File(ctx, of(ctx).viewer(), in.Matter)
	if err != nil {
		return nil, a.failure(ctx, "picture", err)
	}
	if !slices.ContainsFunc(f.Reads, func(r wim.PlateRead) bool { return r.Picture == d }) {
		return nil, none
	}
	if err := a.looked(ctx, f.Docket.Matter.String(), "picture "+d.Short()); err != nil {
		return nil, err
	}
	file, err := a.cfg.Pictures.Get(d)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, center.ErrNotFound) {
		return nil, none
	}
	if err != nil {
		return nil, a.internal(ctx, "picture", err)
	}
	defer file.Close() //nolint:errcheck // read only: nothing is lost by a failed close
	b, err := io.ReadAll(io.LimitReader(file, maxPicture))
	if err != nil {
		return nil, a.internal(ctx, "picture", err)
	}
	if len(b) < 3 || [3]byte(b[:3]) != [3]byte{0xff, 0xd8, 0xff} { // what is no JPEG is kept as sent, but shown to nobody
		return nil, none
	}
	return &pictureOut{Type: "image/jpeg", Body: b}, nil
}
