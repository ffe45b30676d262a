package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

type dossierOut struct {
	Type string `header:"Content-Type"`
	Name string `header:"Content-Disposition"`
	Body []byte
}

func (a *api) addDossiers(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "get-dossier", Method: http.MethodGet, Path: "/matters/{id}/dossier", Summary: "A matter's dossier", Tags: []string{"matters"},
		Description: "Sealed records, signatures, receipts, pictures, rule set, keys and acts as one archive under the centre's signature, which `axlegate verify` " +
			"checks without this centre. The export is noted in the audit trail with the archive's digest. 410 when retention has removed the records.",
		Security: needs(center.ScopeMattersRead), Errors: []int{401, 403, 404, 410, 422, 429, 500},
		Responses: map[string]*huma.Response{"200": {Description: "The archive.", Content: map[string]*huma.MediaType{
			"application/zip": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}}},
	}, a.dossier)
}

func (a *api) dossier(ctx context.Context, in *struct {
	ID int64 `path:"id" minimum:"1"`
}) (*dossierOut, error) {
	if a.cfg.Dossiers == nil {
		return nil, huma.Error404NotFound("this centre makes no dossiers")
	}
	b, err := a.cfg.Dossiers.Dossier(ctx, of(ctx).viewer(), in.ID)
	switch {
	case errors.Is(err, center.ErrPruned):
		return nil, huma.Error410Gone("retention has removed the records of this matter: there is nothing left to prove")
	case err != nil:
		return nil, a.failure(ctx, "dossier", err)
	}
	m := center.Matter{ID: in.ID}
	if err := a.looked(ctx, m.String(), "dossier "+wim.DigestOf(b).String()); err != nil {
		return nil, err
	}
	return &dossierOut{Type: "application/zip", Name: fmt.Sprintf(`attachment; filename="axlegate-matter-%d.zip"`, in.ID), Body: b}, nil
}
