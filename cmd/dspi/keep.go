package main

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/dspi-lang/dspi"
	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	replies "github.com/dspi-lang/dspi/stdlib/providers/scripted"
	"github.com/spf13/cobra"
)

// keepFlags are the flags that say what is kept of runs: --no-history, --record.
type keepFlags struct {
	noHistory bool
	record    string

	origin *hist.Origin  // how the runs were begun
	at     *dspi.StoreAt // where they are kept; nil: where the program says
	trace  string
}

func (f *keepFlags) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.noHistory, "no-history", false, "do not keep the run for dspi show")
	cmd.Flags().StringVar(&f.record, "record", "", "write the models' replies to a `file`; --model scripted/FILE\nanswers with them")
	cmd.Flags().StringVar(&f.trace, "trace", "", "write each event of the run as a line of JSON to a `file`:\nsteps, calls with messages and replies, tools, repairs, retries")
	must(cmd.RegisterFlagCompletionFunc("record", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []cobra.Completion{"jsonl"}, cobra.ShellCompDirectiveFilterFileExt
	}))
}

// keep makes a runtime with these options keep the runs of a plan, and record their
// replies, as the flags and the settings say. done ends that, when the last run is
// over: it says what could not be kept. A history that cannot be written stops no
// run; a recording that cannot be made is an error.
func (a *app) keep(f keepFlags, settings *dspi.Settings, p *plan.Plan, opt *dspi.Options) (k *kept, done func() error, err error) {
	finish, err := traceTo(f.trace, p, opt)
	if err != nil {
		return nil, nil, err
	}
	if f.record != "" {
		r, err := newRecording(f.record)
		if err != nil {
			return nil, nil, err
		}
		traced := finish
		opt.Around, finish = r.replies.Record, func() error { return errors.Join(r.close(), traced()) }
	}
	sent, before := a.telemetryOf(settings, p, opt), finish
	finish = func() error { sent(); return before() }
	if k = a.keeper(f, settings, p); k == nil {
		return nil, finish, nil
	}
	next := opt.Trace
	opt.Trace = func(e trace.Event) {
		k.recorder.See(e)
		next.Emit(e)
	}
	opt.Journal, opt.JournalFailed = k.journal, k.failed
	return k, func() error {
		k.close()
		return finish()
	}, nil
}

// kept is a store under way.
type kept struct {
	app      *app
	store    hist.Store
	recorder *hist.Recorder
	journal  journal.Journal // nil: the runs cannot be resumed
	at       dspi.StoreAt
	about    hist.About
	told     sync.Once // that the journal fails
}

// keeper opens the store of a plan's runs. It returns nil where none are to be
// kept, and where they cannot be: then it says so.
func (a *app) keeper(f keepFlags, settings *dspi.Settings, p *plan.Plan) *kept {
	if f.noHistory {
		return nil
	}
	about := dspi.About(p)
	path := about.File
	if path == "" {
		path = "signature" // in the current folder
	}
	at := dspi.FindStore(settings, path)
	if f.at != nil {
		at.URL, at.Dir = f.at.URL, f.at.Dir
	}
	if text := a.getenv("DSPI_HISTORY"); text != "" {
		keep, err := hist.ParseKeep(text)
		if err != nil {
			a.note("DSPI_HISTORY is not obeyed: %v", err)
		} else {
			at.Keep = keep
		}
	}
	if at.Keep == 0 {
		return nil
	}
	store, err := at.Open()
	if err != nil {
		a.note("this run is not kept for `dspi show`: %v", err)
		return nil
	}
	about.Version, about.Keep, about.Origin = moduleVersion(), at.Keep, f.origin
	if about.File != "" {
		about.File = absolute(about.File)
	}
	k := &kept{app: a, store: store, recorder: hist.NewRecorder(store, about), at: at, about: about}
	if f.origin != nil {
		k.journal = dspi.JournalOf(store, k.recorder)
	}
	return k
}

// failed says once that the journal cannot be written.
func (k *kept) failed(err error) {
	k.told.Do(func() {
		k.app.note("what is answered from here on would be asked for again if the run were resumed: %v", err)
	})
}

// close writes what is left. What could not be kept is said.
func (k *kept) close() {
	err := k.recorder.Close()
	if cerr := k.store.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		k.app.note("not everything of this run is kept for `dspi show`: %v", err)
	}
}

// recording is a file of --record. It is written beside its place and moved there
// when it is whole.
type recording struct {
	path    string
	file    *os.File
	replies *replies.Recorder
}

func newRecording(path string) (*recording, error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".recording-*") // with the mode 0600
	if err != nil {
		return nil, wrong("the replies cannot be written to %s", path).say("%v.", err)
	}
	return &recording{path, file, replies.NewRecorder(file)}, nil
}

func (r *recording) close() error {
	defer os.Remove(r.file.Name()) // it is gone when all went well
	err := errors.Join(r.replies.Close(), r.file.Close())
	if err == nil {
		err = os.Rename(r.file.Name(), r.path)
	}
	if err != nil {
		return wrong("the replies cannot be written to %s", r.path).say("%v.", err)
	}
	return nil
}

// storeOf returns where the runs of a .dsp file, or those of a folder, are kept.
// Where a folder has none, the folders above it are looked through.
func (a *app) storeOf(path string) (dspi.StoreAt, error) {
	info, err := os.Stat(path)
	if err != nil {
		return dspi.StoreAt{}, wrong("there is no file or folder %s", path)
	}
	name := path
	if info.IsDir() {
		name = filepath.Join(path, "any.dsp")
	}
	settings, diags := dspi.LoadSettings(name)
	if diags.HasErrors() {
		return dspi.StoreAt{}, diags
	}
	at := dspi.FindStore(settings, name)
	if at.Exists() || settings != nil {
		return at, nil
	}
	for dir := absolute(at.Dir); ; dir = filepath.Dir(dir) {
		above := dspi.FindStore(nil, filepath.Join(dir, "any.dsp"))
		if above.Exists() {
			return above, nil
		}
		if dir == filepath.Dir(dir) {
			return at, nil
		}
	}
}

// openStore opens a store that is there.
func (a *app) openStore(path string) (hist.Store, error) {
	at, err := a.storeOf(path)
	if err != nil {
		return nil, err
	}
	if !at.Exists() {
		return nil, wrong("no runs are kept here").say("There is no %s.", at).
			hint("the runs of a program are kept in the folder of its dspi.hcl, else beside it; to name the folder: --in FOLDER").
			hint("runs are not kept with --no-history, with `history = \"off\"` in dspi.hcl, or where DSPI_HISTORY is off")
	}
	return at.Open()
}
