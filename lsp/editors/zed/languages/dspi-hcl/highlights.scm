(comment) @comment

(variable_expr (identifier) @variable)
(get_attr (identifier) @property)
(object_elem key: (expression (variable_expr (identifier) @property)))
(attribute (identifier) @property)
(function_call (identifier) @function)
(block (identifier) @type)
(block . (identifier) @keyword)

(numeric_lit) @number
(bool_lit) @boolean
(null_lit) @constant
(string_lit) @string
(quoted_template) @string
(heredoc_template) @string
(template_interpolation_start) @punctuation.special
(template_interpolation_end) @punctuation.special

["=" ":" "=>" "==" "!=" "+" "-" "*" "/" "%" "&&" "||" "!" "<" ">" "<=" ">=" "?"] @operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," "."] @punctuation.delimiter
