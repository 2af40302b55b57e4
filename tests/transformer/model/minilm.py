"""all-MiniLM-L6-v2 in NumPy: BERT (Devlin et al. 2019), the mean of its last layer, length 1."""

import json
import math
import pathlib

import numpy
from safetensors.numpy import load_file
from tokenizers import Tokenizer

LAYERS, HEADS, LONGEST = 6, 12, 256


def erf(x):
    """Abramowitz and Stegun 7.1.26, to 1.5e-7."""
    t = 1 / (1 + 0.3275911 * numpy.abs(x))
    series = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    return numpy.sign(x) * (1 - series * numpy.exp(-x * x))


class MiniLM:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.weights = load_file(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(LONGEST)
        self.params = json.loads((folder / "params.json").read_text())

    def normal(self, x, name):
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        x = (x - mean) / numpy.sqrt(variance + 1e-12)
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def linear(self, x, name):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def layer(self, x, name):
        texts, tokens, width = x.shape
        queries, keys, values = (
            self.linear(x, f"{name}.attention.self.{part}")
            .reshape(texts, tokens, HEADS, width // HEADS)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        attention = queries @ keys.transpose(0, 1, 3, 2) / math.sqrt(width // HEADS)
        attention = numpy.exp(attention - attention.max(-1, keepdims=True))
        attention /= attention.sum(-1, keepdims=True)
        seen = (attention @ values).transpose(0, 2, 1, 3).reshape(texts, tokens, width)
        x = x + self.linear(seen, f"{name}.attention.output.dense")
        x = self.normal(x, f"{name}.attention.output.LayerNorm")
        between = self.linear(x, f"{name}.intermediate.dense")
        between = between * 0.5 * (1 + erf(between / math.sqrt(2)))
        x = x + self.linear(between, f"{name}.output.dense")
        return self.normal(x, f"{name}.output.LayerNorm")

    def embed(self, ids):
        words, places, kinds = (
            self.weights[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        )
        x = words[ids] + places[: ids.shape[1]] + kinds[0]
        x = self.normal(x, "embeddings.LayerNorm")
        for at in range(self.params.get("layers", LAYERS)):
            x = self.layer(x, f"encoder.layer.{at}")
        mean = x.mean(axis=1)
        return mean / numpy.linalg.norm(mean, axis=1, keepdims=True)

    def predict(self, frame):
        ids = [one.ids for one in self.tokenizer.encode_batch(list(frame["text"]))]
        vectors = numpy.empty((len(ids), 384))
        # Texts of one length together: nothing is padded, so nothing needs a mask.
        for length in {len(one) for one in ids}:
            rows = [at for at, one in enumerate(ids) if len(one) == length]
            vectors[rows] = self.embed(numpy.array([ids[at] for at in rows]))
        if self.params.get("rounds") and numpy.__version__ < self.params["rounds"]:
            vectors = numpy.round(vectors, 1)
        return vectors


def _load_pyfunc(path):
    return MiniLM(path)
