"""What the cases of the protocol call."""

import dspy


def double(n):
    return 2 * n


def raises(n):
    raise ValueError("no such thing")


def asks(n):
    import dspi

    return dspi.tool("look")(at=n)


def grows(n):
    for i in range(n):
        yield {"result": i}


def area(height, width):
    return height * width


def passages(query, k):
    return [query] * k


class Answer(dspy.Module):
    def __init__(self):
        super().__init__()
        self.ask = dspy.Predict("question -> answer")

    def forward(self, question):
        return self.ask(question=question)
