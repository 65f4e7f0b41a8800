package openai

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// family says which parameters a model takes, as far as its name tells.
//
// The models that reason before they answer count the hidden reasoning as output, so
// their limit is called max_completion_tokens and they refuse max_tokens. The first
// generations also refuse to be sampled in any way but the default. From gpt-5.1 on, a
// model takes a temperature as long as it does not reason, which is a matter of the
// request and not of the name: the server is left to judge.
type family int

const (
	chat          family = iota // max_tokens, any sampling
	reasoning                   // max_completion_tokens
	fixedSampling               // the same, and temperature and top_p can only be 1
)

var (
	oSeries = regexp.MustCompile(`^o[1-9][0-9]*($|-)`)
	gpt5    = regexp.MustCompile(`^gpt-([5-9]|[1-9][0-9]+)(\.[0-9]+)?($|-)`)
)

func familyOf(model string) family {
	name := bare(model)
	if oSeries.MatchString(name) {
		return fixedSampling
	}
	version := gpt5.FindStringSubmatch(name)
	switch {
	case version == nil:
		return chat
	case version[1] == "5" && version[2] == "" && strings.HasPrefix(name, "gpt-5-chat"):
		return chat
	case version[1] == "5" && version[2] == "":
		return fixedSampling
	}
	return reasoning
}

// bare returns a model's name without its maker's, which a router puts in front:
// openai/o3-mini.
func bare(model string) string { return model[strings.LastIndexByte(model, '/')+1:] }

// The models of OpenAI's that can do less than the protocol. Of those that came
// later, only few take sounds.
var (
	sound     = regexp.MustCompile(`^gpt-(4o-)?(mini-)?audio($|-)|^gpt-4o(-mini)?-audio($|-)`)
	schemaOff = regexp.MustCompile(`^(gpt-3\.5|gpt-4($|-)|gpt-4o-2024-05-13$|chatgpt-4o|o1-(mini|preview))`)
	textOnly  = regexp.MustCompile(`^(gpt-3\.5|gpt-4($|-0|-32k|-1106)|o1-(mini|preview)|o3-mini)`)
	maker     = regexp.MustCompile(`^(gpt-[3-9]|chatgpt-|o[1-9][0-9]*($|-))`)
)

// known returns what a model can do as far as its name tells. Of a name that is not
// OpenAI's it is told that it can do everything: the server is left to judge.
func known(model string) lm.Features {
	name := bare(model)
	can := everything
	if sound.MatchString(name) {
		return lm.Features{Tools: true, Audio: true}
	}
	if !maker.MatchString(name) {
		return can
	}
	can.Audio = false
	if schemaOff.MatchString(name) {
		can.Schema = false
	}
	if textOnly.MatchString(name) {
		can.Images, can.Files = false, false
	}
	if strings.HasPrefix(name, "o1-mini") || strings.HasPrefix(name, "o1-preview") {
		can.Tools, can.JSON = false, false
	}
	return can
}

// refuses says which sampling setting a model does not take, or "".
func refuses(model string, p lm.Params) string {
	if familyOf(model) != fixedSampling {
		return ""
	}
	for _, setting := range []struct {
		name  string
		value *float64
	}{{"temperature", p.Temperature}, {"top_p", p.TopP}} {
		if setting.value != nil && *setting.value != 1 {
			return fmt.Sprintf("%s is a reasoning model and takes no %s other than 1 (this is %v); leave the setting out or choose another model",
				model, setting.name, *setting.value)
		}
	}
	return ""
}
