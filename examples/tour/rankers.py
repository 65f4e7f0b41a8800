"""What 06_hybrid.dsp calls: a module of DSPy that scores an answer."""

import dspy


class Score(dspy.Signature):
    """Say how well the answer answers the question."""

    question: str = dspy.InputField()
    answer: str = dspy.InputField()
    score: float = dspy.OutputField(desc="from 0, not at all, to 1, completely")


class Ranker(dspy.Module):
    def __init__(self):
        super().__init__()
        self.judge = dspy.Predict(Score)

    def forward(self, question: str, answer: str) -> dspy.Prediction:
        score = self.judge(question=question, answer=answer).score
        return dspy.Prediction(score=min(1.0, max(0.0, float(score))))
