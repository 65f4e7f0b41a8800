((block kind: (identifier) @_kind label: (identifier) @name) @definition.function
 (#any-of? @_kind "program" "tool" "metric" "signature"))
((block kind: (identifier) @_kind label: (identifier) @name) @definition.type
 (#eq? @_kind "type"))
(enum name: (identifier) @name) @definition.type
(type_alias name: (identifier) @name) @definition.type
(variable name: (identifier) @name) @definition.constant
