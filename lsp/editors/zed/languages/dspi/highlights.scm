; Later patterns win over earlier ones in Neovim and Helix alike.

(identifier) @variable

(comment) @comment

; Blocks: declarations and parts of them are words of the language, any other
; kind is a module, which is called.
(block kind: (identifier) @function)
(block kind: (qualified_name import: (identifier) @module name: (identifier) @function))
(block label: (identifier) @type.definition)
((block kind: (identifier) @keyword)
 (#any-of? @keyword
  "program" "signature" "type" "enum" "variable" "model" "tool" "retriever" "dataset" "metric"
  "evaluate" "optimize" "constraint" "test" "module" "inputs" "outputs" "state" "next" "repeat"
  "assert" "suggest"))

["enum" "variable" "type" "import" "as" "let" "if" "else"] @keyword
(enum name: (identifier) @type.definition)
(variable name: (identifier) @type.definition)
(type_alias name: (identifier) @type.definition)
(import alias: (identifier) @module)

(attribute name: (identifier) @property)
(let name: (identifier) @variable)
(field name: (identifier) @variable.member)
(enum_member name: (identifier) @constant)
(constraint name: (identifier) @property)
(pair key: (identifier) @property)

; Types
(named_type name: (identifier) @type)
(named_type name: (qualified_name import: (identifier) @module name: (identifier) @type))
((named_type name: (identifier) @type.builtin)
 (#any-of? @type.builtin
  "string" "int" "float" "bool" "date" "datetime" "duration" "json" "list" "map" "tuple" "image"
  "audio" "file" "probability" "confidence" "similarity" "embedding" "reasoning_chain"
  "token_usage" "code" "message" "history" "citation" "tool_call" "tool_result" "model" "module"))

; Expressions
(call_expression function: (identifier) @function.call)
(method_call method: (identifier) @function.call)
(member_expression member: (identifier) @variable.member)
(let_expression name: (identifier) @variable)
((identifier) @variable.builtin
 (#any-of? @variable.builtin "it" "it_index" "acc" "each" "round" "var"))

; Literals
(string) @string
(raw_string) @string
(heredoc) @string
(string_text) @string
(heredoc_start) @string
(heredoc_end) @string
(escape) @string.escape
(template) @none
(template ["${" "}"] @punctuation.special)
(number) @number
(boolean) @boolean
(null) @constant.builtin

; Operators
(arrow) @operator
["=" "+" "-" "*" "/" "%" "**" "^" "==" "!=" "<" ">" "<=" ">=" "&&" "||" "!" "??" "?" "|" ".." "?."] @operator
["and" "or" "not" "in" "matches" "contains" "startsWith" "endsWith"] @keyword.operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," "." ":" ";"] @punctuation.delimiter
