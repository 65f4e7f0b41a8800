package align

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/value"
)

// Kind is one kind of repair: what a reading may do to a reply, said once for the
// code, the page docs/alignment.md and the tests. The example is a reply in which
// exactly this is done.
type Kind struct {
	Name string // as in value.Repair.Type
	Doc  string // one line for people
	Cost int    // what it adds to the score
	// Type and Reply are an example, Value what is read, as JSON.
	Type, Reply, Value string
	Mode               Mode // "" for Repairing
}

// kind is the place of a Kind in the table.
type kind uint8

// The kinds of the text itself come first: the parser keeps them as a set of bits.
const (
	trailingComma kind = iota
	missingComma
	extraComma
	oddColon
	missingValue
	aComment
	otherQuotes
	unquotedKey
	unquotedText
	innerQuotes
	rawNewline
	oddEscape
	foreignLiteral
	unclosedText
	oddBracket
	cutOff
	duplicateKey
	endOfText // not a kind

	prose kind = iota - 1
	thinking
	aFence
	notUTF8
	severalAnswers
	severalToList
	numberFromText
	numberFormat
	percent
	currency
	fraction
	numberWord
	numberInWords
	wholeNumber
	rounded
	boolFromText
	boolFromNumber
	boolInWords
	numberFromBool
	textFromValue
	textFromObject
	bareText
	nullFromText
	nullForMisfit
	choiceCase
	choiceAccents
	choicePunctuation
	choiceDescription
	choiceInWords
	firstChoice
	keyName
	extraKey
	singleToList
	listToSingle
	unwrapped
	impliedField
	linesToList
	linesToObject
	pairsToMap
	nestedJSON
	rowForm
	otherForm
	looseHeader
	extraSection
	wholeReply
	oddTag
	moreRepairs
	kindCount
)

// bit is the place of a kind of the text in a set.
func (k kind) bit() fixes { return 1 << k }

// fixes is a set of kinds of the text.
type fixes uint32

var kinds = [kindCount]Kind{
	trailingComma:  {Name: "trailing_comma", Doc: "a comma before the end of a list or object", Cost: 1, Type: "list[int]", Reply: `[1, 2,]`, Value: `[1,2]`},
	missingComma:   {Name: "missing_comma", Doc: "no comma between two members", Cost: 1, Type: "map[string, int]", Reply: "{\"a\": 1\n \"b\": 2}", Value: `{"a":1,"b":2}`},
	extraComma:     {Name: "extra_comma", Doc: "a comma with nothing before it", Cost: 1, Type: "list[int]", Reply: `[1,, 2]`, Value: `[1,2]`},
	oddColon:       {Name: "odd_colon", Doc: "`=`, `=>` or nothing in place of the colon", Cost: 1, Type: "map[string, int]", Reply: `{"a" => 1}`, Value: `{"a":1}`},
	missingValue:   {Name: "missing_value", Doc: "a name without a value is null", Cost: 5, Type: "map[string, int?]", Reply: `{"a": , "b": 2}`, Value: `{"a":null,"b":2}`},
	aComment:       {Name: "comment", Doc: "a comment of JavaScript or Python", Cost: 1, Type: "list[int]", Reply: "[1, // one\n 2]", Value: `[1,2]`},
	otherQuotes:    {Name: "other_quotes", Doc: "a text or name in single, curly, triple or escaped quotes or backticks", Cost: 1, Type: "list[string]", Reply: `['a', “b”]`, Value: `["a","b"]`},
	unquotedKey:    {Name: "unquoted_key", Doc: "a name without quotes", Cost: 1, Type: "map[string, int]", Reply: `{a: 1}`, Value: `{"a":1}`},
	unquotedText:   {Name: "unquoted_text", Doc: "a text without quotes inside a list or object", Cost: 1, Type: "list[string]", Reply: `["a", b c]`, Value: `["a","b c"]`},
	innerQuotes:    {Name: "inner_quotes", Doc: "quotes inside a text that should have been escaped", Cost: 2, Type: "map[string, string]", Reply: `{"a": "the "best" one"}`, Value: `{"a":"the \"best\" one"}`},
	rawNewline:     {Name: "raw_newline", Doc: "a line end, tab or control character inside a text", Cost: 1, Type: "map[string, string]", Reply: "{\"a\": \"one\ntwo\"}", Value: `{"a":"one\ntwo"}`},
	oddEscape:      {Name: "odd_escape", Doc: "a backslash that JSON does not know", Cost: 1, Type: "map[string, string]", Reply: `{"a": "\d+ it\'s"}`, Value: `{"a":"\\d+ it's"}`},
	foreignLiteral: {Name: "foreign_literal", Doc: "a value as Python or JavaScript writes it: `True`, `None`, `(1, 2)`, `(1)`, `1_000`", Cost: 1, Type: "list[json]", Reply: `[True, (1, 2)]`, Value: `[true,[1,2]]`},
	unclosedText:   {Name: "unclosed_text", Doc: "a text whose closing quote is missing", Cost: 3, Type: "map[string, string]", Reply: `{"a": "x, "b": "y"}`, Value: `{"a":"x","b":"y"}`},
	oddBracket:     {Name: "odd_bracket", Doc: "a bracket that is missing, too many or of the wrong kind", Cost: 3, Type: "map[string, list[int]]", Reply: `{"a": [1, 2}`, Value: `{"a":[1,2]}`},
	cutOff:         {Name: "cut_off", Doc: "the reply breaks off: what was open is closed, the last value may be incomplete", Cost: 10, Type: "list[int]", Reply: `[1, 2`, Value: `[1,2]`},
	duplicateKey:   {Name: "duplicate_key", Doc: "a name stands twice: the last value counts", Cost: 5, Type: "map[string, int]", Reply: `{"a": 1, "a": 2}`, Value: `{"a":2}`},

	prose:             {Name: "prose", Doc: "words around the value are left out", Cost: 1, Type: "list[int]", Reply: `Here you are: [1, 2]`, Value: `[1,2]`},
	thinking:          {Name: "thinking", Doc: "thoughts in `<think>` tags before the answer are left out", Cost: 1, Type: "int", Reply: "<think>6 or 7?</think>\n7", Value: `7`},
	aFence:            {Name: "fence", Doc: "a markdown fence around the value", Cost: 1, Type: "list[int]", Reply: "```json\n[1, 2]\n```", Value: `[1,2]`},
	notUTF8:           {Name: "not_utf8", Doc: "bytes that are no UTF-8 become U+FFFD", Cost: 1, Type: "string", Reply: "a\xff", Value: "\"a\uFFFD\""},
	severalAnswers:    {Name: "several_answers", Doc: "several values fit equally well: the last one counts", Cost: 15, Type: "map[string, int]", Reply: "{\"a\": 1}\nNo, wait:\n{\"a\": 2}", Value: `{"a":2}`, Mode: Lenient},
	severalToList:     {Name: "several_to_list", Doc: "several values, one after the other, are taken as a list", Cost: 2, Type: "list[map[string, int]]", Reply: "{\"a\": 1}\n{\"a\": 2}", Value: `[{"a":1},{"a":2}]`},
	numberFromText:    {Name: "number_from_text", Doc: "a number in quotes", Cost: 1, Type: "list[int]", Reply: `["42"]`, Value: `[42]`},
	numberFormat:      {Name: "number_format", Doc: "a number with separators, a decimal comma, a sign, a scale or marks around it", Cost: 2, Type: "float", Reply: `1.234,56`, Value: `1234.56`},
	percent:           {Name: "percent", Doc: "a number in percent; a hundredth where the type ends at 1", Cost: 2, Type: "probability", Reply: `85%`, Value: `0.85`},
	currency:          {Name: "currency", Doc: "a number with the sign or code of a currency", Cost: 2, Type: "float", Reply: `12,50 €`, Value: `12.5`},
	fraction:          {Name: "fraction", Doc: "a fraction", Cost: 2, Type: "float", Reply: `1/4`, Value: `0.25`},
	numberWord:        {Name: "number_word", Doc: "a number as an English word, up to a hundred", Cost: 2, Type: "int", Reply: `seven`, Value: `7`},
	numberInWords:     {Name: "number_in_words", Doc: "the only number in a few words, or one with a unit", Cost: 3, Type: "int", Reply: `about 42 apples`, Value: `42`},
	wholeNumber:       {Name: "whole_number", Doc: "a float without a fraction for an int", Cost: 1, Type: "int", Reply: `42.0`, Value: `42`},
	rounded:           {Name: "rounded", Doc: "a float rounded to an int", Cost: 10, Type: "int", Reply: `42.4`, Value: `42`, Mode: Lenient},
	boolFromText:      {Name: "bool_from_text", Doc: "true or false in quotes, or yes, no, on, off", Cost: 1, Type: "bool", Reply: `Yes`, Value: `true`},
	boolFromNumber:    {Name: "bool_from_number", Doc: "1 for true, 0 for false", Cost: 1, Type: "bool", Reply: `1`, Value: `true`},
	boolInWords:       {Name: "bool_in_words", Doc: "a sentence that says yes or no once, and not the other", Cost: 3, Type: "bool", Reply: `Yes, it is.`, Value: `true`},
	numberFromBool:    {Name: "number_from_bool", Doc: "true for 1, false for 0", Cost: 3, Type: "int", Reply: `true`, Value: `1`},
	textFromValue:     {Name: "text_from_value", Doc: "a number, true or false where a text is wanted", Cost: 4, Type: "list[string]", Reply: `["a", 7]`, Value: `["a","7"]`},
	textFromObject:    {Name: "text_from_object", Doc: "a list or object where a text is wanted becomes its JSON", Cost: 10, Type: "list[string]", Reply: `[{"a": 1, "b": 2}]`, Value: `["{\"a\":1,\"b\":2}"]`, Mode: Lenient},
	bareText:          {Name: "bare_text", Doc: "a text that stands without quotes where JSON was asked for", Cost: 1, Type: "int | string", Reply: `some words`, Value: `"some words"`},
	nullFromText:      {Name: "null_from_text", Doc: "a word for null: `none`, `n/a`, `undefined`, nothing at all", Cost: 1, Type: "int?", Reply: `N/A`, Value: `null`},
	nullForMisfit:     {Name: "null_for_misfit", Doc: "what does not fit an optional is null", Cost: 20, Type: "int?", Reply: `unclear`, Value: `null`, Mode: Lenient},
	choiceCase:        {Name: "choice_case", Doc: "a choice in other capitals", Cost: 1, Type: `"angry" | "happy"`, Reply: `Happy`, Value: `"happy"`},
	choiceAccents:     {Name: "choice_accents", Doc: "a choice with other accents", Cost: 2, Type: `"café" | "bar"`, Reply: `Cafe`, Value: `"café"`},
	choicePunctuation: {Name: "choice_punctuation", Doc: "a choice with other punctuation or spaces", Cost: 2, Type: `"lost card" | "refund"`, Reply: `**lost-card**.`, Value: `"lost card"`},
	choiceDescription: {Name: "choice_description", Doc: "the meaning of a choice in place of its name", Cost: 2, Type: "Queue", Reply: `a card is lost or stolen`, Value: `"lost_card"`},
	choiceInWords:     {Name: "choice_in_words", Doc: "the only choice that a sentence names", Cost: 3, Type: `"angry" | "happy"`, Reply: `They sound happy to me.`, Value: `"happy"`},
	firstChoice:       {Name: "first_choice", Doc: "the first of several choices that are named", Cost: 15, Type: `"angry" | "happy"`, Reply: `angry or happy`, Value: `"angry"`, Mode: Lenient},
	keyName:           {Name: "key_name", Doc: "a field's name in other capitals, accents or punctuation", Cost: 1, Type: "Person", Reply: `{"Name": "Eva", "age": 31}`, Value: `{"name":"Eva","age":31}`},
	extraKey:          {Name: "extra_key", Doc: "a name that the type does not have is left out", Cost: 1, Type: "Person", Reply: `{"name": "Eva", "age": 31, "eyes": "grey"}`, Value: `{"name":"Eva","age":31}`},
	singleToList:      {Name: "single_to_list", Doc: "one value where a list is wanted", Cost: 1, Type: "list[int]", Reply: `42`, Value: `[42]`},
	listToSingle:      {Name: "list_to_single", Doc: "a list of one where one value is wanted", Cost: 1, Type: "int", Reply: `[42]`, Value: `42`},
	unwrapped:         {Name: "unwrapped", Doc: "an object of one name around the value", Cost: 2, Type: "int", Reply: `{"answer": 42}`, Value: `42`},
	impliedField:      {Name: "implied_field", Doc: "a value where a record with one field is wanted", Cost: 2, Type: "{ city: string }", Reply: `"Bonn"`, Value: `{"city":"Bonn"}`},
	linesToList:       {Name: "lines_to_list", Doc: "lines, bullets or commas where a list is wanted", Cost: 2, Type: "list[string]", Reply: "- a\n- b", Value: `["a","b"]`},
	linesToObject:     {Name: "lines_to_object", Doc: "lines `name: value` where an object is wanted", Cost: 3, Type: "Person", Reply: "name: Eva\nage: 31", Value: `{"name":"Eva","age":31}`},
	pairsToMap:        {Name: "pairs_to_map", Doc: "a list of pairs, or of {key, value}, where a map is wanted", Cost: 2, Type: "map[string, int]", Reply: `[["a", 1]]`, Value: `{"a":1}`},
	nestedJSON:        {Name: "nested_json", Doc: "JSON inside a text", Cost: 1, Type: "list[list[int]]", Reply: `["[1, 2]"]`, Value: `[[1,2]]`},
	rowForm:           {Name: "other_writing", Doc: "a date, media or other type of the table in another form that it knows", Cost: 1, Type: "duration", Reply: `PT1H30M`, Value: `"1h30m"`},
	otherForm:         {Name: "other_form", Doc: "the whole reply in another form than asked for", Cost: 5, Type: "reply: answer: string, score: int", Reply: `{"answer": "a", "score": 2}`, Value: `{"answer":"a","score":2}`},
	looseHeader:       {Name: "loose_header", Doc: "a header that is spelled otherwise or stands in mid-line", Cost: 1, Type: "reply: answer: string, score: int", Reply: "**[[## Answer ##]]** a\n[[ ## score ## ]]\n2", Value: `{"answer":"a","score":2}`},
	extraSection:      {Name: "extra_section", Doc: "a section that was not asked for is left out", Cost: 1, Type: "reply: answer: string, score: int", Reply: "[[ ## answer ## ]]\na\n[[ ## why ## ]]\nso\n[[ ## score ## ]]\n2", Value: `{"answer":"a","score":2}`},
	wholeReply:        {Name: "whole_reply", Doc: "the whole reply is the one output that was asked for", Cost: 3, Type: "reply: answer: string", Reply: `Bonn`, Value: `{"answer":"Bonn"}`},
	oddTag:            {Name: "odd_tag", Doc: "a tag that is spelled otherwise, not closed or not opened", Cost: 1, Type: "xml: answer: string, score: int", Reply: "<answer>a</answer>\n<score>2", Value: `{"answer":"a","score":2}`},
	moreRepairs:       {Name: "more_repairs", Doc: "more repairs than are listed", Cost: 0},
}

// Kinds returns the table of repairs, in the order of docs/alignment.md.
func Kinds() []Kind { return slices.Clone(kinds[:]) }

// maxListed is how many repairs, and how many faults, a reading lists.
const (
	maxRepairsListed = 20_000
	maxFaultsListed  = 1_000
)

func (k kind) repair(loc []any, msg string) value.Repair {
	if msg == "" {
		msg = kinds[k].Doc
	}
	return value.Repair{Loc: loc, Type: kinds[k].Name, Msg: msg}
}
