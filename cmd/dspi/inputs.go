package main

import (
	"encoding/base64"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// target is what a command line says behind its flags: `FILE words… name=value…`.
type target struct {
	file  string
	words []string // the program, and for render the step
	pairs []pair
}

// pair is `name=value` as written.
type pair struct{ name, text string }

// parseTarget takes the arguments apart. A signature stands for the file. The
// `=` tells a value from a word.
func parseTarget(command string, args []string, signature string, words int) (*target, error) {
	t := &target{}
	if signature == "" {
		if len(args) == 0 {
			return nil, wrong("a file is missing").hint("dspi %s FILE …", command).hint("or a signature alone: dspi %s -s \"question -> answer\" question=…", command)
		}
		t.file, args = args[0], args[1:]
		if name, _, ok := strings.Cut(t.file, "="); ok && !exists(t.file) {
			return nil, wrong("the file is missing before `%s=…`", name).hint("dspi %s FILE %s=…", command, name)
		}
	} else {
		words = 0
	}
	seen := map[string]bool{}
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		switch {
		case !ok && len(t.words) == words:
			u := wrong("`%s` is not name=value", arg)
			if signature != "" {
				u.say("With a signature (-s) there is no file and no program: all arguments are inputs.")
			}
			return nil, u.hint("give an input its value: name=value, name=@FILE or name=- for standard input")
		case !ok:
			t.words = append(t.words, arg)
		case name == "":
			return nil, wrong("`%s` has no name before its `=`", arg)
		case seen[name]:
			return nil, wrong("`%s` is given twice", name).say("An input has one value; a list is written as JSON: %s='[…, …]'.", name)
		case !utf8.ValidString(arg):
			return nil, wrong("the value of `%s` is not UTF-8", name)
		default:
			seen[name] = true
			t.pairs = append(t.pairs, pair{name, text})
		}
	}
	return t, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// word returns the n-th word; "" when there are fewer.
func (t *target) word(n int) string {
	if n < len(t.words) {
		return t.words[n]
	}
	return ""
}

// inputs reads what the pairs and the file of --input give. A pair wins over the
// file.
func (a *app) inputs(sig *program.Signature, pairs []pair, file string) (map[string]any, error) {
	inputs := map[string]any{}
	if file != "" {
		o, err := a.inputFile(file)
		if err != nil {
			return nil, err
		}
		for name, v := range o.All() {
			inputs[name] = v
		}
	}
	for _, p := range pairs {
		text, err := a.pairText(sig, p)
		if err != nil {
			return nil, err
		}
		inputs[p.name] = text
	}
	return inputs, nil
}

// pairText returns the value that a pair means: its own text, that of a file, or
// standard input. Around anything but text, space does not count.
func (a *app) pairText(sig *program.Signature, p pair) (dspi.Text, error) {
	var text string
	var err error
	switch {
	case p.text == "-":
		text, err = a.takeStdin(p.name + "=-")
	case strings.HasPrefix(p.text, "@"):
		path := p.text[1:]
		if f, ok := sig.Input(p.name); ok && path != "" && isMedia(f.Type) {
			return mediaInput(path)
		}
		if path == "" {
			return "", wrong("`%s=@` names no file", p.name).hint("%s=@FILE reads the file's text", p.name)
		}
		text, err = dspi.ReadText(path, path)
		for _, d := range listOf(err) {
			if d.Code == "E0128" {
				d.Help = nil
			}
			d.Hint("`%s=@FILE` reads a file; to give a text that begins with `@` itself, use --input", p.name)
		}
	default:
		return dspi.Text(p.text), nil
	}
	if f, ok := sig.Input(p.name); ok && !isText(f.Type) {
		text = strings.TrimSpace(text)
	}
	return dspi.Text(text), err
}

// isMedia reports whether a type is a picture, a sound or a document.
func isMedia(t types.Type) bool {
	inner, _ := types.Unwrap(t)
	p, ok := inner.(*types.Primitive)
	return ok && p.Row.Group == types.Media
}

// mediaInput reads the file of `name=@FILE` as the bytes of a picture, sound or
// document.
func mediaInput(path string) (dspi.Text, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > interpreter.MaxMedia {
		return "", wrong("%s has %d MB", path, info.Size()>>20).say("At most %d MB are sent to a model.", interpreter.MaxMedia>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", wrong("%s cannot be read", path).say("%s.", strings.TrimPrefix(err.Error(), "open "))
	}
	o := value.NewObject("data", base64.StdEncoding.EncodeToString(data), "media_type", interpreter.MediaType(path, data))
	return dspi.Text(value.EncodeJSON(o)), nil
}

// isText reports whether a type holds text as it is.
func isText(t types.Type) bool {
	inner, _ := types.Unwrap(t)
	p, ok := inner.(*types.Primitive)
	return ok && p.Row.Base == types.StringBase
}

// inputFile reads the JSON object of --input.
func (a *app) inputFile(path string) (*value.Object, error) {
	name := path
	var text string
	var err error
	if path == "-" {
		name = "standard input"
		text, err = a.takeStdin("--input -")
	} else {
		text, err = dspi.ReadText(path, path)
		for _, d := range listOf(err) {
			if d.Code == "E0128" {
				d.Help = nil
			}
		}
	}
	if err != nil {
		return nil, err
	}
	v, err := value.DecodeJSON([]byte(strings.TrimPrefix(text, "\ufeff")))
	if err != nil {
		return nil, wrong("%s is not JSON", name).say("--input wants one JSON object with the inputs by name: %v.", err).hint(`such as: {"question": "What is 17 * 23?"}`)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, wrong("%s is not a JSON object", name).say("--input wants one JSON object with the inputs by name.").hint(`such as: {"question": "What is 17 * 23?"}`)
	}
	return o, nil
}
