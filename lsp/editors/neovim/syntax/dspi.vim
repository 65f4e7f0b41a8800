" Colours of dspi where the tree-sitter parser is not installed.
if exists('b:current_syntax')
  finish
endif

syn match dspiField "\<\h\w*\ze\s*?\?\s*:"
syn match dspiName "\<\h\w*\ze\s*=[^=>]"
syn match dspiModule "\<\h\w*\%(\.\h\w*\)\?\ze\%(\s\+\%(\h\w*\|\"[^\"]*\"\)\)\?\s*{"
syn match dspiKeyword "\<\%(program\|signature\|type\|enum\|variable\|model\|tool\|retriever\|dataset\|metric\|evaluate\|optimize\|constraint\|test\|module\|repeat\|assert\|suggest\)\>\ze\s\+\%(\h\w*\|\"[^\"]*\"\)\s*[:{=]"
syn match dspiKeyword "\<\%(inputs\|outputs\|state\|next\|constraint\|assert\|suggest\)\>\ze\s*{"
syn match dspiKeyword "\<import\>\ze\s*\""
syn match dspiKeyword "\"\s\+\zsas\>"
syn match dspiKeyword "\<let\>\ze\s\+\h\w*\s*="
syn match dspiOperatorWord "\<\%(and\|or\|not\|in\|matches\|contains\|startsWith\|endsWith\)\>"
syn keyword dspiType string int float bool date datetime duration json list map tuple probability confidence
syn keyword dspiConstant true false null
syn match dspiNumber "\<\d[0-9_]*\%(\.\d\+\)\?\%([eE][+-]\?\d\+\)\?\>"
syn match dspiArrow "->"

syn region dspiTemplate matchgroup=dspiDelimiter start="\$\{1}{" end="}" contained contains=dspiString,dspiNumber,dspiConstant,dspiOperatorWord
syn match dspiEscape "\$\${\|\\[\"\\nrt]\|\\u\x\{4}\|\\U\x\{8}" contained
syn region dspiString start=+"+ skip=+\\.+ end=+"+ oneline contains=dspiEscape,dspiTemplate
syn region dspiString start=+`+ end=+`+
syn region dspiString start="<<-\?\z(\h\w*\)\s*$" end="^\s*\z1\s*$" contains=dspiEscape,dspiTemplate
syn match dspiComment "#.*$"
syn match dspiComment "//.*$"
syn region dspiComment start="/\*" end="\*/"
syn sync minlines=200

hi def link dspiField Identifier
hi def link dspiName Identifier
hi def link dspiModule Function
hi def link dspiKeyword Keyword
hi def link dspiOperatorWord Operator
hi def link dspiArrow Operator
hi def link dspiType Type
hi def link dspiConstant Boolean
hi def link dspiNumber Number
hi def link dspiString String
hi def link dspiEscape SpecialChar
hi def link dspiDelimiter Delimiter
hi def link dspiComment Comment

let b:current_syntax = 'dspi'
