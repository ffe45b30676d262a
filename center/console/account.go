package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/signin"
)

// passwordView is the page on which officers see what they are and change their password.
type passwordView struct {
	*frame
	Form *form
}

// Fields are the fields of the password form. None refuses what is pasted, and a password manager finds each.
func (a *passwordView) Fields() []*field {
	secret := func(name, auto string) *field {
		f := a.Form.Field(name, "account."+name).Is("password").Must().Max(signin.MaxPassword).Auto(auto)
		f.Value = "" // a password never comes back in a page
		return f
	}
	return []*field{secret("old", "current-password"), secret("new", "new-password"), secret("again", "new-password")}
}

// account answers GET /account.
func (c *Console) account(w http.ResponseWriter, r *http.Request, v visit) {
	c.showAccount(w, r, v, http.StatusOK, newForm(v.words, url.Values{}))
}

func (c *Console) showAccount(w http.ResponseWriter, r *http.Request, v visit, status int, f *form) {
	c.page(w, r, status, "account", &passwordView{c.newFrame(w, r, v, v.words.T("account.title")), f})
}

// changePassword answers POST /account/password. Every other session of the officer ends with it.
func (c *Console) changePassword(w http.ResponseWriter, r *http.Request, v visit) {
	f, err := readForm(w, r, v.words)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	if v.officer.Configured {
		c.refuse(w, r)
		return
	}
	old, fresh := f.Values.Get("old"), f.Values.Get("new")
	// Whoever finds an open page cannot try old passwords faster than at the door.
	try, wait := c.door.Begin(c.now(), r.RemoteAddr, "password of "+v.officer.Login)
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		f.Notice = v.words.T("sign-in.limited", int(wait.Seconds())+1)
		c.showAccount(w, r, v, http.StatusTooManyRequests, f)
		return
	}
	right, err := c.door.Check(r.Context(), v.officer.Hash, old)
	if err != nil {
		try.Forgive()
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("password of %q: %w", v.officer.Login, err))
		return
	}
	if !right {
		f.Fail("old", "problem.old.wrong")
		c.showAccount(w, r, v, http.StatusUnprocessableEntity, f)
		return
	}
	try.Forgive()
	if fresh == old {
		f.Fail("new", "problem.new.same")
	} else if key := badPassword(fresh, &v.officer); key != "" {
		f.Fail("new", key)
	}
	if fresh != f.Values.Get("again") {
		f.Fail("again", "problem.again.differs")
	}
	if f.Bad() {
		c.showAccount(w, r, v, http.StatusUnprocessableEntity, f)
		return
	}
	hash, err := c.hashed(r, fresh)
	if err == nil {
		err = c.cfg.Store.ChangePassword(r.Context(), v.officer.Login, hash)
	}
	var o center.Officer
	if err == nil {
		o, err = c.cfg.Store.Officer(r.Context(), v.officer.Login)
	}
	if err == nil {
		err = c.open(w, r, o) // this session goes on, under a new token
	}
	if err != nil {
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("change password of %q: %w", v.officer.Login, err))
		return
	}
	c.log.InfoContext(r.Context(), "password changed", "login", v.officer.Login, "remote", r.RemoteAddr)
	c.flash(w, "password")
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

// hashed hashes a password, in turn with the checks: each takes tens of megabytes.
func (c *Console) hashed(r *http.Request, password string) (string, error) {
	return c.door.Hash(r.Context(), password)
}
