package prompt

// Version changes when a prompt of this package means something else than before
// although its messages are the same: replies that were kept from earlier versions
// are not used then.
const Version = "1"
