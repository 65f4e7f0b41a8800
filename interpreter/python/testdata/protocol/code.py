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


def searches(name):
    import dspi

    p = dspi.retriever(name)("river", k=2)[0]
    return [p.id, p.title, p.long_text, p.score]


def rows():
    yield dspy.Example(n=0)
    yield {"n": 1}
    yield 2
    yield {"n": 3}


def vectors(texts: list[str]) -> list[list[float]]:
    return [[float(len(t)), 0.5] for t in texts]


def same(example, pred, trace=None):
    return example.answer == pred.answer


def words(gold, pred, trace=None, pred_name=None, pred_trace=None):
    score = float("nan") if pred.answer == "nan" else 0.25
    return dspy.Prediction(score=score, feedback=f"not {pred.answer}, inputs: {', '.join(gold.inputs().keys())}")


class Answer(dspy.Module):
    def __init__(self):
        super().__init__()
        self.ask = dspy.Predict("question -> answer")

    def forward(self, question):
        return self.ask(question=question)
