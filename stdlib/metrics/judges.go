package metrics

// Judges are programs whose steps judge an answer as DSPy's SemanticF1 and
// CompleteAndGrounded do, in the same words. They are .dsp text: this package knows
// no checker.
const Judges = `program semantic_f1 {
  question: string, ground_truth: string, system_response: string -> score: float

  chain_of_thought judge {
    question: string, ground_truth: string, system_response: string
      -> recall: float    "fraction (out of 1.0) of ground truth covered by the system response",
         precision: float "fraction (out of 1.0) of system response covered by the ground truth"
    instructions = "Compare a system's response to the ground truth to compute its recall and precision.\nIf asked to reason, enumerate key ideas in each response, and whether they are present in the other response."
  }

  let p = min(max(judge.precision, 0.0), 1.0)
  let r = min(max(judge.recall, 0.0), 1.0)
  outputs { score = p + r == 0 ? 0.0 : 2 * p * r / (p + r) }
}

program complete_and_grounded {
  question: string, ground_truth: string, retrieved_context: string, system_response: string -> score: float

  chain_of_thought completeness {
    question: string, ground_truth: string, system_response: string
      -> ground_truth_key_ideas: string    "enumeration of key ideas in the ground truth",
         system_response_key_ideas: string "enumeration of key ideas in the system response",
         discussion: string                "discussion of the overlap between ground truth and system response",
         completeness: float               "fraction (out of 1.0) of ground truth covered by the system response"
    instructions = "Estimate the completeness of a system's responses, against the ground truth.\nYou will first enumerate key ideas in each response, discuss their overlap, and then report completeness."
  }

  chain_of_thought groundedness {
    question: string, retrieved_context: string, system_response: string
      -> system_response_claims: string "enumeration of non-trivial or check-worthy claims in the system response",
         discussion: string             "discussion of how supported the claims are by the retrieved context",
         groundedness: float            "fraction (out of 1.0) of system response supported by the retrieved context"
    instructions = "Estimate the groundedness of a system's responses, against real retrieved documents written by people.\nYou will first enumerate whatever non-trivial or check-worthy claims are made in the system response, and then\ndiscuss the extent to which some or all of them can be deduced from the retrieved context and basic commonsense."
  }

  let p = min(max(groundedness.groundedness, 0.0), 1.0)
  let r = min(max(completeness.completeness, 0.0), 1.0)
  outputs { score = p + r == 0 ? 0.0 : 2 * p * r / (p + r) }
}
`
