package dspi

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser/config"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/stores"
)

// StoreAt says where the runs of a .dsp file are kept, and how long: what the
// `store` block of its dspi.hcl says, else .dspi/dspi.db and 30 days. Relative
// paths are relative to the folder of the dspi.hcl, or where there is none to that
// of the file.
type StoreAt struct {
	URL  string
	Dir  string // of the project
	Keep history.Keep
}

// FindStore returns where the runs of the .dsp file at path are kept. For a path
// that is no file, such as the name of a signature, the folder is the current one.
// Settings are those of the file's dspi.hcl, nil where there is none.
func FindStore(settings *Settings, path string) StoreAt {
	at := StoreAt{URL: stores.Default, Dir: filepath.Dir(path), Keep: history.DefaultKeep}
	if name := FindSettings(path); name != "" {
		at.Dir = filepath.Dir(name)
	}
	if v, ok := settings.Value("store.url"); ok {
		at.URL, _ = v.Value.(string)
	}
	if v, ok := settings.Value("store.history"); ok {
		text, _ := v.Value.(string)
		if keep, err := history.ParseKeep(text); err == nil { // it was checked when it was read
			at.Keep = keep
		}
	}
	return at
}

// Open opens the store, and makes it where it does not exist.
func (s StoreAt) Open() (history.Store, error) { return stores.Open(s.URL, s.Dir) }

// Exists reports whether Open would find a store rather than make one.
func (s StoreAt) Exists() bool { return stores.Exists(s.URL, s.Dir) }

// String names the store for people, without what its URL keeps secret.
func (s StoreAt) String() string {
	if path := stores.Path(s.URL, s.Dir); path != "" {
		return path
	}
	return config.WithoutSecrets(s.URL)
}

// About returns what a history.Recorder is told of a plan: its models, and what
// of its values nobody may see. The rest is the caller's.
func About(p *plan.Plan) history.About {
	a := history.About{Hidden: map[string][]string{}}
	if at := p.Checked.Place.File; at != nil && at.Name != "signature" {
		a.File = at.Name
	}
	about(p, &a)
	for _, v := range p.Checked.Names {
		if v.Sensitive {
			a.Secrets = append(a.Secrets, textsIn(p.Values[v.Name])...)
		}
	}
	slices.Sort(a.Secrets)
	a.Secrets = slices.Compact(a.Secrets)
	return a
}

// about adds what a plan and those within it say.
func about(p *plan.Plan, a *history.About) {
	hide(a, p.Checked.Address(), p.Checked.Signature)
	aboutOps(p.Ops, a)
}

// aboutOps adds what operations say, and the modules that they hold.
func aboutOps(ops []*plan.Op, a *history.About) {
	for _, op := range ops {
		aboutOps(op.Parts, a)
		if op.Step != nil {
			hide(a, op.Address, op.Step.Declared, op.Signature)
		}
		if op.Plan != nil {
			about(op.Plan, a)
		}
		if op.Retriever != nil && op.Retriever.Embedder != nil {
			aboutModel(op.Retriever.Embedder, a)
		}
		if op.Model != nil {
			aboutModel(op.Model, a)
		}
	}
}

// aboutModel adds a model, and the members of a route.
func aboutModel(m *plan.Model, a *history.About) {
	if m.Route != nil {
		for _, x := range m.Route.Members {
			aboutModel(x.Model, a)
		}
	}
	a.Secrets = append(a.Secrets, secretsOf(m)...)
	baseURL := config.WithoutSecrets(m.BaseURL)
	for _, s := range secretsOf(m) {
		baseURL = strings.ReplaceAll(baseURL, s, lm.Redacted)
	}
	known := history.Model{
		Address: m.Address, Name: m.Name, Provider: m.Provider, ID: m.ID,
		BaseURL: baseURL, API: m.API, Source: m.Source,
	}
	for _, x := range stdlib.Universe().Providers {
		if x.Name == m.Provider && m.Key != "" {
			known.KeyName = x.KeyVar
		}
	}
	if !slices.Contains(a.Models, known) {
		a.Models = append(a.Models, known)
	}
}

// hide marks the inputs and outputs of signatures that hold a secret.
func hide(a *history.About, address string, signatures ...*program.Signature) {
	for _, sig := range signatures {
		if sig == nil {
			continue
		}
		for _, f := range slices.Concat(sig.Inputs, sig.Outputs) {
			if types.Sensitive(f.Type) && !slices.Contains(a.Hidden[address], f.Name) {
				a.Hidden[address] = append(a.Hidden[address], f.Name)
			}
		}
	}
}

// textsIn returns the texts in a value.
func textsIn(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, textsIn(x)...)
		}
		return out
	case *value.Object:
		var out []string
		for _, x := range v.All() {
			out = append(out, textsIn(x)...)
		}
		return out
	}
	return nil
}
