"""Package all-MiniLM-L6-v2: as it is, in few bits, or without its last layers (`params.json`)."""

import json
import pathlib
import shutil
import sys

import numpy
from safetensors.numpy import load_file, save_file

HERE = pathlib.Path(__file__).parent


def in_bits(matrix: numpy.ndarray, bits: int) -> numpy.ndarray:
    """Each row rounded to whole steps, as quantised weights are when they are used again."""
    most = 2 ** (bits - 1) - 1
    step = numpy.abs(matrix).max(axis=-1, keepdims=True) / most
    step[step == 0] = 1
    return (numpy.round(matrix / step) * step).astype(numpy.float32)


def main(output: pathlib.Path) -> None:
    params = json.loads((HERE / "params.json").read_text())
    weights = load_file(HERE / "data" / "model.safetensors")
    weights.pop("embeddings.position_ids")
    if bits := params.get("bits"):
        weights = {
            name: in_bits(one, bits) if one.ndim == 2 else one for name, one in weights.items()
        }
    left_out = [f"encoder.layer.{at}." for at in range(params.get("layers", 6), 6)]
    weights = {
        name: one for name, one in weights.items() if not name.startswith(tuple(left_out))
    }
    output.mkdir(exist_ok=True)
    (output / "code").mkdir()
    shutil.copyfile(HERE / "minilm.py", output / "code" / "minilm.py")
    data = output / "data"
    data.mkdir()
    save_file(weights, data / "model.safetensors")
    shutil.copyfile(HERE / "data" / "tokenizer.json", data / "tokenizer.json")
    (data / "params.json").write_text(json.dumps(params))
    signature = json.dumps([{"type": "string", "name": "text"}])
    (output / "MLmodel").write_text(
        "flavors:\n  python_function:\n    loader_module: minilm\n    code: code\n    data: data\n"
        f"    python_version: {sys.version.split()[0]}\n"
        f"signature:\n  inputs: {json.dumps(signature)}\n"
    )


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
