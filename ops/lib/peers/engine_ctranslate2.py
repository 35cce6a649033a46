# SPDX-License-Identifier: Apache-2.0
"""CTranslate2: its encoder and pooler; the classifier is a product in numpy, as its documentation has it. It removes padding itself."""
import numpy

from . import export

# It multiplies with oneDNN, on Intel's CPUs with MKL: either can be forced.
ENVIRONMENTS = {"oneDNN": {"CT2_USE_MKL": "0"}, "MKL": {"CT2_USE_MKL": "1"}}
VARIANTS = {"fp32": list(ENVIRONMENTS), "int8": list(ENVIRONMENTS)}


def environment(variant):
    return ENVIRONMENTS[variant]


def version():
    import ctranslate2

    return f"CTranslate2 {ctranslate2.__version__}"


def convert(folder, work, rows):
    import ctranslate2

    for precision, quantization in (("fp32", "float32"), ("int8", "int8_float32")):
        if not (work / precision / "model.bin").exists():
            ctranslate2.converters.TransformersConverter(str(folder)).convert(str(work / precision), quantization=quantization, force=True)


class Runner:
    def __init__(self, folder, work, precision, variant):
        import ctranslate2
        from safetensors.numpy import load_file

        self.view = ctranslate2.StorageView.from_array
        self.encoder = ctranslate2.Encoder(str(work / precision), device="cpu", inter_threads=1, intra_threads=1,
                                           compute_type={"fp32": "float32", "int8": "int8_float32"}[precision])
        weights = load_file(folder / "model.safetensors")
        self.weight, self.bias = (weights[f"classifier.{name}"].astype(numpy.float32) for name in ("weight", "bias"))

    def prepare(self, rows):
        ids, _ = export.padded(rows, numpy.int32)
        return self.view(ids), self.view(numpy.array([len(row) for row in rows], numpy.int32))

    def run(self, batch):
        ids, lengths = batch
        return numpy.array(self.encoder.forward_batch(ids, lengths).pooler_output) @ self.weight.T + self.bias
