package check

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

// The words about settings.

func (c *checker) unknownSetting(at source.Place, name string, b *syntax.Block, table *universe.Block) *diag.Diagnostic {
	var names []string
	for _, s := range table.Settings {
		names = append(names, s.Name)
	}
	what := "the block " + code(b.KindName())
	if table.Name == "step" {
		what = "a step"
	}
	d := diag.New("E0501", at, what+" has no setting "+code(name))
	near, ok := diag.Nearest(name, names)
	if !ok {
		near, ok = settingHabits[name]
		ok = ok && slices.Contains(names, near)
	}
	if ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	switch {
	case name == "depends_on" || name == "after" || name == "needs":
		for _, it := range b.Body.Items {
			if a, ok := it.(*syntax.Attribute); ok && a.Name.Start == at.Start {
				d.Fix("remove it", wholeLines(source.Place{File: at.File, Span: a.Span}), "")
			}
		}
		return d.Say("The order of steps comes from what they read: a step that reads `other.answer` waits for `other`.")
	case table.Names:
		return d
	case len(names) == 0:
		return d.Say("It has no settings.")
	}
	if table.Name == "step" || table.Name == "program" {
		where := "inputs { " + name + " = … }"
		if table.Name == "program" {
			where = "outputs { " + name + " = … }"
		}
		return d.Say("Its settings: %s.\n\nA name of yours gets its value in a block: `%s`.", quotedList(names), where)
	}
	return d.Say("Its settings: %s.", quotedList(names))
}

var settingHabits = map[string]string{
	"prompt": "instructions", "system": "instructions", "system_prompt": "instructions", "desc": "description", "docstring": "instructions",
	"llm": "model", "lm": "model", "temp": "temperature", "max_output_tokens": "max_tokens", "maxTokens": "max_tokens",
	"url": "base_url", "endpoint": "base_url", "api_base": "base_url", "key": "api_key", "token": "api_key",
	"if": "when", "condition": "when", "only_if": "when", "unless": "otherwise", "else": "otherwise", "for": "for_each", "each": "for_each",
	"parallel": "concurrency", "max_workers": "concurrency", "max_steps": "max_iters",
	"model_name": "name", "model": "name", "secret": "sensitive", "value": "default", "max_retries": "retries",
}

func settingIsMissing(fs *fileScope, b *syntax.Block, s *universe.Setting) *diag.Diagnostic {
	return diag.New("E0502", fs.place(b.KindSpan()), code(b.KindName())+" has no "+code(s.Name)).Say("%s", s.Doc)
}

func settingHasWrongType(s *setting, got, want types.Type) *diag.Diagnostic {
	d := diag.New("E0310", s.at, code(s.decl.Name)+" is "+article(want.String())+", this is "+article(got.String())).
		Say("%s", s.decl.Doc)
	if types.Equal(want, types.String) {
		if n := nameOf(s.attr.Value); n != "" && !strings.Contains(n, ".") {
			d.Fix("put the text in quotes", s.at, `"`+n+`"`)
		}
	}
	if text, ok := s.info.Constant.(string); ok && s.info.IsConstant {
		if v, faults := value.ParseText(want, text); len(faults) == 0 {
			d.Fix("without quotes", s.at, types.FormatLiteral(v))
		}
	}
	return d
}

func unknownChoice(s *setting, text string) *diag.Diagnostic {
	d := diag.New("E0507", s.at, code(s.decl.Name)+" cannot be "+types.FormatLiteral(text)).
		Say("It is one of %s. %s", quotedList(s.decl.Choices), s.decl.Doc)
	if near, ok := diag.Nearest(text, s.decl.Choices); ok {
		d.Fix("did you mean "+types.FormatLiteral(near)+"?", s.at, types.FormatLiteral(near))
	}
	return d
}

func secretEscapes(at source.Place, where string) *diag.Diagnostic {
	return diag.New("E0505", at, "a secret would flow into "+where).
		Say("A value made of a sensitive variable is a secret, too. Secrets may flow to keys, headers, addresses and environments only: `api_key` and `base_url` of a model, `url`, `header` and `env` of a tool. Never into a prompt, an output or a message.")
}
