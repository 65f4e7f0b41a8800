(block kind: (_) @context label: (_) @name) @item
(enum "enum" @context name: (_) @name) @item
(variable "variable" @context name: (_) @name) @item
(type_alias "type" @context name: (_) @name) @item
