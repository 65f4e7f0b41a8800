" Colours of dspi.hcl and *.dspvars: those of HCL where Neovim has them, else these.
if exists('b:current_syntax')
  finish
endif
runtime! syntax/hcl.vim
if exists('b:current_syntax')
  let b:current_syntax = 'dspi-hcl'
  finish
endif

syn match dspiHclName "\<\h[[:alnum:]_-]*\ze\s*=\%([=>]\)\@!"
syn match dspiHclBlock "^\s*\zs\h[[:alnum:]_-]*\ze\%(\s\+\%(\h[[:alnum:]_-]*\|\"[^\"]*\"\)\)*\s*{"
syn match dspiHclFunction "\<\h[[:alnum:]_-]*\ze("
syn keyword dspiHclConstant true false null
syn match dspiHclNumber "\<\d\+\%(\.\d\+\)\?\%([eE][+-]\?\d\+\)\?\>"

syn region dspiHclTemplate matchgroup=dspiHclDelimiter start="\$\{1}{" end="}" contained contains=dspiHclString,dspiHclNumber,dspiHclConstant
syn match dspiHclEscape "\$\${\|\\[\"\\nrt]\|\\u\x\{4}\|\\U\x\{8}" contained
syn region dspiHclString start=+"+ skip=+\\.+ end=+"+ oneline contains=dspiHclEscape,dspiHclTemplate
syn region dspiHclString start="<<-\?\z(\h\w*\)\s*$" end="^\s*\z1\s*$" contains=dspiHclEscape,dspiHclTemplate
syn match dspiHclComment "#.*$"
syn match dspiHclComment "//.*$"
syn region dspiHclComment start="/\*" end="\*/"
syn sync minlines=200

hi def link dspiHclName Identifier
hi def link dspiHclBlock Keyword
hi def link dspiHclFunction Function
hi def link dspiHclConstant Boolean
hi def link dspiHclNumber Number
hi def link dspiHclString String
hi def link dspiHclEscape SpecialChar
hi def link dspiHclDelimiter Delimiter
hi def link dspiHclComment Comment

let b:current_syntax = 'dspi-hcl'
