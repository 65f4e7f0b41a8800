// Package parser turns the text of a .dsp file into a syntax.File.
//
//	Parse           a whole file
//	Reparse         a whole file, with the tree of the text before an edit
//	ParseSignature  the short form after `dspi run -s`
//	ParseType       one type
//
// It never fails, whatever the text is: what was understood is in the tree, what
// was not is in the faults, and one cause makes one fault. Inside:
//
//	scanner   text to tokens, by hand; an expression is one token (scanner.go, raw.go, text.go)
//	grammar   the productions of one item: field, type, header, … (grammar.go, participle)
//	parser    the loop over the items of a file or body, and recovery (parse.go, body.go)
//	lower     the grammar's structs to lang/syntax (lower.go)
//
// # Recovery
//
// participle stops at its first error, so it never sees more than one item. The
// loop in body.go looks at two tokens, decides what the item is, calls the
// production and, when that fails, records one fault, keeps the part that was
// understood and goes on at the end of the line, at the next comma or at the
// body's `}`. A line that begins in the first column with a top-level keyword
// and a name ends everything that is still open.
//
// Braces that do not balance say nothing about where the mistake is. A top-level
// item that ends with braces open, or too early, is read a second time, and then
// a `}` at the start of a line closes the block whose line has its indentation.
//
// # Comments
//
// Comments go to File.Comments and are no tokens. Those inside an expression (in
// its brackets, or between its lines) belong to the expression's text instead.
package parser
