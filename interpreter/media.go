package interpreter

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// MaxMedia is the largest picture, sound or document that is sent, in bytes.
const MaxMedia = 20 << 20

// Files opens the folder of a program's `local_files`. A path that leads out of it
// must not be found there.
type Files func(*program.Program) (fs.FS, error)

// loadMedia returns inputs in which every picture, sound and document that is given
// as a path holds its bytes. Those that need no change are the same objects.
func (f *frame) loadMedia(op *plan.Op, fields []types.Field, inputs *value.Object) (*value.Object, error) {
	out := inputs
	for i := range fields {
		given, ok := inputs.Get(fields[i].Name)
		if !ok || given == nil || !holdsMedia(fields[i].Type, nil) {
			continue
		}
		l := &mediaLoader{frame: f, op: op, input: fields[i].Name}
		loaded := l.load(fields[i].Type, given)
		if l.failed != nil {
			return nil, l.failed
		}
		if out == inputs {
			out = inputs.Clone()
		}
		out.Set(fields[i].Name, loaded)
	}
	return out, nil
}

func holdsMedia(t types.Type, seen []types.Type) bool {
	switch t := t.(type) {
	case *types.Primitive:
		return t.Row.Group == types.Media
	case *types.List:
		return holdsMedia(t.Elem, seen)
	case *types.Map:
		return holdsMedia(t.Elem, seen)
	case *types.Optional:
		return holdsMedia(t.Elem, seen)
	case *types.Tuple:
		for _, e := range t.Elems {
			if holdsMedia(e, seen) {
				return true
			}
		}
	case *types.Union:
		for _, m := range t.Members {
			if holdsMedia(m, seen) {
				return true
			}
		}
	case *types.Record:
		for _, r := range seen {
			if r == types.Type(t) {
				return false
			}
		}
		for i := range t.Fields {
			if holdsMedia(t.Fields[i].Type, append(seen, t)) {
				return true
			}
		}
	}
	return false
}

// mediaLoader loads the media of one input.
type mediaLoader struct {
	frame  *frame
	op     *plan.Op
	input  string
	failed error
}

func (l *mediaLoader) load(t types.Type, v any) any {
	if v == nil || l.failed != nil {
		return v
	}
	inner, _ := types.Unwrap(t)
	switch t := inner.(type) {
	case *types.Primitive:
		if o, ok := v.(*value.Object); ok && t.Row.Group == types.Media {
			return l.one(t, o)
		}
	case *types.List:
		return l.list(v, func(int) types.Type { return t.Elem })
	case *types.Tuple:
		return l.list(v, func(i int) types.Type { return t.Elems[min(i, len(t.Elems)-1)] })
	case *types.Map:
		return l.object(v, func(string) types.Type { return t.Elem })
	case *types.Record:
		return l.object(v, func(name string) types.Type {
			if f, ok := t.Field(name); ok {
				return f.Type
			}
			return types.JSON
		})
	case *types.Union:
		for _, m := range t.Members {
			if _, faults := value.Check(m, v, value.Strict); faults == nil {
				return l.load(m, v)
			}
		}
	}
	return v
}

func (l *mediaLoader) list(v any, of func(int) types.Type) any {
	in, ok := v.([]any)
	if !ok {
		return v
	}
	out := make([]any, len(in))
	for i, x := range in {
		out[i] = l.load(of(i), x)
	}
	return out
}

func (l *mediaLoader) object(v any, of func(string) types.Type) any {
	in, ok := v.(*value.Object)
	if !ok {
		return v
	}
	out := &value.Object{}
	for name, x := range in.All() {
		out.Set(name, l.load(of(name), x))
	}
	return out
}

// one loads one picture, sound or document.
func (l *mediaLoader) one(t *types.Primitive, o *value.Object) any {
	if data, ok := o.Get("data"); ok && data != nil {
		if text, ok := data.(string); ok && base64.StdEncoding.DecodedLen(len(text)) > MaxMedia+3 {
			l.fail(fmt.Sprintf("it has about %d MB, and at most %d MB are sent", len(text)*3/4>>20, MaxMedia>>20), "")
		}
		return o
	}
	name, ok := o.Get("path")
	file, isText := name.(string)
	if !ok || !isText {
		return o
	}
	prog := l.frame.plan.Checked
	if prog.LocalFiles == "" {
		l.fail("it is given as the path "+file+", and the program `"+prog.Name+"` does not say from where files may be read",
			"let the program read a folder: local_files = \"photos\"")
		return o
	}
	if l.frame.run.env.Files == nil {
		l.fail("it is given as the path "+file+", and whoever runs the program reads no files", "")
		return o
	}
	data, err := l.read(prog, file)
	if err != nil {
		l.fail(err.Error(), "")
		return o
	}
	kind, _ := o.Get("media_type")
	mediaType, _ := kind.(string)
	if mediaType == "" {
		mediaType = MediaType(file, data)
	}
	loaded := value.NewObject("data", base64.StdEncoding.EncodeToString(data), "media_type", mediaType)
	if _, faults := value.Check(t, loaded, value.Strict); faults != nil {
		l.fail(file+" is no "+t.Row.Name+": "+faults[0].Msg, "")
	}
	loaded.Set("path", path.Base(strings.ReplaceAll(file, `\`, "/"))) // the name it is sent with
	return loaded
}

// read reads a file of the program's folder.
func (l *mediaLoader) read(prog *program.Program, name string) ([]byte, error) {
	files, err := l.frame.run.env.Files(prog)
	if err != nil {
		return nil, fmt.Errorf("the folder %s of `local_files` cannot be opened: %w", prog.LocalFiles, err)
	}
	clean := path.Clean(strings.ReplaceAll(name, `\`, "/"))
	if !fs.ValidPath(clean) {
		return nil, fmt.Errorf("the path %s leads out of the folder %s, which alone may be read (local_files)", name, prog.LocalFiles)
	}
	info, err := fs.Stat(files, clean)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s in the folder %s (local_files)", name, prog.LocalFiles)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read from the folder %s (local_files): %w", name, prog.LocalFiles, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder", name)
	case info.Size() > MaxMedia:
		return nil, fmt.Errorf("%s has %d MB, and at most %d MB are sent", name, info.Size()>>20, MaxMedia>>20)
	}
	return fs.ReadFile(files, clean)
}

func (l *mediaLoader) fail(what, hint string) {
	d := diag.New("E0625", l.op.Step.Place, "the input `"+l.input+"` of this step").
		Say("What the input `%s` names cannot be sent: %s.", l.input, what)
	if hint != "" {
		d.Hint("%s", hint)
	}
	l.failed = d
}

// MediaType returns the media type of a file: by its name, else by its first bytes.
func MediaType(name string, data []byte) string {
	t := mime.TypeByExtension(strings.ToLower(path.Ext(name)))
	if t == "" {
		t = http.DetectContentType(data)
	}
	t, _, _ = strings.Cut(t, ";")
	if t == "audio/wave" || t == "audio/x-wav" {
		return "audio/wav"
	}
	return t
}
