package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
)

func TestContractOnSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		path := filepath.Join(t.TempDir(), "center.db")
		t.Cleanup(func() {
			rep, err := store.Audit(context.WithoutCancel(t.Context()), path, nil)
			if err != nil || len(rep.Problems) > 0 {
				t.Errorf("audit: %v %v", err, rep.Problems)
			}
		})
		return func(cfg store.Config) *store.Store {
			cfg.Path = path
			s, err := store.OpenSQLite(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			return s
		}
	})
}
