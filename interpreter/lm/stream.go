package lm

// Delta is a piece of a reply while it is written. One without any text is a sign of
// life: the model writes what is not shown, such as the arguments of a tool.
type Delta struct {
	Text      string // what follows the text so far
	Reasoning string // what follows the reasoning so far
	// Restart says that the reply begins again from nothing: an attempt broke
	// off and is repeated. What came before counts no more.
	Restart bool
}

// Whole gives a finished reply to who asked for it piece by piece.
func Whole(req *Request, resp *Response) {
	if req.OnDelta != nil && (resp.Text != "" || resp.Reasoning != "") {
		req.OnDelta(Delta{Text: resp.Text, Reasoning: resp.Reasoning})
	}
}
